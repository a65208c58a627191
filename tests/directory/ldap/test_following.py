"""A server followed over one connection: what it says, how far it says so, and what ends it."""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from loginward.directory.ldap.channel import Channel
from loginward.directory.ldap.entry import Entry
from loginward.directory.ldap.following import (
    NO_ANSWER_S,
    PROBE_S,
    Follower,
    NotOfferedError,
    Rule,
)
from loginward.errors import DirectoryUnavailable
from loginward.wire.ldap import ber, search, sync
from loginward.wire.ldap.ber import Reader, element, integer

ANN = uuid.UUID(int=1)
SUFFIX = "dc=ex,dc=org"
PEOPLE, ALL = 10, 11  # the two searches that go on
NO_VALUES: dict[str, list[bytes]] = {}


def csn(number: int, sid: str = "000") -> str:
    return f"20261124120000.{number:06}Z#000000#{sid}#000000"


def cookie(number: int) -> bytes:
    return f"rid=000,csn={csn(number)}".encode()


def message(number: int, operation: bytes, *controls: tuple[str, bytes]) -> bytes:
    beside = b"".join(
        element(0x30, element(4, oid.encode()) + element(4, value)) for oid, value in controls
    )
    return element(0x30, integer(number) + operation + (element(0xA0, beside) if beside else b""))


def entry(
    number: int, dn: str, values: dict[str, list[bytes]], *controls: tuple[str, bytes]
) -> bytes:
    attributes = b"".join(
        element(
            0x30,
            element(4, name.encode()) + element(0x31, b"".join(element(4, v) for v in held)),
        )
        for name, held in values.items()
    )
    found = element(0x64, element(4, dn.encode()) + element(0x30, attributes))
    return message(number, found, *controls)


def done(number: int, code: int = 0) -> bytes:
    return message(number, element(0x65, element(0x0A, bytes((code,))) + b"\x04\x00\x04\x00"))


def state(became: sync.Became, at: int, who: uuid.UUID = ANN) -> tuple[str, bytes]:
    value = element(0x0A, bytes((became.value,))) + element(4, who.bytes) + element(4, cookie(at))
    return sync.STATE, element(0x30, value)


def said(number: int, value: bytes) -> bytes:
    content = element(0x80, sync.INFO.encode()) + element(0x81, value)
    return message(number, element(0x79, content))


class Hand:
    """A clock turned by hand."""

    def __init__(self) -> None:
        self.at = 100.0

    def now(self) -> datetime:
        return datetime(2026, 11, 24, tzinfo=UTC) + timedelta(seconds=self.at)

    def monotonic(self) -> float:
        return self.at

    boottime = monotonic


class Server(Channel):
    """The other end of a connection: it answers questions, and says what it is made to say."""

    def __init__(self) -> None:
        self.context = [csn(1)]
        self.root = {
            "supportedControl": [sync.REQUEST.encode()],
            "namingContexts": [b"", b"dc=org"],
        }
        self.root["namingContexts"].append(SUFFIX.encode())
        self.asked: list[tuple[int, str]] = []
        self.answers = True
        self._says: list[bytes] = []

    def sendall(self, octets: bytes) -> None:
        outer = Reader(Reader(octets).take(ber.SEQUENCE))
        number = int.from_bytes(outer.take(ber.INTEGER), "big")
        base = Reader(outer.any()[1]).take(ber.OCTET_STRING).decode()
        self.asked.append((number, base))
        if number in {PEOPLE, ALL} or not self.answers:
            return
        values = {"contextCSN": [one.encode() for one in self.context]} if base else self.root
        if base and not self.context:
            values = NO_VALUES
        self.say(entry(number, base, values) + done(number))

    def say(self, octets: bytes) -> None:
        self._says.append(octets)

    def recv(self, size: int) -> bytes:
        if not self._says:
            raise TimeoutError
        return self._says.pop(0)


class Ears:
    """Who is told, and what."""

    def __init__(self) -> None:
        self.people: list[tuple[str, str | None]] = []
        self.others: list[tuple[str, str | None]] = []
        self.misses = 0

    def person(self, account_id: str, entry: Entry | None) -> None:
        self.people.append((account_id, None if entry is None else entry.dn))

    def other(self, entry_id: str, entry: Entry | None) -> None:
        self.others.append((entry_id, None if entry is None else entry.dn))

    def missed(self) -> None:
        self.misses += 1


class Line:
    """A follower and both its ends."""

    def __init__(self, *beside: str) -> None:
        self.clock, self.server, self.ears = Hand(), Server(), Ears()
        rule = Rule(
            base_dn=f"ou=people,{SUFFIX}",
            people=search.present("uid"),
            attributes=("uid",),
            beside=beside,
        )
        self.follower = Follower(self.server, rule, self.ears, self.clock)

    def hear(self, *octets: bytes) -> None:
        """Say something and have it taken in, with all that is asked meanwhile."""
        for one in octets:
            self.server.say(one)
        while self.server._says:
            self.follower.turn()

    def go_live(self) -> None:
        self.follower.begin()
        self.hear(said(PEOPLE, b"\xa1\x00"), said(ALL, b"\xa1\x00"))
        assert self.follower.is_live
        self.hear()


@pytest.fixture
def line() -> Line:
    found = Line()
    found.go_live()
    return found


def test_it_begins_at_the_present(line: Line) -> None:
    assert line.follower.suffix == SUFFIX, "the innermost database that holds the people"
    assert [base for _, base in line.server.asked[:4]] == [
        "",
        SUFFIX,
        f"ou=people,{SUFFIX}",
        SUFFIX,
    ]


def test_nothing_is_known_before_both_searches_have_caught_up() -> None:
    line = Line()
    line.follower.begin()
    line.hear(said(PEOPLE, b"\xa1\x00"))
    assert not line.follower.is_live
    line.follower.turn()
    line.hear()
    assert line.follower.seen_at is None
    line.hear(said(ALL, b"\xa1\x00"))
    assert line.follower.is_live
    assert line.follower.seen_at is not None


def test_nothing_is_missing_up_to_when_it_was_asked(line: Line) -> None:
    """The moment is the one of the question: what happened before the answer may be missing."""
    began = line.clock.at
    assert line.follower.seen_at == (began, line.clock.now())
    line.clock.at += PROBE_S
    asked_at = line.clock.at
    line.server.answers = False
    with pytest.raises(TimeoutError):
        line.server.recv(1)
    line.follower.turn()
    line.clock.at += 0.5
    number = line.server.asked[-1][0]
    line.hear(entry(number, SUFFIX, {"contextCSN": [csn(1).encode()]}) + done(number))
    assert line.follower.seen_at is not None
    assert line.follower.seen_at[0] == asked_at


@pytest.mark.parametrize("first", [PEOPLE, ALL])
def test_what_the_server_has_not_told_yet_is_waited_for(line: Line, first: int) -> None:
    """Security: a watch is fresh only while both searches have told up to contextCSN."""
    before = line.follower.seen_at
    second = PEOPLE + ALL - first
    line.server.context = [csn(2)]
    line.clock.at += PROBE_S
    line.follower.turn()
    line.hear()
    assert line.follower.seen_at == before
    line.hear(said(first, b"\x80" + bytes((len(cookie(2)),)) + cookie(2)))
    assert line.follower.seen_at == before
    line.hear(entry(second, "uid=ann", {}, state(sync.Became.MODIFIED, 2)))
    assert line.follower.seen_at == (line.clock.at, line.clock.now())


def test_each_server_of_several_counts_for_itself(line: Line) -> None:
    before = line.follower.seen_at
    line.server.context = [csn(1), csn(1, "001")]
    line.clock.at += PROBE_S
    line.follower.turn()
    line.hear()
    assert line.follower.seen_at == before


def test_who_changed_and_who_is_gone(line: Line) -> None:
    line.hear(
        entry(PEOPLE, "uid=a", {}, state(sync.Became.ADDED, 2)),
        entry(ALL, "uid=a", {}, state(sync.Became.ADDED, 2)),
        entry(PEOPLE, "uid=a", {}, state(sync.Became.MODIFIED, 3)),
        entry(PEOPLE, "uid=a", {}, state(sync.Became.DELETED, 4)),
        entry(ALL, "uid=a", {}, state(sync.Became.DELETED, 4)),
        entry(PEOPLE, "uid=a", {}, state(sync.Became.PRESENT, 4)),
    )
    who = str(ANN)
    assert line.ears.people == [(who, "uid=a"), (who, "uid=a"), (who, None)]
    assert line.ears.others == [(who, "uid=a"), (who, None)]
    assert line.ears.misses == 0


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(element(0xA3, element(0x31, element(4, ANN.bytes))), id="ids"),
        pytest.param(element(0xA2, b""), id="present"),
    ],
)
def test_a_list_of_what_is_left_means_that_something_was_missed(line: Line, value: bytes) -> None:
    line.hear(said(PEOPLE, value))
    assert line.ears.misses == 1


def test_a_change_of_what_may_not_be_read_is_one_that_was_missed(line: Line) -> None:
    """It may be what lies above an entry, or who may read what."""
    told = b"\x80" + bytes((len(cookie(2)),)) + cookie(2)
    line.hear(said(PEOPLE, told))
    assert line.ears.misses == 0, "it is no person; the other search has it"
    line.hear(said(ALL, told))
    assert line.ears.misses == 1


def test_it_asks_once_a_second(line: Line) -> None:
    line.server.asked.clear()
    for _ in range(40):
        line.clock.at += 0.25
        line.follower.turn()
        line.hear()
    assert len(line.server.asked) == 10


def test_a_server_that_does_not_answer_is_left(line: Line) -> None:
    line.server.answers = False
    line.clock.at += PROBE_S
    line.follower.turn()
    line.clock.at += NO_ANSWER_S
    line.follower.turn()
    line.clock.at += 0.1
    with pytest.raises(DirectoryUnavailable):
        line.follower.turn()


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="closed"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n", id="no-ldap"),
        pytest.param(done(PEOPLE, 0x34), id="ended"),
        pytest.param(done(ALL), id="ended-well"),
        pytest.param(entry(PEOPLE, "uid=a", {}), id="no-state"),
        pytest.param(message(0, element(0x78, b"\x0a\x01\x34\x04\x00\x04\x00")), id="disconnected"),
        pytest.param(said(PEOPLE, b"\x80\x03abc"), id="a-cookie-that-is-none"),
    ],
)
def test_whatever_is_not_as_it_should_be_ends_it(line: Line, octets: bytes) -> None:
    line.server.say(octets)
    with pytest.raises(DirectoryUnavailable) as caught:
        line.follower.turn()
    assert not isinstance(caught.value, NotOfferedError)


def test_context_csn_that_can_no_longer_be_read_ends_it(line: Line) -> None:
    line.server.context = []
    line.clock.at += PROBE_S
    with pytest.raises(DirectoryUnavailable):
        line.follower.turn()


def test_a_refused_control_is_no_fault_of_the_connection(line: Line) -> None:
    line.server.say(done(PEOPLE, 12))
    with pytest.raises(NotOfferedError):
        line.follower.turn()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        pytest.param(lambda s: s.root.update(supportedControl=[]), "syncprov", id="no-control"),
        pytest.param(lambda s: s.context.clear(), "contextCSN", id="no-contextcsn"),
        pytest.param(lambda s: s.root.update(namingContexts=[b"o=x"]), "base_dn", id="elsewhere"),
    ],
)
def test_what_cannot_be_watched_says_why(spoil, told: str) -> None:
    line = Line()
    spoil(line.server)
    with pytest.raises(NotOfferedError, match=told):
        line.follower.begin()


def test_what_status_depends_on_must_lie_in_the_same_database() -> None:
    """What happens elsewhere is not in contextCSN, and nobody would tell of it."""
    Line(f"ou=groups,{SUFFIX}").follower.begin()
    with pytest.raises(NotOfferedError, match="ou=groups,dc=other"):
        Line(f"ou=x,{SUFFIX}", "ou=groups,dc=other").follower.begin()


def test_every_way_of_cutting_the_octets_says_the_same() -> None:
    octets = entry(PEOPLE, "uid=a", {}, state(sync.Became.MODIFIED, 2)) + said(ALL, b"\xa1\x00")
    for size in (1, 2, 7):
        line = Line()
        line.go_live()
        parts = (octets[at : at + size] for at in itertools.count(0, size))
        line.hear(*itertools.takewhile(bool, parts))
        assert line.ears.people == [(str(ANN), "uid=a")]
