"""The part of BER that LDAP uses: definite lengths, tags of one octet.

Source: RFC 4511 section 5.1, X.690 section 8. Long forms of a length are read whatever their size,
because servers send them (389 and Active Directory write 84 00 00 00 03).
"""

from __future__ import annotations

from typing import Final

from loginward.errors import ProtocolError

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
ENUMERATED: Final = 0x0A
SEQUENCE: Final = 0x30

MAX_INT: Final = 2_147_483_647  # RFC 4511 section 4.1.1: maxInt
MAX_LENGTH_OCTETS: Final = 4
_LONG_FORM: Final = 0x80
_HIGH_TAG: Final = 0x1F


def element(tag: int, content: bytes) -> bytes:
    """Return one element; the length takes its shortest form."""
    size = len(content)
    if size < _LONG_FORM:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_FORM | len(length))) + length + content


def integer(value: int) -> bytes:
    """Return a non-negative INTEGER."""
    return element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def header(octets: bytes, start: int = 0) -> tuple[int, int] | None:
    """Return where the content of an element begins and ends; None: more octets are needed.

    Raises:
        ProtocolError: No element of LDAP begins like this.
    """
    if len(octets) < start + 2:
        return None
    if octets[start] & _HIGH_TAG == _HIGH_TAG:
        raise ProtocolError("LDAP: a tag of several octets")
    first = octets[start + 1]
    begins = start + 2
    if first < _LONG_FORM:
        return begins, begins + first
    count = first & 0x7F
    if not 1 <= count <= MAX_LENGTH_OCTETS:
        raise ProtocolError("LDAP: an indefinite or over-long length")
    if len(octets) < begins + count:
        return None
    begins += count
    return begins, begins + int.from_bytes(octets[begins - count : begins], "big")


class Reader:
    """Reads elements one after the other.

    Every method raises ProtocolError where the octets are not what it is asked for.
    """

    __slots__ = ("_at", "_octets")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def next_is(self, tag: int) -> bool:
        """Return whether an element of that tag comes next."""
        return self._at < len(self._octets) and self._octets[self._at] == tag

    def any(self) -> tuple[int, bytes]:
        """Return tag and content of the next element."""
        found = header(self._octets, self._at)
        if found is None or found[1] > len(self._octets):
            raise ProtocolError("LDAP: an element is cut short")
        tag = self._octets[self._at]
        begins, self._at = found
        return tag, self._octets[begins : self._at]

    def take(self, tag: int) -> bytes:
        """Return the content of the next element, which must have that tag."""
        if not self.next_is(tag):
            raise ProtocolError("LDAP: another element was expected")
        return self.any()[1]

    def optional(self, tag: int) -> bytes | None:
        """Return the content of the next element if it has that tag."""
        return self.take(tag) if self.next_is(tag) else None

    def skip_rest(self) -> None:
        """Pass over further elements, which later versions may add (RFC 4511 section 4)."""
        while self._at < len(self._octets):
            self.any()

    def end(self) -> None:
        """Demand that nothing is left."""
        if self._at < len(self._octets):
            raise ProtocolError("LDAP: octets are left over")


def as_int(content: bytes) -> int:
    """Return the content of an INTEGER or ENUMERATED: at most four octets, shortest form."""
    if not 1 <= len(content) <= 4:
        raise ProtocolError("LDAP: an integer of no or too many octets")
    value = int.from_bytes(content, "big", signed=True)
    if len(content) > 1 and -(1 << (8 * len(content) - 9)) <= value < 1 << (8 * len(content) - 9):
        raise ProtocolError("LDAP: an integer that is longer than it needs to be")
    return value


def as_count(content: bytes) -> int:
    """Return the content of an INTEGER (0 .. maxInt)."""
    value = as_int(content)
    if value < 0:
        raise ProtocolError("LDAP: a negative number")
    return value


def as_bool(content: bytes) -> bool:
    """Return the content of a BOOLEAN."""
    if len(content) != 1:
        raise ProtocolError("LDAP: a boolean of no or several octets")
    return content != b"\0"


def as_text(content: bytes) -> str:
    """Return a text for the log; octets that are no UTF-8 are replaced."""
    return content.decode("utf-8", "replace")
