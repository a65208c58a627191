"""The servers that the RADIUS bench compares, before one directory."""

from __future__ import annotations

import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.bench.freeradius import Asks, FreeRadius
from tests.bench.processes import proportional_mb, resident_mb
from tests.bench.radius_drivers import pap_packets
from tests.doubles.nas import SECRET, free_port
from tests.doubles.waiting import eventually
from tests.live import people
from tests.live.certificates import Authority, Pair
from tests.live.daemon import READS_ONLY, Agent, configure
from tests.live.radius_site import write_secret
from tests.live.slapd import Slapd

HOST = "radius.example"
READY_S = 20
PATIENCE_S = 0.5  # a busy server is not asked again before; one that is not there says so at once
DOOR = """\
policy: {{throttle: {{per_source_per_min: null}}}}
doors:
  radius:
    listen: ["127.0.0.1:{port}"]
    accounting: []
    reject_delay_s: null
    eap: {{cert_file: {cert}, key_file: {key}}}
    clients:
      - name: bench
        addresses: [127.0.0.0/8]
        secret_file: {secret}
        methods: [eap-ttls-pap, pap]
"""


class Runs(Protocol):
    """A server's process."""

    @property
    def pid(self) -> int: ...

    def start(self) -> object: ...

    def stop(self) -> None: ...


@dataclass(frozen=True)
class Server:
    """One of those that are compared."""

    name: str
    port: int
    process: Runs

    def await_login(self, name: str, password: bytes) -> None:
        """Ask until somebody is let in."""
        packet = pap_packets(SECRET, 1, lambda _: name, lambda _: password)[2:]
        eventually(lambda: signs_in(self.port, packet), "nobody can sign in", READY_S)

    def memory(self, when: str) -> dict[str, float]:
        """Return the memory of all of its processes, megabytes."""
        pid = self.process.pid
        return {
            f"{self.name}_{when}_rss_mb": resident_mb(pid),
            f"{self.name}_{when}_pss_mb": proportional_mb(pid),
        }


def our_server(name: str, folder: Path, slapd: Slapd, pair: Pair) -> Server:
    """Return our agent, configured, with a certificate for EAP."""
    port = free_port()
    folder.mkdir()
    for file in (pair.cert_file, pair.key_file):
        subprocess.run(["install", "-m", "600", file, folder], check=True)
    door = DOOR.format(
        port=port,
        secret=write_secret(folder),
        cert=folder / pair.cert_file.name,
        key=folder / pair.key_file.name,
    )
    configure(folder, slapd, door, READS_ONLY)
    return Server(name, port, Agent(folder))


def rsa_pair(authority: Authority) -> Pair:
    """Return a certificate as most sites have one."""
    return authority.issue(
        "rsa",
        HOST,
        x509.SubjectAlternativeName([x509.DNSName(HOST)]),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        key=rsa.generate_private_key(65537, 2048),
    )


def peer_server(folder: Path, slapd: Slapd, pair: Pair, authority: Path) -> Server:
    """Return FreeRADIUS, configured, with a certificate for EAP and its authority."""
    port = free_port()
    asks = Asks(
        url=slapd.tls_url,
        base=people.PEOPLE,
        bind_dn=people.SVC_RO,
        bind_password=people.PASSWORD,
        ca_file=slapd.ca_file,
        secret=SECRET.decode(),
        certificate=pair,
        eap_ca_file=authority,
    )
    return Server("peer", port, FreeRadius(folder, port, asks))


def signs_in(port: int, packet: bytes) -> bool:
    """Ask once, with little patience; return whether the answer is yes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.settimeout(PATIENCE_S)
        asked.connect(("127.0.0.1", port))
        try:
            asked.send(packet)
            return asked.recv(4096)[0] == 2
        except (TimeoutError, ConnectionRefusedError):
            return False
