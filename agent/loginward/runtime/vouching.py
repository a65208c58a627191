"""Whether somebody trustworthy has just been reached, so that the wall clock may be believed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loginward.directory.port import ServerHealth
    from loginward.settings import Directory


def vouched_for(
    directory: Directory, health: Iterable[ServerHealth], now: datetime, *, within_s: float
) -> bool:
    """Return whether a server answered over verified TLS in the last `within_s` seconds.

    A server that a certificate does not vouch for could let locks run out by moving the clock.
    """
    tls = directory.start_tls or all(url.startswith("ldaps:") for url in directory.servers)
    if directory.kind != "ldap" or not tls:
        return False
    since = now - timedelta(seconds=within_s)
    answered = (one.last_ok_at for one in health if one.usable)
    return any(at is not None and at >= since for at in answered)
