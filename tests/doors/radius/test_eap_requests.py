"""EAP in Access-Requests: a State serves once, the law alone accepts, and nothing is left behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Door, Phase
from loginward.core.secret import Secret
from loginward.doors.radius.eap.turns import (
    Accept,
    Accepted,
    Ask,
    EapMethod,
    Failed,
    Ignored,
    NeedsPassword,
    Reject,
    Rejected,
    Send,
    Why,
)
from loginward.doors.radius.port import AskTurn, ResultTurn
from loginward.wire.radius.attributes import Attribute, attribute, integer
from loginward.wire.radius.packet import Code, Packet
from loginward.wire.radius.password import MICROSOFT, mppe_key_of
from tests.doors.radius.eap_stage import (
    FAILURE,
    IDENTITY,
    MSK,
    PASSWORD,
    PIECE,
    SUCCESS,
    Stage,
)
from tests.doors.radius.stage import AWAY, OK, WRONG
from tests.doubles.nas import STATION, said

ACCEPT, REJECT, CHALLENGE = Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE
EVERY = (EapMethod.TTLS_PAP, EapMethod.TTLS_GTC, EapMethod.PEAP_GTC, EapMethod.TLS)
ACCEPTED = Accepted(SUCCESS, Secret(MSK))


@pytest.fixture
def stage():
    made = Stage()
    yield made
    made.nas.sock.close()


def eap_of(reply: Packet) -> bytes:
    return b"".join(reply.all(Attribute.EAP_MESSAGE))


def keys_of(reply: Packet, asked: Packet, stage: Stage) -> dict[int, bytes | None]:
    """Return what a NAS reads of MS-MPPE-Recv-Key (17) and MS-MPPE-Send-Key (16)."""
    vendor = MICROSOFT.to_bytes(4, "big")
    values = [v[4:] for v in reply.all(Attribute.VENDOR_SPECIFIC) if v.startswith(vendor)]
    return {v[0]: mppe_key_of(v[2:], asked.authenticator, stage.nas.shared) for v in values}


class TestBeginning:
    def test_the_process_is_told_what_the_client_may_use_and_carry(self, stage):
        stage.ask(IDENTITY, integer(Attribute.FRAMED_MTU, 1020))
        assert stage.tunnels.told == [(1, "nas", EVERY, 1020, IDENTITY)]
        assert stage.law.talks == [], "the outer name is nobody's"

    def test_an_eap_start_is_one_too(self, stage):
        asked = stage.ask(b"")
        assert stage.tunnels.told == [(1, "nas", EVERY, None, b"")]
        stage.turn(Send(b"who?"))
        assert eap_of(asked.reply) == b"who?"

    def test_a_client_without_a_method_of_eap_hears_failure(self):
        stage = Stage(methods=("pap",))
        asked = stage.ask(IDENTITY)
        assert (asked.reply.code, eap_of(asked.reply)) == (REJECT, b"\x04\x07\x00\x04")
        assert stage.tunnels.told == []
        assert stage.counted("no-method") == 1
        stage.nas.sock.close()


class TestState:
    """RFC 5080 section 2.1.1, RFC 3579 section 2.6.1."""

    def test_each_challenge_has_its_own_and_it_leads_to_its_session(self, stage):
        first, second = stage.begun(), stage.begun()
        assert first != second
        asked = stage.ask(PIECE, state=second)
        assert stage.tunnels.told[-1] == (2, PIECE)
        stage.turn(Send(b"more"), 2)
        assert asked.reply.code is CHALLENGE
        assert (eap_of(asked.reply), asked.state in {first, second}) == (b"more", False)

    def test_it_serves_once(self, stage):
        state = stage.begun()
        stage.ask(PIECE, state=state)
        again = stage.ask(PIECE, state=state)
        assert (again.reply.code, eap_of(again.reply)) == (REJECT, FAILURE)
        stage.turn(Send(b"more"))
        assert stage.ask(PIECE, state=state).reply.code is REJECT
        assert [told[0] for told in stage.tunnels.told] == [1, 1]
        assert stage.counted("unknown-state") == 2

    @pytest.mark.parametrize("state", [b"unknown", b"\0", bytes(16), b"s" * 253])
    def test_an_unknown_one_is_a_reject_and_no_new_session(self, stage, state):
        stage.begun()
        asked = stage.ask(PIECE, state=state)
        assert (asked.reply.code, eap_of(asked.reply)) == (REJECT, FAILURE)
        assert len(stage.tunnels.told) == 1

    def test_an_empty_one_is_one_that_nobody_was_given(self, stage):
        stage.ask()  # a session without a State so far
        asked = stage.ask(PIECE, bytes((Attribute.STATE, 2)))
        assert asked.reply.code is REJECT
        assert len(stage.tunnels.told) == 1

    def test_it_is_bound_to_its_client_who_loses_nothing_by_a_thief(self, stage):
        state = stage.begun()
        assert stage.ask(PIECE, state=state, source="127.0.0.2").reply.code is REJECT
        stage.ask(PIECE, state=state)
        assert stage.tunnels.told[-1] == (1, PIECE)

    def test_a_packet_that_answers_another_request_leaves_it_as_it_was(self, stage):
        """RFC 3748 section 4.2: no answer; the right packet still finds the session."""
        state = stage.begun()
        stray = stage.ask(b"\x02\x03\x00\x06\x15\x00", state=state)
        stage.turn(Ignored())
        assert (stray.replies, stray.dropped) == ([], 1)
        asked = stage.ask(PIECE, state=state)
        stage.turn(Send(b"more"))
        assert eap_of(asked.reply) == b"more"

    @pytest.mark.parametrize("size", [0, 1, 3])
    def test_a_packet_without_an_identifier_hears_failure_all_the_same(self, stage, size):
        asked = stage.ask(PIECE[:size], state=b"unknown")
        assert eap_of(asked.reply)[0:4:2] == b"\x04\x00"


class TestTheLaw:
    def test_it_is_asked_about_the_name_inside(self, stage):
        _, talk = stage.judging("ann@corp.example")
        request = talk.request
        assert (request.door, request.phase) == (Door.RADIUS, Phase.AUTHN)
        assert (request.name, request.service) == ("ann@corp.example", "nas")
        assert (request.rhost, request.inline_change) == (STATION.decode(), False)
        assert talk.typed == [PASSWORD]

    def test_a_realm_that_the_site_names_is_cut_off_inside_too(self):
        stage = Stage(strip_realms=("corp.example",))
        _, talk = stage.judging("ann@corp.example")
        assert talk.request.name == "ann"
        stage.nas.sock.close()

    def test_a_certificate_is_judged_as_an_account(self, stage):
        """RFC 5216: there is no password, and nothing to change one by."""
        _, talk = stage.certified()
        assert (talk.request.name, talk.request.phase) == ("ann", Phase.ACCT)
        assert talk.typed == [None]
        assert not talk.request.inline_change

    def test_its_allow_completes_the_tunnel_and_then_accepts(self, stage):
        asked, talk = stage.judging()
        talk.says(OK)
        assert stage.tunnels.told[-1] == (1, Accept())
        assert asked.replies == [], "the peer has yet to know"
        stage.turn(ACCEPTED)
        assert (asked.reply.code, eap_of(asked.reply)) == (ACCEPT, SUCCESS)
        assert asked.reply.holds(Attribute.CLASS)
        assert not asked.reply.holds(Attribute.STATE)
        assert asked.replies[0][1] == stage.clock.monotonic(), "an Accept waits for nothing"
        assert talk.hung_up == 1
        assert len(stage.eap) == 0

    @pytest.mark.parametrize("reach", [Stage.judging, Stage.certified])
    @pytest.mark.parametrize(
        "turn",
        [
            WRONG,
            *(ResultTurn(verdict=v, reason=Reason.OK) for v in Verdict if v is not Verdict.ALLOW),
        ],
        ids=lambda turn: f"{turn.verdict.value}-{turn.reason.value}",
    )
    def test_its_refusal_completes_the_tunnel_and_then_rejects(self, stage, reach, turn):
        asked, talk = reach(stage)
        talk.says(turn)
        assert stage.tunnels.told[-1] == (1, Reject())
        assert asked.replies == []
        stage.turn(Rejected(FAILURE))
        assert (asked.reply.code, eap_of(asked.reply)) == (REJECT, FAILURE)
        assert said(asked.reply) == "", "RFC 3579 section 2.6.5: no text beside EAP"
        assert not asked.reply.holds(Attribute.CLASS)
        assert asked.replies[0][1] == stage.clock.monotonic() + 1.0
        assert (talk.hung_up, len(stage.eap)) == (1, 0)

    @pytest.mark.parametrize("reach", [Stage.judging, Stage.certified])
    def test_without_a_directory_the_end_is_silence_by_policy(self, stage, reach):
        """The NAS goes to its next server; the same request again is still one in flight."""
        asked, talk = reach(stage)
        talk.says(AWAY)
        assert stage.tunnels.told[-1] == (1, Reject())
        stage.turn(Rejected(FAILURE))
        assert (asked.replies, asked.dropped, stage.counted("silent")) == ([], 0, 1)
        assert (talk.hung_up, len(stage.eap)) == (1, 0)

    def test_or_a_reject(self, stage):
        stage.rules = replace(
            stage.rules, settings=replace(stage.rules.settings, when_unavailable="reject")
        )
        asked, talk = stage.judging()
        talk.says(AWAY)
        stage.turn(Rejected(FAILURE))
        assert (asked.reply.code, eap_of(asked.reply)) == (REJECT, FAILURE)

    def test_the_protected_end_may_take_another_round(self, stage):
        asked, talk = stage.judging()
        talk.says(OK)
        stage.turn(Send(b"result: good"))
        last = stage.ask(PIECE, state=asked.state)
        stage.turn(ACCEPTED)
        assert last.reply.code is ACCEPT
        assert keys_of(last.reply, last.packet, stage) == {17: MSK[:32], 16: MSK[32:]}

    @pytest.mark.parametrize("turn", [None, WRONG, AskTurn("New password: ")])
    def test_nobody_is_accepted_whom_it_did_not_allow(self, stage, turn):
        """Whatever the process says: not one that never asked, nor one that was refused."""
        asked, talk = stage.judging()
        if turn is not None:
            talk.says(turn)
        with pytest.raises(AssertionError, match="the law did not"):
            stage.turn(ACCEPTED)
        assert asked.replies == []
        assert len(stage.eap) == 0

    def test_nobody_is_accepted_by_an_allow_of_another_session(self, stage):
        _, talk = stage.judging()
        talk.says(OK)
        other = stage.ask(IDENTITY)
        with pytest.raises(AssertionError):
            stage.turn(ACCEPTED, 2)
        assert other.replies == []

    def test_what_it_asks_is_asked_inside_and_one_conversation_goes_on(self, stage):
        asked, talk = stage.judging(can_ask=True)
        assert talk.request.inline_change
        talk.says(AskTurn("New password: "))
        assert stage.tunnels.told[-1] == (1, Ask("New password: "))
        stage.turn(Send(b"gtc"))
        again = stage.ask(PIECE, state=asked.state)
        stage.turn(NeedsPassword(EapMethod.PEAP_GTC, "ann", Secret(b"new"), can_ask=True))
        assert talk.typed == [PASSWORD, Secret(b"new")]
        assert len(stage.law.talks) == 1
        talk.says(OK)
        stage.turn(ACCEPTED)
        assert again.reply.code is ACCEPT

    def test_a_word_that_comes_too_late_is_nobodys(self, stage):
        _, talk = stage.judging()
        stage.turn(Failed(Why.GONE, FAILURE))
        told = list(stage.tunnels.told)
        talk.says(OK)
        assert stage.tunnels.told == told


class TestKeys:
    def test_both_halves_of_the_msk_as_the_nas_reads_them(self, stage):
        """RFC 2548 sections 2.4.2, 2.4.3: Recv-Key is the first half, Send-Key the second."""
        asked, talk = stage.judging()
        talk.says(OK)
        stage.turn(ACCEPTED)
        assert keys_of(asked.reply, asked.packet, stage) == {17: MSK[:32], 16: MSK[32:64]}

    def test_no_other_answer_holds_any(self, stage):
        asked, talk = stage.judging()
        talk.says(WRONG)
        stage.turn(Rejected(FAILURE))
        assert keys_of(asked.reply, asked.packet, stage) == {}


class TestBreaking:
    @pytest.mark.parametrize("why", [why for why in Why if why is not Why.BUSY])
    def test_a_session_that_breaks_is_a_reject_in_its_own_time(self, stage, why):
        asked = stage.ask(PIECE, state=stage.begun())
        stage.turn(Failed(why, FAILURE, "detail"))
        assert (asked.reply.code, eap_of(asked.reply)) == (REJECT, FAILURE)
        assert asked.replies[0][1] == stage.clock.monotonic() + 1.0
        assert stage.counted(f"eap-{why.value}") == 1
        assert len(stage.eap) == 0

    def test_what_somebody_can_mend_is_in_the_log_in_the_librarys_words(self, stage, caplog):
        said = ["unknown ca", "unknown ca", "unsupported protocol"]
        for words in said:
            stage.ask(IDENTITY)
            stage.turn(Failed(Why.HANDSHAKE, FAILURE, words), stage.numbers()[-1])
        lines = [record.getMessage() for record in caplog.records]
        assert len(lines) == 2, "a kind of failure, and another one"
        assert "RADIUS client nas has a device that could not agree with us on TLS" in lines[0]
        assert (": unknown ca" in lines[0], ": unsupported protocol" in lines[1]) == (True, True)
        assert stage.counted("eap-handshake") == 3

    def test_where_there_is_no_room_it_is_dropped_and_asked_again(self, stage):
        asked = stage.ask(IDENTITY)
        stage.turn(Failed(Why.BUSY, FAILURE))
        assert (asked.replies, asked.dropped, len(stage.eap)) == ([], 1, 0)
        again = stage.ask(IDENTITY)
        stage.turn(Send(b"challenge"), 2)
        assert again.reply.code is CHALLENGE

    def test_broken_after_an_allow_is_no_accept(self, stage):
        asked, talk = stage.judging()
        talk.says(OK)
        stage.turn(Failed(Why.PEER_REFUSED, FAILURE))
        assert asked.reply.code is REJECT
        assert talk.hung_up == 1

    def test_a_turn_of_a_session_that_is_forgotten_is_nobodys(self, stage):
        stage.turn(Send(b"late"), 99)
        stage.turn(Failed(Why.GONE, FAILURE), 99)
        assert len(stage.eap) == 0

    @pytest.mark.parametrize("end", [ACCEPTED, Rejected(FAILURE * 40), Send(b"x" * 300)])
    def test_proxy_states_that_leave_no_room_cost_the_session(self, stage, end):
        state = stage.begun()
        proxies = [attribute(Attribute.PROXY_STATE, b"p" * 253)] * 15
        proxies.append(attribute(Attribute.PROXY_STATE, b"p" * 120))
        asked = stage.ask(PIECE, *proxies, state=state)
        stage.turn(NeedsPassword(EapMethod.TTLS_PAP, "ann", PASSWORD, can_ask=False))
        (talk,) = stage.law.talks
        talk.says(OK)
        stage.turn(end)
        assert asked.replies == []
        assert stage.counted("too-long") == 1
        assert talk.hung_up
        assert len(stage.eap) == 0


class TestOverload:
    @pytest.mark.parametrize("reach", [Stage.judging, Stage.certified])
    def test_where_too_many_wait_the_tunnel_is_completed_and_rejected(self, stage, reach):
        stage.law.has_room = False
        asked, _ = reach(stage)
        assert stage.tunnels.told[-1] == (1, Reject())
        stage.turn(Rejected(FAILURE))
        assert asked.reply.code is REJECT
        assert stage.counted("shed") == 1

    def test_an_answer_that_finds_no_room_is_shed_too(self, stage):
        asked, talk = stage.judging(can_ask=True)
        talk.says(AskTurn("New password: "))
        stage.turn(Send(b"gtc"))
        stage.law.has_room = False
        stage.ask(PIECE, state=asked.state)
        stage.turn(NeedsPassword(EapMethod.PEAP_GTC, "ann", Secret(b"new"), can_ask=True))
        assert stage.tunnels.told[-1] == (1, Reject())

    def test_no_more_sessions_are_kept_than_there_is_room_for(self, stage):
        states = [stage.begun() for _ in range(4096)]
        stage.begun()
        assert len(stage.eap) == 4096
        assert stage.ask(PIECE, state=states[0]).reply.code is REJECT, "the one longest unheard"
        stage.ask(PIECE, state=states[1])
        assert stage.tunnels.told[-1] == (2, PIECE)


class TestForgetting:
    def test_a_silent_session_is_forgotten_with_its_password_and_state(self, stage):
        asked, talk = stage.judging(can_ask=True)
        talk.says(AskTurn("New password: "))
        stage.turn(Send(b"gtc"))
        stage.clock.pass_s(61)
        stage.ask(IDENTITY)
        assert (talk.hung_up, len(stage.eap)) == (1, 1)
        assert stage.ask(PIECE, state=asked.state).reply.code is REJECT

    def test_one_that_goes_on_is_kept(self, stage):
        asked, talk = stage.judging(can_ask=True)
        other = stage.begun()
        for _ in range(3):
            stage.clock.pass_s(40)
            talk.says(AskTurn("Once more: "))
            stage.turn(Send(b"gtc"))
            asked = stage.ask(PIECE, state=asked.state)
            stage.turn(NeedsPassword(EapMethod.PEAP_GTC, "ann", Secret(b"x"), can_ask=True))
            stage.begun()
        assert talk.hung_up == 0
        assert stage.ask(PIECE, state=other).reply.code is REJECT

    def test_one_that_ended_holds_no_state(self, stage):
        state = stage.begun()
        stage.turn(Failed(Why.GONE, FAILURE))
        asked = stage.ask(PIECE, state=state)
        assert (asked.reply.code, eap_of(asked.reply)) == (REJECT, FAILURE)
        assert len(stage.tunnels.told) == 1
