"""Who waits, looked at from threads that do not hold the lock."""

from __future__ import annotations

import threading

from loginward.doors.login.limits import Limits, Source
from loginward.doors.login.turnstile import Turnstile
from tests.doubles.switching import switching_often


def test_how_many_wait_may_be_read_while_others_come_and_go() -> None:
    turnstile = Turnstile[int](Limits())
    ended = threading.Event()

    def come_and_go() -> None:
        for n in range(20_000):
            turnstile.offer(Source(0, str(n % 7)), n)
            taken = turnstile.take()
            assert taken is not None
            turnstile.done(taken[0])
        ended.set()

    with switching_often():
        busy = threading.Thread(target=come_and_go)
        busy.start()
        seen = set()
        while not ended.is_set():
            seen.add(turnstile.waiting)
        busy.join()

    assert seen <= {0, 1}
    assert turnstile.waiting == 0
