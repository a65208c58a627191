"""How much of the login door one asker may take, so that the next one is still served."""

from __future__ import annotations

from dataclasses import dataclass

ROOT = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of the login door; times in seconds.

    Attributes:
        workers: Threads that judge, so checks that run at once.
        connections: Connections held in all; one more costs the oldest that has asked nothing yet.
        per_uid_connections: Held by one real uid other than root.
        per_uid_checks: Checks in flight of one real uid other than root.
        per_rhost_checks: Checks in flight for one remote host, as root says it.
        questions: Connections that a real uid other than root may make in a burst, asking or not.
        questions_per_s: How fast that burst is earned again.
        linger_s: How long a worker waits for an ANSWER that is probably ready.
        begin_s: From the connection to the whole BEGIN; a client has it ready.
        frame_s: From the first octet of an ANSWER to its last.
        conversation_s: From the connection to the RESULT, typing included.
        drain_s: How long a stop waits for checks in flight.
    """

    workers: int = 16
    connections: int = 512
    per_uid_connections: int = 16
    per_uid_checks: int = 4
    per_rhost_checks: int = 8
    questions: int = 60
    questions_per_s: float = 10.0
    linger_s: float = 0.01
    begin_s: float = 3.0
    frame_s: float = 3.0
    conversation_s: float = 120.0
    drain_s: float = 5.0

    @property
    def shared_workers(self) -> int:
        """Return how many workers may work for others than root; a quarter is kept for root."""
        return self.workers - max(1, self.workers // 4)


@dataclass(frozen=True, slots=True)
class Source:
    """Whom limits count: a real uid, or the remote host that root speaks for.

    Attributes:
        real_uid: Real user id of the asking process.
        rhost: What root said; empty for every other uid, whose word counts for nothing here.
    """

    real_uid: int
    rhost: str = ""

    @property
    def is_root(self) -> bool:
        """Whether the asking process is root's own, not one that a user started setuid."""
        return self.real_uid == ROOT

    def checks_at_once(self, limits: Limits) -> int:
        """Return how many checks of this source may be in flight."""
        if not self.is_root:
            return limits.per_uid_checks
        return limits.per_rhost_checks if self.rhost else limits.workers


class Allowance:
    """A burst of questions a uid, earned again over time (a token bucket a uid)."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._spent: dict[int, tuple[float, float]] = {}  # uid: (questions spent, when, in s)

    def take(self, uid: int, now_s: float) -> bool:
        """Take one question of a uid's allowance; return whether there was one."""
        if uid == ROOT:
            return True
        if not self.is_left(uid, now_s):
            return False
        self._spent[uid] = (self._spent_at(uid, now_s) + 1, now_s)
        self._forget_the_idle(now_s)
        return True

    def is_left(self, uid: int, now_s: float) -> bool:
        """Return whether there is a question left of a uid's allowance."""
        return uid == ROOT or self._spent_at(uid, now_s) + 1 <= self._limits.questions

    def _spent_at(self, uid: int, now_s: float) -> float:
        spent, at_s = self._spent.get(uid, (0.0, now_s))
        return max(0.0, spent - (now_s - at_s) * self._limits.questions_per_s)

    def _forget_the_idle(self, now_s: float) -> None:
        if len(self._spent) > self._limits.connections:
            self._spent = {
                uid: spent for uid, spent in self._spent.items() if self._spent_at(uid, now_s) > 0
            }
