"""The load drivers of RADIUS, written in C so that they cost little of the processors shared with them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from loginward.core.secret import Secret
from loginward.wire.radius.attributes import Attribute, attribute
from loginward.wire.radius.packet import Code
from loginward.wire.radius.password import hide
from loginward.wire.radius.signing import SharedSecret, sign_request

HERE = Path(__file__).parent
SOCKETS = 16  # as in radius_load.c
DEVICES = 250  # a device is not throttled that fails at fewer than ten accounts
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")
PATIENCE_S = 120


@dataclass(frozen=True)
class Load:
    """How a server bore a load.

    Attributes:
        per_s: Answered logins a second.
        p50_ms: Of one login, as the client sees it.
        answers: Accepts, rejects, challenges, and what was never answered.
    """

    logins: int
    per_s: float
    p50_ms: float
    p99_ms: float
    accepts: int
    rejects: int
    challenges: int
    lost: int


@dataclass(frozen=True)
class Drivers:
    """Both drivers, compiled into a folder."""

    folder: Path

    def __post_init__(self) -> None:
        for name in ("radius_load", "radius_eap"):
            source, program = HERE / f"{name}.c", self.folder / name
            line = ["gcc", "-O2", *WARNINGS, "-o", program, source, "-lssl", "-lcrypto"]
            subprocess.run(line, check=True)

    def pap(self, port: int, at_once: int, packets: bytes) -> Load:
        """Offer requests, so many unanswered at a time."""
        file = self.folder / "packets"
        file.write_bytes(packets)
        return _run([self.folder / "radius_load", str(port), str(at_once), file])

    def ttls(self, port: int, at_once: int, logins: int, people: Eaps, *, tls: str = "1.2") -> Load:
        """Hold EAP-TTLS/PAP logins, so many at a time."""
        words = [str(port), str(at_once), str(logins), people.names, str(people.users)]
        line = [self.folder / "radius_eap", *words, people.ca_file, tls]
        return _run(line, f"{people.secret.decode()}\n{people.password.decode()}\n")


@dataclass(frozen=True)
class Eaps:
    """Who signs in by EAP: `names` has one %d, which counts up to `users`."""

    names: str
    users: int
    ca_file: Path
    secret: bytes
    password: bytes


def pap_packets(
    secret: bytes,
    count: int,
    name: Callable[[int], str],
    password: Callable[[int], bytes],
) -> bytes:
    """Return requests as radius_load.c reads them: of the person and password of each number."""
    shared = SharedSecret(secret)
    made = bytearray()
    for n in range(count):
        authenticator = os.urandom(16)
        station = b"02-00-00-00-%02X-%02X" % (n % DEVICES, n // DEVICES % DEVICES)
        attributes = (
            attribute(Attribute.USER_NAME, name(n).encode())
            + attribute(Attribute.USER_PASSWORD, hide(Secret(password(n)), authenticator, shared))
            + attribute(Attribute.CALLING_STATION_ID, station)
        )
        identifier = n // SOCKETS % 256
        packet = sign_request(Code.ACCESS_REQUEST, identifier, authenticator, attributes, shared)
        made += len(packet).to_bytes(2, "big") + packet
    return bytes(made)


def _run(line: list[str | Path], said: str = "") -> Load:
    done = subprocess.run(
        line, input=said, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    if done.returncode:
        raise RuntimeError(f"the driver ended with {done.returncode}: {done.stderr[-500:]}")
    total_us, accepts, rejects, challenges, lost, *took_us = map(int, done.stdout.split())
    took_ms = sorted(us / 1000 for us in took_us)
    return Load(
        logins=len(took_ms),
        per_s=(len(took_ms) - lost) / (total_us / 1e6),
        p50_ms=took_ms[len(took_ms) // 2],
        p99_ms=took_ms[len(took_ms) * 99 // 100],
        accepts=accepts,
        rejects=rejects,
        challenges=challenges,
        lost=lost,
    )
