"""The few octets of BER that LDAP needs, in definite lengths only.

Source: RFC 4511 section 5.1, ITU-T X.690.
"""

from __future__ import annotations

from typing import NamedTuple

from loginward.errors import ProtocolError

BOOLEAN, INTEGER, OCTETS, ENUMERATED, SEQUENCE = 0x01, 0x02, 0x04, 0x0A, 0x30
MAX_LENGTH_OCTETS = 4
MAX_INTEGER_OCTETS = 8


class Element(NamedTuple):
    """One tag and its content."""

    tag: int
    content: bytes


def encode(tag: int, *contents: bytes) -> bytes:
    """Return one element of the contents, one after the other."""
    content = b"".join(contents)
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def encode_integer(value: int, tag: int = INTEGER) -> bytes:
    """Return a whole number of at least 0."""
    return encode(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def header(octets: bytes | bytearray | memoryview, at: int = 0) -> tuple[int, int, int] | None:
    """Return tag, start of the content and its length; None: the header is not whole yet.

    Raises:
        ProtocolError: An indefinite length, one of more than four octets, or a tag of many.
    """
    if at >= len(octets):
        return None
    if octets[at] & 0x1F == 0x1F:
        raise ProtocolError("BER: a tag of several octets")
    if at + 1 >= len(octets):
        return None
    first = octets[at + 1]
    if first < 0x80:
        return octets[at], at + 2, first
    count = first & 0x7F
    if not 1 <= count <= MAX_LENGTH_OCTETS:
        raise ProtocolError("BER: an indefinite or over-long length")
    start = at + 2 + count
    if start > len(octets):
        return None
    return octets[at], start, int.from_bytes(octets[at + 2 : start], "big")


def elements(content: bytes) -> list[Element]:
    """Return the elements that fill the content exactly.

    Raises:
        ProtocolError: One is cut short or malformed.
    """
    found, at = [], 0
    while at < len(content):
        head = header(content, at)
        if head is None or head[1] + head[2] > len(content):
            raise ProtocolError("BER: an element is cut short")
        tag, start, length = head
        at = start + length
        found.append(Element(tag, content[start:at]))
    return found


def only(octets: bytes, tag: int) -> bytes:
    """Return the content of the one element that the octets must be.

    Raises:
        ProtocolError: Another tag, or more or less than one element.
    """
    found = elements(octets)
    if len(found) != 1 or found[0].tag != tag:
        raise ProtocolError("BER: not the one element expected")
    return found[0].content


def integer(content: bytes) -> int:
    """Return the signed whole number in the content.

    Raises:
        ProtocolError: Empty, or wider than any that LDAP has.
    """
    if not 1 <= len(content) <= MAX_INTEGER_OCTETS:
        raise ProtocolError("BER: a number without octets or with too many")
    return int.from_bytes(content, "big", signed=True)
