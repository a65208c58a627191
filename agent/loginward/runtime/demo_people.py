"""The sample accounts of the demo: one of each kind, made at the times that they need."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from loginward.core.acts import Verb
from loginward.core.attempts import Granted, Outcome
from loginward.core.clock import Deadline
from loginward.core.secret import Secret
from loginward.core.status import UserState
from loginward.crypto.gate import Gate
from loginward.directory.embedded.accounts import NewAccount
from loginward.directory.embedded.opening import open_directory, site_rules
from loginward.directory.port import Act, NotDone
from loginward.runtime.clock import SystemClock

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from loginward.settings.policy import Policy

PASSWORD: Final = "right-horse-42"  # noqa: S105  shown to whoever runs the demo
NAMES: Final = ("alice", "bob", "carol", "dave", "erin", "frank", "gina", "henry")
UNKNOWN: Final = "mallory"
SOURCE: Final = "sshd 203.0.113.7"
_TEN_S: Final = 10


class _PastClock(SystemClock):
    """This machine's clock, some time ago."""

    ago = timedelta()

    def now(self) -> datetime:
        return super().now() - self.ago


class _Past:
    """The directory while the sample accounts live their lives."""

    def __init__(self, state_dir: Path, policy: Policy) -> None:
        self._clock = _PastClock()
        self._policy = site_rules(policy).lockout
        self._directory = open_directory(state_dir, policy, self._clock, Gate())

    def close(self) -> None:
        """Close the file."""
        self._directory.close()

    def add(
        self,
        name: str,
        ago: timedelta,
        *,
        password: bool = True,
        starts_in: timedelta | None = None,
    ) -> None:
        """Add an account, with the password that all have."""
        self._clock.ago = ago
        starts_at = None if starts_in is None else self._clock.now() + ago + starts_in
        state = UserState.ACTIVE if starts_in is None else UserState.STAGED
        added = self._directory.add(NewAccount(name=name, state=state, starts_at=starts_at))
        assert not isinstance(added, NotDone), added.why
        if password:
            self.act(name, Verb.SET_FIRST_PASSWORD, ago)

    def act(self, name: str, verb: Verb, ago: timedelta) -> None:
        """Carry out an administrator's verb."""
        self._clock.ago = ago
        facts = self._directory.find(name, self._soon())
        assert facts is not None
        password = Secret(PASSWORD.encode()) if verb.sets_password else None
        done = self._directory.act(facts, Act(verb=verb, password=password), self._soon())
        assert not isinstance(done, NotDone), done.why

    def guess(self, name: str, times: int, ago: timedelta) -> None:
        """Give so many wrong passwords, a second apart."""
        for at in range(times):
            self._clock.ago = ago - timedelta(seconds=at)
            facts = self._directory.find(name, self._soon())
            assert facts is not None
            reserved = self._directory.reserve(facts, SOURCE, self._policy)
            assert isinstance(reserved, Granted)
            self._directory.settle(facts, reserved.reservation, Outcome.WRONG)

    def _soon(self) -> Deadline:
        return Deadline.after(_TEN_S, self._clock)


def settle_in(state_dir: Path, policy: Policy) -> None:
    """Make the accounts below `state_dir`, which no daemon has open.

    Raises:
        StoreFault: The file cannot be written.
    """
    past = _Past(state_dir, policy)
    try:
        past.add("alice", timedelta(days=77, hours=12))
        past.add("bob", timedelta(days=20))
        past.guess("bob", policy.lockout.threshold, timedelta(minutes=3))
        past.add("carol", timedelta(days=93, hours=1))
        past.add("dave", timedelta(days=1), password=False)
        past.add("erin", timedelta(days=200))
        past.act("erin", Verb.SET_TEMPORARY, timedelta(minutes=10))
        past.add("frank", timedelta(days=94, hours=1))
        past.guess("frank", policy.lockout.threshold, timedelta(minutes=2))
        past.add("gina", timedelta(days=2), starts_in=timedelta(days=7))
        past.add("henry", timedelta(days=30))
        past.act("henry", Verb.SUSPEND, timedelta(days=2, hours=1))
    finally:
        past.close()
