"""What systemd does for a socket unit, with real sockets, users and processes: it listens as root.

Source: systemd.socket(5) Accept=, sd_listen_fds(3).
"""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import sys
import threading

from tests.doubles.sockets import connections, listening

PATIENCE_S = 20
# dup2 to 3 and on, from copies far above; then LISTEN_PID is of the process that exec keeps.
HAND_OVER = """
import fcntl, os, sys
count = int(sys.argv[1])
high = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in sys.argv[2:2 + count]]
for wanted, descriptor in enumerate(high, 3):
    os.dup2(descriptor, wanted, inheritable=True)
    os.close(descriptor)
os.environ["LISTEN_PID"] = str(os.getpid())
os.environ["LISTEN_FDS"] = str(count)
os.execvp(sys.argv[2 + count], sys.argv[2 + count:])
"""


def as_user(user, *more):
    """Return the words that make a command run as a user, without any right of root's."""
    group = str(pwd.getpwnam(user).pw_gid)
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", *more]


def handed_over(sockets, command, **how):
    """Start a command with listening sockets by name, as a unit without Accept=yes is started."""
    descriptors = [str(one.fileno()) for one in sockets.values()]
    env = os.environ | how.pop("env", {}) | {"LISTEN_FDNAMES": ":".join(sockets)}
    return subprocess.Popen(
        [sys.executable, "-c", HAND_OVER, str(len(sockets)), *descriptors, *command],
        pass_fds=[one.fileno() for one in sockets.values()], env=env, **how,
    )  # fmt: skip


class Accepting:
    """A socket unit with Accept=yes: a process for each connection, which is its standard input."""

    def __init__(self, path, command, env=None):
        self.path, self.command = path, command
        self.processes, self.codes = [], []
        self._env = env or {}
        self._listener = listening(path, socket.SOCK_SEQPACKET)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE_S)
        self._listener.close()
        for process in self.processes:
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stderr.close()
        self.path.unlink()

    def _run(self):
        for connection in connections(self._listener):
            with connection:
                env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"} | self._env
                self.processes.append(
                    subprocess.Popen(
                        self.command, stdin=connection, stdout=subprocess.DEVNULL,
                        stderr=subprocess.PIPE, env=env, text=True,
                    )
                )  # fmt: skip

    def ended(self):
        """Return exit code and last words of the newest process, when it has ended."""
        process = self.processes[-1]
        said = process.stderr.read()
        return process.wait(PATIENCE_S), said
