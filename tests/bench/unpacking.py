"""Peers' packages, unpacked beside us, never installed."""

from __future__ import annotations

import subprocess
from pathlib import Path

PEERS = Path(__file__).resolve().parents[2] / "build/peers"


def unpack(peer: str, packages: tuple[str, ...], program: str) -> Path:
    """Return a folder that holds a peer's files as its packages lay them out.

    Args:
        peer: Names the folder.
        packages: Of Debian.
        program: One of their files; where it is, nothing is fetched.

    Raises:
        RuntimeError: The packages cannot be had; says the line that fetches them.
    """
    folder = PEERS / peer
    root = folder / "root"
    if (root / program).exists():
        return root
    folder.mkdir(parents=True, exist_ok=True)
    fetched = subprocess.run(
        ["apt-get", "download", "-qq", *packages], cwd=folder, check=False, capture_output=True
    )
    archives = sorted(folder.glob("*.deb"))
    if fetched.returncode or len(archives) < len(packages):
        raise RuntimeError(f"the peer is missing: apt-get download {' '.join(packages)}")
    for archive in archives:
        subprocess.run(["dpkg", "-x", str(archive), str(root)], check=True)
    return root
