"""Moments and spans as a reader writes them, in the reader's zone.

`now` is always what the daemon believes; the zone is this process's (TZ).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

_MONTHS: Final = [
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
]
_MOMENT: Final = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|\+00:00)(?![\w:])")
_LONG: Final = timedelta(days=7)  # beyond it the hour is noise
_SPANS: Final = ((86400, "d"), (3600, "h"), (60, "min"))


def day(at: datetime, now: datetime) -> str:
    """Return the day of a moment, "20 Nov", with the year where it is another one."""
    local, today = at.astimezone(), now.astimezone()
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local.day} {_MONTHS[local.month - 1]}{year}"


def moment(at: datetime, now: datetime) -> str:
    """Return a moment to the minute, without the day where it is today's."""
    local = at.astimezone()
    clock = f"{local.hour:02}:{local.minute:02}"
    if local.date() == now.astimezone().date():
        return clock
    return f"{day(at, now)} {clock}"


def stamp(at: datetime) -> str:
    """Return a moment to the second, with its zone, as a line of a log has it."""
    return at.astimezone().isoformat(sep=" ", timespec="seconds")


def span(seconds: float) -> str:
    """Return a length of time in its largest whole unit: "3 d", "5 h", "10 min", "4 s"."""
    for unit_s, unit in _SPANS:
        if seconds >= unit_s:
            return f"{int(seconds // unit_s)} {unit}"
    return f"{int(max(0.0, seconds))} s"


def ago(seconds: float) -> str:
    """Return an age: "now" within a second, else "4 s ago"."""
    return "now" if seconds < 1 else f"{span(seconds)} ago"


def since(at: datetime, now: datetime) -> str:
    """Return how long ago a moment was."""
    return ago((now - at).total_seconds())


def localise(text: str, now: datetime) -> str:
    """Return a text with its RFC 3339 moments in UTC written for the reader."""

    def written(found: re.Match[str]) -> str:
        try:
            at = datetime.fromisoformat(found[0])
        except ValueError:
            return found[0]
        return day(at, now) if abs(at - now) > _LONG else moment(at, now)

    return _MOMENT.sub(written, text)
