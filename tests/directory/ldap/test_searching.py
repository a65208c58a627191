"""Answers to a search, over a socket whose other end says what a test wants."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from loginward.core.clock import Deadline
from loginward.directory.ldap import searching
from loginward.directory.ldap.channel import Channel
from loginward.errors import DirectoryUnavailable
from loginward.wire.ldap.ber import element, integer
from tests.doubles.clock import FixedWall

CLOCK = FixedWall()
OK = b"\x0a\x01\x00\x04\x00\x04\x00"


def message(operation: bytes, message_id: int = 7) -> bytes:
    return element(0x30, integer(message_id) + operation)


def entry(dn: str, message_id: int = 7) -> bytes:
    return message(element(0x64, element(4, dn.encode()) + b"\x30\x00"), message_id)


DONE = message(element(0x65, OK))
REFERENCE = message(element(0x73, element(4, b"ldap://elsewhere.example")))


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    yield Channel(ours, Deadline.after(0.3, CLOCK)), theirs
    ours.close()
    theirs.close()


def found(channel: Channel) -> list[str]:
    return [one.dn for one in searching.run(channel, 7, b"request")[0]]


def test_entries_until_the_end(ends):
    channel, theirs = ends
    theirs.sendall(entry("a") + REFERENCE + entry("b") + DONE)

    assert found(channel) == ["a", "b"]
    assert theirs.recv(100) == b"request"


def test_how_it_ended(ends):
    channel, theirs = ends
    theirs.sendall(message(element(0x65, b"\x0a\x01\x04\x04\x00\x04\x00")))

    assert searching.run(channel, 7, b"request")[1].result.code == 4


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(entry("a", 8) + DONE, id="another-id"),
        pytest.param(DONE + entry("a"), id="an-entry-after-the-end"),
        pytest.param(DONE + DONE, id="ends-twice"),
        pytest.param(DONE + b"\x30", id="spare-octets"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", id="no-ldap"),
        pytest.param(message(element(0x61, OK)), id="a-bind-response"),
        pytest.param(message(element(0x78, OK), 0), id="notice-of-disconnection"),
    ],
)
def test_answers_that_end_the_connection(ends, octets: bytes):
    channel, theirs = ends
    theirs.sendall(octets)

    with pytest.raises(DirectoryUnavailable) as caught:
        found(channel)
    assert caught.value.stage == "search"


def test_a_peer_that_closes(ends):
    channel, theirs = ends
    theirs.sendall(entry("a"))
    theirs.close()

    with pytest.raises(DirectoryUnavailable, match="search"):
        found(channel)


def test_a_peer_that_says_nothing_is_left_in_time(ends):
    channel, _ = ends
    began = time.monotonic()
    with pytest.raises(DirectoryUnavailable) as caught:
        found(channel)

    assert time.monotonic() - began < 1.0
    assert caught.value.stage == "directory.budget_s"


def test_a_peer_that_never_ends_is_left(ends, monkeypatch):
    monkeypatch.setattr(searching, "MAX_OCTETS", 1000)
    channel, theirs = ends
    theirs.sendall(entry("a" * 40) * 40)

    with pytest.raises(DirectoryUnavailable, match="never ends"):
        found(channel)


def test_an_entry_too_large_is_not_waited_for(ends):
    channel, theirs = ends
    theirs.sendall(b"\x30\x84\x7f\xff\xff\xff")

    with pytest.raises(DirectoryUnavailable, match="too large"):
        found(channel)
