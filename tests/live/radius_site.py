"""The RADIUS door of a real agent before a real OpenLDAP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.doubles.nas import SECRET, Nas, free_port
from tests.live import people
from tests.live.daemon import Agent
from tests.live.site import site_at
from tests.live.slapd import Slapd

DOOR = """\
policy: {{expiry: {{when_expired: {when_expired}}}, throttle: {{per_source_per_min: null}}}}
doors:
  radius:
    listen: ["127.0.0.1:{auth}"]
    accounting: ["127.0.0.1:{acct}"]
    reject_delay_s: 0.1
{more}    clients:
      - {{name: vpn, addresses: [127.0.0.0/8], secret_file: {secret}, methods: [pap]{client}}}
"""


@dataclass(frozen=True)
class RadiusSite:
    """A running agent with the door, and where it listens."""

    slapd: Slapd
    agent: Agent
    auth: int
    acct: int

    def nas(self, **how: Any) -> Nas:
        """Return a NAS that asks it."""
        return Nas(self.auth, **how)


def write_secret(folder: Path) -> Path:
    """Write the client's secret into a folder and return its file."""
    file = folder / "radius.secret"
    file.write_bytes(SECRET + b"\n")
    file.chmod(0o600)
    return file


@contextmanager
def radius_site(
    folder: Path,
    crowd: Iterable[people.Person] = (),
    *,
    when_expired: str = "deny",
    more: str = "",
    client: str = "",
    **directory: Any,
) -> Iterator[RadiusSite]:
    """Run both until the end of the block.

    Args:
        folder: For the client's secret.
        more: Lines of `doors.radius`, indented by four.
        client: More keys of the client, each after a comma.
    """
    auth, acct = free_port(), free_port()
    door = DOOR.format(
        auth=auth, acct=acct, secret=write_secret(folder), when_expired=when_expired, more=more,
        client=client,
    )  # fmt: skip
    with site_at(crowd, more=door, **directory) as (slapd, agent):
        yield RadiusSite(slapd, agent, auth, acct)
