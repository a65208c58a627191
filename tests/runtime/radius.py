"""The RADIUS door of one agent in this process, on loopback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from loginward.runtime.events import DecisionEvent
from loginward.runtime.radius_door import RadiusDoor
from loginward.runtime.radius_opening import listeners_of
from tests.doubles.nas import SECRET, Nas, free_port, said

REFERENCE = re.compile(r"\b[0-9A-Z]{3}-[0-9A-Z]{3}\b")
DOOR = """\
policy: {policy}
doors:
  radius:
    listen: ["127.0.0.1:{auth}"]
    accounting: ["127.0.0.1:{acct}"]
    reject_delay_s: null
{more}    clients:
{clients}"""
NAS_CLIENT = "{name: vpn, addresses: [127.0.0.0/8], secret_file: SECRET_FILE, methods: [pap]}"


def config(folder, *clients, policy="{throttle: {per_source_per_min: null}}", more=""):
    """Return the configuration of a door.

    Args:
        clients: Each in braces; SECRET_FILE stands for the file of its secret.
        more: Lines of `doors.radius`, without their indent.
    """
    secret = folder / "radius.secret"
    secret.write_bytes(SECRET + b"\n")
    secret.chmod(0o600)
    return DOOR.format(
        policy=policy,
        auth=free_port(),
        acct=free_port(),
        more="".join(f"    {line}\n" for line in more.splitlines()),
        clients="".join(
            f"      - {one.replace('SECRET_FILE', str(secret))}\n"
            for one in clients or (NAS_CLIENT,)
        ),
    )


@dataclass
class Served:
    """A host and its door."""

    host: object
    door: RadiusDoor
    auth: int
    acct: int

    def nas(self, **how) -> Nas:
        return Nas(self.auth, **how)

    def accountant(self) -> Nas:
        return Nas(self.acct)

    def event(self, reply):
        """Return what the trail holds of the decision that a Reply-Message refers to."""
        return self.host.parts.audit.find(REFERENCE.search(said(reply))[0])

    def last(self, name):
        """Return what the trail holds of the last decision about somebody."""
        lately = self.host.parts.audit.lately(name)
        return next(event for event in lately if isinstance(event, DecisionEvent))


@contextmanager
def served(host) -> Iterator[Served]:
    """Serve the door of a host until the end of the block."""
    radius = host.settings.doors.radius
    door = RadiusDoor(host.parts, listeners_of(radius))
    door.start()
    auth, acct = (int(one[0].rpartition(":")[2]) for one in (radius.listen, radius.accounting))
    try:
        yield Served(host, door, auth, acct)
    finally:
        door.stop()
