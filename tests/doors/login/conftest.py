"""A login door that is open for one test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from loginward.doors.login.limits import Limits
from tests.doors.login.serving import Door, serving


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with serving(tmp_path, Limits(workers=4)) as door:
        yield door
