"""What of a configuration a running agent takes, and what waits for a restart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.settings import (
    Account,
    Client,
    Directory,
    Doors,
    Expiry,
    InvalidSettingError,
    Keys,
    Lockout,
    Policy,
    Radius,
    Resource,
    Section,
    Settings,
    Users,
    Watch,
    fields_of,
)
from loginward.settings.changes import change_between

WIFI = Client(
    name="wifi", addresses=("192.0.2.1",), secret_file=Path("/etc/wifi.secret"), methods=("pap",)
)
LDAP = Directory(
    kind="ldap",
    servers=("ldaps://one.example.org",),
    service_account=Account(dn="cn=agent", password_file=Path("/etc/secret")),
    users=Users(base_dn="ou=people"),
)
WAITING = frozenset(
    {
        "state_dir",
        "runtime_dir",
        "directory.kind",
        "directory.servers",
        "directory.start_tls",
        "directory.ca_file",
        "directory.flavour",
        "directory.service_account",
        "directory.admin_account",
        "directory.users",
        "directory.groups",
        "directory.ppolicy_dn",
        "directory.watch.mode",
        "events.unknown_names",
        "keys.source",
        "doors.radius",
    }
)


def paths_that_wait(section: type[Section] = Settings, prefix: str = "") -> frozenset[str]:
    found = frozenset[str]()
    for field in fields_of(section):
        path = f"{prefix}{field.name}"
        if field.key.needs_restart or field.key.opens:
            found |= {path}
        elif isinstance(field.default, Section):
            found |= paths_that_wait(type(field.default), f"{path}.")
    return found


def test_these_keys_wait_for_a_restart_and_no_others() -> None:
    """A new key is taken while running, unless it says otherwise: then it is named here."""
    assert paths_that_wait() == WAITING


def test_what_can_be_taken_is_and_what_cannot_stays_and_both_are_named() -> None:
    old = Settings(directory=LDAP)
    new = Settings(
        state_dir=Path("/elsewhere"),
        directory=replace(
            LDAP, servers=("ldaps://two.example.org",), budget_s=1.5, watch=Watch(poll_s=60)
        ),
        policy=Policy(lockout=Lockout(threshold=3), reveal="never"),
        keys=Keys(source="tpm2"),
    )
    change = change_between(old, new)
    assert change.changed == (
        "directory.budget_s", "directory.watch.poll_s", "policy.lockout.threshold", "policy.reveal",
    )  # fmt: skip
    assert change.needs_restart == ("state_dir", "directory.servers", "keys.source")
    assert change.settings == replace(
        old,
        directory=replace(LDAP, budget_s=1.5, watch=Watch(poll_s=60)),
        policy=new.policy,
    )


def test_another_kind_of_directory_leaves_all_of_the_old_one() -> None:
    change = change_between(Settings(), Settings(directory=LDAP))
    assert change.settings == Settings()
    assert change.needs_restart == (
        "directory.kind", "directory.servers", "directory.service_account", "directory.users",
    )  # fmt: skip


def test_what_contradicts_something_that_waits_is_refused_whole() -> None:
    """A resource for RADIUS clients that are in force only after a restart."""
    mail = Resource(name="wifi", clients=("wifi",), keep_while=("expired",))
    new = Settings(
        doors=Doors(radius=Radius(clients=(WIFI,))),
        policy=Policy(resources=(mail,), reveal="never"),
    )
    with pytest.raises(InvalidSettingError) as caught:
        change_between(Settings(), new)
    assert caught.value.key == "policy.resources[0].clients"


def test_what_is_inside_an_open_door_follows_but_for_where_it_listens() -> None:
    """Clients come and go without a restart; sockets are bound while root's rights last."""
    old = Settings(doors=Doors(radius=Radius(clients=(WIFI,))))
    vpn = replace(WIFI, name="vpn", addresses=("192.0.2.2",))
    new = Settings(doors=Doors(radius=Radius(clients=(WIFI, vpn), listen=("192.0.2.9:1812",))))
    change = change_between(old, new)
    assert change.changed == ("doors.radius.clients",)
    assert change.needs_restart == ("doors.radius.listen",)


SOME = st.builds(
    Settings,
    state_dir=st.sampled_from([Path("/a"), Path("/b")]),
    directory=st.sampled_from([Directory(), LDAP, replace(LDAP, budget_s=1.0)]),
    policy=st.builds(
        Policy,
        lockout=st.builds(Lockout, threshold=st.integers(1, 5)),
        expiry=st.builds(Expiry, when_expired=st.sampled_from(["deny", "change"])),
        reveal=st.sampled_from(["never", "local", "always"]),
    ),
)


@given(SOME, SOME)
def test_every_key_is_the_new_or_the_old_and_said_to_be(old: Settings, new: Settings) -> None:
    change = change_between(old, new)

    def value(settings: Settings, path: str) -> object:
        found: object = settings
        for name in path.split("."):
            found = getattr(found, name)
        return found

    for path in change.changed:
        assert value(change.settings, path) == value(new, path) != value(old, path)
    for path in change.needs_restart:
        assert path in WAITING
        assert value(change.settings, path) == value(old, path) != value(new, path)
    again = change_between(change.settings, new)
    assert not again.changed
    assert again.needs_restart == change.needs_restart
    assert (change.settings == new) == (not change.needs_restart)
