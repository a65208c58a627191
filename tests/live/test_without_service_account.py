"""Where nobody may read the directory, the bind alone tells; and the operator is told so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from loginward.core.reasons import Reason
from loginward.core.requests import Phase
from tests.live import people
from tests.live.daemon import READS_NOBODY, Agent
from tests.live.site import site_at
from tests.live.slapd import Slapd
from tests.runtime.daemon import converse

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("without-service-account")]

# name: where slapd tells a lock apart (ppolicy_use_lockout), and as it is by default
STATUS = {
    "active": ("ok", "ok"),
    "warning": ("ok", "ok"),
    "expired": ("password-expired", "password-expired"),
    "graceless": ("password-expired", "password-expired"),
    "grace": ("password-expired", "password-expired"),
    "mustchange": ("change-required", "change-required"),
    "pending": ("wrong-credentials", "wrong-credentials"),
    "locked": ("account-locked", "wrong-credentials"),
    "lockperm": ("account-locked", "wrong-credentials"),
    "explock": ("account-locked", "wrong-credentials"),
    "idle": ("account-locked", "wrong-credentials"),
    "notyet": ("account-locked", "wrong-credentials"),
    "ended": ("account-locked", "wrong-credentials"),
    "nobody": ("wrong-credentials", "wrong-credentials"),
    "shadowexp": ("ok", "ok"),  # a date of RFC 2307 that slapd does not enforce, and nobody reads
}


@dataclass
class Unread:
    """A directory that nobody reads, and the agent before it."""

    slapd: Slapd
    agent: Agent
    tells_locks: bool

    def reason(self, name: str) -> str:
        """Try one login and return the reason it ended with."""
        said = self.agent.login(name, people.PASSWORD)
        return str(json.loads(said.splitlines()[-1])["reason"])


@pytest.fixture(scope="module", params=[True, False], ids=["told", "hidden"])
def unread(request: pytest.FixtureRequest) -> Iterator[Unread]:
    with site_at(accounts=READS_NOBODY, use_lockout=request.param) as (slapd, agent):
        yield Unread(slapd, agent, request.param)


@pytest.fixture(scope="module")
def reasons(unread: Unread) -> dict[str, str]:
    """What each account hears; all at once, for a refusal takes its time."""
    with ThreadPoolExecutor(len(STATUS)) as pool:
        return dict(zip(STATUS, pool.map(unread.reason, STATUS), strict=True))


@pytest.mark.parametrize("name", STATUS)
def test_one_bind_tells_what_it_can(unread: Unread, reasons: dict[str, str], name: str) -> None:
    """I16: a hidden lock reads as wrong credentials, and so does a name that is nobody's."""
    assert reasons[name] == STATUS[name][0 if unread.tells_locks else 1]
    assert unread.slapd.bound(name) == 1


def test_a_lock_learnt_from_a_bind_suppresses_none_online(unread: Unread) -> None:
    """What one bind said may be over at the next: only the directory knows."""
    assert unread.reason("forgood") != "ok"
    unread.slapd.change("forgood", {"pwdAccountLockedTime": ()}, relax=False)
    assert unread.reason("forgood") == "ok"
    assert unread.slapd.bound("forgood") == 2


def test_why_does_not_say_that_all_is_well(unread: Unread) -> None:
    """A lock that nobody may read is not "allowed", and no way to lift it is promised."""
    for name in ("lockperm", "active"):
        told = unread.agent.command("why", name)
        assert told.returncode == 1
        assert told.stdout.startswith("not known: status cannot be read: there is no service")
        assert "allowed" not in told.stdout
        assert "nothing stands against it" not in told.stdout
        assert "set directory.service_account" in told.stdout
    row = json.loads(unread.agent.command("why", "lockperm", "--json").stdout)
    assert row["unknown"] == "status cannot be read: there is no service account"
    assert {fact["value"] for fact in row["facts"] if fact["fact"] != "password"} == {"unreadable"}


def test_why_of_a_reference_promises_no_end_that_nobody_sees(unread: Unread) -> None:
    """What ended a login may still stand: only another login would tell."""
    said = unread.agent.login("lockperm", people.PASSWORD)
    told = unread.agent.command("why", "--ref", json.loads(said.splitlines()[-1])["reference"])
    assert "nothing any more" not in told.stdout
    cure = "unlock lockperm" if unread.tells_locks else "reset-password lockperm"
    assert f"loginward {cure}" in told.stdout


@pytest.mark.parametrize("form", [(), ("--json",), ("--names",), ("--status", "locked")])
def test_users_says_that_nobody_can_be_listed(unread: Unread, form: tuple[str, ...]) -> None:
    told = unread.agent.command("users", *form)
    assert told.returncode == 1
    assert told.stdout == ""
    assert "error: accounts cannot be listed: there is no service account" in told.stderr
    assert "set directory.service_account" in told.stderr
    assert "no such account" not in told.stderr


def test_a_new_password_too_short_is_said_to_be_so_without_a_number(unread: Unread) -> None:
    """What slapd demands nobody may read here, and our own rule is not its."""
    new = (b"short", b"short")
    asked = {"phase": Phase.CHAUTHTOK_UPDATE, "service": "passwd"}
    typed = (people.PASSWORD.encode(), *new, *new, *new)
    result, said = converse(unread.agent.run_dir, "active", *typed, **asked)
    assert result.reason is Reason.NOT_PERMITTED
    assert said.splitlines().count("Too short: choose a longer one.") == 3
    assert "characters" not in said


def test_status_and_doctor_say_that_status_is_unreadable(unread: Unread) -> None:
    health = unread.agent.command("status").stdout
    assert "status is unreadable: there is no service account" in health
    assert "a hidden lock reads as wrong-credentials" in health
    one = unread.agent.command("status", "lockperm", "--json").stdout
    assert {"lock", "state", "password", "expiry"} <= set(json.loads(one)["unreadable"])
    found = unread.agent.command("doctor")
    assert found.returncode == 1
    told = " ".join(found.stdout.split())
    assert "without one no status can be read: a lock shows as wrong-credentials" in told
