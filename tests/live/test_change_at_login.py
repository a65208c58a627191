"""Passwords changed through real PAM before a real OpenLDAP: in the login itself, and by themselves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live import people
from tests.live.pam_ns import Outcome
from tests.live.slapd import now
from tests.live.world import SCREEN, World, world_at

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("change-at-login")]

OLD, NEW = people.PASSWORD, "a-brand-new-Pass9"
SHORTEST = 8  # pwdMinLength of people.POLICY; our own policy.password.min_length is 12
BY = 3990  # the uid of somebody who becomes others by su
LATE = (
    f"pwdChangedTime: {people.gtime(now() + people.OLD)}",
    f"pwdPolicySubentry: cn=grace,{people.POLICIES}",
)
TEMPORARY = (f"pwdChangedTime: {people.gtime(now())}", "pwdReset: TRUE")
EXPIRED_TEXT = "Your password has expired. Choose a new one."
TEMPORARY_TEXT = "Your password is temporary. Choose a new one."
DONE_TEXT = "Your password is changed."
ASKS_PASSWORD, ASKS_CURRENT = "assword: $", "Current password: $"
ASKS_NEW, ASKS_AGAIN = "New password: $", "New password again: $"
CHANGE = ((ASKS_CURRENT, OLD), (ASKS_NEW, NEW), (ASKS_AGAIN, NEW))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with world_at("policy: {expiry: {when_expired: change}}\n") as made:
        made.machine.add_person("helper", BY)
        yield made


@pytest.fixture
def late(world: World, uid: int) -> str:
    """Somebody with an expired password and three grace logins."""
    return world.add(people.Person(f"late{uid}", LATE), uid)


@pytest.fixture
def temporary(world: World, uid: int) -> str:
    """Somebody with a password that an administrator set."""
    return world.add(people.Person(f"temporary{uid}", TEMPORARY), uid)


@pytest.fixture
def uid(numbers: Iterator[int]) -> int:
    return next(numbers)


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    return iter(range(4000, 5000))


def su(world: World, name: str, *lines: tuple[str, str]) -> Outcome:
    return world.machine.talk("su", "-", name, "-c", "id -un", lines=lines, uid=BY)


def only_the_new_one_works(world: World, name: str) -> bool:
    """Return whether the next login takes the new password and not the old."""
    new, old = (
        world.machine.pamtester(SCREEN, name, "authenticate", "acct_mgmt", password=password)
        for password in (NEW, OLD)
    )
    done = "account management done" in new.said and "Choose a new one" not in new.said
    return done and "Authentication failure" in old.said


def test_ssh_changes_an_expired_password_for_one_grace_login(world: World, late: str) -> None:
    """R26, R18: asked for inside the login, which goes on; three phases, one bind."""
    seen = world.machine.ssh_talk(late, (ASKS_PASSWORD, OLD), *CHANGE)
    assert seen.code == 0, seen.said
    assert seen.out.splitlines()[-1].strip() == late
    assert EXPIRED_TEXT in seen.out
    assert DONE_TEXT in seen.out
    assert world.slapd.bound(late) == 1
    assert only_the_new_one_works(world, late)


@pytest.mark.parametrize("way", ["ssh", "su", "passwd"])
def test_an_expired_change_reads_as_one_conversation(world: World, late: str, way: str) -> None:
    """Each line once and in its place: nobody is told to change what they are changing."""
    if way == "passwd":
        seen = world.machine.talk("pamtester", SCREEN, late, "chauthtok", lines=CHANGE)
    else:
        lines = ((ASKS_PASSWORD, OLD), *CHANGE)
        seen = world.machine.ssh_talk(late, *lines) if way == "ssh" else su(world, late, *lines)
    assert seen.code == 0, seen.said
    spoken = (line.removeprefix(f"({late}@127.0.0.1) ").strip() for line in seen.out.splitlines())
    read = [line for line in spoken if line]
    login = ["Password:", EXPIRED_TEXT] if way != "passwd" else []
    change = ["Current password:", "New password:", "New password again:", DONE_TEXT]
    start = read.index((login + change)[0])
    assert read[start : start + len(login + change)] == login + change


def test_su_changes_an_expired_password_with_the_last_grace_login(world: World, late: str) -> None:
    """R26: the login that proves the old password is the one that changes it."""
    uses = [people.gtime(now())[:-1] + f".{n:06}Z" for n in range(2)]
    world.slapd.change(late, {"pwdGraceUseTime": uses})
    seen = su(world, late, (ASKS_PASSWORD, OLD), *CHANGE)
    assert seen.code == 0, seen.said
    assert EXPIRED_TEXT in seen.out
    assert DONE_TEXT in seen.out
    assert world.slapd.bound(late) == 1
    assert only_the_new_one_works(world, late)


def test_a_change_asked_for_costs_one_grace_login_too(world: World, late: str) -> None:
    """R19: passwd(1) has no authenticate; the preliminary check proves for the update."""
    seen = world.machine.talk("pamtester", SCREEN, late, "chauthtok", lines=CHANGE)
    assert "altered successfully" in seen.out, seen.said
    assert DONE_TEXT in seen.out
    assert world.slapd.bound(late) == 1
    assert only_the_new_one_works(world, late)


@pytest.mark.parametrize("way", ["ssh", "su"])
def test_a_temporary_password_is_changed_in_the_login(
    world: World, temporary: str, way: str
) -> None:
    """R40, R41: two that differ and one too short are said to be so and asked for again."""
    lines = (
        (ASKS_PASSWORD, OLD),
        (ASKS_CURRENT, OLD),
        (ASKS_NEW, NEW),
        (ASKS_AGAIN, NEW + "x"),
        (f"The two new passwords differ.*{ASKS_NEW}", "short"),
        (ASKS_AGAIN, "short"),
        (f"Too short: at least {SHORTEST} characters are needed.*{ASKS_NEW}", NEW),
        (ASKS_AGAIN, NEW),
    )
    talk = world.machine.ssh_talk if way == "ssh" else lambda *given: su(world, *given)
    seen = talk(temporary, *lines)
    assert seen.code == 0, seen.said
    assert seen.out.splitlines()[-1].strip() == temporary
    assert TEMPORARY_TEXT in seen.out
    assert DONE_TEXT in seen.out
    assert only_the_new_one_works(world, temporary)
    assert world.slapd.values(temporary, "pwdReset") == []


def test_three_new_ones_that_break_the_rules_change_nothing_and_let_nobody_in(
    world: World, temporary: str
) -> None:
    wrong = ((ASKS_NEW, "short"), (ASKS_AGAIN, "short"))
    seen = su(world, temporary, (ASKS_PASSWORD, OLD), (ASKS_CURRENT, OLD), *wrong, *wrong, *wrong)
    assert seen.code != 0
    assert seen.out.count(f"Too short: at least {SHORTEST} characters are needed.") == 3
    assert "Your password was not changed." in seen.out
    assert DONE_TEXT not in seen.out
    assert temporary not in seen.out.splitlines()[-1]
    assert world.slapd.accepts(temporary, OLD)


def test_a_wrong_current_password_changes_nothing_and_counts_once(
    world: World, temporary: str
) -> None:
    lines = ((ASKS_PASSWORD, OLD), (ASKS_CURRENT, "not-the-password"))
    seen = su(world, temporary, *lines)
    assert seen.code != 0
    assert "Wrong user name or password." in seen.out
    assert world.slapd.failures(temporary) == 1
    assert world.slapd.accepts(temporary, OLD)


@pytest.mark.parametrize("operation", ["authenticate", "chauthtok"])
def test_without_grace_nobody_changes_it_and_everybody_is_told_who_does(
    world: World, operation: str
) -> None:
    """The directory lets nobody with an expired password in, so that the change is another's."""
    seen = world.machine.talk(
        "pamtester", SCREEN, "graceless", operation, lines=((ASKS_PASSWORD, OLD),)
    )
    assert "Your password has expired" in seen.out
    assert "can no longer change it yourself" in seen.out
    assert "for a new one" in seen.out
    assert "New password" not in seen.out
    assert world.slapd.accepts("active", OLD)
