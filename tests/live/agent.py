"""The LDAP directory of the agent, set up against a server of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loginward.core.clock import Deadline
from loginward.core.facts import AccountFacts
from loginward.core.secret import Secret
from loginward.directory.ldap.directory import LdapDirectory, Secrets
from loginward.runtime.clock import SystemClock
from loginward.settings.directory import Account, Directory, Groups, Users
from tests.live import people as who

CLOCK = SystemClock()
PASSWORD = Secret(who.PASSWORD.encode())
WRONG = Secret(b"not the password")
NOWHERE = Path("/nonexistent")


def soon(seconds: float = 10) -> Deadline:
    """Return a deadline that a busy machine meets."""
    return Deadline.after(seconds, CLOCK)


def settings(ca_file: Path | None, *urls: str, **changes: object) -> Directory:
    """Return the settings of a site with all accounts, and what is changed of them."""
    given: dict[str, object] = {
        "kind": "ldap",
        "servers": urls,
        "ca_file": ca_file,
        "service_account": Account(dn=who.SVC_RO, password_file=NOWHERE),
        "admin_account": Account(dn=who.SVC_RW, password_file=NOWHERE),
        "users": Users(base_dn=who.PEOPLE),
        "groups": Groups(base_dn=who.GROUPS),
        "ppolicy_dn": who.DEFAULT_POLICY,
        **changes,
    }
    return Directory(**given)  # type: ignore[arg-type]


def unread(ca_file: Path | None, *urls: str, **changes: object) -> Directory:
    """Return the settings of a site that lets nobody read."""
    template = Users(dn_template=f"uid={{user}},{who.PEOPLE}")
    nobody = {"service_account": None, "admin_account": None, "users": template}
    return settings(ca_file, *urls, **(nobody | changes))


def facts_of(directory: LdapDirectory, name: str) -> AccountFacts:
    """Return the facts of an account that must be there."""
    facts = directory.find(name, soon())
    assert facts is not None, f"{name!r} is not found"
    return facts


@contextmanager
def reached(site: Directory) -> Iterator[LdapDirectory]:
    """Give the directory of those settings, and close it."""
    directory = LdapDirectory(site, Secrets(service=PASSWORD, admin=PASSWORD), CLOCK)
    try:
        yield directory
    finally:
        directory.close()
