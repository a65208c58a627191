"""Disconnect-Requests: what leaves, when it leaves again, and what each answer means (RFC 5176)."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrad import packet as pyrad

from loginward.core.secret import Secret
from loginward.core.transitions import Bar
from loginward.doors.radius.clients import TLS_SECRET
from loginward.doors.radius.dictionaries import load
from loginward.doors.radius.disconnect import (
    MOST_AT_A_NAS,
    WAITS_S,
    Disconnects,
    Outcome,
    Told,
    Way,
    way_to,
)
from loginward.doors.radius.rules import DoorRules, door_rules
from loginward.doors.radius.sessions import Session
from loginward.settings.radius import Client, Coa, Radius
from loginward.wire.radius.attributes import Attribute, attribute
from loginward.wire.radius.packet import Code, decode
from loginward.wire.radius.signing import SharedSecret, check_request
from tests.doubles.disconnected import ack, foreign, nak
from tests.doubles.moving import NOW, MovingClock

OCTETS = b"sixteen octets and more"
SECRET = SharedSecret(OCTETS)
NAS = ("10.20.0.7", 3799)
WAY = Way(NAS, SECRET)
NAMED = attribute(Attribute.NAS_IDENTIFIER, b"wlc-1") + attribute(Attribute.ACCT_SESSION_ID, b"1")
SESSION = Session(
    client="wifi", account_id="id-ann", name="ann", source=NAS[0], session_id=b"1", named=NAMED,
    since=NOW, heard_at=0.0,
)  # fmt: skip


@dataclass
class Field:
    """Time, the wire and the trail, by hand."""

    clock: MovingClock = field(default_factory=MovingClock)
    sent: list[tuple[float, bytes, tuple[str, int]]] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    later: list = field(default_factory=list)
    order: itertools.count = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.disconnects = Disconnects(self.send, self.at, self.clock, self.told.append)

    def send(self, octets: bytes, way: Way) -> None:
        self.sent.append((self.clock.passed_s, octets, way.address))

    def at(self, moment: float, act) -> None:
        heapq.heappush(self.later, (moment, next(self.order), act))

    def ask(self, session: Session = SESSION, way: Way | Outcome = WAY) -> bytes:
        """Ask, and return what left."""
        self.disconnects.ask(session, Bar.SUSPENDED, way)
        return self.sent[-1][1] if self.sent else b""

    def pass_s(self, seconds: float) -> None:
        end = self.clock.monotonic() + seconds
        while self.later and self.later[0][0] <= end:
            moment, _, act = heapq.heappop(self.later)
            self.clock.pass_s(max(0.0, moment - self.clock.monotonic()))
            act()
        self.clock.pass_s(end - self.clock.monotonic())

    def answer(self, how, request: bytes, address: tuple[str, int] = NAS) -> None:
        self.disconnects.received(how(decode(request), SECRET), address)

    @property
    def outcomes(self) -> list[Outcome]:
        return [told.outcome for told in self.told]


@pytest.fixture
def field_() -> Field:
    return Field()


def numbered(count: int) -> list[Session]:
    return [replace(SESSION, session_id=b"%d" % n) for n in range(count)]


def test_the_request_names_the_session_as_its_accounting_did_and_is_signed(field_) -> None:
    """RFC 5176 sections 3, 3.4 and 6.3; the packet is right in pyrad's eyes too."""
    octets = field_.ask()

    [(at_s, _, address)] = field_.sent
    packet = decode(octets)
    check_request(packet, SECRET)
    assert (at_s, address, packet.code) == (0.0, NAS, Code.DISCONNECT_REQUEST)
    assert packet.holds(Attribute.MESSAGE_AUTHENTICATOR)
    assert packet.first(Attribute.NAS_IDENTIFIER) == b"wlc-1"
    assert packet.first(Attribute.ACCT_SESSION_ID) == b"1"
    stamp = packet.first(Attribute.EVENT_TIMESTAMP)
    assert stamp == int(NOW.timestamp()).to_bytes(4, "big")

    theirs = pyrad.CoAPacket(packet=octets, secret=OCTETS)
    assert theirs.code == pyrad.DisconnectRequest
    assert theirs.VerifyCoARequest()
    assert theirs.verify_message_authenticator()


@pytest.mark.parametrize(
    ("answer", "outcome", "cause"),
    [
        pytest.param(ack, Outcome.ACKNOWLEDGED, None, id="ack"),
        pytest.param(nak(503), Outcome.NOT_THERE, 503, id="503-is-success"),
        pytest.param(nak(501), Outcome.REFUSED, 501, id="501-is-a-refusal"),
        pytest.param(nak(None), Outcome.REFUSED, None, id="a-nak-without-a-cause"),
    ],
)
def test_an_answer_ends_the_request_and_is_told_once(field_, answer, outcome, cause) -> None:
    request = field_.ask()

    field_.answer(answer, request)
    field_.answer(answer, request)
    field_.pass_s(60)

    assert field_.told == [Told(SESSION, Bar.SUSPENDED, outcome, "10.20.0.7:3799", cause)]
    assert outcome.is_success is (outcome is not Outcome.REFUSED)
    assert len(field_.sent) == 1


def test_an_answer_by_pyrad_is_believed(field_) -> None:
    theirs = pyrad.CoAPacket(packet=field_.ask(), secret=OCTETS).CreateReply()
    theirs.code = pyrad.DisconnectACK

    field_.disconnects.received(theirs.ReplyPacket(), NAS)

    assert field_.outcomes == [Outcome.ACKNOWLEDGED]


def test_silence_is_asked_again_with_the_same_octets_and_then_told(field_) -> None:
    """RFC 5176 section 2.3: the same identifier and authenticator, so that nothing is done twice."""
    request = field_.ask()

    field_.pass_s(sum(WAITS_S) - 0.1)
    assert field_.sent == [(at, request, NAS) for at in (0.0, 1.0, 3.0, 7.0)]
    assert field_.told == []

    field_.pass_s(0.2)
    assert field_.outcomes == [Outcome.UNANSWERED]
    field_.answer(ack, request)  # too late
    field_.pass_s(60)
    assert (len(field_.sent), field_.outcomes) == (4, [Outcome.UNANSWERED])


def test_a_late_answer_to_the_third_transmission_still_counts(field_) -> None:
    request = field_.ask()
    field_.pass_s(5)

    field_.answer(ack, request)

    assert field_.outcomes == [Outcome.ACKNOWLEDGED]


def test_what_another_secret_signed_ends_nothing_and_is_told_at_the_end(field_) -> None:
    """Forged answers would keep a barred person connected."""
    request = field_.ask()

    field_.answer(foreign, request)
    assert field_.told == []
    field_.pass_s(1.5)
    assert len(field_.sent) == 2
    field_.pass_s(60)
    assert field_.outcomes == [Outcome.UNSIGNED]


def test_an_answer_from_elsewhere_is_let_go(field_) -> None:
    request = field_.ask()

    for elsewhere in (("10.20.0.8", 3799), ("10.20.0.7", 3800)):
        field_.answer(ack, request, elsewhere)

    assert field_.told == []


@given(st.binary(max_size=60) | st.builds(lambda tail: b"\x29\x00" + tail, st.binary(max_size=60)))
def test_no_octets_end_a_request_without_the_secret(octets: bytes) -> None:
    """Fuzz: whatever comes from the NAS's address, nothing raises and nothing counts as an answer."""
    field_ = Field()
    field_.ask()

    field_.disconnects.received(octets, NAS)

    assert field_.told == []


@given(st.integers(0, 45), st.integers(1, 255))
def test_an_answer_with_one_octet_changed_is_none(at: int, by: int) -> None:
    field_ = Field()
    reply = bytearray(nak(503)(decode(field_.ask()), SECRET))
    reply[at % len(reply)] ^= by

    field_.disconnects.received(bytes(reply), NAS)

    assert field_.told == []


def test_a_session_is_asked_for_once_at_a_time(field_) -> None:
    """Suspended and locked at once, say."""
    request = field_.ask()
    field_.disconnects.ask(SESSION, Bar.LOCKED_BY_ADMIN, WAY)
    assert len(field_.sent) == 1

    field_.answer(nak(506), request)
    assert field_.ask() != request  # refused then; another time it may be asked anew


def test_a_nas_has_few_requests_at_once_and_none_is_forgotten(field_) -> None:
    sessions = numbered(1000)
    for session in sessions:
        field_.ask(session)
    assert len(field_.sent) == MOST_AT_A_NAS

    at = 0
    while at < len(field_.sent):
        field_.answer(ack, field_.sent[at][1])
        at += 1
        in_flight = len(field_.sent) - at
        assert in_flight <= MOST_AT_A_NAS

    assert [told.session for told in field_.told] == sessions
    assert set(field_.outcomes) == {Outcome.ACKNOWLEDGED}


def test_a_silent_nas_holds_no_other_up(field_) -> None:
    for session in numbered(MOST_AT_A_NAS + 5):
        field_.ask(session)
    other = Way(("10.20.0.8", 3799), SECRET)

    field_.ask(replace(SESSION, source="10.20.0.8"), other)

    assert field_.sent[-1][2] == other.address
    field_.pass_s(2 * sum(WAITS_S) + 0.1)
    assert field_.outcomes == [Outcome.UNANSWERED] * (MOST_AT_A_NAS + 6)


def test_requests_in_flight_at_one_nas_have_different_identifiers(field_) -> None:
    """Also past 256, while one of them has no answer."""
    kept = field_.ask()
    for session in numbered(600)[2:]:
        field_.answer(ack, field_.ask(session))

    identifiers = [octets[1] for _, octets, _ in field_.sent[1:]]
    assert kept[1] not in identifiers


def test_at_the_end_all_that_is_under_way_is_told_as_unanswered(field_) -> None:
    for session in numbered(MOST_AT_A_NAS + 5):
        field_.ask(session)

    field_.disconnects.close()

    assert field_.outcomes == [Outcome.UNANSWERED] * (MOST_AT_A_NAS + 5)
    sent = len(field_.sent)
    field_.pass_s(60)
    assert (len(field_.sent), len(field_.told)) == (sent, MOST_AT_A_NAS + 5)


def test_what_cannot_be_asked_is_told_at_once(field_) -> None:
    field_.ask(way=Outcome.NEVER)

    assert (field_.sent, field_.told) == ([], [Told(SESSION, Bar.SUSPENDED, Outcome.NEVER)])


def rules(coa: Coa | None, *, own: bool = False, network: str = "10.20.0.0/16") -> DoorRules:
    client = Client(name="wifi", addresses=(network,), secret_file="/s", methods=("pap",), coa=coa)
    secrets = {"wifi": Secret(OCTETS)}
    coa_secrets = {"wifi": Secret(b"one for Disconnect alone")} if own else {}
    return door_rules(Radius(clients=(client,)), secrets, load(), coa_secrets)


def test_a_nas_is_asked_where_its_accounting_came_from() -> None:
    """security.md 20: only there, and only while that is an address of the client."""
    way = way_to(SESSION, rules(Coa(port=1700)))
    assert isinstance(way, Way)
    assert way.address == ("10.20.0.7", 1700)
    assert way.secret.hmac(b"x") == SECRET.hmac(b"x")

    own = way_to(SESSION, rules(Coa(), own=True))
    assert isinstance(own, Way)
    assert own.secret.hmac(b"x") == SharedSecret(b"one for Disconnect alone").hmac(b"x")


@pytest.mark.parametrize(
    ("session", "in_force", "why"),
    [
        pytest.param(SESSION, rules(None), Outcome.NEVER, id="coa-null"),
        pytest.param(
            SESSION, rules(Coa(), network="10.21.0.0/16"), Outcome.MOVED, id="outside-its-addresses"
        ),
        pytest.param(
            replace(SESSION, client="vpn"), rules(Coa()), Outcome.MOVED, id="another-client-now"
        ),
    ],
)  # fmt: skip
def test_where_it_may_not_be_asked(session: Session, in_force: DoorRules, why: Outcome) -> None:
    assert way_to(session, in_force) is why


def test_a_client_that_comes_by_tls_alone_has_no_secret_for_it() -> None:
    client = Client(name="wifi", addresses=("10.20.0.0/16",), tls_name="ap", methods=("pap",))
    by_tls = door_rules(Radius(clients=(client,), tls=object()), {}, load(), {})

    assert way_to(SESSION, by_tls) is Outcome.NO_SECRET


class TestByTls:
    """RFC 6614, security.md 20: over the client's connection, and no other way."""

    CONNECTION = ("10.20.0.7", 41000)
    WAY = Way(CONNECTION, TLS_SECRET, by_tls=True)
    SESSION = replace(SESSION, by_tls=True)

    def test_the_way_is_the_connection_that_there_is(self) -> None:
        known = rules(Coa())
        assert way_to(self.SESSION, known, self.CONNECTION) == self.WAY
        assert way_to(self.SESSION, known) is Outcome.NO_CONNECTION
        assert way_to(SESSION, known, self.CONNECTION).by_tls is False
        assert way_to(self.SESSION, rules(None), self.CONNECTION) is Outcome.NEVER

    def test_it_is_asked_once_and_waited_for_as_long(self, field_) -> None:
        field_.ask(self.SESSION, self.WAY)
        field_.pass_s(sum(WAITS_S) - 0.1)
        assert (len(field_.sent), field_.told) == (1, [])
        field_.pass_s(0.2)
        assert field_.outcomes == [Outcome.UNANSWERED]
        assert len(field_.sent) == 1

    def test_an_answer_counts_only_if_it_came_the_same_way(self, field_) -> None:
        request = field_.ask(self.SESSION, self.WAY)
        answer = ack(decode(request), TLS_SECRET)
        field_.disconnects.received(answer, self.CONNECTION)
        assert field_.told == []
        field_.disconnects.received(answer, self.CONNECTION, by_tls=True)
        assert field_.outcomes == [Outcome.ACKNOWLEDGED]
