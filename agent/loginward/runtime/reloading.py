"""`config reload` and SIGHUP: another configuration taken into force whole, or not at all."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from loginward.config.load import load_config
from loginward.directory.embedded.opening import site_rules
from loginward.errors import ConfigError, StoreFault
from loginward.runtime.events import DaemonEvent
from loginward.runtime.in_force import InForce, in_force
from loginward.settings import InvalidSettingError
from loginward.settings.changes import Change, change_between
from loginward.wire.admin.rows import ReloadedRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.runtime.agent import Parts
    from loginward.settings import Settings

_log = logging.getLogger("loginward")
_OVERRIDE = "messages.override_file"


class Reloading:
    """Reads the configuration file again; safe for many threads.

    Args:
        follow: Called after each change, to let what acts by itself see it now.
    """

    def __init__(self, config_path: str, parts: Parts, follow: Callable[[], None]) -> None:
        self._path = Path(config_path)
        self._parts = parts
        self._follow = follow
        self._lock = threading.Lock()

    def reload(self) -> ReloadedRow:
        """Take what the file says into force; what needs a restart stays as it was, and is named.

        Raises:
            ConfigError: The file cannot be used; nothing has changed.
            StoreFault: The embedded directory cannot take its rules; nothing has changed.
        """
        with self._lock:
            try:
                row = self._take()
            except (ConfigError, StoreFault) as error:
                for problem in str(error).splitlines():
                    _log.error("loginward: the running configuration stays: %s", problem)
                self._record("reload-refused", "; ".join(str(error).splitlines()))
                raise
        self._follow()
        return row

    def _take(self) -> ReloadedRow:
        parts = self._parts
        before = parts.configuration.current
        # Secrets stay as they were read at the start, by root: this process may not open them.
        change = _change(before.settings, load_config(self._path, secrets=False))
        after = in_force(change.settings, parts.clock, parts.radius.rules(change.settings))
        if parts.embedded is not None:
            parts.embedded.apply(site_rules(change.settings.policy))  # the last that can fail
        parts.configuration.current = after
        row = ReloadedRow(
            changed=(*change.changed, *_reworded(before, after, change)),
            needs_restart=change.needs_restart,
        )
        self._tell(row)
        return row

    def _tell(self, row: ReloadedRow) -> None:
        changed = ", ".join(row.changed) or "nothing has changed"
        _log.info("loginward: reloaded: %s", changed)
        if row.needs_restart:
            _log.warning(
                "loginward: in force only after a restart: %s", ", ".join(row.needs_restart)
            )
        self._record("reloaded", changed)

    def _record(self, what: str, text: str) -> None:
        self._parts.audit.record(DaemonEvent(at=self._parts.clock.now(), what=what, text=text))


def _change(old: Settings, new: Settings) -> Change:
    try:
        return change_between(old, new)
    except InvalidSettingError as error:
        raise ConfigError(
            error.key, f"{error.problem}, which needs a restart; so nothing was changed"
        ) from error


def _reworded(before: InForce, after: InForce, change: Change) -> tuple[str, ...]:
    """Return the key of the site's own texts if its file, still the same one, says others now."""
    if _OVERRIDE in change.changed or before.texts.says_the_same(after.texts):
        return ()
    return (_OVERRIDE,) if after.settings.messages.override_file is not None else ()
