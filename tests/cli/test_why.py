"""`why` as typed and shown: the facts, how the last lock ended, and references."""

from __future__ import annotations

import msgspec
import pytest

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Door
from loginward.core.status import LockCause
from loginward.wire.admin import requests as ask
from loginward.wire.admin import rows
from tests.cli import samples
from tests.cli.conftest import Done
from tests.cli.transcript import unindent


def test_why(world) -> None:
    """R50, and the shape of the first minute."""
    world.admin.script["why"] = samples.WHY_FRANK

    assert world.run("why", "frank", "--door", "login", "--service", "sshd") == Done(1, unindent("""
        refused: password-expired   reference 7F3-K2Q
          state     active   embedded directory, read now
          password  expired  changed 22 Aug, max age 90 d -> 20 Nov 09:00; cause aging
          lock      none     unlocked by root 4 s ago, was: 5 wrong passwords, sshd 203.0.113.7, since 09:12
          rule      expired is refused at every door (policy.expiry.when_expired: deny)
          refusal   the last: account-locked, 3 min ago, sshd 203.0.113.7; loginward why --ref DHV-4MP
          clears    loginward reset-password frank, or the person: passwd
    """), "")  # fmt: skip
    assert world.admin.asked == [("why", ask.AskWhy(name="frank", service="sshd"), "")]


def test_why_that_cannot_tell_says_so(world) -> None:
    """No "allowed" rests on a status that nobody could read."""
    world.admin.script["why"] = msgspec.structs.replace(
        samples.WHY_FRANK,
        verdict=Verdict.ALLOW,
        reason=Reason.OK,
        unknown="status cannot be read: there is no service account",
    )
    done = world.run("why", "frank")

    assert done.code == 1
    assert done.out.startswith("not known: status cannot be read: there is no service account ")
    assert "allowed" not in done.out


LOCK = samples.LOCK
BY_HAND = rows.LockPart(cause=LockCause.BY_ADMIN)
ENDS = [
    pytest.param(
        rows.EndedLockPart(lock=LOCK, ended_at=samples.before(seconds=0), by="ann", verb="unlock"),
        "unlocked by ann just now, was: 5 wrong passwords, sshd 203.0.113.7, since 09:12",
        id="unlocked",
    ),
    pytest.param(
        rows.EndedLockPart(
            lock=BY_HAND, ended_at=samples.before(hours=2), by="root", verb="set-temporary"
        ),
        "ended by set-temporary by root 2 h ago, was: locked by an administrator",
        id="reset",
    ),
    pytest.param(
        rows.EndedLockPart(
            lock=msgspec.structs.replace(LOCK, until=samples.before(minutes=5)),
            ended_at=samples.before(minutes=5),
        ),
        "ended by itself 5 min ago, was: 5 wrong passwords, sshd 203.0.113.7, since 09:12",
        id="by-itself",
    ),
    pytest.param(
        rows.EndedLockPart(lock=BY_HAND, ended_at=samples.before(days=2)),
        "unlocked elsewhere, seen 2 d ago, was: locked by an administrator",
        id="elsewhere",
    ),
]


@pytest.mark.parametrize(("ended", "line"), ENDS)
def test_why_says_how_the_last_lock_ended(world, ended, line: str) -> None:
    """R16, R50: who or what ended it, when, and what it was."""
    world.admin.script["why"] = msgspec.structs.replace(samples.WHY_FRANK, ended_lock=ended)

    assert f"  lock      none     {line}\n" in world.run("why", "frank").out


def test_why_shows_the_reference_of_a_refusal_for_the_same_reason(world) -> None:
    """What the person read is the first thing that the administrator reads."""
    last = msgspec.structs.replace(samples.WHY_FRANK.last_refusal, reason=Reason.PASSWORD_EXPIRED)
    world.admin.script["why"] = msgspec.structs.replace(
        samples.WHY_FRANK, reference="", last_refusal=last
    )

    assert world.run("why", "frank").out.startswith(
        "refused: password-expired   reference DHV-4MP\n"
    )


@pytest.mark.parametrize("typed", ["7F3-K2Q", "7f3k2q", "7f3 k2q"])
def test_why_by_reference_takes_it_as_people_write_it(world, typed: str) -> None:
    world.admin.script["why_reference"] = msgspec.structs.replace(
        samples.WHY_FRANK, ended_lock=None, last_refusal=None, decided_at=samples.before(minutes=9), source="sshd 203.0.113.7", facts=(), clears=()
    )  # fmt: skip

    assert world.run("why", "--reference", typed, "--verbose") == Done(1, unindent("""
        refused: password-expired   reference 7F3-K2Q
          decided  09:21, sshd 203.0.113.7
          rule     expired is refused at every door (policy.expiry.when_expired: deny)
          PAM      authenticate PERM_DENIED, account ACCT_EXPIRED
    """), "")  # fmt: skip
    assert world.admin.asked == [("why_reference", ask.AskReference(reference="7F3K2Q"), "")]


@pytest.mark.parametrize(
    ("service", "source", "line"),
    [
        pytest.param("login", "login", "login", id="nothing-but-the-service"),
        pytest.param("login", "login tty1", "login tty1", id="a-terminal"),
        pytest.param("sshd", "", "sshd", id="no-source"),
        pytest.param("sshd", "uid 1000", "sshd, from uid 1000", id="another-source"),
    ],
)
def test_why_by_reference_names_the_way_in_once(
    world, service: str, source: str, line: str
) -> None:
    world.admin.script["why_reference"] = msgspec.structs.replace(
        samples.WHY_FRANK, decided_at=samples.before(minutes=9), service=service, source=source
    )
    assert f"  decided   09:21, {line}\n" in world.run("why", "--ref", "7F3K2Q").out


def test_why_at_the_radius_door_says_what_the_client_hears(world) -> None:
    world.admin.script["why"] = msgspec.structs.replace(
        samples.WHY_FRANK, door=Door.RADIUS, service="wifi", pam_authn="", pam_acct="",
        radius="Access-Reject", radius_certificate="Access-Accept",
        notes=("no new password can be asked for here",),
    )  # fmt: skip
    done = world.run("why", "frank", "--door", "radius", "--service", "wifi", "-v")

    assert "  note      no new password can be asked for here\n" in done.out
    assert "  RADIUS    Access-Reject, client wifi; of a certificate Access-Accept\n" in done.out
    assert "PAM" not in done.out
    asked = ask.AskWhy(name="frank", door=Door.RADIUS, service="wifi")
    assert world.admin.asked == [("why", asked, "")]


def test_why_of_an_unknown_reference(world) -> None:
    world.admin.script["why_reference"] = None
    done = world.run("why", "--ref", "AAA-AAA")

    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("loginward: error: no event has the reference AAAAAA\n")


@pytest.mark.parametrize("argv", [[], ["ann", "--ref", "7F3K2Q"], ["--ref", "../../"]])
def test_why_of_nothing_is_a_usage_error(world, argv: list[str]) -> None:
    done = world.run("why", *argv)

    assert (done.code, done.out) == (2, "")
    assert done.err.endswith("loginward: hint: loginward why --help\n")
