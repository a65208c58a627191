"""What a server says that goes on answering a search (RFC 4533)."""

from __future__ import annotations

import contextlib
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.errors import ProtocolError
from loginward.wire.ldap import search, sync
from loginward.wire.ldap.ber import element, integer
from loginward.wire.ldap.sync import Became, Said, State, Told, Unlisted

ID = uuid.UUID("487f54b8-7c8b-1041-85a7-19d753361235")
CSN = "20261124194502.636474Z#000000#000#000000"
LATER = "20261124194503.250276Z#000000#000#000000"
OTHER = "20261124194502.636474Z#000000#001#000000"
COOKIE = f"rid=000,csn={CSN}".encode()
# As slapd 2.5 sent them.
NEW_COOKIE = bytes.fromhex("8034") + COOKIE
REFRESHED = bytes.fromhex("a100")
PRESENT_REFRESHED = bytes.fromhex("a2360434") + COOKIE
IDS = bytes.fromhex("a31431120410") + ID.bytes
MODIFIED = bytes.fromhex("304b0a01020410") + ID.bytes + bytes.fromhex("0434") + COOKIE
UNASKED = bytes.fromhex("30150a01010410") + ID.bytes


def intermediate(value: bytes, name: str = sync.INFO) -> bytes:
    content = element(0x80, name.encode()) + element(0x81, value)
    return element(0x30, integer(10) + element(0x79, content))


def entry(*controls: tuple[str, bytes]) -> search.SearchEntry:
    beside = b"".join(
        element(0x30, element(4, oid.encode()) + element(4, value)) for oid, value in controls
    )
    found = element(0x64, element(4, b"uid=a") + element(0x30, b""))
    message = sync.parse(element(0x30, integer(10) + found + element(0xA0, beside)))
    assert isinstance(message, search.SearchEntry)
    return message


def test_the_request_is_the_one_that_openldap_takes() -> None:
    """RFC 4533 section 2.2: mode 3 is refresh and persist."""
    control = sync.request(COOKIE)
    assert control.oid == "1.3.6.1.4.1.4203.1.9.1.1"
    assert control.critical
    assert control.value == bytes.fromhex("30390a01030434") + COOKIE


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param(NEW_COOKIE, Told(COOKIE), id="newcookie"),
        pytest.param(REFRESHED, Told(b"", refreshed=True), id="refreshDelete"),
        pytest.param(bytes.fromhex("a103010100"), Told(b""), id="refreshDelete-goes-on"),
        pytest.param(PRESENT_REFRESHED, Unlisted(COOKIE, refreshed=True), id="refreshPresent"),
        pytest.param(IDS, Unlisted(b""), id="syncIdSet"),
    ],
)
def test_messages_between_entries(value: bytes, said: Told | Unlisted) -> None:
    """RFC 4533 section 2.5."""
    assert sync.parse(intermediate(value)) == Said(10, said)


def test_an_entry_says_what_became_of_it() -> None:
    """RFC 4533 section 2.3."""
    assert sync.state_of(entry((sync.STATE, MODIFIED))) == State(Became.MODIFIED, str(ID), COOKIE)
    assert sync.state_of(entry((sync.STATE, UNASKED))) == State(Became.ADDED, str(ID), b"")


@pytest.mark.parametrize(
    "controls",
    [
        pytest.param((), id="none"),
        pytest.param(((sync.STATE, MODIFIED), (sync.STATE, MODIFIED)), id="two"),
        pytest.param(((sync.STATE, bytes.fromhex("30150a01040410") + ID.bytes),), id="state-4"),
        pytest.param(((sync.STATE, bytes.fromhex("30140a0101040f") + ID.bytes[:15]),), id="short"),
    ],
)
def test_an_entry_that_does_not_say_it_is_refused(controls: tuple[tuple[str, bytes], ...]) -> None:
    with pytest.raises(ProtocolError):
        sync.state_of(entry(*controls))


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(intermediate(NEW_COOKIE, "1.2.3"), id="of-another-kind"),
        pytest.param(intermediate(b"\xa4\x00"), id="no-such-choice"),
        pytest.param(intermediate(IDS[:-1]), id="cut"),
        pytest.param(intermediate(REFRESHED + b"\0"), id="left-over"),
        pytest.param(element(0x30, integer(10) + element(0x79, b"")), id="empty"),
        pytest.param(element(0x30, integer(10) + element(0x61, b"")), id="a-bind"),
    ],
)
def test_what_nobody_asked_for_is_refused(message: bytes) -> None:
    with pytest.raises(ProtocolError):
        sync.parse(message)


def test_whoever_has_seen_a_later_change_has_seen_the_earlier_ones_of_that_server() -> None:
    seen = sync.csns_of_cookie(COOKIE)
    assert seen == {"000": CSN}
    assert sync.covers(seen, {"000": CSN})
    assert not sync.covers(seen, {"000": LATER})
    assert not sync.covers(seen, sync.csns([CSN, OTHER]))
    assert sync.covers({"000": LATER, "001": OTHER}, sync.csns([CSN, OTHER]))
    assert sync.csns_of_cookie(sync.cookie_of({"000": LATER, "001": OTHER})) == {
        "000": LATER,
        "001": OTHER,
    }


@pytest.mark.parametrize("cookie", [b"", b"rid=000", b"rid=000,csn=", b"csn=2026", b"csn=###"])
def test_a_cookie_that_tells_nothing_is_refused(cookie: bytes) -> None:
    with pytest.raises(ProtocolError):
        sync.csns_of_cookie(cookie)


@pytest.mark.fuzz
@given(st.binary(max_size=120))
def test_whatever_comes_is_read_or_refused(octets: bytes) -> None:
    for parser in (sync.parse, sync.parse_info, sync.parse_state, sync.csns_of_cookie):
        with contextlib.suppress(ProtocolError):
            parser(octets)


@given(st.sampled_from([NEW_COOKIE, PRESENT_REFRESHED, IDS]), st.data())
def test_each_octet_of_a_message_may_be_another(value: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(value) - 1))
    other = bytearray(value)
    other[at] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(ProtocolError):
        sync.parse(intermediate(bytes(other)))
