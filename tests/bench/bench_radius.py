"""A RADIUS login through us and through FreeRADIUS with rlm_ldap: same slapd, certificates, run.

Rounds are interleaved and medians reported, because one machine's figures move; the ratio counts.
Neither server delays a reject; the directory writes no log.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.bench.processes import cpu_s
from tests.bench.radius_drivers import Drivers, Eaps, Load, pap_packets
from tests.bench.radius_servers import HOST, Server, our_server, peer_server, rsa_pair
from tests.doubles.nas import SECRET
from tests.live import people
from tests.live.certificates import Authority
from tests.live.slapd import Slapd

USERS, LOCKED = 2000, 100
ROUNDS = 3
PASSWORD = people.PASSWORD.encode()
UNLIMITED = f'dn.exact="{people.SVC_RO}" size=unlimited'


@dataclass(frozen=True)
class Cost:
    """One round: the load, and processor time of the server and the directory, us a login."""

    load: Load
    server_us: float
    slapd_us: float


Work = Callable[[Server], Load]


def run() -> dict[str, float]:
    """Return every figure: medians over the rounds, and the ratios to the peer."""
    with bench_at() as bench:
        return bench.run()


@contextmanager
def bench_at(users: int = USERS) -> Iterator[Bench]:
    """Have the directory and the servers until the block ends; nothing is started but slapd."""
    with tempfile.TemporaryDirectory(prefix="lwbench") as made, ExitStack() as stack:
        folder = Path(made)
        folder.chmod(0o755)
        never = ("pwdAccountLockedTime: 000001010000Z",)
        locked = (people.Person(f"locked{n}", never) for n in range(LOCKED))
        crowd = (*people.bulk(users), *locked)
        slapd = stack.enter_context(
            Slapd(folder / "slapd", crowd, lastbind=False, limits=UNLIMITED, silent=True)
        )
        yield Bench(folder, slapd, users)


class Bench:
    """The servers before one directory, and the drivers."""

    def __init__(self, folder: Path, slapd: Slapd, users: int) -> None:
        self._folder = folder
        self._slapd = slapd
        self._users = users
        self._authority = Authority(folder / "eap")
        self._pair = rsa_pair(self._authority)
        ecdsa = self._authority.server("ec", names=(HOST,))
        self.drivers = Drivers(folder)
        self.ours = our_server("ours", folder / "ours", slapd, self._pair)
        self.ecdsa = our_server("ours_ecdsa", folder / "ecdsa", slapd, ecdsa)

    @cached_property
    def peer(self) -> Server:
        """Return FreeRADIUS, configured; its packages are fetched where they are not yet."""
        return peer_server(
            self._folder / "freeradius", self._slapd, self._pair, self._authority.ca_file
        )

    def run(self, rounds: int = ROUNDS) -> dict[str, float]:
        """Return every figure."""
        figures: dict[str, float] = {"machine_load_before": os.getloadavg()[0]}
        both, every = (self.ours, self.peer), (self.ours, self.peer, self.ecdsa)
        try:
            for server in every:
                figures[f"{server.name}_first_login_ms"] = self.start(server)
            for server in both:
                figures |= server.memory("idle")
            for server in every:  # threads and connections come with load
                self.right(server, 128, self._users)
            for scene, (servers, work) in self.scenes().items():
                figures |= self.compare(scene, servers, work, rounds)
            for server in both:
                figures |= server.memory("loaded")
            figures["machine_load_after"] = os.getloadavg()[0]
        finally:
            for server in every:
                server.process.stop()
        return figures

    def scenes(self) -> Mapping[str, tuple[tuple[Server, ...], Work]]:
        """Return what is measured, by name, of whom; what writes to the directory comes last."""
        both, own = (self.ours, self.peer), (self.ours, self.ecdsa)
        return {
            "pap_128": (both, lambda server: self.right(server, 128, 5000)),
            "pap_1": (both, lambda server: self.right(server, 1, 1500)),
            "ttls_8": ((*both, self.ecdsa), lambda server: self.ttls(server, 8, 600)),
            "ttls13_8": (own, lambda server: self.ttls(server, 8, 600, "1.3")),
            "locked_128": (both, lambda server: self.locked(server, 128, 5000)),
            "wrong_128": (both, Guesses(self.drivers, self._users)),
        }

    def compare(
        self, scene: str, servers: tuple[Server, ...], work: Work, rounds: int
    ) -> dict[str, float]:
        """Return the medians of one scene, its rounds interleaved."""
        costs: dict[str, list[Cost]] = {server.name: [] for server in servers}
        for number in range(rounds):
            turn = number % len(servers)  # nobody is always first
            for server in servers[turn:] + servers[:turn]:
                costs[server.name].append(self.cost(server, work))
        figures: dict[str, float] = {}
        for name, measured in costs.items():
            figures |= {f"{scene}_{name}_{key}": value for key, value in medians(measured).items()}
        if self.peer in servers:
            ours, theirs = (figures[f"{scene}_{who}_per_s"] for who in ("ours", "peer"))
            figures[f"{scene}_rate_ours_to_peer"] = ours / theirs
        return figures

    def cost(self, server: Server, work: Work) -> Cost:
        """Return what one round costs."""
        began = cpu_s(server.process.pid), cpu_s(self._slapd.pid)
        load = work(server)
        ended = cpu_s(server.process.pid), cpu_s(self._slapd.pid)
        each = [(end - begin) / load.logins * 1e6 for begin, end in zip(began, ended, strict=True)]
        return Cost(load, *each)

    def right(self, server: Server, at_once: int, logins: int) -> Load:
        """Sign people in by PAP."""
        packets = pap_packets(
            SECRET, logins, lambda n: f"bulk{n % self._users}", lambda _: PASSWORD
        )
        return accepted(self.drivers.pap(server.port, at_once, packets))

    def ttls(self, server: Server, at_once: int, logins: int, tls: str = "1.2") -> Load:
        """Sign people in by EAP-TTLS/PAP."""
        eaps = Eaps("bulk%d", self._users, self._authority.ca_file, SECRET, PASSWORD)
        return accepted(self.drivers.ttls(server.port, at_once, logins, eaps, tls=tls))

    def locked(self, server: Server, at_once: int, logins: int) -> Load:
        """Let locked people try, with the right password."""
        packets = pap_packets(SECRET, logins, lambda n: f"locked{n % LOCKED}", lambda _: PASSWORD)
        return refused(self.drivers.pap(server.port, at_once, packets))

    def start(self, server: Server) -> float:
        """Start a server; return the milliseconds until somebody has signed in."""
        began = time.perf_counter()
        server.process.start()
        server.await_login("bulk0", PASSWORD)
        return (time.perf_counter() - began) * 1000


class Guesses:
    """Wrong passwords, no two alike, and never three of one person: that would lock."""

    def __init__(self, drivers: Drivers, users: int, logins: int = 600) -> None:
        self._drivers = drivers
        self._users = users
        self._logins = logins
        self._made = 0

    def __call__(self, server: Server) -> Load:
        first = self._made
        self._made += self._logins
        assert self._made <= self._users * (people.MAX_FAILURE - 1), "they would be locked"
        packets = pap_packets(
            SECRET,
            self._logins,
            lambda n: f"bulk{(first + n) % self._users}",
            lambda n: b"guess number %d" % (first + n),
        )
        return refused(self._drivers.pap(server.port, 128, packets))


def medians(costs: list[Cost]) -> dict[str, float]:
    """Return the medians of the rounds, and everything that was lost."""
    keys = ("per_s", "p50_ms", "p99_ms")
    found = {key: statistics.median(getattr(one.load, key) for one in costs) for key in keys}
    found["server_cpu_us"] = statistics.median(one.server_us for one in costs)
    found["slapd_cpu_us"] = statistics.median(one.slapd_us for one in costs)
    found["lost"] = sum(one.load.lost for one in costs)
    return found


def accepted(load: Load) -> Load:
    """Return the load if everybody who was answered was let in."""
    if load.accepts + load.lost != load.logins:
        raise RuntimeError(f"a login ended otherwise: {load}")
    return load


def refused(load: Load) -> Load:
    """Return the load if nobody was let in."""
    if load.rejects + load.lost != load.logins:
        raise RuntimeError(f"a login ended otherwise: {load}")
    return load


if __name__ == "__main__":
    for key, value in run().items():
        print(f"{key:34} {value:10.3f}")
