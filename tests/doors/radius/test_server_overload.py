"""More logins than can be judged: those under way are finished, others hear nothing (RFC 5080 2.2.3)."""

from __future__ import annotations

import itertools
import select
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

from loginward.doors.radius import judges
from loginward.doors.radius.port import AskTurn
from loginward.wire.radius.attributes import Attribute
from loginward.wire.radius.packet import Code, Packet, decode
from tests.doors.radius.stage import OK, PASSWORD, Service, fence, served
from tests.doubles.nas import Nas
from tests.doubles.waiting import eventually

JUDGED_S = 0.004
PORTS = 16
GIVES_UP_S = 0.3
ACCEPT, REJECT, CHALLENGE = Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE


class TestOverload:
    """RFC 5080 section 2.2.3."""

    def test_new_logins_are_shed_while_those_under_way_are_finished_first(
        self, monkeypatch, caplog
    ):
        monkeypatch.setattr(judges, "MOST_NEW", 20)
        service = Service(say=lambda talk, _: OK if len(talk.typed) > 1 else AskTurn("New:"))
        with served(service=service, workers=2) as door, door.nas() as nas:
            state = nas.login("going on", PASSWORD).first(Attribute.STATE)
            assert service.at_gate.acquire(timeout=5)
            service.gate.clear()
            shed = [nas.request(f"new {n}", PASSWORD) for n in range(50)]
            for request in shed[:2]:
                nas.sock.send(request)
                assert service.at_gate.acquire(timeout=5), "no judge is left"
            for request in shed[2:]:
                nas.sock.send(request)
            eventually(lambda: door.counted("shed") == 50 - 20 - 2, "nothing was shed")
            fence(nas)
            goes_on = nas.request("going on", b"new one", state=state)
            nas.sock.send(goes_on)
            eventually(lambda: door.server.gauges()["waiting"] == 21, "it was shed too")
            door.service.order.clear()
            service.gate.set()
            came = [decode(nas.sock.recv(4096)) for _ in range(23)]
            assert [one.identifier for one in came if one.code is ACCEPT] == [goes_on[1]]
            assert "going on" in service.order[:3], "after the two under way, before those waiting"
            assert nas.exchange(shed[-1]).code is CHALLENGE, "shed, it may be asked again"
        assert len([line for line in caplog.messages if "too many requests" in line]) == 1

    def test_at_five_times_the_load_nine_in_ten_of_those_begun_get_in(self, monkeypatch):
        """A login takes three packets; who has been asked once is finished before others begin."""
        monkeypatch.setattr(judges, "MOST_NEW", 20)

        def say(talk, _):
            time.sleep(JUDGED_S)
            return OK if len(talk.typed) == 3 else AskTurn("New:")

        with served(service=Service(say=say), workers=2) as door, ExitStack() as stack:
            crowd = Crowd([stack.enter_context(door.nas()) for _ in range(PORTS)])
            crowd.come(within_s=1.0, a_second=5 * 2 / JUDGED_S / 3)
            crowd.finish()
            assert door.counted("shed") > 0
        assert len(crowd.begun) > 10
        assert len(crowd.let_in) >= 0.9 * len(crowd.begun)


@dataclass
class Crowd:
    """People who log in by one NAS; none of them asks twice, each gives up in time.

    Attributes:
        ports: Of the NAS; it uses no Identifier of one again before the end.
    """

    ports: list[Nas]
    came: int = 0
    begun: set[str] = field(default_factory=set)
    let_in: set[str] = field(default_factory=set)
    asked: dict[tuple[int, int], tuple[str, float]] = field(default_factory=dict)
    turns: Iterator[Nas] = field(init=False)

    def __post_init__(self) -> None:
        self.turns = itertools.cycle(self.ports)

    def come(self, within_s: float, a_second: float) -> None:
        """Begin that many logins a second, and go on with those that were asked for more."""
        start = time.monotonic()
        while (passed := time.monotonic() - start) < within_s:
            while self.came < passed * a_second:
                self.came += 1
                self._send(f"user {self.came}")
            self._hear(0.001)

    def finish(self) -> None:
        """Go on with those that were asked, until nothing more is heard."""
        while self._hear(0.3):
            pass

    def _send(self, name: str, state: bytes = b"") -> None:
        nas = next(self.turns)
        request = nas.request(name, PASSWORD, state=state)
        self.asked[id(nas), request[1]] = name, time.monotonic()
        nas.sock.send(request)

    def _hear(self, within_s: float) -> bool:
        ready, _, _ = select.select([nas.sock for nas in self.ports], [], [], within_s)
        for nas in self.ports:
            if nas.sock in ready:
                self._take(decode(nas.sock.recv(4096)), id(nas))
        return bool(ready)

    def _take(self, reply: Packet, port: int) -> None:
        name, at = self.asked[port, reply.identifier]
        if time.monotonic() - at > GIVES_UP_S:
            return
        if reply.code is ACCEPT:
            self.let_in.add(name)
        else:
            assert reply.code is CHALLENGE
            self.begun.add(name)
            self._send(name, reply.first(Attribute.STATE) or b"")
