"""Attributes by name: what a dictionary says of them, and their values from text to octets.

Source: RFC 2865 section 5, RFC 2868 section 3 (tags), RFC 3162 section 2, RFC 8044 section 3.
"""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from loginward.wire.radius.attributes import (
    MAX_VALUE,
    MAX_VENDOR_VALUE,
    attribute,
    vendor_attribute,
)

MAX_TAG: Final = 0x1F  # RFC 2868 section 3.1
_OCTETS_OF_PAIR: Final = re.compile(r"[0-9A-Fa-f]{2}")


class Kind(enum.Enum):
    """How a value is written in octets."""

    TEXT = "string"
    OCTETS = "octets"
    INTEGER = "integer"
    SIGNED = "signed"
    SHORT = "short"
    BYTE = "byte"
    INTEGER64 = "integer64"
    DATE = "date"
    IPV4 = "ipaddr"
    IPV6 = "ipv6addr"
    IPV6_PREFIX = "ipv6prefix"
    INTERFACE_ID = "ifid"
    MAC = "ether"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One attribute of a dictionary.

    Attributes:
        vendor: The vendor's number (IANA enterprise number); 0: a standard attribute.
        values: Numbers by their names.
        has_tag: Its value begins with a tag (RFC 2868).
        is_hidden: Its value is hidden by the shared secret.
    """

    name: str
    vendor: int
    type: int
    kind: Kind
    values: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    has_tag: bool = False
    is_hidden: bool = False


class ValueTextError(ValueError):
    """A text is no value of its attribute; the message says what would be."""


def encode(definition: Definition, value: str, tag: int | None = None) -> bytes:
    """Return the attribute of a value as an administrator writes it.

    Args:
        value: A name of the dictionary, a number, an address, a text, or 0x and hexadecimal digits.
        tag: 0 to 31, for tagged attributes alone; None: none is written.

    Raises:
        ValueTextError: It is no value of this attribute, or too long.
    """
    octets = _value(definition, value)
    if not octets:
        raise ValueTextError("must not be empty")
    if definition.has_tag:
        octets = _tagged(definition, octets, tag)
    elif tag is not None:
        raise ValueTextError("takes no tag")
    limit = MAX_VENDOR_VALUE if definition.vendor else MAX_VALUE
    if len(octets) > limit:
        raise ValueTextError(f"has {len(octets)} octets; at most {limit} fit")
    if definition.vendor:
        return vendor_attribute(definition.vendor, definition.type, octets)
    return attribute(definition.type, octets)


def _tagged(definition: Definition, octets: bytes, tag: int | None) -> bytes:
    if tag is not None and not 0 <= tag <= MAX_TAG:
        raise ValueTextError("a tag is 0 to 31")
    if definition.kind is Kind.INTEGER:
        if octets[0]:
            raise ValueTextError("a tagged number is below 16777216")
        return bytes((tag or 0,)) + octets[1:]
    if tag is None and octets[0] > MAX_TAG:
        return octets  # RFC 2868 section 3.3: such an octet is the text's first, not a tag
    return bytes((tag or 0,)) + octets


def _value(definition: Definition, value: str) -> bytes:
    kind = definition.kind
    size = _NUMBER_OCTETS.get(kind)
    if size is not None:
        return _number(definition, value, size)
    try:
        return _ENCODERS[kind](value)
    except ValueError:
        raise ValueTextError(f"must be {_FORMS[kind]}") from None


def _number(definition: Definition, value: str, size: int) -> bytes:
    number = definition.values.get(value)
    if number is None:
        try:
            number = int(value, 0)
        except ValueError:
            names = ", ".join(definition.values)
            known = f"a number or one of: {names}" if names else "a number"
            raise ValueTextError(f"must be {known}") from None
    try:
        return number.to_bytes(size, "big", signed=definition.kind is Kind.SIGNED)
    except OverflowError:
        raise ValueTextError(f"must fit into {8 * size} bits") from None


def _octets(value: str) -> bytes:
    if not value.startswith("0x"):
        return value.encode()
    return bytes.fromhex(value[2:])


def _ipv6_prefix(value: str) -> bytes:
    network = ipaddress.IPv6Network(value)
    octets = network.network_address.packed[: (network.prefixlen + 7) // 8]
    return bytes((0, network.prefixlen)) + octets  # RFC 3162 section 2.3


def _interface_id(value: str) -> bytes:
    groups = value.split(":")
    if len(groups) != 4 or not all(re.fullmatch(r"[0-9A-Fa-f]{1,4}", group) for group in groups):
        raise ValueError(value)
    return b"".join(int(group, 16).to_bytes(2, "big") for group in groups)


def _mac(value: str) -> bytes:
    pairs = value.replace("-", ":").split(":")
    if len(pairs) != 6 or not all(_OCTETS_OF_PAIR.fullmatch(pair) for pair in pairs):
        raise ValueError(value)
    return bytes.fromhex("".join(pairs))


_NUMBER_OCTETS: Final = {
    Kind.INTEGER: 4,
    Kind.SIGNED: 4,
    Kind.DATE: 4,
    Kind.SHORT: 2,
    Kind.BYTE: 1,
    Kind.INTEGER64: 8,
}
_ENCODERS: Final[Mapping[Kind, Callable[[str], bytes]]] = {
    Kind.TEXT: str.encode,
    Kind.OCTETS: _octets,
    Kind.IPV4: lambda value: ipaddress.IPv4Address(value).packed,
    Kind.IPV6: lambda value: ipaddress.IPv6Address(value).packed,
    Kind.IPV6_PREFIX: _ipv6_prefix,
    Kind.INTERFACE_ID: _interface_id,
    Kind.MAC: _mac,
}
_FORMS: Final[Mapping[Kind, str]] = {
    Kind.TEXT: "text",
    Kind.OCTETS: "text, or 0x and pairs of hexadecimal digits",
    Kind.IPV4: "an IPv4 address",
    Kind.IPV6: "an IPv6 address",
    Kind.IPV6_PREFIX: "an IPv6 prefix such as 2001:db8::/32",
    Kind.INTERFACE_ID: "four groups of hexadecimal digits, such as 0:0:0:1",
    Kind.MAC: "six pairs of hexadecimal digits, such as 00:11:22:33:44:55",
}
