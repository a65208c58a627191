"""The rules between sections."""

from __future__ import annotations

from pathlib import Path

import pytest

from loginward.settings import (
    Account,
    AdminDoor,
    Directory,
    Doors,
    Groups,
    InvalidSettingError,
    Messages,
    Policy,
    Resource,
    Settings,
    Support,
    Users,
)


def test_only_the_form_that_this_version_reads() -> None:
    with pytest.raises(InvalidSettingError):
        Settings(schema=2)


def test_paths_are_absolute_and_apart() -> None:
    with pytest.raises(InvalidSettingError):
        Settings(state_dir=Path("state"))
    with pytest.raises(InvalidSettingError):
        Settings(state_dir=Path("/x"), runtime_dir=Path("/x"))


def test_a_resource_names_clients_that_exist() -> None:
    mail = Resource(name="mail", clients=("wifi",), keep_while=("expired",))
    with pytest.raises(InvalidSettingError) as caught:
        Settings(policy=Policy(resources=(mail,)))
    assert caught.value.key == "policy.resources[0].clients"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ({}, None),
        ({"groups": Groups()}, "groups.base_dn"),
        (
            {"service_account": None, "users": Users(dn_template="uid={user},dc=x")},
            "service_account",
        ),
    ],
)
def test_groups_protect_only_where_they_are_read(missing: dict[str, object], said: str | None):
    """security.md 16: a protection that silently protects nobody is refused."""
    agent = Account(dn="cn=agent,dc=x", password_file=Path("/etc/secret"))
    keys: dict[str, object] = {
        "kind": "ldap",
        "servers": ("ldaps://ldap.example.org",),
        "service_account": agent,
        "users": Users(base_dn="ou=people,dc=x"),
        "groups": Groups(base_dn="ou=groups,dc=x"),
    }
    directory = Directory(**(keys | missing))  # type: ignore[arg-type]
    doors = Doors(admin=AdminDoor(protected_groups=("admins",)))
    if said is None:
        assert Settings(directory=directory, doors=doors).doors is doors
        return
    with pytest.raises(InvalidSettingError, match=said) as caught:
        Settings(directory=directory, doors=doors)
    assert caught.value.key == "doors.admin.protected_groups"


@pytest.mark.parametrize("contact", ["", "a\nb", "\x1b[31m", "x" * 201])
def test_a_contact_is_one_clean_line(contact: str) -> None:
    with pytest.raises(InvalidSettingError):
        Support(contact=contact)


def test_a_language_is_a_tag() -> None:
    with pytest.raises(InvalidSettingError):
        Messages(language="../en")
