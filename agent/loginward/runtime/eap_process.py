"""The process that holds the EAP key: how it is started, and what it is (security.md 12)."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Final

from loginward.doors.radius.eap import frames
from loginward.runtime import key_process
from loginward.runtime.clock import SystemClock
from loginward.runtime.key_process import KeyChild

if TYPE_CHECKING:
    import pwd
    import socket
    from collections.abc import Callable

EapChild = KeyChild
_MODULE: Final = "loginward.runtime.eap_process"
_OPEN_FILES: Final = 32  # the socket, and a file while it is read
_MISSING: Final = frames.Configured(
    "doors.radius.eap", "needs pyOpenSSL: install loginward with the extra eap"
)


def spawn(become: pwd.struct_passwd | None = None) -> EapChild:
    """Start the process; the arguments and what it raises are those of `key_process.spawn`."""
    return key_process.spawn(_MODULE, become)


def _serve(link: socket.socket, become: Callable[[], None]) -> None:
    try:
        from loginward.doors.radius.eap.process import Handshakes, serve  # noqa: PLC0415  an extra
    except ModuleNotFoundError:
        with contextlib.suppress(OSError):
            link.recv(frames.MAX_OCTETS)
            link.send(frames.encode(_MISSING))
        return
    serve(link, Handshakes(SystemClock(), become))


if __name__ == "__main__":
    sys.exit(key_process.main("EAP", _OPEN_FILES, _serve, sys.argv[1:]))
