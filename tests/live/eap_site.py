"""Where EAP is proven: an authority, an agent with its door, and access points of several kinds."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from loginward.wire.radius.packet import Code
from tests.doubles.eap_nas import Session, Typist
from tests.doubles.nas import Nas, free_port
from tests.doubles.systemd import as_user
from tests.doubles.waiting import eventually
from tests.live import people
from tests.live.certificates import Authority, Pair, upn
from tests.live.daemon import Agent, configure
from tests.live.radius_site import write_secret
from tests.live.site import open_folder
from tests.live.slapd import Slapd, now

SERVES = "nobody"

REALM = "ex.org"  # of the names in certificates; cut off at every client
EVERY = "eap-ttls-pap, eap-ttls-gtc, peap-gtc, eap-tls"
# An access point is known by its address, 127.0.1.N: what it allows, and whom.
CLIENTS = {
    "eap-ttls-pap": (1, "eap-ttls-pap", ""),
    "eap-ttls-gtc": (2, "eap-ttls-gtc", ""),
    "peap-gtc": (3, "peap-gtc", ""),
    "eap-tls": (4, "eap-tls", ""),
    "staff": (5, EVERY, ", groups: [staff]"),
    "peap-first": (6, "peap-gtc, eap-ttls-pap, eap-ttls-gtc, eap-tls", ""),
    "ttls-first": (7, EVERY, ""),
    "vpn": (8, "pap", ""),
}
DOOR = """\
policy: {{throttle: {{per_source_per_min: null}}}}
doors:
  radius:
    listen: ["127.0.0.1:{port}"]
    accounting: ["127.0.0.1:{acct}"]
    reject_delay_s: {delay}
{more}    eap: {{cert_file: {folder}/server.pem, key_file: {folder}/server.key, ca_file: {folder}/ca.pem, crl_file: {folder}/crl.pem}}
    clients:
{clients}"""


def source_of(client: str) -> str:
    """Return an access point's address."""
    return f"127.0.1.{CLIENTS[client][0]}"


@dataclass
class Papers:
    """Certificates, in a folder that the daemon's user can enter.

    Attributes:
        owner: Whom the files belong to; empty: whoever runs the tests.
    """

    folder: Path
    owner: str = ""

    def __post_init__(self) -> None:
        self._numbers = itertools.count()
        self.authority = Authority(self.folder / "authority")
        self.foreign = Authority(self.folder / "foreign", "another authority")
        self.revoked = self.person("revoked")
        self.install(self.authority)
        self.revoke()

    def install(self, authority: Authority, name: str = "server") -> None:
        """Have the agent show a certificate of an authority; new files, each whole at once."""
        pair = authority.server(name, names=("radius.example.org",))
        for made, file in ((pair.cert_file, "server.pem"), (pair.key_file, "server.key")):
            self._put(made, file, 0o600 if file.endswith(".key") else 0o644)
        self._put(self.authority.ca_file, "ca.pem", 0o644)

    def revoke(self, **how: object) -> None:
        """Write the list of revoked certificates anew."""
        self._put(self.authority.revoke("crl.pem", self.revoked, **how), "crl.pem", 0o644)  # type: ignore[arg-type]

    def person(self, name: str, *more: x509.GeneralName) -> Pair:
        """Return a certificate with one name of the kind that counts, and others."""
        file = f"{name}-{next(self._numbers)}"
        return self.authority.client(file, name, upn(f"{name}@{REALM}"), *more)

    def _put(self, made: Path, name: str, mode: int) -> None:
        new = self.folder / f"{name}.new"
        shutil.copy(made, new)
        new.chmod(mode)
        if self.owner:
            shutil.chown(new, self.owner)
        new.rename(self.folder / name)


def door(folder: Path, more: str = "", reject_delay: str = "0.1") -> tuple[str, int]:
    """Return the door's configuration and its port.

    Args:
        folder: With the papers.
        more: Lines of `doors.radius`, indented by four.
    """
    secret, port = write_secret(folder), free_port()
    clients = "".join(
        f"      - {{name: {name}, addresses: [127.0.1.{last}], secret_file: {secret}, "
        f"methods: [{methods}], strip_realms: [{REALM}]{also}}}\n"
        for name, (last, methods, also) in CLIENTS.items()
    )
    text = DOOR.format(
        port=port,
        acct=free_port(),
        folder=folder,
        more=more,
        delay=reject_delay,
        clients=clients,
    )
    return text, port


@dataclass(frozen=True)
class EapSite:
    """A running agent that was never root, as systemd has it, and its directory."""

    papers: Papers
    slapd: Slapd
    agent: Agent
    port: int

    def login(self, client: str, **peer: object) -> Session:
        """Return a login that begins, at an access point of its own socket."""
        peer = {"ca_file": self.papers.authority.ca_file, **peer}
        return Session(Nas(self.port, source=source_of(client)), Typist(**peer))

    def enter(self, client: str, **peer: object) -> Code:
        """Log in; return how that ended."""
        with (session := self.login(client, **peer)).nas:
            return session.finish()

    def reload(self) -> str:
        """Have everything read again; return what the log says of it."""
        written = len(self.agent.log.read_text())
        os.kill(self.agent.pid, signal.SIGHUP)

        def said() -> str:
            return self.agent.log.read_text()[written:]

        eventually(lambda: " reloaded: " in said() or "configuration stays" in said(), said)
        return said()

    def tunnels(self) -> int:
        """Return the process that holds the EAP key."""
        tasks = Path(f"/proc/{self.agent.pid}/task").glob("*/children")  # of each thread its own
        found = [
            int(pid)
            for children in tasks
            for pid in children.read_text().split()
            if b"eap_process" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        assert len(found) == 1, found
        return found[0]


@contextmanager
def eap_site(
    crowd: tuple[people.Person, ...] = (), *, when_expired: str = "deny", reject_delay: str = "0.1"
) -> Iterator[EapSite]:
    """Run both until the end of the block."""
    with open_folder() as folder:
        papers = Papers(folder, SERVES)
        text, port = door(folder, reject_delay=reject_delay)
        text = text.replace("policy: {", f"policy: {{expiry: {{when_expired: {when_expired}}}, ")
        shutil.chown(folder / "radius.secret", SERVES)
        home = folder / "agent"
        with Slapd(folder / "slapd", crowd or people.matrix(now())) as slapd:
            configure(home, slapd, text)
            for path in (home, *home.iterdir()):
                shutil.chown(path, SERVES)
            agent = Agent(home).start(*as_user(SERVES))
            try:
                yield EapSite(papers, slapd, agent, port)
            finally:
                agent.stop()
