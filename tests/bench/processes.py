"""What a server's processes, all of them together, have used: proc(5)."""

from __future__ import annotations

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += children.get(one, ())
    return found


def cpu_s(pid: int) -> float:
    """Return seconds of processor time that a process and its descendants have used."""
    return sum(sum(own_cpu_s(one)) for one in family(pid))


def own_cpu_s(pid: int) -> tuple[float, float]:
    """Return seconds that a process alone has used, in its own code and in the kernel's."""
    fields = _stat(pid)
    return (int(fields[11]) / TICKS, int(fields[12]) / TICKS) if fields else (0.0, 0.0)


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process and its descendants, what they share counted anew."""
    return _memory_mb(pid, "status", "VmRSS:")


def proportional_mb(pid: int) -> float:
    """Return the same with what several processes share counted once, in parts."""
    return _memory_mb(pid, "smaps_rollup", "Pss:")


def _memory_mb(pid: int, file: str, name: str) -> float:
    kilobytes = 0
    for one in family(pid):
        for line in _read(one, file).splitlines():
            if line.startswith(name):
                kilobytes += int(line.split()[1])
    return kilobytes / 1024


def _stat(pid: int) -> list[str]:
    """Return the fields of stat from the state on; nothing if the process has ended."""
    return _read(pid, "stat").rpartition(")")[2].split()


def _read(pid: int, file: str) -> str:
    try:
        return Path(f"/proc/{pid}/{file}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
