"""Attributes of RADIUS, values to octets and back.

Source: RFC 2865 section 5, RFC 2866 section 5, RFC 2869 section 5, RFC 3579 section 3.1,
RFC 5176 section 3.5.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Final

from loginward.errors import ProtocolError

MAX_VALUE: Final = 253  # octets; the attribute's length has one octet and counts two more
MAX_VENDOR_VALUE: Final = 247  # RFC 2865 section 5.26: vendor, type and length take six
_VENDOR_OCTETS: Final = 4
_CONTINUES: Final = 0xC0  # the octets 10xxxxxx of UTF-8 begin no character


class Attribute(enum.IntEnum):
    """The standard attributes that the agent reads or writes itself."""

    USER_NAME = 1
    USER_PASSWORD = 2
    CHAP_PASSWORD = 3
    NAS_IP_ADDRESS = 4
    NAS_PORT = 5
    SERVICE_TYPE = 6
    FRAMED_IP_ADDRESS = 8
    FILTER_ID = 11
    FRAMED_MTU = 12
    REPLY_MESSAGE = 18
    STATE = 24
    CLASS = 25
    VENDOR_SPECIFIC = 26
    SESSION_TIMEOUT = 27
    CALLED_STATION_ID = 30
    CALLING_STATION_ID = 31
    NAS_IDENTIFIER = 32
    PROXY_STATE = 33
    ACCT_STATUS_TYPE = 40
    ACCT_DELAY_TIME = 41
    ACCT_SESSION_ID = 44
    ACCT_SESSION_TIME = 46
    ACCT_TERMINATE_CAUSE = 49
    EVENT_TIMESTAMP = 55
    CHAP_CHALLENGE = 60
    NAS_PORT_TYPE = 61
    TUNNEL_PASSWORD = 69
    ARAP_PASSWORD = 70
    PROMPT = 76
    EAP_MESSAGE = 79
    MESSAGE_AUTHENTICATOR = 80
    NAS_PORT_ID = 87
    NAS_IPV6_ADDRESS = 95
    ERROR_CAUSE = 101


class ServiceType(enum.IntEnum):
    """The values of Service-Type that change what is asked (RFC 5080 section 2.1.1)."""

    CALL_CHECK = 10
    AUTHORIZE_ONLY = 17


class AcctStatus(enum.IntEnum):
    """The values of Acct-Status-Type (RFC 2866 section 5.1)."""

    START = 1
    STOP = 2
    INTERIM_UPDATE = 3
    ACCOUNTING_ON = 7
    ACCOUNTING_OFF = 8


class ErrorCause(enum.IntEnum):
    """The values of Error-Cause that are told apart (RFC 5176 section 3.5)."""

    RESIDUAL_CONTEXT_REMOVED = 201
    INVALID_EAP_PACKET = 202
    UNSUPPORTED_ATTRIBUTE = 401
    MISSING_ATTRIBUTE = 402
    NAS_IDENTIFICATION_MISMATCH = 403
    INVALID_REQUEST = 404
    UNSUPPORTED_SERVICE = 405
    UNSUPPORTED_EXTENSION = 406
    INVALID_ATTRIBUTE_VALUE = 407
    ADMINISTRATIVELY_PROHIBITED = 501
    REQUEST_NOT_ROUTABLE = 502
    SESSION_NOT_FOUND = 503
    SESSION_NOT_REMOVABLE = 504
    OTHER_PROXY_PROCESSING_ERROR = 505
    RESOURCES_UNAVAILABLE = 506
    REQUEST_INITIATED = 507
    MULTIPLE_SESSION_SELECTION_UNSUPPORTED = 508


_PROXY_STATE: Final = int(Attribute.PROXY_STATE)


def attribute(type_: int, value: bytes) -> bytes:
    """Return one attribute.

    Raises:
        ValueError: The value is empty or too long; those are never sent (RFC 2865 section 5).
    """
    if not 0 < len(value) <= MAX_VALUE:
        raise ValueError("a value has 1 to 253 octets")
    return bytes((type_, len(value) + 2)) + value


def integer(type_: int, value: int) -> bytes:
    """Return an attribute of a number below 2**32.

    Raises:
        OverflowError: The number is negative or too large.
    """
    return bytes((type_, 6)) + value.to_bytes(4, "big")


def as_integer(value: bytes | None) -> int | None:
    """Return the number of four octets; None where there is none, or it has another size."""
    return int.from_bytes(value, "big") if value is not None and len(value) == 4 else None


def vendor_attribute(vendor: int, type_: int, value: bytes) -> bytes:
    """Return a Vendor-Specific attribute that holds one of the vendor's.

    Raises:
        ValueError: The value is empty or has more than 247 octets.
    """
    if not 0 < len(value) <= MAX_VENDOR_VALUE:
        raise ValueError("a vendor's value has 1 to 247 octets")
    size = len(value) + 2
    head = bytes((Attribute.VENDOR_SPECIFIC, size + 6))
    return head + vendor.to_bytes(_VENDOR_OCTETS, "big") + bytes((type_, size)) + value


def vendor_values(vendor_specific: Iterable[bytes], vendor: int) -> list[tuple[int, bytes]]:
    """Return type and value of a vendor's attributes, in order.

    A Vendor-Specific of another form is passed over: vendors may fill it as they like (RFC 2865
    section 5.26).
    """
    prefix = vendor.to_bytes(_VENDOR_OCTETS, "big")
    found = []
    for octets in vendor_specific:
        if octets[:_VENDOR_OCTETS] == prefix:
            found += _vendor_walk(octets)
    return found


def _vendor_walk(octets: bytes) -> list[tuple[int, bytes]]:
    found = []
    at = _VENDOR_OCTETS
    while at < len(octets):
        size = octets[at + 1] if at + 1 < len(octets) else 0
        if size < 2 or at + size > len(octets):
            return []
        found.append((octets[at], octets[at + 2 : at + size]))
        at += size
    return found


def text(type_: int, value: str) -> bytes:
    """Return a text as one attribute or several, cut between characters.

    Empty texts give nothing: an attribute without a value is never sent.
    """
    octets = value.encode("utf-8", "replace")
    if len(octets) <= MAX_VALUE:  # nearly always
        return attribute(type_, octets) if octets else b""
    pieces = []
    while octets:
        end = min(MAX_VALUE, len(octets))
        while end < len(octets) and octets[end] & _CONTINUES == 0x80:
            end -= 1
        pieces.append(attribute(type_, octets[:end]))
        octets = octets[end:]
    return b"".join(pieces)


def eap_message(packet: bytes) -> bytes:
    """Return an EAP packet as one EAP-Message or several in order (RFC 3579 section 3.1)."""
    return b"".join(
        attribute(Attribute.EAP_MESSAGE, packet[at : at + MAX_VALUE])
        for at in range(0, len(packet), MAX_VALUE)
    )


def joined_eap_message(attributes: Iterable[tuple[int, bytes]]) -> bytes:
    """Return the one EAP packet that the EAP-Messages hold, no octets where there is none.

    An EAP-Start is an EAP-Message without a value (RFC 3579 section 2.1).

    Raises:
        ProtocolError: Another attribute stands between two of them.
    """
    pieces: list[bytes] = []
    over = False
    for type_, value in attributes:
        if type_ != Attribute.EAP_MESSAGE:
            over = bool(pieces)
        elif over:
            raise ProtocolError("RADIUS: EAP-Messages are not in one piece")
        else:
            pieces.append(value)
    return b"".join(pieces)


def proxy_states(attributes: Iterable[tuple[int, bytes]]) -> bytes:
    """Return every Proxy-State as it came, in order (RFC 2865 section 5.33)."""
    return b"".join(
        [
            bytes((type_, len(value) + 2)) + value
            for type_, value in attributes
            if type_ == _PROXY_STATE
        ]
    )
