"""What is answered about the daemon and its installation."""

import enum
from datetime import datetime

from loginward.wire.admin.parts import NotePart, ServerPart, SessionPart
from loginward.wire.admin.row import Row


class HealthRow(Row, frozen=True, kw_only=True):
    """How the daemon is.

    Attributes:
        directory: The kind: "embedded", or the LDAP flavour; "auto" until it has been found out.
        directory_found: It was left to be found out (`directory.flavour: auto`), and has been.
        lockout_owner: Whose lockout governs: "directory", "agent", or "by account".
        reads_status: Whether status can be read from the directory at all (a service account).
        watched_at: When the known accounts were last re-read; None: not yet.
        watch: How changes in the directory come to be known: "push" or "poll"; empty: it is here.
        watch_age_s: For how long what is at hand may have been outdated; None: nothing is pushed.
        at_hand: Accounts that are kept current and need not be read at a login.
        watch_problem: Why nothing is pushed.
        copies: Accounts of which a sealed local copy is kept.
        verifiers: How many of them can sign in offline.
        verifiers_waiting: Verifiers still to be made.
        conversations: Logins being judged now.
        store_fault: Empty, or why nothing can be written or read.
        events_fault: Empty, or why the audit trail cannot be written.
        hanging: Parts that have made no progress for a minute, such as "audit".
        notes: What else is not as it should be, such as "status is unreadable".
    """

    version: str
    pid: int
    started_at: datetime
    config_file: str
    login_socket: str
    directory: str
    directory_found: bool = False
    servers: tuple[ServerPart, ...]
    lockout_owner: str
    reads_status: bool
    watched_at: datetime | None = None
    watch: str = ""
    watch_age_s: float | None = None
    at_hand: int = 0
    watch_problem: str = ""
    copies: int = 0
    verifiers: int = 0
    verifiers_waiting: int = 0
    conversations: int = 0
    sessions: tuple[SessionPart, ...] = ()
    store_fault: str = ""
    events_fault: str = ""
    hanging: tuple[str, ...] = ()
    notes: tuple[NotePart, ...] = ()


class MetricsRow(Row, frozen=True, kw_only=True):
    """The counters, as Prometheus text (exposition format 0.0.4)."""

    text: str


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
