"""A client that means harm to the login socket, as a process without rights.

    python -m tests.live.nuisance RUN drip|garbage

goes on until it is killed: one octet of a good question a second, or garbage as fast as it can,
each connection after the other.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from loginward.core.requests import Phase
from loginward.wire.login import Begin, encode

TOP = Path(__file__).resolve().parents[2]
NOBODY = 65534
BEGIN = encode(Begin(phase=Phase.AUTHN, user="bulk1", service="login"))


@contextlib.contextmanager
def nuisance(run: Path, kind: str) -> Iterator[None]:
    """Have one at work, as nobody where that is possible."""
    user = NOBODY if os.geteuid() == 0 else None
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.live.nuisance", run, kind],
        user=user,
        cwd=TOP,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"at work\n"
        yield
        assert process.poll() is None, "the nuisance gave up"
    finally:
        process.kill()
        process.communicate(timeout=20)


def main() -> None:
    """Be the process."""
    path, kind = os.fspath(Path(sys.argv[1]) / "login.sock"), sys.argv[2]
    pieces = [bytes([octet]) for octet in BEGIN] if kind == "drip" else [os.urandom(512)] * 16
    print("at work", flush=True)
    while True:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(path)
            for piece in pieces:
                connection.sendall(piece)
                if kind == "drip":
                    time.sleep(1)


if __name__ == "__main__":
    main()
