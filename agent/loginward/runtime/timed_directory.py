"""A directory whose calls are counted and timed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from loginward.core.evidence import NoVerdict
from loginward.errors import DirectoryUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from loginward.core.changes import Changed, NotChanged
    from loginward.core.clock import Clock, Deadline
    from loginward.core.evidence import Checked
    from loginward.core.facts import AccountFacts
    from loginward.core.secret import Secret
    from loginward.directory.port import (
        Act,
        Directory,
        Done,
        HiddenGroup,
        Listing,
        Loop,
        LoopChecks,
        NotDone,
        ServerHealth,
        Watched,
    )
    from loginward.runtime.metrics import Metrics


class TimedChecks:
    """Passes checks of passwords on and tells the metrics how long each took."""

    def __init__(self, checks: LoopChecks, metrics: Metrics, clock: Clock) -> None:
        self._checks = checks
        self._metrics = metrics
        self._clock = clock

    def check(
        self,
        account: AccountFacts,
        password: Secret,
        deadline: Deadline,
        told: Callable[[Checked], None],
    ) -> None:
        """Check a password once."""
        began = self._clock.monotonic()

        def timed(checked: Checked) -> None:
            failed = isinstance(checked, NoVerdict)
            self._metrics.asked_directory("check", self._clock.monotonic() - began, failed=failed)
            told(checked)

        self._checks.check(account, password, deadline, timed)

    def close(self) -> None:
        """Close every connection."""
        self._checks.close()


def watch_of(directory: Directory) -> Callable[[], Mapping[str, float]]:
    """Return what reads how changes in a directory come to be known, as numbers."""

    def read() -> Mapping[str, float]:
        watched = directory.watched()
        if watched is None or not watched.pushed:
            return {"pushed": 0}
        return {"pushed": 1, "age_seconds": watched.age_s, "accounts": watched.accounts}

    return read


class TimedDirectory:
    """Passes every call on and tells the metrics how long it took."""

    def __init__(self, directory: Directory, metrics: Metrics, clock: Clock) -> None:
        self._directory = directory
        self._metrics = metrics
        self._clock = clock

    def find(self, name: str, deadline: Deadline) -> AccountFacts | None:
        """Return the one account of that login name."""
        with self._timed("find"):
            return self._directory.find(name, deadline)

    def at_hand(self, name: str) -> AccountFacts | None:
        """Return the account of a name where that is known now."""
        return self._directory.at_hand(name)

    def read(self, account: AccountFacts, deadline: Deadline) -> AccountFacts | None:
        """Read the entry again."""
        with self._timed("read"):
            return self._directory.read(account, deadline)

    def check(self, account: AccountFacts, password: Secret, deadline: Deadline) -> Checked:
        """Check a password once."""
        with self._timed("check"):
            return self._directory.check(account, password, deadline)

    def loop_checks(
        self, loop: Loop, offload: Callable[[Callable[[], None]], object]
    ) -> LoopChecks | None:
        """Return what checks passwords from an event loop."""
        checks = self._directory.loop_checks(loop, offload)
        return None if checks is None else TimedChecks(checks, self._metrics, self._clock)

    def change(
        self, account: AccountFacts, old: Secret, new: Secret, deadline: Deadline
    ) -> Changed | NotChanged:
        """Change a person's own password."""
        with self._timed("change"):
            return self._directory.change(account, old, new, deadline)

    def act(self, account: AccountFacts, act: Act, deadline: Deadline) -> Done | NotDone:
        """Carry out an administrator's act."""
        with self._timed("act"):
            return self._directory.act(account, act, deadline)

    def hidden_groups(self, names: frozenset[str], deadline: Deadline) -> tuple[HiddenGroup, ...]:
        """Return by which of our accounts which of these groups cannot be seen."""
        with self._timed("groups"):
            return self._directory.hidden_groups(names, deadline)

    def accounts(self, deadline: Deadline) -> Listing:
        """Return every account."""
        with self._timed("accounts"):
            return self._directory.accounts(deadline)

    def health(self) -> tuple[ServerHealth, ...]:
        """Return the servers as last seen."""
        return self._directory.health()

    def flavour(self) -> str:
        """Return the kind of directory."""
        return self._directory.flavour()

    def watch(self, told: Callable[[str], None]) -> None:
        """Begin to have changes told."""
        self._directory.watch(told)

    def watched(self) -> Watched | None:
        """Return how changes come to be known."""
        return self._directory.watched()

    def close(self) -> None:
        """Close every connection."""
        self._directory.close()

    @contextmanager
    def _timed(self, call: str) -> Iterator[None]:
        began, failed = self._clock.monotonic(), False
        try:
            yield
        except DirectoryUnavailable:
            failed = True
            raise
        finally:
            elapsed_s = self._clock.monotonic() - began
            self._metrics.asked_directory(call, elapsed_s, failed=failed)
