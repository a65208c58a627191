"""Which processes start beside the daemon, and what stops them from starting."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from loginward.errors import ConfigError
from loginward.host.roothelper import RootHelper
from loginward.runtime import beside
from loginward.runtime.beside import Beside, start_beside
from loginward.settings import Account, Directory, Settings, Users

NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def started(monkeypatch):
    """Note in which order they are started, instead of forking this process."""
    order = []

    def admin(settings, become):
        order.append("admin")

    monkeypatch.setattr(RootHelper, "fork", lambda: order.append("root") or "helper")
    monkeypatch.setattr(beside, "start_admin_process", admin)
    return order


def test_root_that_is_to_become_another_leaves_a_root_helper_behind(started, monkeypatch):
    """The helper first, before any secret is read (security.md 12)."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert start_beside(Settings(), NOBODY).root == "helper"
    assert started == ["root", "admin"]


@pytest.mark.parametrize(
    ("uid", "become"),
    [pytest.param(1000, NOBODY, id="not-root"), pytest.param(0, None, id="stays-root")],
)
def test_without_roots_rights_or_need_there_is_no_helper(started, monkeypatch, uid, become):
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    assert start_beside(Settings(), become) == Beside()
    assert started == ["admin"]


def test_a_machine_that_has_no_process_left_is_told_of(started, monkeypatch):
    def full():
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(RootHelper, "fork", full)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(ConfigError, match="Resource temporarily unavailable"):
        start_beside(Settings(), NOBODY)
    assert started == []


def test_an_admin_account_whose_secret_is_missing_refuses_to_start(tmp_path, monkeypatch):
    """No daemon comes up that would find out at the first unlock."""
    monkeypatch.setattr(RootHelper, "fork", lambda: None)
    missing = Account(dn="cn=admin,dc=b", password_file=Path(tmp_path / "admin.secret"))
    directory = Directory(
        kind="ldap",
        servers=("ldaps://d.example.org",),
        admin_account=missing,
        users=Users(dn_template="uid={user},dc=b"),
    )
    with pytest.raises(ConfigError) as caught:
        start_beside(Settings(directory=directory), None)
    assert caught.value.path == "directory.admin_account.password_file"


def test_an_embedded_directory_needs_no_admin_process():
    assert start_beside(Settings(), None).admin is None
