"""A small process that keeps root's rights when the daemon gives its own up (security.md 12).

A daemon started as root forks it before secrets are read and threads are started. Under systemd,
which starts the daemon without root's rights, each question starts it anew, by
loginward-root.socket: `python -I -m loginward.host.roothelper USER`. It holds one socket and nothing
else, and carries out `RootVerb`s for a uid, one at a time.

Source: socketpair(2) and unix(7) SOCK_SEQPACKET, prctl(2) PR_SET_PDEATHSIG.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import struct
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from loginward.host.beside import accepted, close_all_but, connect
from loginward.host.clears import Clears
from loginward.host.rootverbs import COMMAND_S, RootVerb, carry_out

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_ASK: Final = struct.Struct("!IBI")  # number, verb, uid
_ANSWER: Final = struct.Struct("!I")  # number; the text of a problem follows
_MOST_OCTETS: Final = 1024
_PR_SET_PDEATHSIG: Final = 1
_VERBS: Final = tuple(RootVerb)
ANSWER_S: Final = COMMAND_S + 2.0
QUESTION_S: Final = 10.0  # whoever connected and asks nothing keeps no process of root's


class RootHelper:
    """The daemon's end; safe for many threads.

    Args:
        reached_by: A connection for all questions, or the socket at which each has its own.
        pid: Of the helper, where it is a child of this process; else 0.
    """

    def __init__(self, reached_by: socket.socket | Path, pid: int = 0) -> None:
        self._reached_by = reached_by
        self._pid = pid
        self._lock = threading.Lock()
        self._asked = 0

    @classmethod
    def fork(cls) -> RootHelper:
        """Start the helper; call it as root, before any thread and before any secret is read.

        Raises:
            OSError: No process or socket could be had.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            _live(theirs)
        theirs.close()
        return cls(ours, pid)

    @classmethod
    def at(cls, path: Path) -> RootHelper:
        """Return the helper that systemd starts for each connection to a socket."""
        return cls(path)

    def ask(self, verb: RootVerb, uid: int, within_s: float = ANSWER_S) -> str:
        """Have a verb carried out; return what went wrong, empty if nothing.

        Args:
            within_s: Seconds to wait for the answer, from when those before have theirs.
        """
        with self._lock:
            self._asked = (self._asked + 1) % 2**32
            try:
                with self._connected(within_s) as connection:
                    connection.settimeout(within_s)
                    connection.send(_ASK.pack(self._asked, _VERBS.index(verb), uid))
                    return self._answer(connection)
            except TimeoutError:
                return "the root helper did not answer in time"
            except (OSError, struct.error):
                return "the root helper cannot be asked"

    def close(self) -> None:
        """End the helper; idempotent."""
        if isinstance(self._reached_by, socket.socket):
            self._reached_by.close()
        pid, self._pid = self._pid, 0
        if pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)

    def _connected(self, within_s: float) -> AbstractContextManager[socket.socket]:
        if isinstance(self._reached_by, Path):
            return connect(self._reached_by, within_s)
        return contextlib.nullcontext(self._reached_by)

    def _answer(self, connection: socket.socket) -> str:
        """Return the answer to the last question; one that came too late for its own is dropped."""
        while True:
            octets = connection.recv(_MOST_OCTETS)
            if len(octets) < _ANSWER.size:
                return "the root helper is gone"
            (number,) = _ANSWER.unpack_from(octets)
            if number == self._asked:
                return octets[_ANSWER.size :].decode("utf-8", "replace")


def serve(connection: socket.socket, clears: Clears) -> None:
    """Carry out what is asked until the other end closes; what is not understood ends it.

    Args:
        clears: Bounds how often one account's tally is cleared.
    """
    while True:
        octets = connection.recv(_MOST_OCTETS)
        if len(octets) != _ASK.size:
            return
        number, verb, uid = _ASK.unpack(octets)
        if verb >= len(_VERBS):
            return
        problem = carry_out(_VERBS[verb], uid, clears).encode("utf-8", "replace")
        connection.send(_ANSWER.pack(number) + problem[: _MOST_OCTETS - _ANSWER.size])


def main(caller: str) -> int:
    """Be the helper that systemd started for one connection; return its exit code."""
    os.chdir("/")
    counted = Path(os.environ.get("RUNTIME_DIRECTORY", "/nonexistent"))  # systemd.exec(5)
    os.environ.clear()
    try:
        connection = accepted(caller)
    except OSError as error:
        sys.stderr.write(f"loginward: error: {error}\n")
        return os.EX_NOPERM
    connection.settimeout(QUESTION_S)
    with contextlib.suppress(TimeoutError):
        serve(connection, Clears(counted))
    return 0


def _live(connection: socket.socket) -> NoReturn:
    """Be the helper, and nothing more; never returns into the daemon's code."""
    code = 1
    try:
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # a terminal sends them to the whole group
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        close_all_but(connection.fileno())
        os.chdir("/")
        os.environ.clear()
        if sys.platform.startswith("linux"):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        serve(connection, Clears(None))
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
