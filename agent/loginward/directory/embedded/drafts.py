"""An entry of an import file to the account it describes, every problem of it collected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from loginward.core.lockout import Tally
from loginward.core.names import index_form
from loginward.core.passwords import PasswordRules, problem_of
from loginward.core.secret import Secret
from loginward.core.status import Lock, LockCause, UserState
from loginward.directory.embedded import values
from loginward.directory.embedded.codec import Rows, rows_of
from loginward.directory.embedded.fields import FieldProblem
from loginward.directory.embedded.reading import Entry, LineProblem
from loginward.directory.embedded.record import Password, Record, SetBy

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An account to import, as it will be written: there may be a hundred thousand.

    Attributes:
        name: In index form.
        clear: A clear-text password to hash; the row of the password has a place for it.
    """

    line: int
    name: str
    id: str
    rows: Rows
    clear: Secret | None = None

    @property
    def is_pending(self) -> bool:
        """Whether it has no password yet."""
        return self.rows[1] is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an import is judged by.

    Attributes:
        outdates_before: Passwords set before this moment no longer meet the rules (R13);
            None: the rules never changed.
        is_hash: Whether a text is a password hash that can be checked here.
        new_id: Returns an id for an account or lock that has none.
        barred: Groups, in index form, that no account may come in with (security.md 16).
    """

    now: datetime
    rules: PasswordRules
    outdates_before: datetime | None
    is_hash: Callable[[str], bool]
    new_id: Callable[[], str]
    barred: frozenset[str] = frozenset()


class _Entry:
    """An entry being read; problems gather here."""

    def __init__(self, entry: Entry) -> None:
        self._values = entry.values
        self._line = entry.line
        self.problems: list[LineProblem] = []

    def get(self, name: str, parse: Callable[[object], _T], default: _T) -> _T:
        """Return the parsed value of a field; the default if it is absent or wrong."""
        if name not in self._values:
            return default
        try:
            return parse(self._values[name])
        except FieldProblem as problem:
            self.wrong(name, str(problem))
            return default

    def has(self, name: str) -> bool:
        """Return whether the field has a value."""
        return name in self._values

    def wrong(self, name: str, why: str) -> None:
        """Note a problem."""
        self.problems.append(LineProblem(self._line, name, why))


def draft_of(entry: Entry, terms: Terms) -> Draft | tuple[LineProblem, ...]:
    """Return the account that an entry describes, or everything that is wrong with it."""
    read = _Entry(entry)
    name = read.get("username", values.login_name, "")
    if not read.has("username"):
        read.wrong("username", "is missing")
    clear = read.get("password", _clear(name, terms.rules), None)
    password = _password(read, clear, terms)
    record = Record(
        id=read.get("id", values.account_id, "") or terms.new_id(),
        name=name,
        display_name=read.get("displayname", values.text, ""),
        mail=read.get("email", values.address, ""),
        recovery=read.get("recovery_email", values.address, ""),
        groups=read.get("groups", _groups(terms.barred), frozenset()),
        created_at=read.get("created", values.moment, terms.now),
        state=read.get("state_set", values.kept_state, _state(read)),
        state_since=read.get("state_since", values.maybe_moment, None),
        starts_at=read.get("starts_at", values.maybe_moment, None),
        ends_at=read.get("ends_at", values.maybe_moment, None),
        admin_lock=_admin_lock(read, terms),
        password=password,
        token=read.get("activation", values.token, None),
        tally=read.get("tally", values.tally, Tally()),
    )
    if record.starts_at and record.ends_at and record.ends_at <= record.starts_at:
        read.wrong("ends_at", "is not after starts_at; correct one of them")
    if read.problems:
        return tuple(read.problems)
    return Draft(
        line=entry.line,
        name=index_form(name),
        id=record.id,
        rows=rows_of(record),
        clear=clear,
    )


def _state(read: _Entry) -> UserState:
    return read.get("state", values.state, UserState.ACTIVE)


def _groups(barred: frozenset[str]) -> Callable[[object], frozenset[str]]:
    def parse(value: object) -> frozenset[str]:
        groups = values.groups(value)
        kept = min((one for one in groups if index_form(one) in barred), default=None)
        if kept is None:
            return groups
        raise FieldProblem(f"names {kept!r}, which is in doors.admin.protected_groups")

    return parse


def _clear(name: str, rules: PasswordRules) -> Callable[[object], Secret | None]:
    def parse(value: object) -> Secret | None:
        secret = values.secret(value)
        problem = problem_of(secret, name, rules)
        if problem is None:
            return secret
        way_out = "leave it empty to let the person choose one"
        raise FieldProblem(f"is {problem.value} by policy.password; {way_out}")

    return parse


def _password(read: _Entry, clear: Secret | None, terms: Terms) -> Password | None:
    phc = read.get("password_hash", values.hash_by(terms.is_hash), "")
    if phc and read.has("password"):
        read.wrong("password_hash", "stands beside a password; give one of the two")
    changed_at = read.get("password_date", values.moment, terms.now)
    older = terms.outdates_before is not None and changed_at < terms.outdates_before
    expired = _expired(read, terms)
    must_change = read.get("password_must_change", values.flag, default=False)
    password = Password(
        phc=phc,
        changed_at=changed_at,
        set_by=read.get("password_set_by", values.set_by, SetBy.IMPORT),
        must_change=must_change and expired is None,  # an expiry is the stricter of the two
        forced_at=read.get("password_forced_date", values.maybe_moment, expired),
        outdated=read.get("password_outdated", values.flag, older and clear is None),
        history=read.get("password_history", values.history_by(terms.is_hash), ()),
    )
    return password if phc or clear is not None else None


def _expired(read: _Entry, terms: Terms) -> datetime | None:
    """Return when a foreign file's password expired: what it refuses stays refused."""
    if _is_backup(read) or not read.get("password_expired", values.flag, default=False):
        return None
    return min(read.get("password_expiration_date", values.moment, terms.now), terms.now)


def _admin_lock(read: _Entry, terms: Terms) -> Lock | None:
    """Return the administrator's lock; whom a foreign file calls locked comes in locked."""
    if _is_backup(read):
        return read.get("admin_lock", values.admin_lock, None)
    if not read.get("account_locked", values.flag, default=False):
        return None
    since = read.get("account_locked_date", values.moment, terms.now)
    return Lock(id=terms.new_id(), cause=LockCause.BY_ADMIN, since=since)


def _is_backup(read: _Entry) -> bool:
    return read.has("state_set")
