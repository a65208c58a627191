"""Records that the file does not hold yet: those being written, and those that could not be.

Whoever changes an account goes on from here, so that a change that is being written and one kept
in memory meanwhile see each other.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import islice
from typing import TYPE_CHECKING, Final

from loginward.core.status import UserState
from loginward.store.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable

MOST: Final = 10_000  # accounts that wait for a file that cannot be written


class Unwritten:
    """The latest record of each such account, by row key; for whoever holds the ledger's lock.

    Reading one record (`get`) needs no lock.

    Args:
        name_key: Returns under what a name is kept.
    """

    def __init__(self, name_key: Callable[[str], bytes]) -> None:
        self._name_key = name_key
        self._records = dict[bytes, Record]()
        self._names = dict[bytes, bytes]()  # row key by name key
        self._owed = OrderedDict[bytes, None]()  # could not be written, the longest first
        self._spare = OrderedDict[bytes, None]()  # of those, the ones that bar nobody

    def get(self, key: bytes) -> Record | None:
        """Return the record of an account; None: the file holds the latest."""
        return self._records.get(key)

    def by_name(self, name_key: bytes) -> Record | None:
        """Return the record under a name; None: the file holds the latest."""
        key = self._names.get(name_key)
        return None if key is None else self._records.get(key)

    @property
    def is_owing(self) -> bool:
        """Whether anything could not be written so far."""
        return bool(self._owed)

    def is_owed(self, key: bytes) -> bool:
        """Return whether an account's record could not be written so far."""
        return key in self._owed

    def owed(self, most: int) -> tuple[tuple[bytes, Record], ...]:
        """Return what could not be written, the longest first."""
        return tuple((key, self._records[key]) for key in islice(self._owed, most))

    def put(self, key: bytes, record: Record) -> None:
        """Keep a record that is about to be written, or that cannot be: see `owe`."""
        before = self._records.get(key)
        if before is not None and before.facts.name != record.facts.name:
            self._unname(key, before)
        self._records[key] = record
        self._names[self._name_key(record.facts.name)] = key
        if key in self._owed:
            self._classify(key, record)

    def owe(self, key: bytes) -> bool:
        """Keep a record until it can be written, at the cost of one that bars nobody.

        Returns:
            False where there is no room: each of the others was locked, or counts failures.
        """
        record = self._records.get(key)
        if record is None:
            return True  # the file has it after all, or it was forgotten
        if key not in self._owed and len(self._owed) >= MOST:
            if not self._spare:
                return False
            self.forget(next(iter(self._spare)))
        self._owed[key] = None
        self._classify(key, record)
        return True

    def written(self, key: bytes, record: Record) -> None:
        """Let go of a record that the file holds now, unless another came on top."""
        if self._records.get(key) is record:
            self.forget(key)

    def take_back(self, key: bytes, record: Record, before: Record | None) -> None:
        """Undo `put`, unless another came on top."""
        if self._records.get(key) is not record:
            return
        if before is None:
            self.forget(key)
            return
        self.put(key, before)
        self.owe(key)  # the file may hold it by now, and nobody would say so

    def forget(self, key: bytes) -> None:
        """Let go of whatever is kept of an account."""
        record = self._records.pop(key, None)
        self._owed.pop(key, None)
        self._spare.pop(key, None)
        if record is not None:
            self._unname(key, record)

    def clear(self) -> None:
        """Let go of everything."""
        for kept in (self._records, self._names, self._owed, self._spare):
            kept.clear()

    def _unname(self, key: bytes, record: Record) -> None:
        name_key = self._name_key(record.facts.name)
        if self._names.get(name_key) == key:
            del self._names[name_key]

    def _classify(self, key: bytes, record: Record) -> None:
        self._spare.pop(key, None)
        if not _bars(record):
            self._spare[key] = None


def _bars(record: Record) -> bool:
    """Return whether somebody could gain by the record being lost: a lock, a count, a bar."""
    facts = record.facts
    return bool(
        record.doubt
        or record.guesses
        or record.retired
        or record.missing_since
        or record.removed
        or facts.locks
        or facts.state is not UserState.ACTIVE
        or any(one.lock or one.failures or one.pending for one in record.tallies.values())
    )
