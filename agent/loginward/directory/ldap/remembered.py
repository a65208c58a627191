"""Accounts as they were last read, each for as long as nothing has happened to it.

Who watches the directory says what happens. Whatever could have changed an account takes it from
here, so that its next login reads it: nothing is worked out from what was pushed. Only the moment
of a last login, which the directory writes at each one, is taken over.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from loginward.core.evidence import Proven
from loginward.core.facts import status_at
from loginward.core.names import index_form
from loginward.core.status import PasswordStatus, UserState
from loginward.core.transitions import moments_of
from loginward.directory.ldap import openldap, shadow
from loginward.directory.ldap.names import is_below

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from loginward.core.clock import Clock
    from loginward.core.evidence import Checked
    from loginward.core.facts import AccountFacts
    from loginward.directory.ldap.entry import Entry

BOUND: Final = 20_000  # accounts, of about 2 KB each
HELD_S: Final = 3600.0  # what no event tells of, such as our rights, is looked at again then
SPELLINGS: Final = 4  # of one account's name
_RECENT: Final = 4096  # happenings that a reading under way can be compared with
CSN: Final = "entryCSN"
_NONE: Final = frozenset[Any]()  # one for all: an empty set takes 216 octets


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment at which somebody began to read."""

    doubts: int
    happenings: int


@dataclass(frozen=True, slots=True)
class _Happening:
    number: int
    account_id: str
    forms: frozenset[str]


@dataclass(slots=True)
class _Record:
    facts: AccountFacts
    csn: str
    imprint: bytes
    last_login: tuple[str, ...]
    kept_at: float
    serves_until: datetime | None  # None: for good
    serves: bool
    names: set[str] = field(default_factory=set)


class Remembered:
    """What is remembered; safe for many threads.

    Args:
        login_attribute: The attribute whose values are an entry's login names.
    """

    def __init__(self, login_attribute: str, clock: Clock) -> None:
        self._login_attribute = login_attribute
        self._compared = tuple(
            name
            for name in (login_attribute, *openldap.STATUS, *shadow.ATTRIBUTES)
            if name != openldap.LAST_LOGIN
        )
        self._clock = clock
        self._lock = threading.Lock()
        self._records = OrderedDict[str, _Record]()
        self._asked: dict[str, str] = {}  # account ids by names as asked for
        self._names: dict[str, set[str]] = {}  # those names by their index form
        self._recent = deque[_Happening](maxlen=_RECENT)
        self._happenings = 0
        self._suffix = ""
        self._doubts = 0

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, account_id: str) -> bool:
        return account_id in self._records

    def open(self, suffix: str) -> None:
        """Begin to remember: from now on whatever happens below this DN will be told."""
        self.doubt()
        self._suffix = suffix

    def shut(self) -> None:
        """Forget everything, and remember nothing."""
        self._suffix = ""
        self.doubt()

    def begin(self) -> Mark | None:
        """Return the mark of a reading that begins now; None: nothing is to be remembered."""
        with self._lock:
            return Mark(self._doubts, self._happenings) if self._suffix else None

    def is_watched(self, dn: str) -> bool:
        """Return whether what happens to an entry will be told."""
        return bool(self._suffix) and is_below(dn, self._suffix)

    def keep(self, mark: Mark, entry: Entry, facts: AccountFacts, name: str | None = None) -> None:
        """Remember what was read, unless something happened meanwhile.

        Args:
            mark: From before the reading began.
            name: As it was asked for; None: it was not found by a name.
        """
        imprint, last_login = self._imprint(entry), entry.texts(openldap.LAST_LOGIN)
        now = self._clock.now()
        ahead = [at for at in moments_of(facts) if at > now]
        record = _Record(
            facts=replace(
                facts, groups=facts.groups or _NONE, unreadable=facts.unreadable or _NONE
            ),
            csn=entry.text(CSN),
            imprint=imprint,
            last_login=last_login,
            kept_at=self._clock.monotonic(),
            serves_until=min(ahead, default=None),
            serves=_stands_against_nothing(facts, now),
        )
        with self._lock:
            if not record.csn or self._happened_since(mark, facts.account_id, name):
                return
            before = self._drop(facts.account_id)
            names = before.names if before is not None and before.imprint == imprint else set()
            for one in {*names, *(() if name is None else (name,))}:
                self._name(record, one)
            self._records[facts.account_id] = record
            if len(self._records) > BOUND:
                self._drop(next(iter(self._records)))

    def of_name(self, name: str, seen_at: datetime) -> AccountFacts | None:
        """Return the account of a name, spelt just so, against which nothing stands.

        Args:
            seen_at: Up to when all that happened has been told: the facts are as old.
        """
        with self._lock:
            account_id = self._asked.get(name)
            if account_id is None:
                return None
            record = self._records[account_id]
            self._records.move_to_end(account_id)
            if record.facts.read_at < seen_at:
                record.facts = replace(record.facts, read_at=seen_at)
            facts = record.facts
        is_late = record.serves_until is not None and self._clock.now() >= record.serves_until
        is_old = self._clock.monotonic() - record.kept_at > HELD_S
        return facts if record.serves and not is_late and not is_old else None

    def happened(self, account_id: str, entry: Entry | None) -> bool:
        """Take note that something happened to an entry; None: it is gone.

        Returns:
            Whether anything but its last login may have changed.
        """
        names = () if entry is None else entry.texts(self._login_attribute)
        with self._lock:
            self._note(account_id, names)
            self._drop_others(account_id, names)
            record = self._records.get(account_id)
            if record is None:
                return True
            if entry is not None:
                csn = entry.text(CSN)
                if csn == record.csn:
                    return False  # the reading was made after it
                last_login = entry.texts(openldap.LAST_LOGIN)
                moved = last_login != record.last_login
                if csn > record.csn and moved and self._imprint(entry) == record.imprint:
                    record.csn, record.last_login = csn, last_login
                    evidence = openldap.with_last_login(record.facts.evidence, last_login)
                    record.facts = replace(record.facts, evidence=evidence)
                    return False
            self._drop(account_id)
            return True

    def checked(self, account_id: str, checked: Checked) -> None:
        """Take note of what a bind of ours showed: whatever it may have changed is read again."""
        plain = isinstance(checked, Proven) and not (
            checked.expired or checked.must_change or checked.grace_left is not None
        )
        if not plain:
            self.spoil(account_id)

    def spoil(self, account_id: str) -> None:
        """Forget an account that we ourselves may have changed, and what is being read of it."""
        with self._lock:
            self._note(account_id, ())
            self._drop(account_id)

    def doubt(self) -> None:
        """Forget everything, and what is being read."""
        with self._lock:
            self._doubts += 1
            self._records.clear()
            self._asked.clear()
            self._names.clear()

    def _note(self, account_id: str, names: Iterable[str]) -> None:
        self._happenings += 1
        forms = frozenset(map(index_form, names))
        self._recent.append(_Happening(self._happenings, account_id, forms))

    def _happened_since(self, mark: Mark, account_id: str, name: str | None) -> bool:
        if mark.doubts != self._doubts or self._happenings - mark.happenings > _RECENT:
            return True
        form = None if name is None else index_form(name)
        for one in reversed(self._recent):
            if one.number <= mark.happenings:
                break
            if one.account_id == account_id or form in one.forms:
                return True
        return False

    def _drop_others(self, account_id: str, names: Iterable[str]) -> None:
        """Forget who has a name that this entry has too: either may be meant."""
        for name in names:
            held = {self._asked[one] for one in self._names.get(index_form(name), ())}
            for other in held - {account_id}:
                self._drop(other)

    def _name(self, record: _Record, name: str) -> None:
        if len(record.names) >= SPELLINGS:
            return
        if (other := self._asked.get(name)) is not None:
            self._drop(other)
        self._asked[name] = record.facts.account_id
        self._names.setdefault(index_form(name), set()).add(name)
        record.names.add(name)

    def _drop(self, account_id: str) -> _Record | None:
        record = self._records.pop(account_id, None)
        for name in () if record is None else record.names:
            del self._asked[name]
            form = index_form(name)
            self._names[form].remove(name)
            if not self._names[form]:
                del self._names[form]
        return record

    def _imprint(self, entry: Entry) -> bytes:
        """Return what stays as long as nothing that is read has changed but the last login."""
        digest = hashlib.blake2b(entry.dn.encode(), digest_size=16)
        for name in self._compared:
            values = sorted(entry.values.get(name.lower(), ()))
            digest.update(repr((name, values)).encode())
        return digest.digest()


def _stands_against_nothing(facts: AccountFacts, now: datetime) -> bool:
    """Return whether all is known of an account, and nothing of it keeps anybody out.

    What keeps somebody out is read at each login: who was unlocked a moment ago must get in.
    """
    status = status_at(facts, now)
    return (
        not facts.unreadable
        and facts.has_password is True
        and facts.failures == ()
        and not facts.locks
        and not status.must_change
        and status.state is UserState.ACTIVE
        and status.statuses == {PasswordStatus.ACTIVE}
    )
