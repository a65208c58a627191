"""What the admin socket answers: typed lines, tagged by `type`; `--json` prints the same keys.

Datetimes are aware UTC. A text may hold moments as RFC 3339 in UTC (`2026-11-20T08:00:00Z`):
the command line shows them in the reader's zone.
"""

import enum
from datetime import datetime

import msgspec

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Door
from loginward.core.secret import Secret
from loginward.wire.admin.parts import (
    FactPart,
    LockPart,
    NotePart,
    ServerPart,
    SessionPart,
    StatusPart,
    status_part,
)
from loginward.wire.admin.tags import row_tag


class FileFormat(enum.Enum):
    """How a file of accounts is written."""

    CSV = "csv"
    JSON = "json"


class Row(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="type",
    tag=row_tag,
):
    """One line of an answer."""


class HealthRow(Row, frozen=True, kw_only=True):
    """How the daemon is.

    Attributes:
        directory: The kind: "embedded", or the LDAP flavour found.
        lockout_owner: Whose lockout governs: "directory", "agent", or "by account".
        reads_status: Whether status can be read from the directory at all (a service account).
        watched_at: When the known accounts were last re-read; None: not yet.
        copies: Accounts of which a sealed local copy is kept.
        verifiers: How many of them can sign in offline.
        verifiers_waiting: Verifiers still to be made.
        conversations: Logins being judged now.
        store_fault: Empty, or why nothing can be written or read.
        events_fault: Empty, or why the audit trail cannot be written.
        notes: What else is not as it should be, such as "status is unreadable".
    """

    version: str
    pid: int
    started_at: datetime
    config_file: str
    login_socket: str
    directory: str
    servers: tuple[ServerPart, ...]
    lockout_owner: str
    reads_status: bool
    watched_at: datetime | None = None
    copies: int = 0
    verifiers: int = 0
    verifiers_waiting: int = 0
    conversations: int = 0
    sessions: tuple[SessionPart, ...] = ()
    store_fault: str = ""
    events_fault: str = ""
    notes: tuple[NotePart, ...] = ()


class MetricsRow(Row, frozen=True, kw_only=True):
    """The counters, as Prometheus text (exposition format 0.0.4)."""

    text: str


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
        told: What the person at that door is told; empty if nothing.
        rule: One sentence, such as "expired is refused at every door".
        setting: The dotted path and value that the rule comes from, such as
            "policy.expiry.when_expired: deny"; empty where no setting changes it.
        clears: What ends it, the most direct first; commands as typed.
        pam_authn: The PAM code of the authenticate phase, such as "PERM_DENIED".
        pam_acct: The PAM code of the account phase.
        warnings: For who is let in.
        allowed_by: The rule that let a person in against a status.
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
    reference: str = ""
    decided_at: datetime | None = None
    source: str = ""
    told: str = ""
    until: datetime | None = None
    status: StatusPart | None = None
    warnings: tuple[str, ...] = ()
    allowed_by: str = ""


class Problem(enum.Enum):
    """Why something was not done; each has an exit code."""

    UNKNOWN = "unknown"  # no such account, reference or copy
    REFUSED = "refused"  # by a rule or by the directory, which says why
    NOT_PERMITTED = "not-permitted"  # the operator lacks the right, or the account is protected
    UNAVAILABLE = "unavailable"  # the directory or the store gives no answer
    USAGE = "usage"  # the request itself makes no sense
    CONFIGURATION = "configuration"  # the file to be loaded is bad
    FAULT = "fault"  # of ours; the daemon's log says more


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


class ProgressRow(Row, frozen=True, kw_only=True):
    """How far a long order is; `per_s` 0.0 until that can be said."""

    step: str
    done: int
    total: int
    per_s: float = 0.0


class ImportedRow(Row, frozen=True, kw_only=True):
    """Every account of the file is in the directory now."""

    accounts: int
    pending: int
    hashed: int


class LineProblemRow(Row, frozen=True, kw_only=True):
    """Something is wrong at a place of the file; then nothing of it was taken."""

    line: int
    why: str
    field: str = ""
    column: int = 0


class PieceRow(Row, frozen=True, kw_only=True):
    """A piece of a file of accounts, either way; it may hold hashes or passwords."""

    octets: Secret


class CopyRow(Row, frozen=True, kw_only=True):
    """A local copy.

    Attributes:
        status: None where the copy cannot be read.
        usable_until: When it stops letting anybody in; None: a copy that lets nobody in.
        fault: Empty, or what is wrong with it, such as "moved from another row".
    """

    name: str
    read_at: datetime | None = None
    status: StatusPart | None = None
    usable_until: datetime | None = None
    can_sign_in_offline: bool = False
    fault: str = ""


class ForgottenRow(Row, frozen=True, kw_only=True):
    """Whether a copy of that name was kept until now."""

    name: str
    was_kept: bool


class ClearedRow(Row, frozen=True, kw_only=True):
    """How many copies were kept until now."""

    copies: int


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


class EventRow(Row, frozen=True, kw_only=True):
    """One line of the audit trail; fields that do not apply are empty.

    Attributes:
        id: Where it stands in the trail, to go on from.
        event: What kind: "decision", "act", "transition", "fault" ...
        by: Who did it: an operator, with the login uid where it differs.
        count: Identical refusals that this line stands for.
        before: Statuses before a transition or act, such as "locked, expired".
        more: What else the event carries.
    """

    id: str
    at: datetime
    event: str
    name: str = ""
    reference: str = ""
    door: str = ""
    phase: str = ""
    service: str = ""
    source: str = ""
    verdict: str = ""
    reason: str = ""
    by: str = ""
    verb: str = ""
    before: str = ""
    after: str = ""
    count: int = 1
    text: str = ""
    more: dict[str, str] = {}


class Level(enum.Enum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class FindingRow(Row, frozen=True, kw_only=True):
    """One result of a check of the installation.

    Attributes:
        check: A stable name, such as "pam-order".
        text: What is so.
        hint: What to do about it; empty where nothing is to be done.
    """

    check: str
    level: Level
    text: str
    hint: str = ""


class ReloadedRow(Row, frozen=True, kw_only=True):
    """The configuration in force is the file's; what changed, and what waits for a restart."""

    changed: tuple[str, ...] = ()
    needs_restart: tuple[str, ...] = ()


class ClockRow(Row, frozen=True, kw_only=True):
    """The wall clock is believed from now on."""

    now: datetime
    was_noop: bool = False


class BeganRow(Row, frozen=True, kw_only=True):
    """First line of every answer: the time that the daemon believes."""

    now: datetime


class FailedRow(Row, frozen=True, kw_only=True):
    """Last line of an answer that could not be given, or not to its end."""

    problem: Problem
    why: str
    hint: str = ""


class EndRow(Row, frozen=True, kw_only=True):
    """Last line of an answer that was given to its end."""


AnyRow = (
    HealthRow
    | MetricsRow
    | UserRow
    | CutRow
    | AccountRow
    | ExplanationRow
    | ActRow
    | ProgressRow
    | ImportedRow
    | LineProblemRow
    | PieceRow
    | CopyRow
    | ForgottenRow
    | ClearedRow
    | StepRow
    | EventRow
    | FindingRow
    | ReloadedRow
    | ClockRow
    | BeganRow
    | FailedRow
    | EndRow
)

# The parts too, so that whoever writes an answer finds all it is made of in one place.
__all__ = [
    "AccountRow",
    "ActRow",
    "AnyRow",
    "BeganRow",
    "ClearedRow",
    "ClockRow",
    "CopyRow",
    "CutRow",
    "EndRow",
    "EventRow",
    "ExplanationRow",
    "FactPart",
    "FailedRow",
    "FileFormat",
    "FindingRow",
    "ForgottenRow",
    "HealthRow",
    "ImportedRow",
    "Level",
    "LineProblemRow",
    "LockPart",
    "MetricsRow",
    "NotePart",
    "PieceRow",
    "Problem",
    "ProgressRow",
    "ReloadedRow",
    "Row",
    "ServerPart",
    "SessionPart",
    "StatusPart",
    "StepRow",
    "StepState",
    "UserRow",
    "status_part",
]
