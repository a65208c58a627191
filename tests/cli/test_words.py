"""Every status has words, and they name the command that clears it."""

from __future__ import annotations

import itertools

import pytest

from loginward.cli import words
from loginward.core.status import (
    ExpiryCause,
    LockCause,
    PasswordStatus,
    StateCause,
    UserState,
)
from loginward.wire.admin.rows import LockPart
from tests.cli.samples import ACTIVE, EXPIRED, LOCKED, PENDING, after, before, status
from tests.doubles.clock import NOW

HELD = [(ACTIVE,), (EXPIRED,), (LOCKED,), (PENDING,), (LOCKED, EXPIRED), (PENDING, LOCKED)]
CASES = list(
    itertools.product(
        HELD,
        [(UserState.ACTIVE, None), *((s, c) for s in (UserState.STAGED, UserState.SUSPENDED) for c in (None, *StateCause))],
        [None, *ExpiryCause],
        [None, *LockCause],
        [None, after(hours=1), before(days=1)],
        [False, True],
    )
)  # fmt: skip


def test_every_status_is_explained() -> None:
    """Total: no combination is without words, and whoever cannot sign in is told what clears it."""
    for held, (state, state_cause), due_cause, lock_cause, date, must_change in CASES:
        part = status(
            *held,
            state=state,
            state_cause=state_cause,
            state_date=date,
            due_at=date,
            due_cause=due_cause,
            must_change=must_change,
            lock=None if lock_cause is None else LockPart(cause=lock_cause, until=date),
        )
        text = words.explain("ann", part, NOW)

        assert words.password(part, NOW).startswith(held[0].value)
        assert words.flags(part)
        can_sign_in = state is UserState.ACTIVE and held == (ACTIVE,)
        assert can_sign_in or "loginward " in text or "starts" in text or "not yet" in text, part


def test_every_status_has_a_colour() -> None:
    assert set(words.COLOURS) == set(PasswordStatus)


@pytest.mark.parametrize(
    ("lock", "text"),
    [
        (LockPart(cause=LockCause.THRESHOLD, failures=5, source="sshd 203.0.113.7"), "5 wrong passwords, last from sshd 203.0.113.7"),
        (LockPart(cause=LockCause.THRESHOLD), "too many wrong passwords"),
        (LockPart(cause=LockCause.BY_ADMIN, source="root"), "locked by an administrator, root"),
        (LockPart(cause=LockCause.BY_DIRECTORY), "locked by the directory"),
        (LockPart(cause=LockCause.IDLE), "not used for too long"),
    ],
)  # fmt: skip
def test_a_lock_names_its_cause_and_source(lock: LockPart, text: str) -> None:
    """R16."""
    assert words.lock_cause(lock) == text


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (status(), "active"),
        (status(must_change=True), "active, must change"),
        (status(LOCKED, EXPIRED), "locked, expired"),
        (status(state=UserState.SUSPENDED), "suspended"),
        (status(LOCKED, state=UserState.STAGED), "staged, locked"),
    ],
)
def test_flags_leave_out_what_goes_without_saying(part, text: str) -> None:
    assert words.flags(part) == text


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        (ExpiryCause.AGING, "aged out 3 d ago"),
        (ExpiryCause.POLICY_DEADLINE, "not changed by the deadline of 21 Nov"),
        (ExpiryCause.BY_ADMIN, "expired by an administrator 3 d ago"),
    ],
)
def test_the_causes_of_expiry_are_told_apart(cause: ExpiryCause, text: str) -> None:
    """R14."""
    assert words.expired(status(EXPIRED, due_at=before(days=3), due_cause=cause), NOW) == text
