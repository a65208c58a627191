"""Which time is believed (I12; design "Clock"; security 15)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.store.timekeeping import Correction, Gap, Mark, TrustedTime, stretch
from tests.store.stage import ALLOWED_S, NOW, Machine

YEAR = timedelta(days=365)


def restarted(machine: Machine, time: TrustedTime) -> TrustedTime:
    mark = time.mark()
    later = TrustedTime(machine.read, ALLOWED_S)
    later.resume(mark)
    return later


def test_time_passes_with_the_machine_asleep_or_awake() -> None:
    machine = Machine()
    time = TrustedTime(machine.read, ALLOWED_S)
    machine.run(hours=9)

    assert time.now() == NOW + timedelta(hours=9)


@pytest.mark.parametrize("jump", [YEAR, -YEAR, timedelta(seconds=10), -timedelta(seconds=10)])
def test_within_a_boot_a_jump_is_not_believed_nor_kept(jump: timedelta) -> None:
    machine = Machine()
    time = TrustedTime(machine.read, ALLOWED_S)
    machine.run(seconds=30)
    machine.wall += jump
    machine.run(seconds=30)

    assert time.now() == time.mark().wall == NOW + timedelta(seconds=60)
    assert restarted(machine, time).now() == NOW + timedelta(seconds=60)
    assert time.serves_allowance


def test_small_corrections_are_followed_forward_and_never_back() -> None:
    machine = Machine()
    time = TrustedTime(machine.read, ALLOWED_S)
    machine.wall += timedelta(seconds=4)
    assert time.now() == NOW + timedelta(seconds=4)
    machine.wall -= timedelta(seconds=3)
    assert time.now() == NOW + timedelta(seconds=4)


def test_many_small_steps_do_not_add_up_to_a_jump() -> None:
    machine = Machine()
    time = TrustedTime(machine.read, ALLOWED_S)
    for _ in range(100):
        machine.run(seconds=1)
        machine.wall += timedelta(seconds=4)
        time.now()

    assert time.now() <= NOW + timedelta(seconds=106)


@pytest.mark.parametrize("jump", [YEAR, -YEAR, timedelta(seconds=10)])
def test_a_directory_over_verified_tls_is_believed_and_may_lower_it(jump: timedelta) -> None:
    machine = Machine()
    time = TrustedTime(machine.read, ALLOWED_S)
    machine.wall += jump

    assert time.confirm() == Correction(before=NOW, after=NOW + jump)
    assert time.now() == time.mark().wall == NOW + jump
    assert time.confirm() is None


def test_across_a_reboot_a_night_off_is_believed_but_a_gap() -> None:
    machine = Machine()
    time = TrustedTime(machine.read, ALLOWED_S)
    machine.reboot(hours=10)
    time = restarted_after(machine, Mark(NOW, 1000.0, "boot-1"))

    assert time.now() == NOW + timedelta(hours=10)
    assert time.serves_allowance
    (gap,) = time.gaps
    assert gap.length == timedelta(hours=10, seconds=-5)
    time.confirm()
    assert time.gaps == ()


def restarted_after(machine: Machine, mark: Mark) -> TrustedTime:
    time = TrustedTime(machine.read, ALLOWED_S)
    time.resume(mark)
    return time


@pytest.mark.parametrize("off", [timedelta(seconds=ALLOWED_S + 10), YEAR])
def test_across_a_reboot_a_jump_beyond_the_allowance_serves_none(off: timedelta) -> None:
    machine = Machine()
    machine.reboot()
    machine.wall += off
    time = restarted_after(machine, Mark(NOW, 1000.0, "boot-1"))

    assert time.now() == NOW + timedelta(seconds=5)
    assert not time.serves_allowance
    assert not restarted(machine, time).serves_allowance
    mark = time.mark()
    machine.reboot()  # and another reboot does not launder it
    machine.wall -= off
    assert not restarted_after(machine, mark).serves_allowance
    time.confirm()
    assert time.serves_allowance


def test_across_a_reboot_a_clock_behind_the_mark_goes_on_from_it() -> None:
    machine = Machine()
    machine.reboot()
    machine.wall -= YEAR
    time = restarted_after(machine, Mark(NOW, 1000.0, "boot-1"))

    machine.run(seconds=60)
    assert time.now() == NOW + timedelta(seconds=65)


def test_gaps_add_up_and_stay_few() -> None:
    machine = Machine()
    mark = Mark(NOW, 1000.0, "boot-1")
    total = timedelta(0)
    for _ in range(40):
        machine.reboot(hours=1)
        time = restarted_after(machine, mark)
        machine.run(minutes=1)
        mark = time.mark()
        total += timedelta(hours=1, seconds=-5)

    assert len(time.gaps) == 16
    assert stretch(time.gaps, NOW) == stretch(time.gaps, None) == total
    assert stretch(time.gaps, time.now()) == timedelta(0)
    assert stretch((Gap(NOW, timedelta(hours=1)),), NOW) == timedelta(0)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("run"), st.integers(0, 10**6)),
            st.tuples(st.just("jump"), st.integers(-(10**8), 10**8)),
            st.tuples(st.just("reboot"), st.integers(0, 10**6)),
            st.tuples(st.just("restart"), st.just(0)),
        ),
        max_size=20,
    )
)
def test_unconfirmed_time_never_goes_back_nor_passes_a_lock_faster_than_it_runs_i12(
    steps: list[tuple[str, int]],
) -> None:
    machine = Machine()
    time = TrustedTime(machine.read, ALLOWED_S)
    start = last = time.now()
    ran = 0.0
    for step, seconds in steps:
        if step == "run":
            machine.run(seconds=seconds)
            ran += seconds
        elif step == "jump":
            machine.wall += timedelta(seconds=seconds)
        elif step == "reboot":
            mark = time.mark()
            machine.reboot(seconds=seconds)
            ran += machine.up_s
            time = restarted_after(machine, mark)
        else:
            time = restarted(machine, time)
        assert time.now() >= last
        last = time.now()
        served = last - start - stretch(time.gaps, start)
        restarts = sum(step[0] in {"restart", "reboot"} for step in steps) + 1
        slack = restarts * 5 + ran * 500e-6 + 1e-3
        assert served.total_seconds() <= ran + slack
