"""Which processes a daemon has beside it: forked with root's rights, or systemd's."""

from __future__ import annotations

from pathlib import Path

import pytest

from loginward.errors import ConfigError
from loginward.runtime.beside import ROOT_SOCKET, WRITER_SOCKET, Beside, start_beside
from loginward.settings import Settings
from loginward.settings.directory import Account, Directory, Users

GIVEN = {ROOT_SOCKET: "/nowhere/root.sock", WRITER_SOCKET: "/nowhere/writer.sock"}


def with_admin(secret: Path) -> Settings:
    account = Account(dn="cn=unlocker,dc=example", password_file=secret)
    return Settings(
        directory=Directory(
            kind="ldap",
            servers=("ldaps://127.0.0.1:1",),
            admin_account=account,
            users=Users(base_dn="ou=people,dc=example", dn_template="uid={user},ou=people"),
        )
    )


def test_without_roots_rights_and_sockets_there_is_no_root_helper() -> None:
    assert start_beside(Settings(), None, {}) == Beside(None, None)


def test_the_given_sockets_are_used_and_no_secret_is_read(tmp_path: Path) -> None:
    """security.md 12: a file that is not there would be a ConfigError, were it looked at."""
    beside = start_beside(with_admin(tmp_path / "missing"), None, GIVEN)
    assert beside.root is not None
    assert beside.admin is not None
    with pytest.raises(ConfigError, match="admin_account"):
        start_beside(with_admin(tmp_path / "missing"), None, {})


def test_without_an_admin_account_its_process_is_not_asked_for() -> None:
    beside = start_beside(Settings(), None, GIVEN)
    assert beside.root is not None
    assert beside.admin is None
