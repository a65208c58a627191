"""Scripts of the path without the directory, and of resources that keep the locked in (R53)."""

from __future__ import annotations

from loginward.core.attempts import LockedNow, Outcome
from loginward.core.commands import (
    Known,
    Means,
    Settled,
)
from loginward.core.evidence import NoVerdict, Wrong
from loginward.core.readings import Copy, Unusable
from loginward.core.status import PasswordStatus
from tests.core.people import (
    EXPIRED,
    LOCKED,
    NOW,
    RIGHT,
    TEMPORARY,
    alice,
)
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
    looked,
    read,
    reserved,
    right,
    settled,
    verified,
)

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
            asked(),
            read(fresh()),
            reserved(),
            verified(SILENT),
            settled(Outcome.NO_VERDICT),
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
            asked(),
            read(fresh()),
            reserved(),
            verified(SILENT),
            settled(Outcome.NO_VERDICT),
            read(Copy(alice()), offline=True),
            reserved(means=Means.VERIFIER),
            verified(Wrong(), Means.VERIFIER),
            settled(Outcome.WRONG, Settled(TRIPPED), means=Means.VERIFIER),
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
            asked(),
            read(fresh()),
            reserved(),
            verified(SILENT),
            settled(Outcome.NO_VERDICT),
            read(Copy(alice(**LOCKED)), offline=True),
        ),
        "account-locked.until",
    ),
    Script(
        "no answer, and no copy",
        (
            asked(),
            read(fresh()),
            reserved(),
            verified(SILENT),
            settled(Outcome.NO_VERDICT),
            read(Unusable("embedded"), offline=True),
        ),
        "directory-unavailable",
    ),
    Script(
        "no verifier: asked once, not twice",
        (
            asked(),
            read(Copy(alice())),
            reserved(means=Means.VERIFIER),
            verified(NoVerdict("no-verifier"), Means.VERIFIER),
            settled(Outcome.NO_VERDICT, means=Means.VERIFIER),
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
            reserved(means=Means.VERIFIER),
            verified(BY_VERIFIER, Means.VERIFIER),
            looked(gathered(Copy(alice(changed_at=NOW)))),
            settled(Outcome.NO_VERDICT, means=Means.VERIFIER),
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
        (asked(), read(fresh(**LOCKED), **KEEPS), *right(Outcome.PROVEN, Means.KEPT)),
        "ok",
        ALLOW,
    ),
    Script(
        "R53 nothing can prove the locked: the lock refuses, the copy is not asked",
        (
            asked(),
            read(fresh(**LOCKED), **KEEPS),
            reserved(means=Means.KEPT),
            verified(NoVerdict("no-verifier"), Means.KEPT),
            settled(Outcome.NO_VERDICT, means=Means.KEPT),
        ),
        "account-locked.until",
    ),
    Script(
        "a wrong password fills the tally of that resource",
        (
            asked(),
            read(fresh(**LOCKED), **KEEPS),
            reserved(means=Means.KEPT),
            verified(Wrong(), Means.KEPT),
            settled(Outcome.WRONG, means=Means.KEPT),
        ),
        "wrong-credentials",
    ),
    Script(
        "which is closed once it is full",
        (asked(), read(fresh(**LOCKED), **KEEPS), reserved(LockedNow(TRIPPED), Means.KEPT)),
        "account-locked.until",
    ),
    Script(
        "locked while the directory proved the password: an allow by the rule clears nothing",
        (
            asked(),
            read(fresh(), **KEEPS),
            reserved(),
            verified(RIGHT),
            looked(gathered(fresh(**LOCKED), **KEEPS)),
            settled(Outcome.PROVEN),
        ),
        "ok",
        ALLOW,
    ),
    Script(
        "unlocked and reset meanwhile: the old password proves nothing",
        (
            asked(),
            read(fresh(**LOCKED), **KEEPS),
            reserved(means=Means.KEPT),
            verified(BY_VERIFIER, Means.KEPT),
            looked(gathered(fresh(changed_at=NOW), **KEEPS)),
            settled(Outcome.NO_VERDICT, means=Means.KEPT),
        ),
        "directory-unavailable",
    ),
    Script(
        "unlocked meanwhile, the password the same",
        (
            asked(),
            read(fresh(**LOCKED), **KEEPS),
            reserved(means=Means.KEPT),
            verified(BY_VERIFIER, Means.KEPT),
            looked(gathered(fresh(), **KEEPS)),
            settled(Outcome.PROVEN, means=Means.KEPT),
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
