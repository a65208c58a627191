"""Access-Requests with a password: from the packet to the law's answer, over one State or several."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loginward.core.reasons import Reason, Verdict
from loginward.doors.radius.challenges import KEPT_S
from loginward.doors.radius.port import AskTurn, ResultTurn
from loginward.doors.radius.server import TIDY_S
from loginward.wire.radius.attributes import Attribute, ServiceType, attribute, eap_message, integer
from loginward.wire.radius.packet import Code
from tests.doors.radius.stage import (
    AWAY,
    OK,
    PASSWORD,
    WRONG,
    Service,
    client,
    fence,
    rules,
    served,
)
from tests.doubles.moving import MovingClock
from tests.doubles.nas import said
from tests.doubles.waiting import eventually

ACCEPT, REJECT, CHALLENGE = Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE
LONG = "Words. " * 30


def in_steps(talk, typed):
    """Ask for two more answers before anybody is let in."""
    return OK if len(talk.typed) == 3 else AskTurn(f"Answer {len(talk.typed)}:")


@pytest.fixture
def door():
    with served() as door:
        yield door


@pytest.fixture
def clock():
    return MovingClock()


@pytest.fixture
def asking(clock):
    """Return a door whose every login takes three answers."""
    clients = client("nas", "127.0.0.1"), client("other", "127.0.0.2")
    with served(rules(*clients), Service(say=in_steps), clock=clock) as door:
        yield door


class TestPassword:
    @pytest.mark.parametrize(
        "typed",
        [
            b"x", "pässword €".encode(), "latin-1 \xe9".encode("latin-1"), b" spaces around ",
            b"a;b,c=%s\r\n", b"\xff\xfe not any encoding", b"n" * 16, b"l" * 128,
        ],
    )  # fmt: skip
    def test_it_comes_to_the_law_octet_by_octet(self, door, typed):
        with door.nas() as nas:
            nas.login("alice", typed)
        assert door.service.typed == [typed]

    def test_the_answer_is_the_laws(self, door):
        with door.nas() as nas:
            assert nas.login("alice", PASSWORD).code is ACCEPT
            reject = nas.login("alice", b"wrong")
        assert (reject.code, said(reject)) == (REJECT, "No.")
        assert [talk.hung_up for talk in door.service.talks] == [1, 1], "what was typed stays"

    def test_a_warning_comes_with_the_accept(self):
        say = replace(OK, message="Your password expires in 3 days.")
        with served(service=Service(say=lambda *_: say)) as door, door.nas() as nas:
            assert said(nas.login("alice", PASSWORD)) == "Your password expires in 3 days."

    def test_who_may_be_known_elsewhere_is_met_with_silence_by_policy(self):
        service = Service(say=lambda *_: AWAY)
        with served(service=service) as door, door.nas(patience_s=0.2) as nas:
            with pytest.raises(TimeoutError):
                nas.login("alice", PASSWORD)
            assert door.counted("silent") == 1
            door.rules = rules(when_unavailable="reject")
            assert nas.login("alice", PASSWORD).code is REJECT

    @pytest.mark.parametrize("verdict", [Verdict.REFUSE, Verdict.CHANGE, Verdict.CODE])
    def test_nobody_is_accepted_by_anything_but_an_allow(self, verdict):
        turn = ResultTurn(verdict=verdict, reason=Reason.OK, account_id="id-alice", name="alice")
        with served(service=Service(say=lambda *_: turn)) as door, door.nas() as nas:
            reject = nas.login("alice", PASSWORD)
        assert reject.code is REJECT
        assert not reject.holds(Attribute.CLASS)

    def test_a_realm_that_the_site_names_is_cut_off(self):
        with served(rules(client(strip_realms=("corp.example",)))) as door, door.nas() as nas:
            for name in ("alice@corp.example", "CORP.example\\alice", "alice@elsewhere.example"):
                nas.login(name, PASSWORD)
        names = [talk.request.name for talk in door.service.talks]
        assert names == ["alice", "alice", "alice@elsewhere.example"]


class TestWithoutAPassword:
    """Rejected before the law is asked, so that nobody's failure is counted."""

    def answered(self, door, *attributes, password=None, state=b""):
        with door.nas() as nas:
            reply = nas.exchange(nas.request("alice", password, *attributes, state=state))
        assert door.service.talks == []
        return reply.code

    def test_chap_is_rejected(self, door):
        assert self.answered(door, attribute(Attribute.CHAP_PASSWORD, bytes(17))) is REJECT
        assert door.counted("no-method") == 1

    @pytest.mark.parametrize("more", [b"", integer(Attribute.SERVICE_TYPE, ServiceType.CALL_CHECK)])
    def test_eap_that_nobody_speaks_here_ends_in_an_eap_failure(self, door, more):
        """RFC 3579 section 2.6: whoever sent an EAP packet hears one, and no Reply-Message."""
        packet = b"\x02\x07\x00\x0a\x01alice"
        with door.nas() as nas:
            reply = nas.exchange(nas.request("alice", None, eap_message(packet), more))
        assert reply.code is REJECT
        assert reply.all(Attribute.EAP_MESSAGE) == [b"\x04\x07\x00\x04"]
        assert not reply.holds(Attribute.REPLY_MESSAGE)
        assert door.service.talks == []

    def test_nothing_is_rejected(self, door):
        assert self.answered(door) is REJECT
        assert door.counted("no-proof") == 1

    @pytest.mark.parametrize("kind", ServiceType)
    @pytest.mark.parametrize("password", [None, PASSWORD])
    @pytest.mark.parametrize("state", [b"", b"some state"])
    def test_a_call_check_and_a_mere_authorization_are_no_logins(self, door, kind, password, state):
        """RFC 5080 section 2.1.1, RFC 2865 section 5.6: a switch asks so about every device."""
        asked = integer(Attribute.SERVICE_TYPE, kind)
        assert self.answered(door, asked, password=password, state=state) is REJECT
        assert door.counted("no-login") == 1

    @pytest.mark.parametrize("value", [bytes((0, 0, 0, 2)), b"", b"\x0a"])
    def test_any_other_service_type_is_a_login(self, door, value):
        asked = bytes((Attribute.SERVICE_TYPE, len(value) + 2)) + value
        with door.nas() as nas:
            assert nas.login("alice", PASSWORD, asked).code is ACCEPT


class TestChallenge:
    """RFC 2865 section 5.24, RFC 5080 section 2.1.1."""

    def test_the_conversation_goes_on_under_a_new_state_each_time(self, asking):
        with asking.nas() as nas:
            first = nas.login("alice", b"one")
            assert (first.code, said(first)) == (CHALLENGE, "Answer 1:")
            assert first.attributes[0][0] == Attribute.MESSAGE_AUTHENTICATOR
            assert first.first(Attribute.PROMPT) == bytes(4), "what is typed is not shown"
            second = nas.login("alice", b"two", state=first.first(Attribute.STATE))
            assert second.first(Attribute.STATE) != first.first(Attribute.STATE)
            third = nas.login("alice", b"three", state=second.first(Attribute.STATE))
            assert third.code is ACCEPT
            assert not third.holds(Attribute.STATE)
        assert asking.service.typed == [b"one", b"two", b"three"]
        assert len(asking.service.talks) == 1

    def test_a_state_serves_once(self, asking):
        with asking.nas() as nas:
            state = nas.login("alice", b"one").first(Attribute.STATE)
            assert nas.login("alice", b"two", state=state).code is CHALLENGE
            assert nas.login("alice", b"two", state=state).code is REJECT
        assert asking.service.typed == [b"one", b"two"]

    def test_a_retransmitted_answer_hears_the_same_challenge(self, asking):
        with asking.nas() as nas:
            state = nas.login("alice", b"one").first(Attribute.STATE)
            answer = nas.request("alice", b"two", state=state)
            assert len({nas.exchange(answer).raw for _ in range(3)}) == 1
        assert asking.service.typed == [b"one", b"two"]

    @pytest.mark.parametrize("state", [b"unknown", b"\0", b"s" * 253, bytes(16)])
    def test_an_unknown_state_is_a_reject_and_no_new_login(self, asking, state):
        with asking.nas() as nas:
            assert nas.login("alice", PASSWORD, state=state).code is REJECT
        assert asking.service.talks == []
        assert asking.counted("unknown-state") == 1

    @pytest.mark.parametrize(
        ("source", "user"),
        [("127.0.0.2", "alice"), ("127.0.0.1", "bob"), ("127.0.0.1", "Alice")],
    )
    def test_it_is_bound_to_its_client_and_user_who_loses_nothing_by_a_thief(
        self, asking, source, user
    ):
        with asking.nas(source="127.0.0.1") as nas, asking.nas(source=source) as thief:
            state = nas.login("alice", b"one").first(Attribute.STATE)
            assert thief.login(user, b"two", state=state).code is REJECT
            assert nas.login("alice", b"two", state=state).code is CHALLENGE
        assert asking.service.typed == [b"one", b"two"]

    def test_another_address_of_the_same_client_may_go_on(self, clock):
        """A cluster answers from any of its addresses."""
        with served(service=Service(say=in_steps), clock=clock) as door:
            with door.nas(source="127.0.0.1") as nas:
                state = nas.login("alice", b"one").first(Attribute.STATE)
            with door.nas(source="127.0.0.2") as nas:
                assert nas.login("alice", b"two", state=state).code is CHALLENGE

    def test_silence_in_the_middle_stays_silence_when_it_is_asked_again(self):
        """Its State has served: judged again it would be an unknown one, and a Reject."""
        turns = [AskTurn("New:"), AWAY]
        with served(service=Service(say=lambda *_: turns.pop(0))) as door, door.nas() as nas:
            state = nas.login("alice", b"one").first(Attribute.STATE)
            answer = nas.request("alice", b"two", state=state)
            nas.sock.send(answer)
            eventually(lambda: door.counted("silent") == 1, "answered")
            nas.sock.send(answer)
            assert nas.exchange(nas.status()).code is ACCEPT, (
                "the next reply is to the next request"
            )
            assert door.counted("duplicate") == 1

    def test_after_two_minutes_the_login_begins_again(self, asking, clock):
        with asking.nas() as nas:
            state = nas.login("alice", b"one").first(Attribute.STATE)
            clock.pass_s(120)
            assert nas.login("alice", b"two", state=state).code is REJECT
        assert asking.service.talks[0].hung_up == 1

    def test_an_empty_state_is_a_state(self, asking):
        with asking.nas() as nas:
            nas.login("alice", b"one")
            empty = bytes((Attribute.STATE, 2))
            assert nas.login("alice", b"two", empty).code is REJECT
        assert len(asking.service.talks) == 1


class TestTooLong:
    """Proxy-States that leave no room: there is no reply that could be sent."""

    @pytest.mark.parametrize(
        "turn", [replace(OK, message=LONG), replace(WRONG, message=LONG), AskTurn(LONG)]
    )
    def test_the_request_is_judged_once_and_nothing_leaves(self, turn):
        with served(service=Service(say=lambda *_: turn)) as door, door.nas() as nas:
            room = 4096 - len(nas.request("alice", PASSWORD))
            proxies = b"".join([attribute(Attribute.PROXY_STATE, b"p" * 253)] * (room // 255))
            proxies += attribute(Attribute.PROXY_STATE, b"p" * max(1, room % 255 - 2))
            request = nas.request("alice", PASSWORD, proxies)
            nas.sock.send(request)
            eventually(lambda: door.counted("too-long") == 1, "it was sent")
            nas.sock.send(request)
            eventually(lambda: door.counted("duplicate") == 1, "judged again")
        assert len(door.service.typed) == 1


def test_what_was_typed_is_forgotten_where_nobody_goes_on(asking, clock):
    """By time alone: no other login has to come first."""
    with asking.nas() as nas:
        assert nas.login("alice", PASSWORD).code is CHALLENGE
        clock.pass_s(KEPT_S + TIDY_S)
        fence(nas)  # the loop looks at the time whenever it is awake
        eventually(lambda: asking.service.talks[0].hung_up == 1, "it is still kept")
        assert asking.server.gauges()["challenges"] == 0
