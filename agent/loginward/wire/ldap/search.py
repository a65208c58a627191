"""Searches: a request whose filter is built, never parsed from text, and what comes back.

Source: RFC 4511 section 4.5. A login reads an entry or two; encoding that by hand costs a tenth of
what a general library takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from loginward.errors import ProtocolError
from loginward.wire.ldap import ber
from loginward.wire.ldap.ber import Reader, as_count, as_text, element
from loginward.wire.ldap.messages import (
    CONTROLS,
    Control,
    Result,
    framed,
    read_controls,
    read_result,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_SEARCH_REQUEST: Final = 0x63
_SEARCH_ENTRY: Final = 0x64
_SEARCH_DONE: Final = 0x65
_SEARCH_REFERENCE: Final = 0x73
_SET: Final = 0x31
_AND: Final = 0xA0
_OR: Final = 0xA1
_EQUALITY: Final = 0xA3
_PRESENT: Final = 0x87
_NEVER_DEREFERENCE: Final = ber.element(ber.ENUMERATED, b"\0")
_VALUES_TOO: Final = ber.element(ber.BOOLEAN, b"\0")


class Scope(IntEnum):
    """How far below its base a search looks."""

    BASE = 0
    SUBTREE = 2


@dataclass(frozen=True, slots=True)
class SearchEntry:
    """One entry found; values by attribute name in lower case."""

    message_id: int
    dn: str
    values: dict[str, tuple[bytes, ...]]
    controls: tuple[Control, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchReference:
    """A pointer to another server, which is not followed."""

    message_id: int


@dataclass(frozen=True, slots=True)
class SearchDone:
    """The end of a search."""

    message_id: int
    result: Result
    controls: tuple[Control, ...] = ()


Found = SearchEntry | SearchReference | SearchDone


def equals(attribute: str, value: str) -> bytes:
    """Return the filter of entries that have this value; whatever it holds, it is a value."""
    return element(
        _EQUALITY,
        element(ber.OCTET_STRING, attribute.encode()) + element(ber.OCTET_STRING, value.encode()),
    )


def present(attribute: str) -> bytes:
    """Return the filter of entries that have the attribute."""
    return element(_PRESENT, attribute.encode())


def both(*filters: bytes) -> bytes:
    """Return the filter of entries that match every one of these."""
    return element(_AND, b"".join(filters))


def either(*filters: bytes) -> bytes:
    """Return the filter of entries that match one of these."""
    return element(_OR, b"".join(filters))


def attribute_list(names: Iterable[str]) -> bytes:
    """Return the attributes to ask for, encoded; once for many searches."""
    return element(
        ber.SEQUENCE, b"".join(element(ber.OCTET_STRING, name.encode()) for name in names)
    )


def search_request(
    message_id: int,
    base: str,
    filter_: bytes,
    attributes: bytes,
    *,
    scope: Scope,
    size_limit: int = 0,
    controls: tuple[Control, ...] = (),
) -> bytes:
    """Return a search that follows no alias.

    Args:
        filter_: Encoded, from the functions above.
        attributes: Encoded by `attribute_list`.
        size_limit: Entries at most; 0: as many as the server gives.
    """
    content = (
        element(ber.OCTET_STRING, base.encode())
        + element(ber.ENUMERATED, bytes((scope,)))
        + _NEVER_DEREFERENCE
        + ber.integer(size_limit)
        + ber.integer(0)
        + _VALUES_TOO
        + filter_
        + attributes
    )
    return framed(message_id, element(_SEARCH_REQUEST, content), controls)


def parse(octets: bytes) -> Found:
    """Return one whole message that answers a search.

    Raises:
        ProtocolError: It is malformed, or no answer to a search.
    """
    return found(opened(octets))


@dataclass(frozen=True, slots=True)
class Opened:
    """A whole message whose operation is still encoded."""

    message_id: int
    tag: int
    content: bytes
    controls: tuple[Control, ...]


def opened(octets: bytes) -> Opened:
    """Return one whole message of a server, whatever its operation.

    Raises:
        ProtocolError: It is malformed.
    """
    outer = Reader(octets)
    message = Reader(outer.take(ber.SEQUENCE))
    outer.end()
    message_id = as_count(message.take(ber.INTEGER))
    tag, content = message.any()
    controls = message.optional(CONTROLS)
    message.skip_rest()
    return Opened(message_id, tag, content, () if controls is None else read_controls(controls))


def found(message: Opened) -> Found:
    """Return what a message says that answers a search.

    Raises:
        ProtocolError: It is malformed, or no answer to a search.
    """
    message_id, content = message.message_id, message.content
    if message.tag == _SEARCH_ENTRY:
        dn, values = _entry(Reader(content))
        return SearchEntry(message_id, dn, values, message.controls)
    if message.tag == _SEARCH_DONE:
        return SearchDone(message_id, read_result(Reader(content)), message.controls)
    if message.tag == _SEARCH_REFERENCE:
        return SearchReference(message_id)
    raise ProtocolError("LDAP: an operation that nobody asked for")


def _entry(reader: Reader) -> tuple[str, dict[str, tuple[bytes, ...]]]:
    dn = as_text(reader.take(ber.OCTET_STRING))
    attributes = Reader(reader.take(ber.SEQUENCE))
    reader.skip_rest()
    values: dict[str, tuple[bytes, ...]] = {}
    while attributes.next_is(ber.SEQUENCE):
        name, held = _attribute(Reader(attributes.take(ber.SEQUENCE)))
        if name in values:
            raise ProtocolError("LDAP: an attribute is there twice")
        values[name] = held
    attributes.end()
    return dn, values


def _attribute(reader: Reader) -> tuple[str, tuple[bytes, ...]]:
    name = as_text(reader.take(ber.OCTET_STRING)).lower()
    inside = Reader(reader.take(_SET))
    reader.skip_rest()
    values = []
    while inside.next_is(ber.OCTET_STRING):
        values.append(inside.take(ber.OCTET_STRING))
    inside.end()
    return name, tuple(values)
