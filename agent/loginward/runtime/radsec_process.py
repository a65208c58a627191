"""The process that holds the key of RADIUS over TLS, and its connections (security.md 12)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from loginward.doors.radius.loop import Loop
from loginward.doors.radius.radsec.door import MOST
from loginward.doors.radius.radsec.process import serve
from loginward.runtime import key_process
from loginward.runtime.clock import SystemClock
from loginward.runtime.key_process import KeyChild

if TYPE_CHECKING:
    import pwd
    import socket
    from collections.abc import Callable

_MODULE: Final = "loginward.runtime.radsec_process"
_OPEN_FILES: Final = MOST + 64  # the connections, the socket, and a file while it is read


def spawn(become: pwd.struct_passwd | None = None) -> KeyChild:
    """Start the process; the arguments and what it raises are those of `key_process.spawn`."""
    return key_process.spawn(_MODULE, become)


def _serve(link: socket.socket, become: Callable[[], None]) -> None:
    clock = SystemClock()
    serve(link, Loop(clock, lambda: None), clock, become)


if __name__ == "__main__":
    sys.exit(key_process.main("RADIUS over TLS", _OPEN_FILES, _serve, sys.argv[1:]))
