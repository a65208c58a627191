"""What the admin door asks of the runtime: one method a command, in values of the wire.

The door has checked the operator's right, and for acts that the account is in no protected group,
before a method is called. Every method may raise DirectoryUnavailable or StoreFault, which the
door reports as such; a refusal is a row. A method that returns an iterator may block between rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from loginward.core.acts import Right
    from loginward.wire.admin import requests, rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """The person behind the process on the socket, as the kernel shows it.

    Attributes:
        uid: Effective user id; rights follow it and the groups.
        real_uid: Real user id; limits follow it.
        name: Its login name; the number where it has none.
        groups: Names of its kernel groups (SO_PEERGROUPS), never what NSS would say now.
        pid: Process id when it connected.
        login_uid: The audit login uid (/proc/PID/loginuid); None: not set.
        login_name: The name of the login uid; empty where there is none.
        rights: What its roles add up to.
    """

    uid: int
    real_uid: int
    name: str
    pid: int
    groups: frozenset[str] = frozenset()
    login_uid: int | None = None
    login_name: str = ""
    rights: frozenset[Right] = frozenset()

    @property
    def shown(self) -> str:
        """Return who it is for an audit line: "root (ann)" for root by ann's session."""
        if self.login_name and self.login_name != self.name:
            return f"{self.name} ({self.login_name})"
        return self.name


class AdminService(Protocol):
    """The runtime, seen from the admin door; every act is audited with its operator (R45)."""

    def turned_away(self, ask: str, by: Operator) -> None:
        """Record that an operator asked for what their roles, or a protected group, do not allow.

        `ask` is the tag of the request and the right it needs; never a name or a secret.
        """

    def health(self) -> rows.HealthRow:
        """Return how the daemon is; never waits for a directory."""

    def metrics(self) -> rows.MetricsRow:
        """Return the counters."""

    def account(self, ask: requests.AskAccount) -> rows.AccountRow | None:
        """Return an account; None: neither the directory nor this host knows the name."""

    def groups_of(self, name: str) -> frozenset[str]:
        """Return the directory groups of an account; empty for an unknown name.

        Raises:
            DirectoryUnavailable: They cannot be read now.
        """

    def hidden_groups(self, groups: Collection[str]) -> tuple[str, ...]:
        """Return a sentence for each of these groups whose members cannot be told apart.

        Raises:
            DirectoryUnavailable: They cannot be read now.
        """

    def why(self, ask: requests.AskWhy) -> rows.ExplanationRow | rows.FailedRow:
        """Explain what a login with the right password would meet; tries nothing.

        An unknown name is explained too: reason user-unknown. A FailedRow where there is no such
        door here.
        """

    def why_reference(self, ask: requests.AskReference) -> rows.ExplanationRow | None:
        """Explain a decision of the audit trail; None: no event has that reference."""

    def users(
        self, ask: requests.ListUsers
    ) -> Iterator[rows.UserRow | rows.CutRow | rows.FailedRow]:
        """Return the accounts, by name; a CutRow last if the directory cut the list short."""

    def add_user(self, ask: requests.AddUser, by: Operator) -> rows.ActRow:
        """Add an account; its activation token, if any, is in the row."""

    def remove_users(self, ask: requests.RemoveUsers, by: Operator) -> Iterator[rows.ActRow]:
        """Remove accounts; one row a name, in order."""

    def import_users(
        self, ask: requests.ImportUsers, octets: bytes, by: Operator
    ) -> Iterator[rows.ProgressRow | rows.ImportedRow | rows.LineProblemRow]:
        """Take a file whole (one ImportedRow last) or not at all (every problem)."""

    def export_users(
        self, ask: requests.ExportUsers, by: Operator
    ) -> Iterator[rows.PieceRow | rows.FailedRow]:
        """Return the file in pieces of at most 64 KiB."""

    def act(self, ask: requests.ActOnUsers, by: Operator) -> Iterator[rows.ActRow]:
        """Carry out a verb; one row a name, in order; an unknown name is a row too."""

    def activate_self(
        self, ask: requests.ActivateSelf, by: Operator
    ) -> rows.ActivationRow | rows.FailedRow:
        """Set a first password by an activation token, for whoever has it.

        The answer, and how long it takes, is the same for an unknown name and for a token that is
        wrong, outlived or used.
        """

    def copies(self) -> Iterator[rows.CopyRow]:
        """Return the local copies, by name, damaged ones too."""

    def radius_sessions(self) -> Iterator[rows.RadiusSessionRow | rows.FailedRow]:
        """Return who is connected where, by what RADIUS clients account.

        A FailedRow where there is no such door here.
        """

    def explain_radius(
        self, ask: requests.ExplainRadius
    ) -> rows.RadiusExplanationRow | rows.FailedRow:
        """Explain what a RADIUS client would be answered about somebody; tries nothing.

        A FailedRow where there is no such door, or no such client.
        """

    def forget(self, ask: requests.ForgetCopies, by: Operator) -> Iterator[rows.ForgottenRow]:
        """Forget copies; one row a name, in order."""

    def clear_copies(self, by: Operator) -> rows.ClearedRow:
        """Forget every copy."""

    def refresh(self, ask: requests.RunRefresh, by: Operator) -> Iterator[rows.StepRow]:
        """Do, or with `dry_run` only name, the steps after an unlock on this machine."""

    def events(self, ask: requests.AskEvents) -> Iterator[rows.EventRow | None]:
        """Return the audit trail, oldest first, through rotations.

        When following it yields None at least every second in which nothing happens, so that an
        operator who hung up is noticed, and ends by itself when the daemon stops.
        """

    def findings(self) -> Iterator[rows.FindingRow]:
        """Check the installation."""

    def accept_clock(self, by: Operator) -> rows.ClockRow:
        """Believe the wall clock as it is now."""

    def reload(self, by: Operator) -> rows.ReloadedRow:
        """Read the configuration again.

        Raises:
            ConfigError: It is bad; the running one stays in force.
        """
