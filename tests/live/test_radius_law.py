"""What the RADIUS door costs an account, before a real OpenLDAP that counts; and a reload."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from loginward.wire.radius.attributes import Attribute
from loginward.wire.radius.packet import Code, decode
from tests.doubles.nas import STATION, Nas
from tests.doubles.waiting import eventually
from tests.live import people
from tests.live.radius_site import RadiusSite, radius_site
from tests.live.slapd import now

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("radius")]

RIGHT = people.PASSWORD.encode()
PHONE = "00-11-22-33-44-55"
FAILING = 10  # different accounts that one device may fail at (security.md 5)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RadiusSite]:
    crowd = (*people.matrix(now()), *people.bulk(20))
    with radius_site(tmp_path_factory.mktemp("radius"), crowd) as made:
        yield made


def login(nas: Nas, name: str, password: bytes, station: bytes = STATION) -> Code:
    return nas.exchange(nas.request(name, password, station=station)).code


def test_i19_a_phone_with_an_old_password_counts_once_and_why_names_it(site: RadiusSite) -> None:
    """50 packets, each with its own Identifier and authenticator: one failure in the directory."""
    with site.nas() as nas:
        for _ in range(5):  # it does not wait for an answer either
            for _ in range(10):
                nas.sock.send(nas.request("bulk0", b"the old password"))
            codes = {decode(nas.sock.recv(4096)).code for _ in range(10)}
            assert codes == {Code.ACCESS_REJECT}
        assert site.slapd.failures("bulk0") == 1
        assert site.slapd.bound("bulk0") == 1
        why = site.agent.command("why", "bulk0", "--door", "radius", "--service", "vpn").stdout
        assert PHONE in why
        assert login(nas, "bulk0", RIGHT) is Code.ACCESS_ACCEPT


def test_different_wrong_passwords_lock_as_the_directory_has_it(site: RadiusSite) -> None:
    with site.nas() as nas:
        for n in range(people.MAX_FAILURE):
            assert login(nas, "bulk1", b"guess number %d" % n) is Code.ACCESS_REJECT
        bound = site.slapd.bound("bulk1")
        assert login(nas, "bulk1", RIGHT) is Code.ACCESS_REJECT
        assert site.slapd.bound("bulk1") == bound, "locked, nothing is sent"
    assert ("authn", "account-locked") in site.agent.reasons("bulk1")


def test_a_device_that_tries_many_accounts_is_not_checked_any_more(site: RadiusSite) -> None:
    sprayer = b"DE-AD-BE-EF-00-01"
    names = [f"bulk{n}" for n in range(2, 2 + FAILING)]
    with site.nas() as nas:
        for name in names:
            assert login(nas, name, b"Summer2026!", sprayer) is Code.ACCESS_REJECT
        assert login(nas, "bulk18", b"Summer2026!", sprayer) is Code.ACCESS_REJECT
        assert login(nas, "bulk19", RIGHT, sprayer) is Code.ACCESS_REJECT
        assert site.slapd.bound("bulk18") == site.slapd.bound("bulk19") == 0
        assert [site.slapd.failures(name) for name in names] == [1] * FAILING
        assert login(nas, "bulk19", RIGHT, b"66-77-88-99-AA-BB") is Code.ACCESS_ACCEPT
    assert ("authn", "source-throttled") in site.agent.reasons("bulk19")


def test_a_reload_loses_no_answer_and_no_question(site: RadiusSite) -> None:
    """SIGHUP: new rules count for the next login; what was answered and asked goes on."""
    file: Path = site.agent.folder / "loginward.yaml"
    rule = '    replies: [{groups: [], attributes: {Filter-Id: "everybody"}}]\n'
    with site.nas() as nas:
        wrong = nas.request("bulk2", b"another wrong one")
        first = nas.exchange(wrong).raw
        failures = site.slapd.failures("bulk2")
        asked = nas.login("mustchange", RIGHT)
        assert asked.code is Code.ACCESS_CHALLENGE
        file.write_text(file.read_text().replace("    clients:\n", f"{rule}    clients:\n"))
        os.kill(site.agent.pid, signal.SIGHUP)
        eventually(
            lambda: nas.login("bulk19", RIGHT).first(Attribute.FILTER_ID) == b"everybody",
            site.agent.log.read_text,
        )
        assert nas.exchange(wrong).raw == first
        assert site.slapd.failures("bulk2") == failures
        new = b"an entirely new one 7"
        again = nas.login("mustchange", new, state=asked.first(Attribute.STATE) or b"")
        done = nas.login("mustchange", new, state=again.first(Attribute.STATE) or b"")
        assert done.code is Code.ACCESS_ACCEPT
