"""A login end to end: real sshd, su, sudo and pamtester, our module, the real agent, real slapd."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.live import people
from tests.live.pam_ns import Outcome
from tests.live.world import DELAYED, SCREEN, UIDS, World, world_at

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("end-to-end")]

RIGHT, WRONG = people.PASSWORD, "not-the-password"
STRANGER = "stranger"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with world_at() as made:
        made.machine.add_person(STRANGER, 3900)
        yield made


def authenticate(world: World, name: str, password: str = RIGHT) -> Outcome:
    return world.machine.pamtester("login", name, "authenticate", password=password)


def account(world: World, name: str) -> Outcome:
    return world.machine.pamtester("login", name, "acct_mgmt")


IN, NO, DENIED = "successfully authenticated", "Authentication failure", "Permission denied"
DONE, ENDED = "account management done", "User account has expired"
NEW_ONE = "Authentication token is no longer valid; new one required"
NOT_OURS = "User not known to the underlying authentication module"
OLD_TEXT = "Your password has expired: it was too old."
EXPIRES_TEXT = "Your password expires"
CASES = [
    # name, password, authenticate: code and text, account phase: code and text, reason, binds
    ("active", RIGHT, IN, "", DONE, "", "ok", 1),
    ("active", WRONG, NO, "Wrong user name or password.", DONE, "", "wrong-credentials", 1),
    ("pending", RIGHT, DENIED, "has no password yet", DENIED, "no password", "password-pending", 0),
    ("expired", RIGHT, DENIED, OLD_TEXT, ENDED, OLD_TEXT, "password-expired", 1),
    ("expired", WRONG, NO, "Wrong user name", ENDED, OLD_TEXT, "wrong-credentials", 1),
    ("locked", RIGHT, DENIED, "is locked until", DENIED, "is locked until", "account-locked", 0),
    ("lockperm", RIGHT, DENIED, "an administrator", DENIED, "locked", "account-locked", 0),
    ("explock", RIGHT, DENIED, "is locked until", DENIED, "is locked until", "account-locked", 0),
    ("mustchange", RIGHT, IN, "", NEW_ONE, "is temporary. Choose", "change-required", 1),
    ("notyet", RIGHT, DENIED, "not active yet. It starts", ENDED, "not active", "user-staged", 0),
    ("ended", RIGHT, DENIED, "Your account has ended", ENDED, "has ended", "user-suspended", 0),
    (STRANGER, RIGHT, NOT_OURS, "Wrong user name or password.", NOT_OURS, "", "user-unknown", 0),
    ("grace", RIGHT, DENIED, OLD_TEXT, ENDED, OLD_TEXT, "password-expired", 0),
    ("graceless", RIGHT, DENIED, OLD_TEXT, ENDED, OLD_TEXT, "password-expired", 1),
    ("warning", RIGHT, IN, EXPIRES_TEXT, DONE, EXPIRES_TEXT, "ok", 1),
]


@pytest.mark.parametrize(
    ("name", "password", "authn", "says", "acct", "acct_says", "reason", "binds"),
    [pytest.param(*case, id=f"{case[0]}-{case[6]}") for case in CASES],
)
def test_each_account_gets_its_answer_in_both_phases(
    world: World,
    name: str,
    password: str,
    authn: str,
    says: str,
    acct: str,
    acct_says: str,
    reason: str,
    binds: int,
) -> None:
    """R17, R24, R25, R26, R60: the module's code, the words, the event, and no bind to spare."""
    known = "" if name == STRANGER else name  # a name that is nobody's is not written down
    bound, seen = world.slapd.bound(name), len(world.agent.reasons(known))
    first = world.machine.pamtester(SCREEN, name, "authenticate", password=password)
    assert authn in first.said
    assert says in first.said
    assert world.slapd.bound(name) - bound == binds
    events = world.agent.reasons(known)[seen:]
    assert [event for event in events if event[0] == "authn"] == [("authn", reason)]
    second = world.machine.pamtester(SCREEN, name, "acct_mgmt")
    assert acct in second.said
    assert acct_says in second.said
    assert world.slapd.bound(name) - bound == binds
    if name == "grace":
        assert world.slapd.values(name, "pwdGraceUseTime") == []


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [("active", DONE, ""), ("warning", DONE, EXPIRES_TEXT), ("mustchange", NEW_ONE, "temporary")],
)
def test_both_phases_in_one_transaction_say_it_once(
    world: World, name: str, code: str, says: str
) -> None:
    both = world.machine.pamtester(SCREEN, name, "authenticate", "acct_mgmt", password=RIGHT)
    assert IN in both.said
    assert code in both.said
    assert both.said.count(says) == 1 or not says


def test_a_refusal_is_delayed_once_and_by_pam(world: World) -> None:
    """Between half and one and a half of two seconds, as libpam draws it; not by the daemon too."""
    took = {}
    for service in (SCREEN, DELAYED):
        began = time.monotonic()
        refused = world.machine.pamtester(service, "lockperm", "authenticate", password=RIGHT)
        took[service] = time.monotonic() - began
        assert refused.code != 0
    began = time.monotonic()
    assert IN in world.machine.pamtester(DELAYED, "active", "authenticate", password=RIGHT).said
    assert time.monotonic() - began < 0.9, "who is let in waits for nothing"
    assert took[SCREEN] < 0.9, "the daemon itself makes root's programs wait"
    assert 0.9 < took[DELAYED] < 3.6


def test_a_locked_person_at_a_seat_is_told_why(world: World) -> None:
    assert "is locked until" in authenticate(world, "locked").said


def test_a_key_login_of_a_locked_person_is_refused_and_told_why(world: World) -> None:
    """R25: the account phase stands alone; the reason comes as the banner."""
    refused = world.machine.ssh("lockperm", "publickey")
    assert refused.code != 0
    assert "locked" in refused.said
    assert world.machine.ssh("active", "publickey").out.strip() == "active"


@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
def test_ssh_lets_in_and_refuses(world: World, method: str) -> None:
    assert world.machine.ssh("warning", method, RIGHT).out.strip() == "warning"
    refused = world.machine.ssh("lockperm", method, RIGHT)
    assert refused.code != 0
    assert "locked" not in refused.out


def test_su_and_sudo(world: World) -> None:
    assert world.machine.su("active", RIGHT, by=UIDS["warning"]).out.strip() == "active"
    assert world.machine.su("lockperm", RIGHT, by=UIDS["warning"]).code != 0
    assert world.machine.sudo(UIDS["active"], RIGHT).out.strip() == "root"
    assert world.machine.sudo(UIDS["lockperm"], RIGHT).code != 0


def test_a_wrong_password_raises_the_directorys_count_by_one(world: World) -> None:
    world.slapd.add(people.Person("counted", ()), 9100)
    world.machine.add_person("counted", 3901)
    assert "Authentication failure" in authenticate(world, "counted", WRONG).said
    assert world.slapd.failures("counted") == 1


def test_an_unlock_of_ours_or_in_slapd_counts_at_the_very_next_login(world: World) -> None:
    """R22, R24, R39, without a restart."""
    for number, unlock in enumerate((_by_command, _in_slapd)):
        name = f"tounlock{number}"
        world.slapd.add(
            people.Person(name, ("pwdAccountLockedTime: 000001010000Z",)), 9200 + number
        )
        world.machine.add_person(name, 3910 + number)
        assert "Permission denied" in authenticate(world, name).said
        unlock(world, name)
        assert "successfully authenticated" in authenticate(world, name).said
        assert "account management done" in account(world, name).said


def test_unlocking_leaves_expired_and_a_reset_clears_both(world: World) -> None:
    """R09, R10, I1, I2, I4 in a directory that is not ours."""
    assert "expired" in world.agent.command("unlock", "explock").stdout
    assert "Permission denied" in authenticate(world, "explock").said
    assert any("password-expired" in line for line in world.agent.events("explock"))
    new = "a-brand-new-Pass9"
    reset = world.agent.command("reset-password", "explock", "--password-stdin", typed=f"{new}\n")
    assert reset.returncode == 0, reset.stderr
    assert "successfully authenticated" in authenticate(world, "explock", new).said


def test_root_passes_whatever_the_directory_does(world: World) -> None:
    """R28, I17."""
    assert world.machine.run("su", "-", "root", "-c", "id -un").out.strip() == "root"


def _by_command(world: World, name: str) -> None:
    done = world.agent.command("unlock", name)
    assert done.returncode == 0, done.stderr


def _in_slapd(world: World, name: str) -> None:
    world.slapd.change(name, {"pwdAccountLockedTime": ()}, relax=False)
