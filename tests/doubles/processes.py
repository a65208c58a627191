"""The end of a process that a test has started."""

from __future__ import annotations

import subprocess

PATIENCE_S = 15


def end(process: subprocess.Popen[bytes]) -> None:
    """Terminate it, and kill it if it does not end of that; returns when it has ended."""
    process.terminate()
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(PATIENCE_S)
