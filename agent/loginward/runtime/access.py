"""Who may ask about whom at the login socket (security.md 6 and 10)."""

from __future__ import annotations

import pwd
from typing import TYPE_CHECKING

from loginward.core.decide import malformed
from loginward.core.decision import Decision
from loginward.core.names import index_form
from loginward.core.reasons import Reason, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loginward.core.requests import LoginRequest
    from loginward.settings import Settings


def refusal_of(request: LoginRequest) -> Decision | None:
    """Return why a request is not even judged; None: it is.

    Root and the named peers may ask for anyone, others for themselves. `forwarded` belongs to the
    macOS login window; on this system it is malformed.
    """
    if request.forwarded:
        return malformed()
    peer = request.peer
    if peer.uid == 0 or peer.named or _is_own(request):
        return None
    return Decision(verdict=Verdict.REFUSE, reason=Reason.NOT_PERMITTED)


def peers_of(settings: Settings) -> Mapping[int, tuple[str, ...]]:
    """Return by uid the services at which a user may ask for others; unknown users are left out."""
    peers: dict[int, tuple[str, ...]] = {}
    for peer in settings.doors.login.peers:
        uid = uid_of(peer.user)
        if uid is not None:
            peers[uid] = peer.services
    return peers


def uid_of(name: str) -> int | None:
    """Return the uid that this host gives a name; None: it knows no such name."""
    try:
        return pwd.getpwnam(name).pw_uid
    except (KeyError, ValueError):
        return None


def _is_own(request: LoginRequest) -> bool:
    try:
        own = pwd.getpwuid(request.peer.uid).pw_name
    except KeyError:
        return False
    return index_form(own) == index_form(request.name)
