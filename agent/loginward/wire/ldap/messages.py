"""The few LDAP messages that checking and changing a password takes.

Source: RFC 4511 sections 4.1, 4.2, 4.3, 4.12, 4.14; RFC 3062 (password modify).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from loginward.errors import ProtocolError
from loginward.wire.ldap import ber
from loginward.wire.ldap.ber import Reader, as_bool, as_count, as_text, element

LDAP_VERSION: Final = 3
START_TLS: Final = "1.3.6.1.4.1.1466.20037"
PASSWORD_MODIFY: Final = "1.3.6.1.4.1.4203.1.11.1"  # noqa: S105  an object identifier

_BIND_REQUEST: Final = 0x60
_BIND_RESPONSE: Final = 0x61
_UNBIND_REQUEST: Final = 0x42
_EXTENDED_REQUEST: Final = 0x77
_EXTENDED_RESPONSE: Final = 0x78
CONTROLS: Final = 0xA0
_SIMPLE: Final = 0x80
_REFERRAL: Final = 0xA3
_SASL_CREDENTIALS: Final = 0x87
_REQUEST_NAME: Final = 0x80
_REQUEST_VALUE: Final = 0x81
_RESPONSE_NAME: Final = 0x8A
_RESPONSE_VALUE: Final = 0x8B
_MAX_CONTROLS: Final = 32


@dataclass(frozen=True, slots=True)
class Control:
    """A control; `value` None: it has none."""

    oid: str
    critical: bool = False
    value: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """LDAPResult: how an operation ended.

    Attributes:
        diagnostic: The server's own words, for the log alone.
    """

    code: int
    matched_dn: str = ""
    diagnostic: str = ""
    referrals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BindResponse:
    """The answer to a bind."""

    result: Result


@dataclass(frozen=True, slots=True)
class ExtendedResponse:
    """The answer to an extended request, or unsolicited where the message id is 0."""

    result: Result
    name: str | None = None
    value: bytes | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One whole message of a server."""

    message_id: int
    operation: BindResponse | ExtendedResponse
    controls: tuple[Control, ...] = ()

    def control(self, oid: str) -> Control | None:
        """Return the control of that name.

        Raises:
            ProtocolError: It is there twice, so that either could be believed.
        """
        found = [control for control in self.controls if control.oid == oid]
        if len(found) > 1:
            raise ProtocolError("LDAP: a control is there twice")
        return found[0] if found else None


def bind_request(
    message_id: int, dn: str, password: bytes, controls: tuple[Control, ...] = ()
) -> bytes:
    """Return a simple bind. The password goes as it is: never decoded, never prepared.

    Raises:
        ValueError: DN or password is empty: that binds as nobody, with success (RFC 4513
            section 5.1.2). Callers refuse it long before.
    """
    if not dn.strip() or not password:
        raise ValueError("an empty DN or password must not be sent")
    content = (
        ber.integer(LDAP_VERSION)
        + element(ber.OCTET_STRING, dn.encode())
        + element(_SIMPLE, password)
    )
    return framed(message_id, element(_BIND_REQUEST, content), controls)


def unbind_request(message_id: int) -> bytes:
    """Return the polite end of a connection; there is no answer to it."""
    return framed(message_id, element(_UNBIND_REQUEST, b""))


def start_tls_request(message_id: int) -> bytes:
    """Return the request to begin TLS on this connection."""
    return extended_request(message_id, START_TLS)


def password_modify_request(
    message_id: int, old: bytes, new: bytes, controls: tuple[Control, ...] = ()
) -> bytes:
    """Return the request to change the password of whoever is bound (RFC 3062 section 2)."""
    value = element(ber.SEQUENCE, element(0x81, old) + element(0x82, new))
    return extended_request(message_id, PASSWORD_MODIFY, value, controls)


def extended_request(
    message_id: int, name: str, value: bytes | None = None, controls: tuple[Control, ...] = ()
) -> bytes:
    """Return an extended request."""
    content = element(_REQUEST_NAME, name.encode())
    if value is not None:
        content += element(_REQUEST_VALUE, value)
    return framed(message_id, element(_EXTENDED_REQUEST, content), controls)


def parse(octets: bytes) -> Message:
    """Return one whole message of a server.

    Raises:
        ProtocolError: It is malformed, or none that our requests can be answered with.
    """
    outer = Reader(octets)
    message = Reader(outer.take(ber.SEQUENCE))
    outer.end()
    message_id = as_count(message.take(ber.INTEGER))
    tag, content = message.any()
    controls = message.optional(CONTROLS)
    message.skip_rest()
    if tag == _BIND_RESPONSE:
        return Message(message_id, *_answer_to_bind(content, controls))
    if tag == _EXTENDED_RESPONSE:
        operation = _extended_response(content)
        return Message(message_id, operation, () if controls is None else read_controls(controls))
    raise ProtocolError("LDAP: an operation that nobody asked for")


@lru_cache(maxsize=256)
def _answer_to_bind(
    content: bytes, controls: bytes | None
) -> tuple[BindResponse, tuple[Control, ...]]:
    """Return an answer as it was read before: a server has few, and gives them all day."""
    read = () if controls is None else read_controls(controls)
    return _bind_response(content), read


def framed(message_id: int, operation: bytes, controls: tuple[Control, ...] = ()) -> bytes:
    """Return a whole message around an encoded operation."""
    content = ber.integer(message_id) + operation
    if controls:
        content += element(CONTROLS, b"".join(map(_control, controls)))
    return element(ber.SEQUENCE, content)


def _control(control: Control) -> bytes:
    content = element(ber.OCTET_STRING, control.oid.encode())
    if control.critical:
        content += element(ber.BOOLEAN, b"\xff")
    if control.value is not None:
        content += element(ber.OCTET_STRING, control.value)
    return element(ber.SEQUENCE, content)


def _bind_response(content: bytes) -> BindResponse:
    reader = Reader(content)
    result = read_result(reader)
    reader.optional(_SASL_CREDENTIALS)
    reader.skip_rest()
    return BindResponse(result)


def _extended_response(content: bytes) -> ExtendedResponse:
    reader = Reader(content)
    result = read_result(reader)
    name = reader.optional(_RESPONSE_NAME)
    value = reader.optional(_RESPONSE_VALUE)
    reader.skip_rest()
    return ExtendedResponse(result, None if name is None else as_text(name), value)


def read_result(reader: Reader) -> Result:
    """Return the LDAPResult that comes next.

    Raises:
        ProtocolError: It is malformed.
    """
    code = as_count(reader.take(ber.ENUMERATED))
    matched_dn = as_text(reader.take(ber.OCTET_STRING))
    diagnostic = as_text(reader.take(ber.OCTET_STRING))
    referral = reader.optional(_REFERRAL)
    return Result(
        code=code,
        matched_dn=matched_dn,
        diagnostic=diagnostic,
        referrals=() if referral is None else _texts(referral),
    )


def _texts(content: bytes) -> tuple[str, ...]:
    reader = Reader(content)
    texts = []
    while reader.next_is(ber.OCTET_STRING):
        texts.append(as_text(reader.take(ber.OCTET_STRING)))
    reader.end()
    return tuple(texts)


def read_controls(content: bytes) -> tuple[Control, ...]:
    """Return the controls of a message.

    Raises:
        ProtocolError: They are malformed, or too many.
    """
    reader = Reader(content)
    controls = []
    while reader.next_is(ber.SEQUENCE):
        controls.append(_parsed_control(reader.take(ber.SEQUENCE)))
        if len(controls) > _MAX_CONTROLS:
            raise ProtocolError("LDAP: too many controls")
    reader.end()
    return tuple(controls)


def _parsed_control(content: bytes) -> Control:
    reader = Reader(content)
    oid = as_text(reader.take(ber.OCTET_STRING))
    critical = reader.optional(ber.BOOLEAN)
    value = reader.optional(ber.OCTET_STRING)
    reader.skip_rest()
    return Control(oid, critical is not None and as_bool(critical), value)
