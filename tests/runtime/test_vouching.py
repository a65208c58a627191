"""Whom the wall clock may be believed on (security.md, design "Clock")."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loginward.directory.port import ServerHealth
from loginward.runtime.vouching import vouched_for
from loginward.settings import Account, Directory, Users

NOW = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)


def ldap(server, *, start_tls=False):
    return Directory(
        kind="ldap",
        servers=(server,),
        start_tls=start_tls,
        service_account=Account(dn="cn=a,dc=b", password_file=Path("/etc/loginward/bind.secret")),
        users=Users(base_dn="dc=b"),
    )


def answered(seconds_ago, *, usable=True):
    return (ServerHealth(name="x", usable=usable, last_ok_at=NOW - timedelta(seconds=seconds_ago)),)


@pytest.mark.parametrize(
    ("directory", "health", "vouched"),
    [
        pytest.param(ldap("ldaps://d.example.org"), answered(5), True, id="ldaps"),
        pytest.param(
            ldap("ldap://d.example.org", start_tls=True), answered(5), True, id="starttls"
        ),
        pytest.param(ldap("ldap://127.0.0.1"), answered(5), False, id="plain-vouches-for-nothing"),
        pytest.param(ldap("ldaps://d.example.org"), answered(25), False, id="too-long-ago"),
        pytest.param(ldap("ldaps://d.example.org"), answered(5, usable=False), False, id="down"),
        pytest.param(ldap("ldaps://d.example.org"), (), False, id="never"),
        pytest.param(Directory(), answered(5), False, id="embedded"),
    ],
)
def test_only_a_verified_server_of_just_now_vouches(directory, health, vouched):
    assert vouched_for(directory, health, NOW, within_s=20) is vouched
