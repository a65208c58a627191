"""Keeps the marker file: whom the PAM module refuses while the daemon cannot be asked."""

from __future__ import annotations

import logging
import pwd
import threading
from typing import TYPE_CHECKING

from loginward.core.clock import Deadline
from loginward.errors import DirectoryUnavailable, StoreFault
from loginward.runtime.access import uid_of
from loginward.store.known import KnownMarker

if TYPE_CHECKING:
    from loginward.runtime.agent import Parts

_log = logging.getLogger(__name__)
_READ_S = 30.0


class Marker:
    """The names known here that this host has a uid for."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = threading.Lock()

    def update(self) -> None:
        """Write the marker if the names have changed; a fault is logged, the old one stays."""
        settings = self._parts.settings
        file = KnownMarker(
            settings.state_dir,
            uid_of,
            settings.policy.exempt_users,
            everybody=settings.doors.login.when_down == "all",
        )
        try:
            with self._lock:
                file.update(self._names())
        except (StoreFault, DirectoryUnavailable) as fault:
            _log.warning("marker file not written: %s", fault)

    def _names(self) -> tuple[str, ...]:
        """Return the known names.

        Of the embedded directory's, which may be many, those of this host's own users: each of
        these is looked up there, not the other way round.
        """
        parts = self._parts
        if parts.embedded is None:
            return parts.store.names()
        deadline = Deadline.after(_READ_S, parts.clock)
        return tuple(
            entry.pw_name
            for entry in pwd.getpwall()
            if parts.directory.find(entry.pw_name, deadline) is not None
        )
