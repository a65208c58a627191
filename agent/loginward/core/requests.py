"""A request as a door understood it, before any of it is judged."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Door(enum.Enum):
    """Where a request came in."""

    LOGIN = "login"
    RADIUS = "radius"
    GATE = "gate"


class Phase(enum.Enum):
    """What is asked; named after the entry points of pam(3)."""

    AUTHN = "authn"
    ACCT = "acct"
    CHAUTHTOK_PRELIM = "chauthtok-prelim"
    CHAUTHTOK_UPDATE = "chauthtok-update"
    OPEN = "open"
    CLOSE = "close"


class Purpose(enum.Enum):
    """What an ASK wants typed."""

    PASSWORD = "password"  # noqa: S105  a purpose, not a password
    NEW = "new"
    NEW_AGAIN = "new-again"
    CODE = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The process on the socket, as the kernel shows it.

    Attributes:
        uid: Effective user id: rights follow it.
        real_uid: Real user id: limits and audit follow it.
        pid: Process id when it connected.
        groups: Kernel groups.
        named: May ask for others: uid 0, or listed under doors.login.peers for this service.
    """

    uid: int
    real_uid: int
    pid: int = 0
    groups: frozenset[int] = frozenset()
    named: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRequest:
    """One question of a door.

    Attributes:
        name: As typed or as the caller's PAM_USER.
        service: PAM service, or the name of the RADIUS client.
        rhost: PAM_RHOST, or the Calling-Station-Id; empty if none. A claim unless `peer` is uid 0.
        transaction: Ties a later account phase to the facts of an authenticate.
        silent: PAM_SILENT: no messages to the person.
        forwarded: Pressed through by FileVault at a Mac; never counts.
        inline_change: A new password can be asked for within this request (RADIUS challenge).
    """

    door: Door
    phase: Phase
    name: str
    service: str
    peer: Peer
    tty: str = ""
    rhost: str = ""
    ruser: str = ""
    transaction: str = ""
    silent: bool = False
    disallow_null: bool = False
    forwarded: bool = False
    inline_change: bool = False
