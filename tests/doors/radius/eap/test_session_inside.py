"""What a peer may not say inside the tunnel: each ends the session, and the law is not asked."""

from __future__ import annotations

import pytest

from loginward.doors.radius.eap.session import EapSession
from loginward.doors.radius.eap.turns import Accepted, Failed, Reject, Rejected, Why
from loginward.wire.eap import packet
from tests.doors.radius.eap.driving import all_methods, scripted, talk
from tests.doubles.eap_peer import PEAP, TLS, TTLS, Peer, avp

GTC_ANSWER = packet.response(1, 6, b"right horse")
IDENTITY = packet.response(0, 1, b"ann")


class Liar(Peer):
    """Says what it was given, one thing after the other, whatever it is asked."""

    says: tuple[bytes, ...] = ()

    def _begin(self) -> None:
        self.left = list(self.says)
        if self.type == TTLS and self.tls == "1.2":
            self._speak_first()

    def _speak_first(self) -> None:
        self.spoke = True
        self.say(self.left.pop(0))

    def _answer_inner(self, eap: bytes) -> None:
        self.say(self.left.pop(0).replace(b"<id>", eap[1:2]))

    def _answer_peap(self, said: bytes) -> None:
        self.say(self.left.pop(0).replace(b"<id>", said[1:2]))


def told_by(site, type_: int, *says: bytes, tls: str = "1.3", law=None):
    class Told(Liar):
        pass

    Told.says = says
    certified = {"cert_file": site.ann.cert_file, "key_file": site.ann.key_file}
    peer = Told(site.authority.ca_file, type_, tls=tls, **(certified if type_ == TLS else {}))
    return talk(EapSession(all_methods(), site.contexts, 1000), peer, *([law] if law else []))


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize(
    "says",
    [
        pytest.param([b"\0"], id="no-attribute"),
        pytest.param([avp(79, b"\x02\x01")], id="half-a-packet"),
        pytest.param([avp(79, packet.request(1, 1))], id="a-request"),
        pytest.param([avp(79, GTC_ANSWER)], id="a-password-without-a-name"),
        pytest.param([avp(79, packet.response(1, 4, b"md5"))], id="a-method-without-a-name"),
        pytest.param([avp(79, IDENTITY), avp(79, packet.response(250, 6, b"x"))], id="stale"),
        pytest.param([avp(79, IDENTITY), avp(1, b"ann") + avp(2, b"right horse")], id="then-pap"),
        pytest.param([avp(79, IDENTITY), avp(1, b"\xff") + avp(79, GTC_ANSWER)], id="no-text"),
        pytest.param([avp(3, bytes(17)) + avp(60, bytes(16)) + avp(1, b"ann")], id="chap"),
    ],
)
def test_in_ttls(site, says, tls):
    told = told_by(site, TTLS, *says, tls=tls)
    assert isinstance(told.end, Failed)
    assert told.end.why is Why.MALFORMED
    assert told.asked == []


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
@pytest.mark.parametrize(
    "says",
    [
        pytest.param([b"\x06right horse"], id="a-password-without-a-name"),
        pytest.param([b"\x1a\x02"], id="another-method-without-a-name"),
        pytest.param([b"\x01ann", b"\x01ann"], id="a-name-again"),
        pytest.param([b"\x01ann", b"\x1a\x02"], id="another-method"),
        pytest.param([b"\x01ann", b"\x02\x01"], id="half-a-packet"),
        pytest.param([b"\x01ann", GTC_ANSWER], id="a-header"),
        pytest.param([b"\x01ann", b"\x21\x80\x03\0\x02\0\x01"], id="a-result-before-the-law"),
    ],
)
def test_in_peap(site, says, tls):
    told = told_by(site, PEAP, *says, tls=tls)
    assert isinstance(told.end, Failed)
    assert told.end.why is Why.MALFORMED
    assert told.asked == []


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(b"\x06right horse", id="a-password-again"),
        pytest.param(b"\x02<id>\x00\x05\x21", id="no-result"),
        pytest.param(b"\x02<id>\x00\x06\x06\x00", id="another-type"),
    ],
)
def test_after_an_accept_only_the_result_counts(site, last):
    says = (b"\x01ann", b"\x06right horse", last)
    told = told_by(site, PEAP, *says)
    assert len(told.asked) == 1
    assert isinstance(told.end, Failed)
    assert told.end.why is Why.MALFORMED


def test_after_a_reject_nothing_counts(site):
    says = (b"\x01ann", b"\x06right horse", b"\x02<id>\x00\x0b\x21\x80\x03\x00\x02\x00\x01")
    told = told_by(site, PEAP, *says, law=scripted(Reject()))
    assert isinstance(told.end, Rejected)


def test_who_begins_in_peap_breaks_it(site):
    class Eager(Peer):
        def _begin(self) -> None:
            self.say(b"\x01ann")

    told = talk(EapSession(all_methods(), site.contexts, 1000), Eager(site.authority.ca_file, PEAP))
    assert told.end.why is Why.MALFORMED


@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_who_speaks_in_eap_tls_breaks_it(site, tls):
    class Talker(Peer):
        def _begin(self) -> None:
            self.say(b"hello")

    peer = Talker(
        site.authority.ca_file,
        TLS,
        tls=tls,
        cert_file=site.ann.cert_file,
        key_file=site.ann.key_file,
    )
    told = talk(EapSession(all_methods(), site.contexts, 1000), peer)
    assert told.end.why is Why.MALFORMED
    assert told.asked == []


def test_what_ttls_may_say_beside_a_password_does_no_harm(site):
    optional = (31).to_bytes(4, "big") + b"\0\0\0\x0cport"
    told = told_by(site, TTLS, avp(1, b"ann") + optional + avp(2, b"right horse"))
    assert isinstance(told.end, Accepted)


def test_octets_that_are_no_tls_end_it(site):
    eap = EapSession(all_methods(), site.contexts, 1000)
    turn = eap.receive(packet.response(1, 1, b"x"))
    turn = eap.receive(packet.response(turn.eap[1], TTLS, b"\0GET / HTTP/1.1\r\n\r\n"))
    if not isinstance(turn, Failed):
        turn = eap.receive(packet.response(turn.eap[1], TTLS, b"\0"))
    assert turn.why is Why.HANDSHAKE
