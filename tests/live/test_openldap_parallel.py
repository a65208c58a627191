"""Parallel guesses never test more passwords than the directory has left (I6)."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from loginward.core.attempts import Granted, Outcome
from loginward.core.evidence import Wrong
from loginward.core.facts import status_at
from loginward.core.secret import Secret
from loginward.core.status import PasswordStatus
from loginward.store.inflight import InFlightAttempts
from tests.live import people as who
from tests.live.agent import CLOCK, reached, settings, soon
from tests.live.slapd import now

pytestmark = pytest.mark.live

GUESSES = 40


@pytest.mark.parametrize("server", ["slapd_on", "slapd_off"])
def test_forty_guesses_at_once_test_three_passwords(request, server: str):
    """Measured without reservations: 6 of 40 get past a directory that locks after 5."""
    slapd = request.getfixturevalue(server)
    uid = f"par{now():%H%M%S%f}"
    slapd.add(who.Person(uid, (f"pwdChangedTime: {who.gtime(now() - timedelta(hours=1))}",)))
    keeper = InFlightAttempts(CLOCK)
    together = threading.Barrier(GUESSES)
    outcomes: list[str] = []
    with reached(settings(slapd.ca_file, slapd.tls_url)) as directory:

        def guess(nth: int) -> None:
            facts = directory.find(uid, soon())
            assert facts is not None
            assert facts.lockout is not None
            together.wait()
            reserved = keeper.reserve(facts, "test", facts.lockout)
            if not isinstance(reserved, Granted):
                return outcomes.append("refused")
            checked = directory.check(facts, Secret(f"guess {nth}".encode()), soon())
            wrong = isinstance(checked, Wrong)
            keeper.settle(
                facts, reserved.reservation, Outcome.WRONG if wrong else Outcome.NO_VERDICT
            )
            return outcomes.append("tested" if wrong else "untested")

        threads = [threading.Thread(target=guess, args=(nth,)) for nth in range(GUESSES)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        after = directory.find(uid, soon())

    assert slapd.bound(uid) == outcomes.count("tested") == who.MAX_FAILURE
    assert outcomes.count("refused") == GUESSES - who.MAX_FAILURE
    assert after is not None
    assert PasswordStatus.LOCKED in status_at(after, now()).statuses
    slapd.remove(uid)
