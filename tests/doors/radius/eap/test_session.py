"""Whole sessions against a peer of another make: what it reads, what the law is asked, the keys."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from loginward.core.secret import Secret
from loginward.doors.radius.eap import contexts
from loginward.doors.radius.eap.session import MAX_ROUNDS, EapSession
from loginward.doors.radius.eap.turns import (
    Accept,
    Accepted,
    Ask,
    EapMethod,
    Failed,
    Ignored,
    NeedsAccount,
    NeedsPassword,
    Reject,
    Rejected,
    Send,
    Why,
    methods_of,
)
from loginward.wire.eap import packet
from tests.doors.radius.eap.driving import Told, all_methods, scripted, talk
from tests.doubles.eap_peer import PEAP, TLS, TTLS, Peer
from tests.live.certificates import Authority, Pair, upn

VERSIONS = ["1.2", "1.3"]
PASSWORDS = [
    pytest.param({"type": TTLS, "inner": "pap"}, EapMethod.TTLS_PAP, id="ttls-pap"),
    pytest.param({"type": TTLS, "inner": "gtc"}, EapMethod.TTLS_GTC, id="ttls-gtc"),
    pytest.param({"type": PEAP}, EapMethod.PEAP_GTC, id="peap-gtc"),
]
versions = pytest.mark.parametrize("tls", VERSIONS)
with_password = pytest.mark.parametrize(("wants", "method"), PASSWORDS)


def session(site, *methods: EapMethod, octets: int = 1000) -> EapSession:
    return EapSession(methods or all_methods(), site.contexts, octets)


def certified(site, pair=None, **more) -> Peer:
    pair = pair or site.ann
    return Peer(
        site.authority.ca_file, TLS, cert_file=pair.cert_file, key_file=pair.key_file, **more
    )


def why(told: Told) -> Why:
    assert isinstance(told.end, Failed), told.end
    return told.end.why


@versions
@with_password
@pytest.mark.parametrize("octets", [1300, 200])
def test_a_right_password_gives_both_ends_the_same_key(site, tls, wants, method, octets):
    peer = Peer(site.authority.ca_file, tls=tls, fragment=octets, **wants)
    told = talk(session(site, method, octets=octets), peer)

    can_ask = method is not EapMethod.TTLS_PAP
    assert told.asked == [NeedsPassword(method, "ann", Secret(b"right horse"), can_ask)]
    assert peer.result == "success"
    assert isinstance(told.end, Accepted)
    msk = told.end.msk.reveal()
    assert (msk[:32], msk[32:]) == (peer.msk[:32], peer.msk[32:])  # received with, sent with
    assert msk[:32] != msk[32:]
    assert max(map(len, told.packets)) <= octets


@versions
@with_password
def test_a_refused_person_completes_the_tunnel_and_hears_failure(site, tls, wants, method):
    """As many packets as one who is accepted: nobody learns at which step the law said no."""
    accepted = talk(session(site, method), Peer(site.authority.ca_file, tls=tls, **wants))
    peer = Peer(site.authority.ca_file, tls=tls, **wants)
    told = talk(session(site, method), peer, scripted(Reject()))

    assert len(told.asked) == 1
    assert isinstance(told.end, Rejected)
    assert peer.result == "failure"
    assert len(told.packets) == len(accepted.packets)


@versions
@pytest.mark.parametrize("octets", [1300, 200])
def test_a_certificate_names_the_person_and_the_law_has_the_last_word(site, tls, octets):
    peer = certified(site, tls=tls, fragment=octets)
    told = talk(session(site, EapMethod.TLS, octets=octets), peer)

    assert told.asked == [NeedsAccount(EapMethod.TLS, "ann@corp.example")]
    assert isinstance(told.end, Accepted)
    assert told.end.msk.reveal() == peer.msk
    # RFC 9190 section 2.5: success is told inside the tunnel, and only by TLS 1.3
    assert peer.asked == ([b"\0"] if tls == "1.3" else [])


@versions
def test_a_suspended_person_with_a_good_certificate_gets_no_success_indication(site, tls):
    peer = certified(site, tls=tls)
    told = talk(session(site), peer, scripted(Reject()))

    assert isinstance(told.end, Rejected)
    assert peer.result == "failure"
    assert peer.asked == []


@versions
@pytest.mark.parametrize(("wants", "method"), PASSWORDS[1:])
def test_more_can_be_asked_for_where_the_method_has_words(site, tls, wants, method):
    peer = Peer(site.authority.ca_file, tls=tls, **wants)
    told = talk(session(site, method), peer, scripted(Ask("Code, bitte: äöü"), Accept()))

    assert [asked.password.reveal() for asked in told.asked] == [b"right horse"] * 2
    assert peer.asked[:2] == [b"Password: ", "Code, bitte: äöü".encode()]
    assert isinstance(told.end, Accepted)


@pytest.mark.parametrize(
    ("method", "peer_of"),
    [
        pytest.param(EapMethod.TTLS_PAP, lambda s: Peer(s.authority.ca_file), id="pap"),
        pytest.param(EapMethod.TLS, certified, id="certificate"),
    ],
)
def test_where_nothing_can_be_asked_asking_fails(site, method, peer_of):
    peer = peer_of(site)
    assert why(talk(session(site, method), peer, scripted(Ask("?")))) is Why.CANNOT_ASK
    assert peer.result == "failure"


@pytest.mark.parametrize("wants", [TTLS, PEAP, TLS])
def test_a_nak_leads_to_the_method_that_both_want(site, wants):
    peer = certified(site) if wants == TLS else Peer(site.authority.ca_file, wants)
    told = talk(session(site), peer)

    assert isinstance(told.end, Accepted)
    offered = list(dict.fromkeys(p[4] for p in told.packets[1:]))
    assert offered == ([TTLS] if wants == TTLS else [TTLS, wants])


@pytest.mark.parametrize("wants", [PEAP, TLS, 26])
def test_a_method_that_the_client_may_not_use_is_never_offered(site, wants):
    peer = Peer(site.authority.ca_file, wants)
    told = talk(session(site, EapMethod.TTLS_PAP), peer)
    assert why(told) is Why.NO_METHOD
    assert told.asked == []


@pytest.mark.parametrize(
    ("inner", "allowed"), [("gtc", EapMethod.TTLS_PAP), ("pap", EapMethod.TTLS_GTC)]
)
def test_what_is_said_inside_must_be_allowed_too(site, inner, allowed):
    told = talk(session(site, allowed), Peer(site.authority.ca_file, inner=inner))
    assert why(told) is Why.NO_METHOD
    assert told.asked == []


@pytest.mark.parametrize("refuses", [b"\x03\x1a", b"\xfe\0\0\0\0\0\0\x03\xfe\0\0\0\0\0\0\x1a"])
def test_who_wants_another_inner_method_is_not_asked_twice(site, refuses):
    class Picky(Peer):
        def _answer_peap(self, said):
            self.say(b"\x01ann" if said == b"\x01" else refuses)

    told = talk(session(site), Picky(site.authority.ca_file, PEAP))
    assert why(told) is Why.NO_METHOD
    assert told.asked == []


@versions
@pytest.mark.parametrize(("wants", "method"), PASSWORDS[1:])
def test_a_name_that_changes_is_a_failure(site, tls, wants, method):
    peer = Peer(site.authority.ca_file, tls=tls, names=(b"ann", b"bob"), **wants)
    told = talk(session(site, method), peer)
    assert why(told) is Why.NAME_CHANGED
    assert told.asked == []


def test_two_names_beside_one_password_are_a_failure(site):
    peer = Peer(site.authority.ca_file, names=(b"ann", b"bob"))
    told = talk(session(site, EapMethod.TTLS_PAP), peer)
    assert why(told) is Why.MALFORMED
    assert told.asked == []


@pytest.mark.parametrize("name", [b"", b"\xff", b"a\0b", b"a\nb", b"x" * 254], ids=repr)
@with_password
def test_what_can_be_nobodys_name_is_not_judged(site, wants, method, name):
    told = talk(session(site, method), Peer(site.authority.ca_file, names=(name,), **wants))
    assert why(told) is Why.MALFORMED
    assert told.asked == []


def test_the_outer_name_is_used_for_nothing(site):
    for outer in (b"root", b"", b"\xff\xfe\0"):
        told = talk(session(site), Peer(site.authority.ca_file, outer=outer))
        assert [asked.identity for asked in told.asked] == ["ann"]


@versions
def test_a_peer_that_refuses_the_result_is_not_let_in(site, tls):
    peer = Peer(site.authority.ca_file, PEAP, tls=tls, agrees=False)
    told = talk(session(site), peer)
    assert why(told) is Why.PEER_REFUSED
    assert peer.result == "failure"


@versions
def test_who_trusts_another_authority_ends_it_and_the_log_says_why(site, tls, tmp_path):
    peer = Peer(Authority(tmp_path, "another").ca_file, tls=tls)
    told = talk(session(site), peer)
    assert why(told) is Why.HANDSHAKE
    assert "unknown ca" in told.end.detail
    assert told.asked == []


@versions
@pytest.mark.parametrize("kind", ["foreign", "revoked", "expired", "none"])
def test_a_certificate_that_proves_nothing_ends_it_with_an_alert(
    site, tls, kind, tmp_path, changed
):
    tls_contexts = site.contexts
    pair = site.ann
    if kind == "foreign":
        pair = Authority(tmp_path, "test authority").client("x", "Ann", upn("ann@corp.example"))
    elif kind == "revoked":
        tls_contexts = changed(crl_file=site.authority.revoke("revoked.pem", site.ann))
    elif kind == "expired":
        pair = site.authority.client("old", "Ann", lasts=-timedelta(days=2))
    peer = (
        Peer(site.authority.ca_file, TLS, tls=tls)
        if kind == "none"
        else certified(site, pair, tls=tls)
    )
    told = talk(EapSession([EapMethod.TLS], tls_contexts, 1000), peer)

    assert why(told) is Why.HANDSHAKE
    assert told.end.detail
    assert told.asked == []
    assert peer.broken, "it has read an alert"


@versions
def test_a_certificate_for_servers_proves_no_person(site, tls):
    told = talk(session(site), certified(site, site.server, tls=tls))
    assert why(told) in {Why.CERTIFICATE, Why.HANDSHAKE}
    assert told.asked == []


class TestChain:
    """A certificate below a second authority: each of the two must say whom it has revoked."""

    @pytest.fixture
    def below(self, site, tmp_path):
        return Authority(tmp_path, "second authority", above=site.authority)

    def told(self, site, below, changed, *lists):
        pair = below.client("ann", "Ann", upn("ann@corp.example"))
        pair.cert_file.write_bytes(pair.cert_file.read_bytes() + below.ca_file.read_bytes())
        crls = below.ca_file.with_name("crls.pem")
        crls.write_bytes(b"".join(file.read_bytes() for file in lists))
        tls_contexts = changed(crl_file=crls)
        return talk(EapSession([EapMethod.TLS], tls_contexts, 1000), certified(site, pair))

    def test_with_both_lists_it_proves_the_person(self, site, below, changed):
        lists = site.authority.revoke("a.pem"), below.revoke("b.pem")
        told = self.told(site, below, changed, *lists)
        assert isinstance(told.end, Accepted)

    def test_with_one_list_it_proves_nobody(self, site, below, changed):
        for lists in ([site.authority.revoke("a.pem")], [below.revoke("b.pem")]):
            told = self.told(site, below, changed, *lists)
            assert why(told) is Why.HANDSHAKE
            assert "certificate verify failed" in told.end.detail

    def test_a_revoked_authority_proves_nobody(self, site, below, changed):
        revoked = Pair(below.ca_file, below.ca_file)
        lists = site.authority.revoke("a.pem", revoked), below.revoke("b.pem")
        assert why(self.told(site, below, changed, *lists)) is Why.HANDSHAKE


@pytest.mark.parametrize(
    ("oldest", "newest", "device"), [("1.3", "1.3", "1.2"), ("1.2", "1.2", "1.3")]
)
def test_a_version_that_the_configuration_leaves_out_is_not_spoken(
    site, changed, oldest, newest, device
):
    tls_contexts = changed(tls_min=oldest, tls_max=newest)
    peer = Peer(site.authority.ca_file, tls=device)
    told = talk(EapSession(all_methods(), tls_contexts, 1000), peer)
    assert why(told) is Why.HANDSHAKE
    assert "unsupported protocol" in told.end.detail


def test_a_stale_list_refuses_every_certificate_and_no_password(site, changed):
    tls_contexts = changed(crl_file=site.authority.revoke("stale.pem", lasts=-timedelta(days=1)))
    told = talk(EapSession(all_methods(), tls_contexts, 1000), certified(site))
    assert why(told) is Why.REVOCATION
    assert told.asked == []
    told = talk(EapSession(all_methods(), tls_contexts, 1000), Peer(site.authority.ca_file))
    assert isinstance(told.end, Accepted)


class TestResumption:
    """A resumed tunnel would skip the password (RFC 9190 2.1.2, RFC 9427 3.1): never a success."""

    def resumed(self, tls_contexts, peer_of, tls) -> tuple[Told, Told, bool]:
        first = peer_of(tls=tls)
        before = talk(EapSession(all_methods(), tls_contexts, 1000), first)
        assert isinstance(before.end, Accepted)
        again = peer_of(tls=tls, earlier=first)
        after = talk(EapSession(all_methods(), tls_contexts, 1000), again)
        return before, after, again.resumed

    @versions
    @pytest.mark.parametrize("wants", [TTLS, PEAP])
    def test_who_comes_again_proves_the_password_again(self, site, tls, wants):
        before, after, reused = self.resumed(
            site.contexts, lambda **more: Peer(site.authority.ca_file, wants, **more), tls
        )
        assert not reused
        assert after.asked == before.asked

    @versions
    def test_a_certificate_is_shown_and_judged_again(self, site, tls):
        before, after, reused = self.resumed(
            site.contexts, lambda **more: certified(site, **more), tls
        )
        assert not reused
        assert after.asked == before.asked

    @versions
    @pytest.mark.parametrize("wants", [TTLS, PEAP])
    def test_even_a_tunnel_that_was_resumed_lets_nobody_in_unproven(
        self, site, changed, monkeypatch, tls, wants
    ):
        """The library is told to resume, against what contexts.py says: the law is asked all the same."""
        monkeypatch.setattr(contexts, "_OPTIONS", SSL.OP_NO_COMPRESSION)
        loose = changed()
        loose.for_passwords().set_session_cache_mode(SSL.SESS_CACHE_SERVER)
        _, after, reused = self.resumed(
            loose, lambda **more: Peer(site.authority.ca_file, wants, **more), tls
        )
        assert reused
        assert len(after.asked) == 1


class TestDisorder:
    def test_an_answer_to_another_request_changes_nothing(self, site):
        eap = session(site)
        peer = Peer(site.authority.ca_file)
        turn = eap.receive(peer.answer(eap.start().eap))
        assert isinstance(turn, Send)
        answer = peer.answer(turn.eap)
        other = answer[:1] + bytes(((answer[1] + 1) % 256,)) + answer[2:]
        assert eap.receive(other) == Ignored()
        assert isinstance(eap.receive(answer), Send)

    def test_while_the_law_is_asked_nothing_is_heard(self, site):
        eap = session(site)
        peer = Peer(site.authority.ca_file, tls="1.2")
        turn = eap.start()
        while isinstance(turn, Send):
            last = peer.answer(turn.eap)
            turn = eap.receive(last)
        assert isinstance(turn, NeedsPassword)
        assert eap.receive(last) == Ignored()
        assert isinstance(eap.resume(Accept()), Accepted)

    def test_a_verdict_that_nobody_asked_for_is_our_fault(self, site):
        eap = session(site)
        eap.start()
        with pytest.raises(ValueError, match="not asked"):
            eap.resume(Accept())

    def test_a_session_may_begin_with_the_name(self, site):
        turn = session(site).receive(packet.response(77, 1, b"someone"))
        assert turn == Send(packet.request(78, TTLS, b"\x20"))

    @pytest.mark.parametrize(
        "octets",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"\x02", id="cut"),
            pytest.param(packet.request(1, 1), id="a-request"),
            pytest.param(packet.success(1), id="a-success"),
            pytest.param(packet.response(1, TTLS, b"\0"), id="no-name"),
            pytest.param(packet.response(1, 3, b"\x15"), id="a-nak-of-a-name"),
        ],
    )
    def test_what_begins_no_session_fails(self, site, octets):
        eap = session(site)
        eap.start()
        turn = eap.receive(octets)
        assert isinstance(turn, Failed)
        assert turn.why is Why.MALFORMED

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b"", id="no-flags"),
            pytest.param(b"\x20", id="a-start"),
            pytest.param(b"\x01\x16", id="version-1"),
            pytest.param(b"\x80\xff\xff\xff\xff\x16", id="endless"),
        ],
    )
    def test_pieces_that_make_no_sense_fail(self, site, body):
        eap = session(site)
        eap.receive(packet.response(1, 1, b"x"))
        turn = eap.receive(packet.response(2, TTLS, body))
        assert isinstance(turn, Failed)
        assert (turn.why, turn.eap) == (Why.MALFORMED, packet.failure(2))

    def test_a_nak_in_the_middle_fails(self, site):
        eap = session(site)
        peer = Peer(site.authority.ca_file)
        turn = eap.receive(peer.answer(eap.receive(packet.response(1, 1, b"x")).eap))
        turn = eap.receive(packet.response(turn.eap[1], 3, bytes((PEAP,))))
        assert turn.why is Why.MALFORMED

    def test_who_answers_pieces_with_data_fails(self, site):
        eap = session(site, octets=200)
        peer = Peer(site.authority.ca_file, fragment=2000)
        turn = eap.receive(peer.answer(eap.receive(packet.response(1, 1, b"x")).eap))
        assert turn.eap[5] & 0x40
        turn = eap.receive(packet.response(turn.eap[1], TTLS, b"\0data"))
        assert turn.why is Why.MALFORMED

    def test_who_only_acknowledges_gets_nowhere(self, site):
        eap = session(site)
        turn = eap.receive(packet.response(1, 1, b"x"))
        turn = eap.receive(packet.response(turn.eap[1], TTLS, b"\0"))
        assert turn.why is Why.HANDSHAKE

    def test_rounds_have_an_end(self, site):
        eap = session(site)
        turn, rounds = eap.receive(packet.response(1, 1, b"x")), 1
        while isinstance(turn, Send):
            turn = eap.receive(packet.response(turn.eap[1], TTLS, b"\x40\x16"))
            rounds += 1
        assert turn.why is Why.TOO_LONG
        assert rounds == MAX_ROUNDS + 1

    def test_what_is_held_is_counted(self, site):
        eap = session(site)
        turn = eap.receive(packet.response(1, 1, b"x"))
        eap.receive(packet.response(turn.eap[1], TTLS, b"\x40" + bytes(500)))
        assert eap.held_octets == 500


@pytest.mark.fuzz
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    wants=st.sampled_from([(TTLS, "pap"), (TTLS, "gtc"), (PEAP, "gtc"), (TLS, "")]),
    tls=st.sampled_from(VERSIONS),
    at=st.integers(1, 9),
    where=st.integers(0, 3000),
    flip=st.integers(1, 255),
    spare=st.binary(max_size=3),
)
def test_no_octet_can_be_changed_into_a_success(site, wants, tls, at, where, flip, spare):
    """Whatever one changed answer does, nothing raises, and nobody is in without the law."""
    type_, inner = wants
    if type_ == TLS:
        peer = certified(site, tls=tls)
    else:
        peer = Peer(site.authority.ca_file, type_, inner, tls)
    eap = session(site)
    turn, rounds, asked = eap.start(), 0, 0
    while isinstance(turn, Send) and not peer.broken and rounds < 30:
        rounds += 1
        try:
            answer = bytearray(peer.answer(turn.eap) or b"")
        except (AssertionError, IndexError):
            return  # it gave up
        if rounds == at:
            answer[where % len(answer)] ^= flip
            answer += spare
        turn = eap.receive(bytes(answer))
        if isinstance(turn, NeedsPassword | NeedsAccount):
            asked += 1
            turn = eap.resume(Accept())
    assert not isinstance(turn, Accepted) or asked == 1


@pytest.mark.fuzz
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.sampled_from([1, 3, 13, 21, 25, 254]), st.binary(max_size=80)), max_size=6
    )
)
def test_whatever_comes_ends_in_a_turn(site, answers):
    eap = session(site)
    turn = eap.start()
    for type_, body in answers:
        if not isinstance(turn, Send):
            break
        turn = eap.receive(packet.response(turn.eap[1], type_, body))
    assert isinstance(turn, Send | Failed)


def test_methods_are_the_configurations_words():
    assert methods_of(["pap", "peap-gtc", "eap-tls"]) == (EapMethod.PEAP_GTC, EapMethod.TLS)


def test_no_repr_shows_a_secret(site):
    told = talk(session(site), Peer(site.authority.ca_file, password=b"hunter2"))
    assert "hunter2" not in repr(told)
    assert isinstance(told.end, Accepted)
    assert repr(told.end.msk.reveal()) not in repr(told)
