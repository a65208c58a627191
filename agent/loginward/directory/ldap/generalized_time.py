"""Points in time as directories spell them.

Source: RFC 4517 section 3.3.13 (minutes, seconds and a fraction are optional; an offset may stand
for Z).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_FORM = re.compile(
    r"(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(\d\d)?)?(?:[.,](\d+))?(?:Z|([+-])(\d\d)(\d\d)?)",
    re.ASCII,
)


def parse(text: str) -> datetime | None:
    """Return the moment (aware UTC); None where it is none, such as the year 0 of ppolicy."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, off_h, off_m = match.groups()
    unit = 1 if second else 60 if minute else 3600
    try:
        # a leap second is the end of its minute
        moment = datetime(int(year), int(month), int(day), int(hour), int(minute or 0), tzinfo=UTC)
        moment += timedelta(seconds=min(int(second or 0), 59) if int(second or 0) <= 60 else 1e12)
        moment += timedelta(seconds=unit * float(f"0.{fraction or 0}"))
        if sign:
            offset = timedelta(hours=int(off_h), minutes=int(off_m or 0))
            moment -= offset if sign == "+" else -offset
    except (ValueError, OverflowError):
        return None
    return moment


def spell(moment: datetime) -> str:
    """Return a moment to the second, as every server takes it."""
    utc = moment.astimezone(UTC)
    return f"{utc.year:04}{utc:%m%d%H%M%SZ}"
