"""Scripts of the account phase and of changing a password."""

from __future__ import annotations

from loginward.core.attempts import Outcome
from loginward.core.changes import Changed, ChangeProblem, NotChanged
from loginward.core.commands import ChangePassword, Means
from loginward.core.evidence import Wrong
from loginward.core.policy import ServiceKind
from loginward.core.readings import Copy, Unknown
from loginward.core.requests import Phase
from loginward.core.secret import Secret
from loginward.core.status import UserState
from tests.core.people import EXPIRED, LOCKED, TEMPORARY, alice
from tests.core.playing import (
    ALLOW,
    CHANGES,
    KEEPS,
    OWED_TO_CHANGE,
    PASSWORD,
    PROVEN_TO_CHANGE,
    UPDATE,
    Script,
    Step,
    asked,
    fresh,
    gathered,
    looked,
    read,
    request,
    right,
    tried,
    typed_new,
    written,
)

ACCOUNT = [
    Script(
        "in order",
        (read(fresh()),),
        "ok",
        ALLOW,
        request=request(Phase.ACCT),
        where={"checked": None},
    ),
    Script(
        "R25 locked, with a key",
        (read(fresh(**LOCKED)),),
        "account-locked.until",
        request=request(Phase.ACCT),
    ),
    Script(
        "offline, from the copy",
        (read(Copy(alice())),),
        "ok",
        ALLOW,
        request=request(Phase.ACCT),
    ),
    Script(
        "cron with a temporary password",
        (read(fresh(**TEMPORARY), service=ServiceKind.NON_INTERACTIVE),),
        "change-required",
        request=request(Phase.ACCT),
    ),
    Script("unknown", (read(Unknown()),), "user-unknown", request=request(Phase.ACCT)),
]

CHANGING = [
    Script(
        "the preliminary check proves the old password and changes nothing",
        (read(fresh(), changing=True), *PROVEN_TO_CHANGE),
        "ok",
        ALLOW,
        request=request(Phase.CHAUTHTOK_PRELIM),
        where={"changed": False},
    ),
    Script(
        "the preliminary check asks nothing of who is not ours",
        (read(Unknown(), changing=True),),
        "user-unknown",
        request=request(Phase.CHAUTHTOK_PRELIM),
    ),
    Script(
        "R19 changed",
        (*PROVEN_TO_CHANGE, *typed_new(), *written()),
        "ok",
        ALLOW,
        UPDATE,
        where={"changed": True, "problem": None},
    ),
    Script(
        "R40 a temporary password is changed, which forgets no failures by itself",
        (*OWED_TO_CHANGE, *typed_new(), *written()),
        "ok",
        ALLOW,
        UPDATE,
        where={"changed": True},
    ),
    Script(
        "the old password is wrong",
        (
            asked(),
            read(fresh(), changing=True),
            *tried(Wrong(), Outcome.WRONG),
        ),
        "wrong-credentials",
        request=UPDATE,
    ),
    Script(
        "an empty old password",
        (asked(Secret(b"")),),
        "malformed",
        request=UPDATE,
    ),
    Script(
        "the locked change nothing, kept or not",
        (asked(), read(fresh(**LOCKED), changing=True, **KEEPS)),
        "account-locked.until",
        request=UPDATE,
    ),
    Script(
        "R41 typed twice, differently, then well",
        (
            *PROVEN_TO_CHANGE,
            *typed_new(again=Secret(b"batery staple")),
            *typed_new(problem=ChangeProblem.MISMATCH),
            *written(),
        ),
        "ok",
        ALLOW,
        UPDATE,
    ),
    Script(
        "one from the history, then a good one",
        (
            *PROVEN_TO_CHANGE,
            *typed_new(),
            *written(NotChanged(ChangeProblem.IN_HISTORY)),
            *typed_new(problem=ChangeProblem.IN_HISTORY, new=Secret(b"another one")),
            *written(new=Secret(b"another one")),
        ),
        "ok",
        ALLOW,
        UPDATE,
    ),
    Script(
        "three tries and no more",
        (
            *PROVEN_TO_CHANGE,
            *typed_new(new=Secret(b"")),
            *typed_new(problem=ChangeProblem.TOO_SHORT, new=PASSWORD),
            *typed_new(problem=ChangeProblem.SAME, new=Secret(b"x" * 1025)),
        ),
        "not-permitted.change",
        request=UPDATE,
        where={"problem": ChangeProblem.TOO_LONG, "changed": False},
    ),
    Script(
        "too young: another try would not help",
        (*PROVEN_TO_CHANGE, *typed_new(), *written(NotChanged(ChangeProblem.TOO_YOUNG))),
        "not-permitted.change",
        request=UPDATE,
        where={"problem": ChangeProblem.TOO_YOUNG},
    ),
    Script(
        "suspended while the new one was typed: nothing is written",
        (
            *PROVEN_TO_CHANGE,
            *typed_new(),
            looked(gathered(fresh(state=UserState.SUSPENDED), changing=True)),
        ),
        "user-suspended.by-admin",
        request=UPDATE,
        where={"changed": False},
    ),
    Script(
        "another entry took the name while the new one was typed",
        (
            *PROVEN_TO_CHANGE,
            *typed_new(),
            looked(gathered(fresh(account_id="id-2"), changing=True)),
        ),
        "directory-unavailable",
        request=UPDATE,
    ),
    Script(
        "moved while the new one was typed, and still in order",
        (
            *PROVEN_TO_CHANGE,
            *typed_new(),
            looked(gathered(fresh(groups=frozenset({"staff"})), changing=True)),
            Step(ChangePassword, Changed(), {"reading": fresh(groups=frozenset({"staff"}))}),
        ),
        "ok",
        ALLOW,
        UPDATE,
    ),
    Script(
        "the directory fell silent while the new one was typed",
        (*PROVEN_TO_CHANGE, *typed_new(), looked(gathered(Copy(alice()), changing=True))),
        "directory-unavailable",
        request=UPDATE,
    ),
    Script(
        "offline nobody is asked for a new one",
        (asked(), read(Copy(alice()), changing=True), *right(means=Means.VERIFIER)),
        "directory-unavailable",
        request=UPDATE,
        where={"changed": False},
    ),
    Script(
        "inline: a temporary password is changed inside the login",
        (
            asked(),
            read(fresh(**TEMPORARY), inline_change=True),
            *right(Outcome.PROVEN),
            *typed_new(),
            *written(),
        ),
        "ok",
        ALLOW,
        where={"changed": True},
    ),
    Script(
        "inline: an expired one too, where the site says so",
        (
            asked(),
            read(fresh(**EXPIRED, can_change_expired=True), rules=CHANGES, inline_change=True),
            *right(Outcome.PROVEN),
            *typed_new(),
            *written(),
        ),
        "ok",
        ALLOW,
    ),
    Script(
        "inline: not under deny",
        (
            asked(),
            read(fresh(**EXPIRED, can_change_expired=True), inline_change=True),
            *right(Outcome.PROVEN),
        ),
        "password-expired.aging",
    ),
    Script(
        "inline: refused by the directory, nobody is let in",
        (
            asked(),
            read(fresh(**TEMPORARY), inline_change=True),
            *right(Outcome.PROVEN),
            *typed_new(),
            *written(NotChanged(ChangeProblem.NOT_ALLOWED)),
        ),
        "not-permitted.change",
        where={"problem": ChangeProblem.NOT_ALLOWED},
    ),
    Script(
        "inline: an account in order is asked for nothing",
        (asked(), read(fresh(), inline_change=True), *right()),
        "ok",
        ALLOW,
        where={"changed": False},
    ),
]
