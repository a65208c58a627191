"""The pieces of the RADIUS bench do what it says of them, in small: our server, both drivers."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.bench import processes
from tests.bench.bench_radius import PASSWORD, Bench, Guesses, accepted, bench_at, refused
from tests.bench.radius_drivers import pap_packets
from tests.doubles.nas import SECRET
from tests.doubles.processes import end

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("bench")]

USERS = 40


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with bench_at(USERS) as made:
        try:
            assert made.start(made.ours) > 0
            yield made
        finally:
            made.ours.process.stop()


@pytest.mark.parametrize("at_once", [1, 32])
def test_people_sign_in_by_pap(bench: Bench, at_once: int) -> None:
    cost = bench.cost(bench.ours, lambda server: bench.right(server, at_once, 3 * USERS))
    assert (cost.load.accepts, cost.load.lost) == (3 * USERS, 0)
    assert 0 < cost.load.p50_ms <= cost.load.p99_ms
    assert cost.server_us > 0


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_people_sign_in_by_ttls(bench: Bench, tls: str) -> None:
    load = bench.ttls(bench.ours, 8, 16, tls)
    assert (load.logins, load.accepts, load.lost) == (16, 16, 0)


def test_the_locked_and_those_who_guess_are_refused(bench: Bench) -> None:
    assert bench.locked(bench.ours, 32, 50).rejects == 50
    assert Guesses(bench.drivers, USERS, USERS)(bench.ours).rejects == USERS


def test_a_round_that_ends_otherwise_is_no_figure(bench: Bench) -> None:
    packets = pap_packets(SECRET, 2, lambda n: ("bulk0", "locked0")[n], lambda _: PASSWORD)
    load = bench.drivers.pap(bench.ours.port, 2, packets)
    assert (load.accepts, load.rejects) == (1, 1)
    for expected in (accepted, refused):
        with pytest.raises(RuntimeError, match="ended otherwise"):
            expected(load)


@contextmanager
def started(*line: str) -> Iterator[int]:
    process = subprocess.Popen(line, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        with process.stdout as said:
            said.readline()
        yield process.pid
    finally:
        end(process)


def test_what_children_use_counts() -> None:
    child = "import time; x = bytearray(32 << 20); print(1, flush=True); time.sleep(60)"
    with started("sh", "-c", f"python3 -c '{child}'; :") as pid:
        assert len(processes.family(pid)) == 2
        assert processes.resident_mb(pid) > 32
        assert 32 < processes.proportional_mb(pid) <= processes.resident_mb(pid)
        end_child(pid)


def test_processor_time_is_in_seconds() -> None:
    with started("sh", "-c", "echo; while :; do :; done") as pid:
        began, used = time.monotonic(), processes.cpu_s(pid)
        while processes.cpu_s(pid) < used + 0.1:
            assert time.monotonic() < began + 20
        assert time.monotonic() - began > 0.05


def end_child(pid: int) -> None:
    """End the child first, or it would outlive the shell."""
    for child in processes.family(pid)[1:]:
        subprocess.run(["kill", str(child)], check=True)
