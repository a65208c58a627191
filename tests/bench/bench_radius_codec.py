"""What a RADIUS login costs before anybody is asked: read, believe, unhide, answer; beside pyrad."""

from __future__ import annotations

import io
import os
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from pyrad import packet as pyrad
from pyrad.dictionary import Dictionary

from loginward.core.secret import Secret
from loginward.wire.radius import replies
from loginward.wire.radius.access import Pap, proof_of
from loginward.wire.radius.attributes import attribute, integer
from loginward.wire.radius.packet import Code, decode
from loginward.wire.radius.password import hide, unhide
from loginward.wire.radius.signing import SharedSecret, check_request, sign_request

OCTETS = b"a secret of 24 octets ..."
SECRET = SharedSecret(OCTETS)
MESSAGE = "Your password expires in 3 days."
VLAN = {64: b"\0\0\0\x0d", 65: b"\0\0\0\x06", 81: b"20"}
REPLY = (
    attribute(25, b"0123456789abcdef")
    + integer(27, 3600)
    + b"".join(attribute(type_, value) for type_, value in VLAN.items())
)
NAMES = Dictionary(io.StringIO("ATTRIBUTE User-Password 2 string\n"))
ROUNDS = 7


def run(packets: int = 2000) -> dict[str, float]:
    """Return microseconds a packet (median of the rounds), and how much slower pyrad is."""
    datagrams = [_login(number) for number in range(packets)]
    read = [decode(datagram) for datagram in datagrams]
    ours, theirs = _median_us(_ours, datagrams), _median_us(_theirs, datagrams[:500])
    return {
        "login_us": ours,
        "of_which_decode_us": _median_us(decode, datagrams),
        "of_which_verify_us": _median_us(lambda packet: check_request(packet, SECRET), read),
        "of_which_reply_us": _median_us(
            lambda packet: replies.accept(packet, SECRET, REPLY, message=MESSAGE), read
        ),
        "pyrad_login_us": theirs,
        "pyrad_ratio": theirs / ours,
    }


def _login(number: int) -> bytes:
    authenticator = os.urandom(16)
    attributes = (
        attribute(1, b"alice@corp.example")
        + attribute(2, hide(Secret(b"correct horse"), authenticator, SECRET))
        + attribute(4, b"\x0a\x14\x00\x01")
        + integer(5, number)
        + integer(6, 2)
        + attribute(30, b"00-11-22-33-44-55:corp-wifi")
        + attribute(31, b"66-77-88-99-AA-BB")
        + attribute(32, b"wifi-controller-1")
    )
    return sign_request(Code.ACCESS_REQUEST, number & 0xFF, authenticator, attributes, SECRET)


def _ours(datagram: bytes) -> bytes:
    packet = decode(datagram)
    check_request(packet, SECRET)
    proof = proof_of(packet)
    assert isinstance(proof, Pap)
    assert unhide(proof.hidden, packet.authenticator, SECRET).well_formed
    return replies.accept(packet, SECRET, REPLY, message=MESSAGE)


def _theirs(datagram: bytes) -> bytes:
    packet = pyrad.AuthPacket(packet=datagram, secret=OCTETS, dict=NAMES)
    assert packet.verify_message_authenticator()
    assert packet.PwDecrypt(packet[2][0])
    reply = packet.CreateReply()
    reply[18] = [MESSAGE.encode()]
    reply[25] = [b"0123456789abcdef"]
    reply[27] = [b"\0\0\x0e\x10"]
    for type_, value in VLAN.items():
        reply[type_] = [value]
    return bytes(reply.ReplyPacket())


def _median_us(work: Callable[[Any], object], items: Sequence[object]) -> float:
    spent = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for item in items:
            work(item)
        spent.append((time.perf_counter() - begin) / len(items) * 1e6)
    return statistics.median(spent)
