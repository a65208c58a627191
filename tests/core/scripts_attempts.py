"""Scripts of attempts: refused before one, online, offline, and kept in by a resource."""

from __future__ import annotations

from loginward.core.attempts import AtLimit, LockedNow, Outcome
from loginward.core.commands import (
    Known,
    Means,
    Settled,
)
from loginward.core.evidence import NoVerdict, Refusal, Refused, Wrong
from loginward.core.readings import Copy, NeverSeen, Unknown, Unusable
from loginward.core.requests import Phase
from loginward.core.secret import Secret
from loginward.core.status import PasswordStatus, UserState
from tests.core.people import (
    DAY,
    EXPIRED,
    LOCKED,
    NOW,
    PENDING,
    RIGHT,
    TEMPORARY,
    alice,
)
from tests.core.playing import (
    ALLOW,
    BY_VERIFIER,
    CHANGE,
    KEEPS,
    SILENT,
    TRIPPED,
    Script,
    asked,
    fresh,
    gathered,
    looked,
    read,
    request,
    reserved,
    right,
    settled,
    verified,
)

REFUSED_BEFORE = [
    Script(
        "locked: no attempt, no check", (asked(), read(fresh(**LOCKED))), "account-locked.until"
    ),
    Script("pending", (asked(), read(fresh(**PENDING))), "password-pending"),
    Script(
        "suspended",
        (asked(), read(fresh(state=UserState.SUSPENDED))),
        "user-suspended.by-admin",
    ),
    Script("unknown", (asked(), read(Unknown())), "user-unknown"),
    Script("never seen", (asked(), read(NeverSeen())), "offline-never-seen"),
    Script(
        "a copy that cannot be used", (asked(), read(Unusable("store"))), "directory-unavailable"
    ),
    Script("not permitted", (asked(), read(fresh(), permitted=False)), "not-permitted"),
    Script(
        "a copy too old",
        (asked(), read(Copy(alice(read_at=NOW - 4 * DAY)))),
        "offline-too-long",
    ),
    Script("a name that cannot be one", (), "malformed", request=request(name="a:b")),
    Script("an empty password", (asked(Secret(b"")),), "malformed"),
    Script("a password with a NUL", (asked(Secret(b"a\0b")),), "malformed"),
    Script("a session is never judged", (), "malformed", request=request(Phase.OPEN)),
]

ONLINE = [
    Script("right", (asked(), read(fresh()), *right()), "ok", ALLOW, where={"checked": RIGHT}),
    Script(
        "wrong",
        (asked(), read(fresh()), reserved(), verified(Wrong()), settled(Outcome.WRONG)),
        "wrong-credentials",
        where={"tripped": None, "checked": Wrong()},
    ),
    Script(
        "the failure that locks",
        (
            asked(),
            read(fresh()),
            reserved(),
            verified(Wrong()),
            settled(Outcome.WRONG, Settled(TRIPPED)),
        ),
        "wrong-credentials",
        where={"tripped": TRIPPED},
    ),
    Script(
        "I19 a repeat is neither sent nor counted",
        (asked(), read(fresh()), reserved(Known(Wrong(repeat=True)))),
        "wrong-credentials",
        where={"checked": Wrong(repeat=True)},
    ),
    Script(
        "an equal password in flight was right",
        (asked(), read(fresh()), reserved(Known(RIGHT)), looked()),
        "ok",
        ALLOW,
    ),
    Script(
        "locked between the reading and the attempt",
        (asked(), read(fresh()), reserved(LockedNow(TRIPPED))),
        "account-locked.until",
    ),
    Script(
        "waited in vain for attempts in flight: never counted",
        (asked(), read(fresh()), reserved(AtLimit(in_flight=5))),
        "directory-unavailable",
    ),
    Script(
        "R60 suspended while the password was checked",
        (
            asked(),
            read(fresh()),
            reserved(),
            verified(RIGHT),
            looked(gathered(fresh(state=UserState.SUSPENDED))),
            settled(Outcome.PROVEN),
        ),
        "user-suspended.by-admin",
    ),
    Script(
        "R60 locked while the password was checked",
        (
            asked(),
            read(fresh()),
            reserved(),
            verified(RIGHT),
            looked(gathered(fresh(**LOCKED))),
            settled(Outcome.PROVEN),
        ),
        "account-locked.until",
    ),
    Script(
        "moved, and still in order",
        (
            asked(),
            read(fresh()),
            reserved(),
            verified(RIGHT),
            looked(gathered(fresh(changed_at=NOW))),
            settled(Outcome.ALLOWED),
        ),
        "ok",
        ALLOW,
    ),
    Script(
        "another entry took the name: its password was not proven",
        (
            asked(),
            read(fresh()),
            reserved(),
            verified(RIGHT),
            looked(gathered(fresh(account_id="id-2"))),
            settled(Outcome.NO_VERDICT),
        ),
        "directory-unavailable",
    ),
    Script(
        "removed while the password was checked",
        (
            asked(),
            read(fresh()),
            reserved(),
            verified(RIGHT),
            looked(gathered(Unknown())),
            settled(Outcome.PROVEN),
        ),
        "user-unknown",
    ),
    Script(
        "the directory refuses, and the entry read again says why",
        (
            asked(),
            read(fresh()),
            reserved(),
            verified(Refused(Refusal.LOCKED)),
            looked(gathered(fresh(**LOCKED)), contradicted=True),
            settled(Outcome.NO_VERDICT),
        ),
        "account-locked.until",
    ),
    Script(
        "the directory refuses, and nothing that can be read says why",
        (
            asked(),
            read(fresh()),
            reserved(),
            verified(Refused(Refusal.LOCKED)),
            looked(contradicted=True),
            settled(Outcome.NO_VERDICT),
        ),
        "account-locked",
    ),
    Script(
        "expired: right, not let in, nothing forgotten",
        (asked(), read(fresh(**EXPIRED)), *right(Outcome.PROVEN)),
        "password-expired.aging",
    ),
    Script(
        "temporary: the change opens after authenticate",
        (asked(), read(fresh(**TEMPORARY)), *right(Outcome.PROVEN)),
        "change-required",
        CHANGE,
    ),
    Script(
        "a grace login is not spent under deny",
        (asked(), read(fresh(**EXPIRED, grace_left=2, can_change_expired=True))),
        "password-expired.aging",
    ),
]

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
