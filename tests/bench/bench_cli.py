"""How long `loginward status` takes, and how soon the daemon is ready."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
RUNS = 15


def run() -> dict[str, float]:
    """Return medians in milliseconds."""
    with tempfile.TemporaryDirectory(prefix="lwbench") as made:
        folder = Path(made)
        folder.chmod(0o755)
        config = folder / "loginward.yaml"
        config.write_text(f"schema: 1\nstate_dir: {folder}/state\nruntime_dir: {folder}/run\n")
        command = TOP / ".venv/bin/loginward"
        status = [command, "status"]
        environ = os.environ | {"LOGINWARD_RUNTIME_DIR": str(folder / "run")}
        begin = time.monotonic()
        with subprocess.Popen(
            [command, "serve", "-c", config, "--user", "nobody"], stderr=subprocess.PIPE, text=True
        ) as agent:
            try:
                assert agent.stderr is not None
                while "ready" not in (said := agent.stderr.readline()):
                    assert said, "the agent ended"
                ready_ms = (time.monotonic() - begin) * 1000
                spent = []
                for _ in range(RUNS):
                    begin = time.monotonic()
                    subprocess.run(status, env=environ, check=True, capture_output=True)
                    spent.append((time.monotonic() - begin) * 1000)
            finally:
                agent.terminate()
        return {"daemon_ready_ms": ready_ms, "status_ms": statistics.median(spent)}
