"""A host without a RADIUS door: nothing is served, nothing is missed, and the operator is told."""

from __future__ import annotations

from loginward.core.transitions import Bar
from loginward.runtime.radius_door import RadiusDoor
from loginward.wire.admin.rows import FailedRow, Problem


def test_where_there_is_no_door_nothing_is_asked_of_it(host):
    door = RadiusDoor(host.parts, ())
    door.start()
    door.barred("id-ann", Bar.SUSPENDED)
    assert door.is_well
    (row,) = door.rows()
    assert isinstance(row, FailedRow)
    assert (row.problem, row.why) == (Problem.REFUSED, "there is no RADIUS door here")
    assert "doors.radius" in row.hint
    door.stop()
