"""The process that holds the EAP key: how it is started, and what it is (security.md 12).

`python -I -m loginward.runtime.eap_process [USER]` with a socket to the daemon as its standard input
and nothing else. Started by root it reads the files of its first configuration, then becomes USER.
Source: socketpair(2), setrlimit(2).
"""

from __future__ import annotations

import contextlib
import logging
import os
import pwd
import resource
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

from loginward.doors.radius.eap import frames
from loginward.errors import LoginwardError
from loginward.host.beside import taken_from_standard_input
from loginward.runtime import hardening
from loginward.runtime.clock import SystemClock
from loginward.runtime.logging_setup import set_up_logging

_log = logging.getLogger("loginward")
_MODULE: Final = "loginward.runtime.eap_process"
_MEMORY_OCTETS: Final = 512 * 1024 * 1024  # far above what its bounds add up to
_OPEN_FILES: Final = 32  # the socket, and a file while it is read
_MISSING: Final = frames.Configured(
    "doors.radius.eap", "needs pyOpenSSL: install loginward with the extra eap"
)


@dataclass(slots=True)
class EapChild:
    """The process, seen from the daemon."""

    link: socket.socket
    process: subprocess.Popen[bytes]

    def end(self) -> None:
        """End it at once, and close the link; idempotent."""
        self.link.close()
        self.process.kill()
        self.process.wait()


def spawn(become: pwd.struct_passwd | None = None) -> EapChild:
    """Start the process.

    Args:
        become: Whom it becomes once it has read its files; None: it keeps the daemon's rights.

    Raises:
        OSError: No process or socket can be had.
    """
    command = [sys.executable, "-I", "-m", _MODULE]
    if become is not None:
        command.append(become.pw_name)
    nothing: dict[str, str] = {}
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        try:
            process = subprocess.Popen(
                command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, cwd="/", env=nothing
            )
        except OSError:
            ours.close()
            raise
    return EapChild(ours, process)


def main(user: str | None) -> int:
    """Be the process until the daemon closes the socket; return the exit code."""
    set_up_logging()
    hardening.harden()
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_OCTETS, _MEMORY_OCTETS))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))  # it starts nothing
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        # A terminal and systemd send them to the daemon too, which first lets logins end.
        signal.signal(number, signal.SIG_IGN)
    try:
        link = taken_from_standard_input()
        _serve(link, None if user is None else pwd.getpwnam(user))
    except (OSError, KeyError, LoginwardError) as error:
        _log.error("the process of EAP ends: %s", error)
        return os.EX_SOFTWARE
    return 0


def _serve(link: socket.socket, user: pwd.struct_passwd | None) -> None:
    try:
        from loginward.doors.radius.eap.process import Handshakes, serve  # noqa: PLC0415  an extra
    except ModuleNotFoundError:
        with contextlib.suppress(OSError):
            link.recv(frames.MAX_OCTETS)
            link.send(frames.encode(_MISSING))
        return
    become = (lambda: None) if user is None else (lambda: hardening.become(user))
    serve(link, Handshakes(SystemClock(), become))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
