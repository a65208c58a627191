"""Addresses of servers where the name service is slow, away, or tells of a move."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from loginward.core.clock import Deadline
from loginward.directory.ldap.resolving import FRESH_S, Resolver
from loginward.directory.ldap.servers import Server
from loginward.errors import DirectoryUnavailable
from tests.doubles.clock import FixedWall

HERE = (int(socket.AF_INET), ("192.0.2.1", 636))


class Turned(FixedWall):
    """A clock that can be put forward."""

    ahead = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


def server(host: str) -> Server:
    return Server(url=f"ldaps://{host}", host=host, port=636, is_ldaps=True, start_tls=False)


@pytest.fixture
def clock() -> Turned:
    return Turned()


@pytest.fixture
def service(monkeypatch):
    """A name service under control: `answers`, or `hangs` until let go."""

    class Service:
        answers: object = "192.0.2.1"
        asked = 0
        let_go = threading.Event()
        hangs = False

    def getaddrinfo(host, port, **_):
        Service.asked += 1
        if Service.hangs:
            Service.let_go.wait(10)
        if Service.answers is None:
            raise socket.gaierror(socket.EAI_AGAIN, "away")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (Service.answers, port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield Service
    Service.let_go.set()


def ask(resolver, clock, seconds=5.0, host="one.example"):
    return resolver.addresses(server(host), Deadline.after(seconds, clock))


def test_an_address_is_not_asked_for(service, clock):
    assert ask(Resolver(), clock, host="192.0.2.9") == [(int(socket.AF_INET), ("192.0.2.9", 636))]
    assert ask(Resolver(), clock, host="::1") == [(int(socket.AF_INET6), ("::1", 636))]
    assert service.asked == 0


def test_an_answer_serves_for_a_while(service, clock):
    resolver = Resolver()
    assert ask(resolver, clock) == ask(resolver, clock) == [HERE]
    assert service.asked == 1
    clock.ahead = FRESH_S + 1
    service.answers = "192.0.2.2"
    assert ask(resolver, clock) == [(int(socket.AF_INET), ("192.0.2.2", 636))]


def test_a_server_that_moved_is_looked_up_again(service, clock):
    resolver = Resolver()
    ask(resolver, clock)
    service.answers = "192.0.2.2"
    resolver.forget(server("one.example"))
    assert ask(resolver, clock)[0][1] == ("192.0.2.2", 636)


@pytest.mark.parametrize("how", ["away", "hangs"])
def test_the_last_addresses_serve_while_the_name_service_is_away(service, clock, how):
    resolver = Resolver()
    ask(resolver, clock)
    clock.ahead = FRESH_S + 1
    service.hangs, service.answers = how == "hangs", None
    began = time.monotonic()
    assert ask(resolver, clock, 0.4) == [HERE]
    assert ask(resolver, clock, 0.4) == [HERE], "the second login waits for nothing"
    assert time.monotonic() - began < 0.4


def test_a_name_service_that_hangs_is_asked_by_one_thread(service, clock):
    resolver = Resolver()
    service.hangs = True
    for _ in range(5):
        with pytest.raises(DirectoryUnavailable) as raised:
            ask(resolver, clock, 0.05)
        assert raised.value.stage == "resolve"
    assert service.asked == 1


def test_without_a_thread_to_ask_in_there_is_no_address(service, clock, monkeypatch):
    """A login then goes on as with a directory that is away, and not as a fault of ours."""

    def refused(_):
        raise RuntimeError("can't start new thread")

    resolver = Resolver()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        with pytest.raises(DirectoryUnavailable, match="new thread"):
            ask(resolver, clock)
    assert ask(resolver, clock) == [HERE]
