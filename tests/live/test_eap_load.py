"""More devices than there is room or time for: who has begun ends well, and what waits is bounded."""

from __future__ import annotations

import multiprocessing
import re
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from loginward.wire.radius.attributes import Attribute, eap_message
from loginward.wire.radius.packet import Code, decode
from tests.doubles.eap_nas import OUTER, START, Session
from tests.doubles.eap_peer import TTLS
from tests.doubles.nas import Nas
from tests.live import people
from tests.live.eap_site import EapSite, eap_site, source_of

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("eap-load")]

ACCEPT, CHALLENGE = Code.ACCESS_ACCEPT, Code.ACCESS_CHALLENGE
PAP = {"type": TTLS, "names": (b"active",), "password": people.PASSWORD.encode()}
OF_A_CLIENT = 1000  # half-open sessions
MOST_MIB = 110  # of the process, with a client's whole share half open
RETRANSMIT_S, TRIES = 1.0, 4  # of an access point
DEVICES = 60  # that log in during the flood, a few at a time
AT_ONCE = 6
FINISH = 0.9
OVERLOAD = 5


@pytest.fixture
def site() -> Iterator[EapSite]:
    with eap_site() as made:
        yield made


def resident_mib(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


def hello_of(site: EapSite) -> bytes:
    """Return what a device says when it begins its handshake."""
    with (session := site.login("ttls-first", **PAP)).nas:
        assert session.step().code is CHALLENGE
        assert session.next is not None
        return session.next


def half_open(nas: Nas, hello: bytes) -> bool:
    """Begin a handshake and leave it; return whether there was room for it."""
    nas.sock.send(nas.request(OUTER, None, eap_message(START)))
    try:
        reply = decode(nas.sock.recv(4096))
    except TimeoutError:
        return False
    state, eap = reply.first(Attribute.STATE), b"".join(reply.all(Attribute.EAP_MESSAGE))
    assert state is not None
    again = nas.request(OUTER, None, eap_message(hello[:1] + eap[1:2] + hello[2:]), state=state)
    assert nas.exchange(again).code is CHALLENGE
    return True


def test_half_open_sessions_are_bounded_by_client_and_in_memory_and_leave_room_for_others(site):
    """The session that finds no room is not answered: its access point asks somebody else."""
    hello, begun = hello_of(site), 0
    with Nas(site.port, source=source_of("eap-ttls-pap"), patience_s=0.5) as nas:
        while half_open(nas, hello):
            begun += 1
            assert begun <= OF_A_CLIENT
    assert begun == OF_A_CLIENT
    assert resident_mib(site.tunnels()) < MOST_MIB
    assert site.enter("ttls-first", **PAP) is ACCEPT


def flood(port: int, source: str, hello: bytes, a_second: float, stop: Event, sent: object) -> None:
    """Begin so many sessions a second, and leave each once it has its handshake's flight."""
    began, count = time.monotonic(), 0
    with Nas(port, source=source, patience_s=0.0) as nas:
        while not stop.is_set():
            while count < (time.monotonic() - began) * a_second:
                nas.sock.send(nas.request(OUTER, None, eap_message(START)))
                count += 1
                answer_all(nas, hello)
            answer_all(nas, hello)
            sent.value = count  # type: ignore[attr-defined]
            stop.wait(0.001)


def answer_all(nas: Nas, hello: bytes) -> None:
    """Begin the handshake of each session that has been answered."""
    with suppress(BlockingIOError):
        while True:
            reply = decode(nas.sock.recv(4096))
            state, eap = reply.first(Attribute.STATE), b"".join(reply.all(Attribute.EAP_MESSAGE))
            if state is not None and eap[5:6] == b"\x20":
                octets = hello[:1] + eap[1:2] + hello[2:]
                nas.sock.send(nas.request(OUTER, None, eap_message(octets), state=state))


@contextmanager
def flooded(site: EapSite, hello: bytes, a_second: float) -> Iterator[object]:
    """Begin far more sessions than can be finished, until the end of the block."""
    context = multiprocessing.get_context("spawn")
    stop, sent = context.Event(), context.Value("q", 0)
    process = context.Process(
        target=flood, args=(site.port, source_of("eap-ttls-pap"), hello, a_second, stop, sent)
    )
    process.start()
    try:
        yield sent
    finally:
        stop.set()
        process.join(10)
        assert process.exitcode == 0


@dataclass
class Login:
    """One device during the flood, whose access point asks again after a second."""

    session: Session
    sent_at: float = 0.0
    tries: int = 0
    started: bool = False
    accepted: bool = False
    over: bool = False

    def send(self) -> None:
        self.session.send()
        self.sent_at, self.tries = time.monotonic(), 1

    def take(self) -> None:
        octets = self.session.nas.sock.recv(4096)
        if octets[1] != self.session.request[1]:
            return  # it answers a retransmission that was answered already
        reply = self.session.take(octets)
        self.started |= reply.code is CHALLENGE
        if reply.code is CHALLENGE:
            self.send()
        else:
            self.over, self.accepted = True, reply.code is ACCEPT

    def look_at_the_clock(self) -> None:
        if time.monotonic() - self.sent_at < RETRANSMIT_S:
            return
        if self.tries == TRIES:
            self.over = True
            return
        self.session.nas.sock.send(self.session.request)
        self.sent_at, self.tries = time.monotonic(), self.tries + 1


def all_of(logins: list[Login]) -> float:
    """Have devices log in, a few at a time; return how many a second ended."""
    waiting, active, began = list(logins), [], time.monotonic()
    while waiting or active:
        while waiting and len(active) < AT_ONCE:
            active.append(waiting.pop())
            active[-1].send()
        by_socket = {login.session.nas.sock: login for login in active}
        for sock in select.select(by_socket, [], [], 0.1)[0]:
            by_socket[sock].take()
        for login in active:
            login.look_at_the_clock()
        active = [login for login in active if not login.over]
    for login in logins:
        login.session.nas.sock.close()
    return len(logins) / (time.monotonic() - began)


def test_nine_of_ten_that_have_begun_finish_while_five_times_as_many_begin(site):
    """RFC 5080 2.2.3: a session under way goes before another begins."""
    hello = hello_of(site)
    calm = [Login(site.login("ttls-first", **PAP)) for _ in range(DEVICES)]
    capacity = all_of(calm)
    assert all(login.accepted for login in calm)
    logins = [Login(site.login("ttls-first", **PAP)) for _ in range(DEVICES)]
    with flooded(site, hello, 1.2 * OVERLOAD * capacity) as sent:
        while not sent.value:  # type: ignore[attr-defined]
            time.sleep(0.01)
        began, before = time.monotonic(), sent.value  # type: ignore[attr-defined]
        all_of(logins)
        offered = (sent.value - before) / (time.monotonic() - began)  # type: ignore[attr-defined]
    started = [login for login in logins if login.started]
    finished = sum(login.accepted for login in started)
    assert offered > OVERLOAD * capacity
    assert len(started) > DEVICES / 2
    assert finished >= FINISH * len(started)
