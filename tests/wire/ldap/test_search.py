"""Searches as RFC 4511 and pyasn1 write them, entries read strictly."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.operation.search import search_operation
from ldap3.protocol import rfc4511
from pyasn1.codec.ber import encoder

from loginward.errors import ProtocolError
from loginward.wire.ldap import search
from loginward.wire.ldap.ber import element, integer
from loginward.wire.ldap.messages import Control, Result
from loginward.wire.ldap.search import Scope, SearchDone, SearchEntry, SearchReference

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
names = st.from_regex(r"[a-zA-Z][a-zA-Z0-9-]{0,20}", fullmatch=True)
OK = b"\x0a\x01\x00\x04\x00\x04\x00"


def answer(operation: bytes, controls: bytes = b"", message_id: int = 5) -> bytes:
    return element(0x30, integer(message_id) + operation + controls)


def entry(*attributes: bytes, dn: bytes = b"uid=a") -> bytes:
    return element(0x64, element(4, dn) + element(0x30, b"".join(attributes)))


def attribute(name: bytes, *values: bytes) -> bytes:
    return element(0x30, element(4, name) + element(0x31, b"".join(element(4, v) for v in values)))


# Requests


def ldap3_search(message_id, base, name, value, wanted, scope, limit) -> bytes:
    """Return the same search as ldap3 writes it; every octet of the value is escaped."""
    escaped = "".join(f"\\{octet:02x}" for octet in value.encode())
    request = search_operation(
        base,
        f"(&(|({name}={escaped})({name}=x))({name}=*))",
        scope,
        "NEVER",
        wanted,
        limit,
        0,
        False,
        False,
        False,
    )
    message = rfc4511.LDAPMessage()
    message["messageID"] = message_id
    message["protocolOp"] = rfc4511.ProtocolOp().setComponentByName("searchRequest", request)
    control = rfc4511.Control()
    control["controlType"] = "1.2.3"
    control["criticality"] = False
    controls = rfc4511.Controls()
    controls.setComponentByPosition(0, control)
    message["controls"] = controls
    return encoder.encode(message)


@given(
    st.integers(1, 2**31 - 1),
    texts,
    names,
    texts.filter(bool),
    st.lists(names, min_size=1, max_size=5),
    st.sampled_from(Scope),
    st.integers(0, 1000),
)
def test_a_search_is_what_ldap3_writes(message_id, base, name, value, wanted, scope, limit):
    """A value is a value, whatever it holds: nothing in it is a filter."""
    octets = search.search_request(
        message_id,
        base,
        search.both(
            search.either(search.equals(name, value), search.equals(name, "x")),
            search.present(name),
        ),
        search.attribute_list(wanted),
        scope=scope,
        size_limit=limit,
        controls=(Control("1.2.3"),),
    )

    assert octets == ldap3_search(message_id, base, name, value, wanted, scope.name, limit)


# Answers


def test_an_entry() -> None:
    octets = answer(
        entry(attribute(b"uid", b"a", b"b"), attribute(b"pwdReset"), attribute(b"CN", b"\xff")),
        element(0xA0, element(0x30, element(4, b"1.2") + element(4, b"v"))),
    )

    assert search.parse(octets) == SearchEntry(
        5,
        "uid=a",
        {"uid": (b"a", b"b"), "pwdreset": (), "cn": (b"\xff",)},
        (Control("1.2", value=b"v"),),
    )


def test_the_end_and_a_pointer_elsewhere() -> None:
    done = answer(element(0x65, b"\x0a\x01\x04\x04\x00\x04\x05limit"))
    pointer = answer(element(0x73, element(4, b"ldap://elsewhere.example")))

    assert search.parse(done) == SearchDone(5, Result(code=4, diagnostic="limit"))
    assert search.parse(pointer) == SearchReference(5)


@given(st.dictionaries(names.map(str.lower), st.lists(st.binary(max_size=40), max_size=3)), texts)
def test_entries_of_pyasn1_are_read(values: dict[str, list[bytes]], dn: str) -> None:
    found = rfc4511.SearchResultEntry()
    found["object"] = dn
    attributes = rfc4511.PartialAttributeList()
    for at, (name, held) in enumerate(values.items()):
        one = rfc4511.PartialAttribute()
        one["type"] = name
        inside = rfc4511.Vals()
        for nth, value in enumerate(held):
            inside.setComponentByPosition(nth, value)
        one["vals"] = inside if held else rfc4511.Vals().clear()
        attributes.setComponentByPosition(at, one)
    found["attributes"] = attributes if values else rfc4511.PartialAttributeList().clear()
    message = rfc4511.LDAPMessage()
    message["messageID"] = 9
    message["protocolOp"] = rfc4511.ProtocolOp().setComponentByName("searchResEntry", found)

    read = search.parse(encoder.encode(message))

    assert isinstance(read, SearchEntry)
    assert (read.message_id, read.dn) == (9, dn)
    # pyasn1 sorts the values of a SET OF; their order means nothing
    assert {n: sorted(v) for n, v in read.values.items()} == {
        n: sorted(v) for n, v in values.items()
    }


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(answer(element(0x61, OK)), id="a-bind"),
        pytest.param(answer(element(0x65, OK)) + b"\0", id="spare-octet"),
        pytest.param(answer(entry(attribute(b"uid"), attribute(b"UID"))), id="twice"),
        pytest.param(answer(entry(element(4, b"uid"))), id="no-attribute"),
        pytest.param(answer(entry(element(0x30, element(4, b"uid")))), id="no-values"),
        pytest.param(
            answer(entry(element(0x30, element(4, b"uid") + element(0x31, b"\x02\x00")))),
            id="a-number",
        ),
        pytest.param(answer(element(0x64, element(4, b"uid=a"))), id="no-attributes"),
        pytest.param(answer(element(0x65, b"\x0a\x01\x00")), id="half-a-result"),
    ],
)
def test_malformed_answers(octets: bytes) -> None:
    with pytest.raises(ProtocolError):
        search.parse(octets)


@pytest.mark.fuzz
@given(st.binary(max_size=100))
def test_whatever_comes_is_read_or_refused(octets: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        search.parse(octets)


def test_every_flipped_octet_is_read_or_refused() -> None:
    octets = answer(
        entry(attribute(b"uid", b"a", b"b")), element(0xA0, element(0x30, element(4, b"1.2")))
    )
    for at in range(len(octets)):
        for value in range(256):
            with contextlib.suppress(ProtocolError):
                search.parse(octets[:at] + bytes([value]) + octets[at + 1 :])
