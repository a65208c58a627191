"""The bound on clearing one account's tally, in memory and from process to process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from loginward.host.clears import MOST, WITHIN_S, Clears, uptime_s


@pytest.fixture(params=["memory", "files"])
def folder(request, tmp_path):
    return tmp_path if request.param == "files" else None


def test_an_hour_after_each_there_is_room_for_one_more(folder):
    now = [100.0]
    clears = Clears(folder, lambda: now[0])
    for _ in range(MOST):
        assert clears.take(1000)
        now[0] += 60
    assert not clears.take(1000)
    assert clears.take(1001), "each account has its own"
    now[0] = 100 + WITHIN_S - 0.1
    assert not clears.take(1000)
    now[0] = 100 + WITHIN_S
    assert clears.take(1000)
    assert not clears.take(1000), "what was refused did not count, what was taken did"


def test_files_hold_from_one_process_to_the_next(tmp_path):
    for _ in range(MOST):
        assert Clears(tmp_path).take(1000)
    assert not Clears(tmp_path).take(1000)


def test_many_at_once_get_no_more(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: Clears(tmp_path).take(1000), range(40)))
    assert taken.count(True) == MOST


def test_the_kernel_says_how_long_it_runs():
    assert 0 < uptime_s() <= uptime_s()
