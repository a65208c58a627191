"""Scripts of the path without the directory, and of resources that keep the locked in (R53)."""

from __future__ import annotations

from loginward.core.attempts import LockedNow, Outcome
from loginward.core.commands import Known, Means, Settled
from loginward.core.evidence import NoVerdict, Wrong
from loginward.core.readings import Copy, Unusable
from loginward.core.status import PasswordStatus
from tests.core.people import EXPIRED, LOCKED, NOW, TEMPORARY, alice
from tests.core.playing import (
    ALLOW,
    BY_VERIFIER,
    KEEPS,
    SILENT,
    TRIPPED,
    Script,
    asked,
    fresh,
    gathered,
    read,
    reserved,
    right,
    tried,
)

UNANSWERED = (asked(), read(fresh()), *tried(SILENT, Outcome.NO_VERDICT))
ASKED_WHILE_LOCKED = (asked(), read(fresh(**LOCKED), **KEEPS))

OFFLINE = [
    Script(
        "right, by the verifier",
        (asked(), read(Copy(alice())), *right(means=Means.VERIFIER)),
        "ok",
        ALLOW,
    ),
    Script(
        "no answer, then right by the verifier",
        (
            *UNANSWERED,
            read(Copy(alice()), offline=True),
            *right(means=Means.VERIFIER),
        ),
        "ok",
        ALLOW,
        where={"checked": BY_VERIFIER},
    ),
    Script(
        "no answer, then wrong: counted offline",
        (
            *UNANSWERED,
            read(Copy(alice()), offline=True),
            *tried(Wrong(), Outcome.WRONG, Settled(TRIPPED), means=Means.VERIFIER),
        ),
        "wrong-credentials",
        where={"tripped": TRIPPED},
    ),
    Script(
        "no answer to the one in flight either",
        (
            asked(),
            read(fresh()),
            reserved(Known(SILENT)),
            read(Copy(alice()), offline=True),
            *right(means=Means.VERIFIER),
        ),
        "ok",
        ALLOW,
    ),
    Script(
        "no answer, and the copy says locked",
        (
            *UNANSWERED,
            read(Copy(alice(**LOCKED)), offline=True),
        ),
        "account-locked.until",
    ),
    Script(
        "no answer, and no copy",
        (
            *UNANSWERED,
            read(Unusable("embedded"), offline=True),
        ),
        "directory-unavailable",
    ),
    Script(
        "no verifier: asked once, not twice",
        (
            asked(),
            read(Copy(alice())),
            *tried(NoVerdict("no-verifier"), Outcome.NO_VERDICT, means=Means.VERIFIER),
        ),
        "directory-unavailable",
    ),
    Script(
        "locked offline by earlier guesses",
        (asked(), read(Copy(alice())), reserved(LockedNow(TRIPPED), Means.VERIFIER)),
        "account-locked.until",
    ),
    Script(
        "R18 the password changed while the verifier was asked",
        (
            asked(),
            read(Copy(alice())),
            *right(Outcome.NO_VERDICT, Means.VERIFIER, moved=gathered(Copy(alice(changed_at=NOW)))),
        ),
        "directory-unavailable",
    ),
    Script(
        "a temporary password cannot be changed offline",
        (
            asked(),
            read(Copy(alice(**TEMPORARY)), inline_change=True),
            *right(Outcome.PROVEN, Means.VERIFIER),
        ),
        "change-required",
    ),
]

KEPT = [
    Script(
        "R53 locked, proven by a verifier: clears nothing",
        (*ASKED_WHILE_LOCKED, *right(Outcome.PROVEN, Means.KEPT)),
        "ok",
        ALLOW,
    ),
    Script(
        "R53 nothing can prove the locked: the lock refuses, the copy is not asked",
        (
            *ASKED_WHILE_LOCKED,
            *tried(NoVerdict("no-verifier"), Outcome.NO_VERDICT, means=Means.KEPT),
        ),
        "account-locked.until",
    ),
    Script(
        "a wrong password fills the tally of that resource",
        (
            *ASKED_WHILE_LOCKED,
            *tried(Wrong(), Outcome.WRONG, means=Means.KEPT),
        ),
        "wrong-credentials",
    ),
    Script(
        "which is closed once it is full",
        (*ASKED_WHILE_LOCKED, reserved(LockedNow(TRIPPED), Means.KEPT)),
        "account-locked.until",
    ),
    Script(
        "locked while the directory proved the password: an allow by the rule clears nothing",
        (
            asked(),
            read(fresh(), **KEEPS),
            *right(Outcome.PROVEN, moved=gathered(fresh(**LOCKED), **KEEPS)),
        ),
        "ok",
        ALLOW,
    ),
    Script(
        "unlocked and reset meanwhile: the old password proves nothing",
        (
            *ASKED_WHILE_LOCKED,
            *right(Outcome.NO_VERDICT, Means.KEPT, moved=gathered(fresh(changed_at=NOW), **KEEPS)),
        ),
        "directory-unavailable",
    ),
    Script(
        "unlocked meanwhile, the password the same",
        (
            *ASKED_WHILE_LOCKED,
            *right(Outcome.PROVEN, Means.KEPT, moved=gathered(fresh(), **KEEPS)),
        ),
        "ok",
        ALLOW,
    ),
    Script(
        "R54 expired and kept: a grace login is not spent on it",
        (
            asked(),
            read(fresh(**EXPIRED, grace_left=1), keep_while=frozenset({PasswordStatus.EXPIRED})),
            *right(Outcome.PROVEN, Means.KEPT),
        ),
        "ok",
        ALLOW,
    ),
    Script(
        "R54 expired and kept without grace: the bind is free",
        (
            asked(),
            read(fresh(**EXPIRED), keep_while=frozenset({PasswordStatus.EXPIRED})),
            *right(Outcome.PROVEN),
        ),
        "ok",
        ALLOW,
    ),
]
