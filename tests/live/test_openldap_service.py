"""The agent's own accounts towards a real OpenLDAP: refused, they are spared and named."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from loginward.core.secret import Secret
from loginward.directory.ldap.directory import LdapDirectory, Secrets
from loginward.errors import DirectoryUnavailable
from tests.live import people as who
from tests.live.agent import CLOCK, PASSWORD, settings, soon
from tests.live.slapd import Slapd

pytestmark = pytest.mark.live


def test_a_wrong_password_of_the_service_account_is_tried_once_and_named(slapd_on: Slapd, caplog):
    """A fleet that goes on trying would lock the account by which everybody signs in."""
    site = settings(slapd_on.ca_file, slapd_on.tls_url)
    directory = LdapDirectory(site, Secrets(service=Secret(b"wrong"), admin=PASSWORD), CLOCK)
    before = bound(slapd_on)
    for _ in range(20):
        with pytest.raises(DirectoryUnavailable) as caught:
            directory.find("active", soon())
        assert caught.value.stage == "directory.service_account"
        assert "result 49" in caught.value.detail
    directory.close()

    assert bound(slapd_on) == before + 1
    assert caplog.text.count("directory.service_account") == 1
    assert "wrong" not in caplog.text


def test_nor_is_it_tried_by_many_logins_at_once(slapd_on: Slapd):
    site = settings(slapd_on.ca_file, slapd_on.tls_url)
    directory = LdapDirectory(site, Secrets(service=Secret(b"wrong"), admin=PASSWORD), CLOCK)
    before = bound(slapd_on)
    together = threading.Barrier(16)

    def log_in(_: int) -> str:
        together.wait(10)
        with pytest.raises(DirectoryUnavailable) as caught:
            directory.find("active", soon())
        return caught.value.stage

    with ThreadPoolExecutor(16) as pool:
        said = set(pool.map(log_in, range(16)))
    directory.close()

    assert said == {"directory.service_account"}
    assert bound(slapd_on) == before + 1


def test_binds_of_people_go_on_while_the_service_account_is_refused(slapd_on: Slapd):
    site = settings(slapd_on.ca_file, slapd_on.tls_url)
    directory = LdapDirectory(site, Secrets(service=Secret(b"wrong"), admin=PASSWORD), CLOCK)
    with pytest.raises(DirectoryUnavailable):
        directory.find("active", soon())
    (health,) = directory.health()
    directory.close()

    assert health.usable


def bound(slapd: Slapd) -> int:
    return sum(bind.dn == who.SVC_RO.lower() for bind in slapd.binds())
