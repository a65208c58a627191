"""A process that holds a key of the RADIUS door: how it is started, and what it is (security.md 12).

`python -I -m MODULE [USER]` with a socket to the daemon as its standard input and nothing else.
Started by root it reads the files of its first configuration, then becomes USER.
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
from functools import partial
from typing import TYPE_CHECKING, Final

from loginward.errors import LoginwardError
from loginward.host.beside import taken_from_standard_input
from loginward.runtime import hardening
from loginward.runtime.logging_setup import set_up_logging

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_log = logging.getLogger("loginward")
_END_S: Final = 5.0
_MEMORY_OCTETS: Final = 512 * 1024 * 1024  # far above what the bounds of one add up to


@dataclass(slots=True)
class KeyChild:
    """The process, seen from the daemon."""

    link: socket.socket
    process: subprocess.Popen[bytes]

    def end(self) -> None:
        """End it at once, and close the link; idempotent."""
        self.link.close()
        with contextlib.suppress(PermissionError):  # root's still: it ends with its socket
            self.process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_END_S)


def spawn(module: str, become: pwd.struct_passwd | None = None) -> KeyChild:
    """Start the process.

    Args:
        module: Its name; it calls `main`.
        become: Whom it becomes once it has read its files; None: it keeps the daemon's rights.

    Raises:
        OSError: No process or socket can be had.
    """
    command = [sys.executable, "-I", "-m", module]
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
    return KeyChild(ours, process)


def main(
    what: str,
    open_files: int,
    serve: Callable[[socket.socket, Callable[[], None]], None],
    arguments: Sequence[str],
) -> int:
    """Be the process until the daemon closes the socket; return the exit code.

    Args:
        what: What it does, for the log.
        open_files: The most descriptors that it may have.
        serve: Given the socket, and what gives root's rights up once the files are read.
        arguments: The user to become, or nothing.
    """
    set_up_logging()
    hardening.harden()
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_OCTETS, _MEMORY_OCTETS))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = open_files if hard == resource.RLIM_INFINITY else min(hard, open_files)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))  # it starts nothing
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        # A terminal and systemd send them to the daemon too, which first lets logins end.
        signal.signal(number, signal.SIG_IGN)
    try:
        link = taken_from_standard_input()
        become: Callable[[], None] = lambda: None  # noqa: E731  one of two
        if arguments:
            become = partial(hardening.become, pwd.getpwnam(arguments[0]))
        serve(link, become)
    except (OSError, KeyError, LoginwardError) as error:
        _log.error("the process of %s ends: %s", what, error)
        return os.EX_SOFTWARE
    return 0
