"""Scripts of attempts: refused before one, online, offline, and kept in by a resource."""

from __future__ import annotations

from loginward.core.attempts import AtLimit, LockedNow, Outcome
from loginward.core.commands import Known, Settled
from loginward.core.evidence import Refusal, Refused, Wrong
from loginward.core.readings import Copy, NeverSeen, Unknown, Unusable
from loginward.core.requests import Phase
from loginward.core.secret import Secret
from loginward.core.status import UserState
from tests.core.people import DAY, EXPIRED, LOCKED, NOW, PENDING, RIGHT, TEMPORARY, alice
from tests.core.playing import (
    ALLOW,
    CHANGE,
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
    tried,
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
        (asked(), read(fresh()), *tried(Wrong(), Outcome.WRONG)),
        "wrong-credentials",
        where={"tripped": None, "checked": Wrong()},
    ),
    Script(
        "the failure that locks",
        (
            asked(),
            read(fresh()),
            *tried(Wrong(), Outcome.WRONG, Settled(TRIPPED)),
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
            *right(Outcome.PROVEN, moved=gathered(fresh(state=UserState.SUSPENDED))),
        ),
        "user-suspended.by-admin",
    ),
    Script(
        "R60 locked while the password was checked",
        (
            asked(),
            read(fresh()),
            *right(Outcome.PROVEN, moved=gathered(fresh(**LOCKED))),
        ),
        "account-locked.until",
    ),
    Script(
        "moved, and still in order",
        (
            asked(),
            read(fresh()),
            *right(Outcome.ALLOWED, moved=gathered(fresh(changed_at=NOW))),
        ),
        "ok",
        ALLOW,
    ),
    Script(
        "another entry took the name: its password was not proven",
        (
            asked(),
            read(fresh()),
            *right(Outcome.NO_VERDICT, moved=gathered(fresh(account_id="id-2"))),
        ),
        "directory-unavailable",
    ),
    Script(
        "removed while the password was checked",
        (
            asked(),
            read(fresh()),
            *right(Outcome.PROVEN, moved=gathered(Unknown())),
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
