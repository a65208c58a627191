"""`doctor` with the rights of whoever asks."""

from __future__ import annotations

import os
from pathlib import Path

from loginward.wire.admin.rows import FindingRow, Level


def test_root_looks_where_the_daemon_may_not(world, tmp_path: Path) -> None:
    """R63: the daemon cannot read /etc/shadow; root, who asks it, can."""
    config = tmp_path / "loginward.yaml"
    config.write_text("schema: 1\n")
    world.admin.script["findings"] = (
        FindingRow(check="break-glass-unseen", level=Level.OK, text="not looked at"),
    )
    done = world.run("doctor", "-c", str(config))
    if os.geteuid() == 0:
        assert "not looked at" not in done.out
        assert done.out.split()[1] == "break-glass"
    else:
        assert "not looked at" in done.out
    without = world.run("doctor", "-c", str(tmp_path / "absent.yaml"))
    assert (without.code, "not looked at" in without.out) == (0, True)
