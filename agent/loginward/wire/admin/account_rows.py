"""What is answered about accounts: how they are, why, and what an act or a step did to one."""

import enum
from datetime import datetime

from loginward.core.changes import ChangeProblem
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Door
from loginward.core.secret import Secret
from loginward.wire.admin.parts import (
    EndedLockPart,
    FactPart,
    RefusalPart,
    SessionPart,
    StatusPart,
)
from loginward.wire.admin.row import Problem, Row


class UserRow(Row, frozen=True, kw_only=True):
    """One account of a list."""

    name: str
    status: StatusPart


class CutRow(Row, frozen=True, kw_only=True):
    """The list above is not the whole one."""

    why: str


class AccountRow(Row, frozen=True, kw_only=True):
    """One account.

    Attributes:
        source: Where it was read: "embedded directory", "ldaps://ldap1...", "local copy".
        read_at: When it was read there.
        usable_until: For a local copy: when it stops letting anybody in; None: not a copy.
        failures: Wrong passwords counted now; None where that cannot be read.
        threshold: How many of them lock; None where that cannot be read.
        changed_at: When the password was last set; None: never, or it cannot be read.
        can_sign_in_offline: Whether a verifier is kept here.
        unreadable: Facts that could not be read, such as "lock".
    """

    name: str
    account_id: str
    status: StatusPart
    source: str
    read_at: datetime
    usable_until: datetime | None = None
    failures: int | None = None
    threshold: int | None = None
    changed_at: datetime | None = None
    can_sign_in_offline: bool = False
    groups: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    sessions: tuple[SessionPart, ...] = ()


class ExplanationRow(Row, frozen=True, kw_only=True):
    """What decides a login, by which rule, on which facts, and what clears it.

    Attributes:
        name: As the directory spells it; as asked where it does not know the name.
        reference: Of the event it explains; empty for a login that was not tried.
        decided_at: When that event happened; None for a login that was not tried.
        source: Door and device of that event.
        rule: One sentence, such as "expired is refused at every door".
        setting: The dotted path and value that the rule comes from, such as
            "policy.expiry.when_expired: deny"; empty where no setting changes it.
        clears: What ends it, the most direct first; commands as typed.
        pam_authn: The PAM code of the authenticate phase, such as "PERM_DENIED".
        pam_acct: The PAM code of the account phase. Both are empty at other doors.
        radius: What a RADIUS client hears of the right password: "Access-Accept", "Access-Reject",
            "Access-Challenge" or "no answer"; empty at other doors.
        radius_certificate: The same of a certificate; empty where that client takes none.
        notes: What this door cannot do that bears on the decision.
        warnings: For who is let in.
        allowed_by: The rule that let a person in against a status.
        ended_lock: The last lock, where none holds now; None: none in the trail.
        last_refusal: None: none in the trail; nor where an event is explained.
        unknown: Why nobody can tell beforehand, with the verdict saying only that nothing known
            stands against it; empty: what decides could be read.
    """

    name: str
    door: Door
    service: str
    verdict: Verdict
    reason: Reason
    facts: tuple[FactPart, ...]
    rule: str
    setting: str = ""
    clears: tuple[str, ...] = ()
    pam_authn: str = ""
    pam_acct: str = ""
    radius: str = ""
    radius_certificate: str = ""
    notes: tuple[str, ...] = ()
    reference: str = ""
    decided_at: datetime | None = None
    source: str = ""
    until: datetime | None = None
    status: StatusPart | None = None
    warnings: tuple[str, ...] = ()
    allowed_by: str = ""
    ended_lock: EndedLockPart | None = None
    last_refusal: RefusalPart | None = None
    unknown: str = ""


class ActRow(Row, frozen=True, kw_only=True):
    """What an act did to one account.

    Attributes:
        before: None where there was no account, or it could not be read.
        after: None where there is no account any more, or nothing was done.
        noop: It already was so; nothing was written.
        notes: Such as "attempts cleared on this host".
        token: An activation token, shown once.
        problem: None: done.
        why: One sentence naming the remedy, where `problem` is not None.
    """

    name: str
    before: StatusPart | None = None
    after: StatusPart | None = None
    noop: bool = False
    notes: tuple[str, ...] = ()
    token: Secret | None = None
    problem: Problem | None = None
    why: str = ""


class ActivationRow(Row, frozen=True, kw_only=True):
    """What became of a first password that a person chose by their token.

    Attributes:
        name: As the directory spells it; as typed where nothing was done.
        problem: None: it is in force, and the token is used up.
        why: For the person, where `problem` is not None.
    """

    name: str
    problem: ChangeProblem | None = None
    why: str = ""


class StepState(enum.Enum):
    """What became of a step after an unlock."""

    DONE = "done"
    WOULD = "would"
    NOT_NEEDED = "not-needed"
    FAILED = "failed"
    ADVICE = "advice"  # for a person to do


class StepRow(Row, frozen=True, kw_only=True):
    """One step after an unlock; `text` says what it does or what to do."""

    name: str
    step: str
    state: StepState
    text: str
