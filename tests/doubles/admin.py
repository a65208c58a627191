"""A runtime that says what it was told to say, and records what it was asked."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loginward.wire.admin import rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loginward.doors.admin.port import Operator
    from loginward.wire.admin import requests


@dataclass
class ScriptedAdmin:
    """Answers each command with what `script` holds under the name of the method.

    A value is one row or None, an exception is raised, a list is given row by row.
    """

    script: dict[str, object] = field(default_factory=dict)
    groups: dict[str, frozenset[str]] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    asked: list[tuple[str, object, str]] = field(default_factory=list)
    live: queue.SimpleQueue[rows.EventRow | None] = field(default_factory=queue.SimpleQueue)
    ended: threading.Event = field(default_factory=threading.Event)
    files: list[bytes] = field(default_factory=list)

    def _say(self, method: str, ask: object = None, by: Operator | None = None) -> object:
        self.asked.append((method, ask, "" if by is None else by.shown))
        said = self.script[method]
        if isinstance(said, Exception):
            raise said
        return said

    def _rows(self, method: str, ask: object = None, by: Operator | None = None) -> Iterator:
        said = self._say(method, ask, by)
        for row in said:
            if isinstance(row, Exception):
                raise row
            yield row

    def turned_away(self, ask: str, by: Operator) -> None:
        self.asked.append(("turned_away", ask, by.shown))

    def groups_of(self, name: str) -> frozenset[str]:
        return self.groups.get(name, frozenset())

    def hidden_groups(self, groups) -> tuple[str, ...]:
        return self.hidden

    def health(self):
        return self._say("health")

    def metrics(self):
        return self._say("metrics")

    def account(self, ask):
        return self._say("account", ask)

    def why(self, ask):
        return self._say("why", ask)

    def why_reference(self, ask):
        return self._say("why_reference", ask)

    def users(self, ask):
        return self._rows("users", ask)

    def add_user(self, ask, by):
        return self._say("add_user", ask, by)

    def remove_users(self, ask, by):
        return self._rows("remove_users", ask, by)

    def import_users(self, ask, octets, by):
        self.files.append(octets)
        return self._rows("import_users", ask, by)

    def export_users(self, ask, by):
        return self._rows("export_users", ask, by)

    def act(self, ask, by):
        return self._rows("act", ask, by)

    def activate_self(self, ask, by):
        return self._say("activate_self", ask, by)

    def copies(self):
        return self._rows("copies")

    def radius_sessions(self):
        return self._rows("radius_sessions")

    def explain_radius(self, ask):
        return self._say("explain_radius", ask)

    def forget(self, ask, by):
        return self._rows("forget", ask, by)

    def clear_copies(self, by):
        return self._say("clear_copies", None, by)

    def refresh(self, ask, by):
        return self._rows("refresh", ask, by)

    def events(self, ask: requests.AskEvents) -> Iterator[rows.EventRow | None]:
        yield from self._rows("events", ask)
        try:
            while ask.follow:
                try:
                    event = self.live.get(timeout=0.05)
                except queue.Empty:
                    yield None
                    continue
                if event is None:
                    return
                yield event
        finally:
            self.ended.set()

    def findings(self):
        return self._rows("findings")

    def accept_clock(self, by):
        return self._say("accept_clock", None, by)

    def reload(self, by):
        return self._say("reload", None, by)
