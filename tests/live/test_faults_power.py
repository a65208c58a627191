"""kill -9 at any moment, and the power gone right after an answer: no counted attempt is lost."""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
from collections.abc import Iterator

import pytest

from loginward.core.reasons import Reason
from tests.live.power import Power
from tests.runtime.daemon import Daemon, served
from tests.runtime.people import RIGHT, person

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("power")]

GUESSES = 4
KILLS = 5
UNLOCKED = "policy: {lockout: {threshold: 1000}, throttle: {per_source_per_min: null}}\n"


@contextlib.contextmanager
def after_a_cut(power: Power, daemon: Daemon, answers: int) -> Iterator[Daemon]:
    """Give a daemon on what a power cut after so many answers has left."""
    other = Daemon()
    try:
        power.cut(answers, other.state)
        for path in (daemon.state, *daemon.state.rglob("*")):
            there = other.state / path.relative_to(daemon.state)
            if there.exists():
                os.chown(there, path.stat().st_uid, path.stat().st_gid)
        yield other.start()
    finally:
        other.close()


def test_what_was_answered_was_flushed_before(tmp_path) -> None:
    """R61: of each answered failure, the disk holds the count whatever else it loses."""
    with served() as daemon:
        daemon.people(person("ann"))
        with Power(daemon.process.pid, daemon.state, tmp_path / "power") as power:
            for nth in range(GUESSES):
                result, _ = daemon.ask("ann", b"guess %d" % nth)
                assert result.reason is Reason.WRONG_CREDENTIALS
        for answers in range(1, GUESSES + 1):
            with after_a_cut(power, daemon, answers) as left:
                assert left.account("ann").failures >= answers
        with after_a_cut(power, daemon, GUESSES) as left:
            left.ask("ann", b"one more")
            assert left.account("ann").status.lock.failures == GUESSES + 1


class Guesser(threading.Thread):
    """One who guesses until the daemon is gone, and knows how often it was told wrong."""

    def __init__(self, daemon: Daemon, name: str) -> None:
        super().__init__(daemon=True)
        self._daemon, self._name = daemon, name
        self.answered = 0

    def run(self) -> None:
        with contextlib.suppress(OSError, AssertionError):  # the daemon was killed
            while True:
                guess = os.urandom(8).hex().encode()
                result, _ = self._daemon.ask(self._name, guess)
                assert result.reason is Reason.WRONG_CREDENTIALS
                self.answered += 1


def test_killed_at_any_moment_no_answered_failure_is_lost() -> None:
    """Four guess at once while the daemon is killed, again and again."""
    rng = random.Random(20261124)
    answered = 0
    with served(UNLOCKED) as daemon:
        daemon.people(person("ann"))
        for _ in range(KILLS):
            guessers = [Guesser(daemon, "ann") for _ in range(4)]
            for one in guessers:
                one.start()
            time.sleep(rng.uniform(0.05, 0.6))  # the moment is the experiment
            daemon.kill()
            for one in guessers:
                one.join(20)
            answered += sum(one.answered for one in guessers)
            daemon.start()
            assert daemon.account("ann").failures >= answered
        assert answered > KILLS
        assert daemon.ask("ann", RIGHT)[0].reason is Reason.OK
