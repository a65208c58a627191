"""Passwords: typed hidden at a terminal, or read from stdin; never from argv."""

from __future__ import annotations

import os
import sys
import termios
from typing import Final

from loginward.cli.exits import USAGE, CommandFailed
from loginward.core.secret import MAX_OCTETS, Secret

_LONGEST: Final = MAX_OCTETS + 1  # one more, so that the daemon sees it is too long


def typed_hidden(prompt: str) -> Secret:
    """Return what was typed at the terminal, octet by octet, without echo.

    Raises:
        CommandFailed: There is no terminal.
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        hint = "pipe it in with --password-stdin"
        raise CommandFailed("no terminal to ask for a password", hint, USAGE) from None
    try:
        before = termios.tcgetattr(terminal)
        hidden = [*before]
        hidden[3] = before[3] & ~termios.ECHO  # c_lflag
        try:
            termios.tcsetattr(terminal, termios.TCSAFLUSH, hidden)
            os.write(terminal, f"{prompt.rstrip().rstrip(':')}: ".encode())
            return _line(terminal)
        finally:
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)
            os.write(terminal, b"\n")
    finally:
        os.close(terminal)


def typed_twice(prompt: str) -> Secret:
    """Return a new password, typed the same twice (R41).

    Raises:
        CommandFailed: There is no terminal, or the two differ: nothing was changed.
    """
    new = typed_hidden(prompt)
    if typed_hidden("the same again") != new:
        raise CommandFailed("the two passwords differ; nothing was changed")
    return new


def piped() -> Secret:
    """Return the next line of stdin, without its newline.

    Raises:
        CommandFailed: Stdin is at its end.
    """
    line = sys.stdin.buffer.readline(_LONGEST + 1)
    if not line:
        raise CommandFailed("no password on stdin", "one line each", USAGE)
    return Secret(line.removesuffix(b"\n"))


def _line(terminal: int) -> Secret:
    octets = bytearray()
    while len(octets) < _LONGEST:
        read = os.read(terminal, 1)
        if read in (b"", b"\n"):
            break
        octets += read
    return Secret(bytes(octets))
