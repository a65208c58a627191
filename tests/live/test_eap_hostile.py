"""EAP that nobody planned, signed by its access point, to the running agent.

The invariant: no fault of ours, the process of the tunnels lives, and nobody is let in whose
password is wrong or whose certificate is another's.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from loginward.wire.radius.attributes import Attribute, attribute, eap_message
from loginward.wire.radius.packet import Code, decode
from tests.doubles.eap_nas import OUTER, Session, Typist
from tests.doubles.eap_peer import PEAP, TLS, TTLS
from tests.live import people
from tests.live.eap_site import EapSite, eap_site

pytestmark = [pytest.mark.live, pytest.mark.fuzz, pytest.mark.xdist_group("eap-load")]

ACCEPT, CHALLENGE = Code.ACCESS_ACCEPT, Code.ACCESS_CHALLENGE
SESSIONS = int(os.environ.get("EAP_SESSIONS", "90"))  # of each kind
PATIENCE_S = 0.1  # what answers nothing was ignored
INTERESTING = (0, 1, 2, 3, 4, 6, 13, 21, 25, 32, 33, 64, 128, 192, 253, 254, 255)
KINDS = {
    "eap-ttls-pap": {"type": TTLS, "inner": "pap"},
    "eap-ttls-gtc": {"type": TTLS, "inner": "gtc"},
    "peap-gtc": {"type": PEAP, "inner": "gtc"},
    "eap-tls": {"type": TLS},
}
RIGHT = {"type": TTLS, "names": (b"active",), "password": people.PASSWORD.encode()}


@pytest.fixture(scope="module")
def site() -> Iterator[EapSite]:
    with eap_site(reject_delay="null") as made:
        yield made


def spoilt(dice: random.Random, octets: bytes) -> bytes:
    """Return a packet that is nearly one, its Length mostly right again."""
    packet = bytearray(octets)
    kind = dice.randrange(8)
    if kind == 0:
        packet = packet[: dice.randrange(len(packet))]
    elif kind == 1:
        packet += dice.randbytes(dice.choice((1, 4, 300, 2000)))
    elif kind == 2:
        packet[4:] = b"\x03" + bytes(dice.choice(INTERESTING) for _ in range(dice.randrange(4)))
    elif kind == 3:
        packet = bytearray(b"\x02") + packet[1:2] + b"\0\0" + dice.randbytes(dice.randrange(40))
    else:
        for _ in range(dice.choice((1, 1, 2, 5))):
            at = dice.randrange(len(packet))
            at = min(at, 10) if dice.randrange(2) else at  # headers and flags most of all
            packet[at] = dice.choice(INTERESTING)
    if len(packet) >= 4 and dice.randrange(5):
        packet[2:4] = len(packet).to_bytes(2, "big")
    return bytes(packet)


class Liar(Typist):
    """A peer that also says strange things inside its tunnel."""

    dice: random.Random

    def say(self, octets: bytes) -> None:
        said = bytearray(octets)
        for _ in range(self.dice.choice((0, 0, 1, 1, 2, 4))):
            at = self.dice.randrange(len(said))
            said[at] = self.dice.choice(INTERESTING)
        if self.dice.randrange(6) == 0:
            said = said[: self.dice.randrange(1, len(said) + 1)]
        if self.dice.randrange(6) == 0:
            said += self.dice.randbytes(self.dice.choice((1, 8, 3000)))
        super().say(bytes(said))


def carried(dice: random.Random, session: Session, octets: bytes) -> bytes:
    """Return the Access-Request, signed; now and then its attributes are strange too."""
    state = b"" if session.reply is None else session.reply.first(Attribute.STATE) or b""
    pieces = [eap_message(octets)] if octets else [bytes((Attribute.EAP_MESSAGE, 2))]
    match dice.randrange(30):
        case 0:
            pieces = [eap_message(octets[:1500]), eap_message(octets[:1500])]
        case 1:
            pieces.append(attribute(Attribute.STATE, dice.randbytes(16)))
        case 2:
            state = dice.randbytes(16)
        case 3:
            pieces.append(attribute(Attribute.FRAMED_MTU, dice.randbytes(4)))
        case 4:
            pieces.insert(0, attribute(Attribute.USER_PASSWORD, bytes(16)))
    return session.nas.request(OUTER, None, *pieces, state=state, station=session.station)


def live_through(dice: random.Random, session: Session, heard: Counter[str]) -> None:
    """Go through one login, of which any packet may be spoilt."""
    spoil_from = dice.randrange(12)
    while session.next is not None and session.rounds < 30:
        octets = session.next
        if session.rounds >= spoil_from and dice.randrange(2):
            octets = spoilt(dice, octets)
        session.request = carried(dice, session, octets)
        session.nas.sock.send(session.request)
        try:
            answer = session.nas.sock.recv(4096)
        except TimeoutError:
            heard["nothing"] += 1
            return
        code = decode(answer).code
        heard[code.name] += 1
        if code is not CHALLENGE:
            assert code is not ACCEPT
            return
        session.take(answer)


@pytest.mark.parametrize("client", KINDS)
def test_nothing_that_is_said_breaks_it_or_lets_anybody_in(site: EapSite, client: str) -> None:
    dice, heard = random.Random(f"3748 {client}"), Counter[str]()
    before = site.tunnels()
    foreign = site.papers.foreign.client(f"f-{client}", "active")
    for n in range(SESSIONS):
        how = dict(
            KINDS[client],
            names=(f"nobody{n % 9}".encode(),),
            password=b"wrong",
            tls=dice.choice(("1.2", "1.3")),
        )
        if client == "eap-tls":
            how |= {"cert_file": foreign.cert_file, "key_file": foreign.key_file}
        session = site.login("ttls-first" if dice.randrange(3) else client, **how)
        if dice.randrange(2):
            session.peer.__class__, session.peer.dice = Liar, dice
        session.nas.sock.settimeout(PATIENCE_S)
        session.station = b"%012x" % n
        with session.nas:
            live_through(dice, session, heard)
    assert heard["ACCESS_CHALLENGE"] > SESSIONS
    assert heard["ACCESS_REJECT"] > SESSIONS / 3
    said = site.agent.log.read_text()
    assert "fault" not in said, said[-3000:]
    assert "Traceback" not in said
    assert site.tunnels() == before
    assert site.enter("peap-first", **RIGHT) is ACCEPT, "the others have failed too often"
