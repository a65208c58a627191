"""Who is signed in on this host, as PAM opened and closed it (pam_open_session(3)).

Kept in memory for people to see; nothing is decided by it, and noting it never fails a login.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from loginward.core.names import index_form

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from loginward.core.clock import Clock
    from loginward.core.requests import LoginRequest

_MOST: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One open session.

    Attributes:
        name: As PAM said it.
        since: When it was opened, aware UTC.
        pid: The process that opened it and is expected to close it; 0: not visible from here.
    """

    name: str
    service: str
    since: datetime
    tty: str = ""
    rhost: str = ""
    pid: int = 0


def is_running(pid: int) -> bool:
    """Return whether a process is there; one that cannot be seen (0) is taken to be."""
    if pid <= 0:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # not ours to signal, so it is there
    return True


class Sessions:
    """The open sessions; bounded, the oldest make room; safe for many threads.

    Args:
        is_alive: Tells whether a pid still runs: who crashed closes nothing.
    """

    def __init__(self, clock: Clock, is_alive: Callable[[int], bool] = is_running) -> None:
        self._clock = clock
        self._is_alive = is_alive
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[object, ...], Session] = OrderedDict()

    def opened(self, request: LoginRequest) -> None:
        """Note a session; only root's word and that of named peers counts."""
        if not _is_believed(request):
            return
        session = Session(
            name=request.name,
            service=request.service,
            since=self._clock.now(),
            tty=request.tty,
            rhost=request.rhost,
            pid=request.peer.pid,
        )
        with self._lock:
            self._open[_key(request)] = session
            while len(self._open) > _MOST:
                self._open.popitem(last=False)

    def closed(self, request: LoginRequest) -> None:
        """Forget a session; one that was opened by another process of the same login too."""
        if not _is_believed(request):
            return
        key = _key(request)
        with self._lock:
            if self._open.pop(key, None) is None:
                same = next((k for k in self._open if k[1:] == key[1:]), None)
                if same is not None:
                    del self._open[same]

    def all(self) -> tuple[Session, ...]:
        """Return the open sessions, oldest first, without those whose process is gone."""
        with self._lock:
            gone = [key for key, one in self._open.items() if not self._is_alive(one.pid)]
            for key in gone:
                del self._open[key]
            return tuple(self._open.values())

    def of(self, name: str) -> tuple[Session, ...]:
        """Return the open sessions of one account, however its name was spelt."""
        form = index_form(name)
        return tuple(one for one in self.all() if index_form(one.name) == form)


def _is_believed(request: LoginRequest) -> bool:
    return request.peer.uid == 0 or request.peer.named


def _key(request: LoginRequest) -> tuple[object, ...]:
    return (
        request.peer.pid,
        index_form(request.name),
        request.service,
        request.tty,
        request.rhost,
    )
