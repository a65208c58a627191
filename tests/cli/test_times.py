"""Moments in the reader's zone, spans in words."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.cli import times

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


@pytest.fixture(params=["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"], autouse=True)
def zone(request):
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def test_today_is_told_by_the_clock_and_other_days_by_their_date(zone: str) -> None:
    clock = {
        "UTC": "08:42", "Europe/Berlin": "09:42", "America/New_York": "03:42",
        "Asia/Kathmandu": "14:27",
    }[zone]  # fmt: skip

    assert times.moment(NOW + timedelta(minutes=12), NOW) == clock
    assert times.moment(NOW + timedelta(days=3, minutes=12), NOW) == f"27 Nov {clock}"
    assert times.day(NOW + timedelta(days=60), NOW) == "23 Jan 2027"


def test_a_day_is_the_readers_day(zone: str) -> None:
    """Shortly before midnight UTC it is tomorrow already in the east."""
    late = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
    tomorrow = zone in {"Europe/Berlin", "Asia/Kathmandu"}

    assert times.day(late, NOW) == ("25 Nov" if tomorrow else "24 Nov")


def test_summer_time_is_kept() -> None:
    """R12: an expiry in July is told in July's time."""
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()

    assert times.moment(datetime(2026, 7, 1, 8, tzinfo=UTC), NOW) == "1 Jul 10:00"


@pytest.mark.parametrize(
    ("seconds", "span", "ago"),
    [
        (-5, "0 s", "now"),
        (0.4, "0 s", "now"),
        (1, "1 s", "1 s ago"),
        (59.9, "59 s", "59 s ago"),
        (60, "1 min", "1 min ago"),
        (3600 * 23, "23 h", "23 h ago"),
        (86400 * 12.9, "12 d", "12 d ago"),
    ],
)
def test_spans(seconds: float, span: str, ago: str) -> None:
    assert (times.span(seconds), times.ago(seconds)) == (span, ago)


@pytest.mark.parametrize(
    "text",
    ["2026-13-45T99:99:99Z", "2026-11-24T08:00:00+02:00", "x2026-11-24T08:00:00Zx", "20261124080000Z"],
)  # fmt: skip
def test_what_is_no_moment_in_utc_stays(text: str) -> None:
    assert times.localise(text, NOW) == text


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_no_moment_of_the_daemon_is_shown_in_utc(at: datetime) -> None:
    text = at.isoformat().replace("+00:00", "Z")

    assert times.localise(f"since {text}; done", NOW) == (
        f"since {times.moment(at, NOW) if abs(at - NOW) <= timedelta(days=7) else times.day(at, NOW)}"
        "; done"
    )
