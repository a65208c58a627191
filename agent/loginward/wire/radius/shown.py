"""Values of attributes as a person reads them.

Source: RFC 2865 section 5, RFC 2868 section 3 (tags), RFC 8044 section 3.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from loginward.wire.radius.dictionary import MAX_TAG, Definition, Kind

_NUMBERS: Final = {
    Kind.INTEGER: 4,
    Kind.SIGNED: 4,
    Kind.DATE: 4,
    Kind.SHORT: 2,
    Kind.BYTE: 1,
    Kind.INTEGER64: 8,
}


def shown(definition: Definition | None, value: bytes) -> str:
    """Return a value as its definition writes it; what does not fit it, and without one, in hex.

    A tag other than 0 stands before the value, as in "1:VLAN".
    """
    if definition is None:
        return _octets(value)
    tag = 0
    if definition.has_tag and value and value[0] <= MAX_TAG:
        tag = value[0]
        value = (b"\0" if definition.kind is Kind.INTEGER else b"") + value[1:]
    text = _plain(definition, value)
    return f"{tag}:{text}" if tag else text


def _plain(definition: Definition, value: bytes) -> str:
    kind = definition.kind
    if kind in _NUMBERS and len(value) == _NUMBERS[kind]:
        number = int.from_bytes(value, "big", signed=kind is Kind.SIGNED)
        return next((n for n, known in definition.values.items() if known == number), str(number))
    if (kind is Kind.IPV4 and len(value) == 4) or (kind is Kind.IPV6 and len(value) == 16):
        return str(ipaddress.ip_address(value))
    if kind is Kind.MAC and len(value) == 6:
        return value.hex(":")
    if kind in {Kind.TEXT, Kind.OCTETS}:
        return _text(value)
    return _octets(value)


def _text(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return _octets(value)
    return text if text.isprintable() else _octets(value)


def _octets(value: bytes) -> str:
    return f"0x{value.hex()}"
