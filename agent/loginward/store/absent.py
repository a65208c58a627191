"""Names that the directory said it does not have: not ours, offline too."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from loginward.errors import StoreFault
from loginward.store.faults import Tampered

if TYPE_CHECKING:
    import sqlite3

    from loginward.store.store import Store

_MOST: Final = 1000
_LIVES: Final = timedelta(hours=24)
_RENEW_AFTER: Final = timedelta(hours=1)
_ASIDE: Final = "absent"
_Names = dict[bytes, datetime]
_decoder: Final = msgspec.msgpack.Decoder(dict[bytes, datetime])


class AbsentNames:
    """Remembers names by their keyed index form, the oldest making room."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._names: _Names | None = None

    def note(self, name: str) -> None:
        """Remember that the directory answered that it has no such name.

        Only for names that the host's own accounts know (NSS): anything else typed at a prompt
        would push those out.
        """
        key, now = self._store.file.rows.name_key(name), self._store.time.now()
        with self._lock:
            names = self._loaded()
            known = names.pop(key, None)
            names[key] = now if known is None or now - known > _RENEW_AFTER else known
            for old in [old for old, at in names.items() if now - at > _LIVES]:
                del names[old]
            while len(names) > _MOST:
                del names[next(iter(names))]
            if names[key] != known:
                self._keep(names)

    def is_absent(self, name: str) -> bool:
        """Return whether the directory said within 24 hours that it has no such name."""
        with self._lock:
            at = self._loaded().get(self._store.file.rows.name_key(name))
        return at is not None and self._store.time.now() - at <= _LIVES

    def drop(self, name: str) -> None:
        """Forget a name that the directory has after all."""
        with self._lock:
            names = self._loaded()
            if names.pop(self._store.file.rows.name_key(name), None) is not None:
                self._keep(names)

    def _loaded(self) -> _Names:
        if self._names is None:
            try:
                octets = self._store.file.read(
                    lambda connection: self._store.file.rows.aside(connection, _ASIDE)
                )
            except Tampered as fault:
                self._store.file.note(fault)
                octets = None
            except StoreFault:
                return {}  # unreadable now: nothing is known to be absent
            self._names = {} if octets is None else _decoder.decode(octets)
        return self._names

    def _keep(self, names: _Names) -> None:
        octets = msgspec.msgpack.encode(names)

        def put(connection: sqlite3.Connection) -> None:
            self._store.file.rows.put_aside(connection, _ASIDE, octets)

        try:
            self._store.file.write(put)
        except StoreFault as fault:
            self._store.file.note(fault)  # kept in memory until the next change
