"""Spans and passwords that the tests of the embedded directory share."""

from __future__ import annotations

from datetime import timedelta

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
FIRST = b"first-horse-battery"
NEXT = b"second-staple-correct"
THIRD = b"third-orange-lamp-post"
