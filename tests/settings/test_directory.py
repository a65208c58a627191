"""The rules between the keys of `directory`."""

from __future__ import annotations

from pathlib import Path

import pytest

from loginward.settings import Account, Directory, InvalidSettingError, Users
from loginward.settings.directory import is_loopback

AGENT = Account(dn="cn=agent,dc=x", password_file=Path("/etc/secret"))
PEOPLE = Users(base_dn="ou=people,dc=x")
TEMPLATE = Users(dn_template="uid={user},dc=x")


def ldap(**keys: object) -> Directory:
    return Directory(
        **{
            "kind": "ldap",
            "servers": ("ldaps://ldap.example.org",),
            "service_account": AGENT,
            "users": PEOPLE,
            **keys,
        }
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "servers",
    [
        ("ldaps://ldap.example.org",),
        ("ldaps://ldap.example.org:1636", "ldaps://192.0.2.1"),
        ("ldap://127.0.0.1:3890",),
        ("ldap://[::1]:3890",),
        ("ldap://localhost/",),
    ],
)
def test_servers_that_are_fine(servers: tuple[str, ...]) -> None:
    assert ldap(servers=servers).servers == servers


@pytest.mark.parametrize(
    ("servers", "said"),
    [
        pytest.param(("ldap://ldap.example.org",), "loopback only", id="plain-ldap-refused"),
        pytest.param(("ldap://127.example.org",), "loopback only", id="looks-like-loopback"),
        pytest.param(("ldap://localhost.example.org",), "loopback only", id="localhost-prefix"),
        pytest.param(("http://x",), "must look like", id="scheme"),
        pytest.param(("ldaps://",), "must look like", id="no-host"),
        pytest.param(("ldaps://x:0",), "must look like", id="port-0"),
        pytest.param(("ldaps://x:99999",), "must look like", id="port-too-large"),
        pytest.param(("ldaps://x/dc=org",), "must look like", id="path"),
        pytest.param(("ldaps://user@x",), "must look like", id="userinfo"),
        pytest.param(("ldaps://[::1",), "must look like", id="bracket"),
        pytest.param(("ldaps://x", "ldaps://x"), "twice", id="twice"),
        pytest.param((), "at least one", id="none"),
    ],
)
def test_servers_that_are_refused(servers: tuple[str, ...], said: str) -> None:
    with pytest.raises(InvalidSettingError, match=said):
        ldap(servers=servers)


def test_start_tls_makes_plain_ldap_fine_and_ldaps_wrong() -> None:
    assert ldap(servers=("ldap://ldap.example.org",), start_tls=True).start_tls
    with pytest.raises(InvalidSettingError, match="start_tls is for ldap://"):
        ldap(start_tls=True)


def test_without_a_service_account_names_need_a_template() -> None:
    assert ldap(service_account=None, users=TEMPLATE).service_account is None
    with pytest.raises(InvalidSettingError) as caught:
        ldap(service_account=None)
    assert caught.value.key == "users.dn_template"


def test_a_service_account_needs_a_base() -> None:
    with pytest.raises(InvalidSettingError) as caught:
        ldap(users=TEMPLATE)
    assert caught.value.key == "users.base_dn"


@pytest.mark.parametrize("keys", [{"servers": ("ldaps://x",)}, {"service_account": AGENT}])
def test_the_embedded_directory_has_no_servers(keys: dict[str, object]) -> None:
    with pytest.raises(InvalidSettingError, match="say kind: ldap"):
        Directory(**keys)  # type: ignore[arg-type]


@pytest.mark.parametrize("template", ["uid=x", "uid={user},cn={user}"])
def test_a_template_holds_the_name_once(template: str) -> None:
    with pytest.raises(InvalidSettingError):
        Users(dn_template=template)


@pytest.mark.parametrize("budget", [0.0, 2.9, 30.0])
def test_the_budget_stays_below_what_a_phase_and_the_module_wait(budget: float) -> None:
    with pytest.raises(InvalidSettingError) as caught:
        Directory(budget_s=budget)
    assert caught.value.key == "budget_s"


def test_relative_paths_are_refused() -> None:
    with pytest.raises(InvalidSettingError):
        Account(dn="cn=a", password_file=Path("secret"))


def test_loopback_is_told_without_asking_anybody() -> None:
    assert is_loopback("127.8.9.1")
    assert not is_loopback("example.org")
