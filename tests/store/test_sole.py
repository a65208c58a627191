"""One process a store, until it ends, however it does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loginward.errors import StoreFault
from loginward.store.sole import SoleUse
from tests.store.stage import Host

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys
from pathlib import Path
from tests.store.stage import Host
store = Host(Path(sys.argv[1])).open()
print("open", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_kept_out_until_the_first_has_ended_however_i6(host: Host) -> None:
    """Each would take the other's attempts for those of a dead process, and no guess would count."""
    first = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(host.directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'agent'}:{ROOT}"},
    )
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "open\n"
        with pytest.raises(StoreFault, match="another process has the store open"):
            host.open()
    finally:
        first.kill()
        first.communicate()

    assert host.open().faults() == ()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreFault, match="nowhere: No such file"):
        SoleUse(tmp_path / "nowhere")
