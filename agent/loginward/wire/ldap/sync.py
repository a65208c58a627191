"""A search that goes on: the server says what changes, as it changes.

Source: RFC 4533 (content synchronization), RFC 4511 section 4.13 (intermediate responses). What is
in a cookie, and contextCSN, is OpenLDAP's own: servers/slapd/overlays/syncprov.c,
draft-chu-ldap-csn-00.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from loginward.errors import ProtocolError
from loginward.wire.ldap import ber, search
from loginward.wire.ldap.ber import Reader, as_bool, as_int, as_text, element
from loginward.wire.ldap.messages import Control

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

REQUEST: Final = "1.3.6.1.4.1.4203.1.9.1.1"
STATE: Final = "1.3.6.1.4.1.4203.1.9.1.2"
INFO: Final = "1.3.6.1.4.1.4203.1.9.1.4"
UUID_OCTETS: Final = 16

_REFRESH_AND_PERSIST: Final = ber.element(ber.ENUMERATED, b"\3")
_INTERMEDIATE_RESPONSE: Final = 0x79
_RESPONSE_NAME: Final = 0x80
_RESPONSE_VALUE: Final = 0x81
_NEW_COOKIE: Final = 0x80
_REFRESH_DELETE: Final = 0xA1
_REFRESH_PRESENT: Final = 0xA2
_ID_SET: Final = 0xA3
_SET: Final = 0x31


class Became(Enum):
    """What an entry is said to have become (section 2.2)."""

    PRESENT = 0  # it has not changed; only while refreshing
    ADDED = 1
    MODIFIED = 2
    DELETED = 3  # or it has left what is searched


@dataclass(frozen=True, slots=True)
class State:
    """What comes with each entry.

    Attributes:
        entry_id: Its entryUUID, as text.
        cookie: Up to where the server has told; empty: it does not say.
    """

    became: Became
    entry_id: str
    cookie: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """Everything up to this cookie has been told; empty: the server does not say.

    Attributes:
        refreshed: What was missed before has been told too; from now on comes what happens.
    """

    cookie: bytes
    refreshed: bool = False


@dataclass(frozen=True, slots=True)
class Unlisted:
    """Ids of entries came, or the end of such a list: what is not in it is gone, unsaid."""

    cookie: bytes
    refreshed: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """An intermediate response to one search."""

    message_id: int
    what: Told | Unlisted


def request(cookie: bytes) -> Control:
    """Return the control that asks for what changed since a cookie, and then for all that does."""
    value = element(ber.SEQUENCE, _REFRESH_AND_PERSIST + element(ber.OCTET_STRING, cookie))
    return Control(REQUEST, critical=True, value=value)


def parse(octets: bytes) -> search.Found | Said:
    """Return one whole message that answers such a search.

    Raises:
        ProtocolError: It is malformed, or no answer to one.
    """
    message = search.opened(octets)
    if message.tag != _INTERMEDIATE_RESPONSE:
        return search.found(message)
    reader = Reader(message.content)
    name = reader.optional(_RESPONSE_NAME)
    value = reader.optional(_RESPONSE_VALUE)
    reader.skip_rest()
    if name is None or as_text(name) != INFO or value is None:
        raise ProtocolError("LDAP: an intermediate response that nobody asked for")
    return Said(message.message_id, parse_info(value))


def state_of(entry: search.SearchEntry) -> State:
    """Return what an entry became.

    Raises:
        ProtocolError: It does not say, says it twice, or what it says is malformed.
    """
    said = [control.value for control in entry.controls if control.oid == STATE]
    if len(said) != 1 or said[0] is None:
        raise ProtocolError("LDAP: an entry without the one state that belongs to it")
    return parse_state(said[0])


def parse_state(value: bytes) -> State:
    """Return what a sync state control says (section 2.2).

    Raises:
        ProtocolError: It is malformed.
    """
    reader = _sequence(value)
    number = as_int(reader.take(ber.ENUMERATED))
    entry_id = reader.take(ber.OCTET_STRING)
    cookie = reader.optional(ber.OCTET_STRING)
    reader.end()
    if number not in (became.value for became in Became) or len(entry_id) != UUID_OCTETS:
        raise ProtocolError("LDAP: a state or an id that is none")
    return State(Became(number), str(uuid.UUID(bytes=entry_id)), cookie or b"")


def parse_info(value: bytes) -> Told | Unlisted:
    """Return what a sync info message says (section 2.5).

    Raises:
        ProtocolError: It is malformed.
    """
    outer = Reader(value)
    tag, content = outer.any()
    outer.end()
    if tag == _NEW_COOKIE:
        return Told(content)
    if tag not in {_REFRESH_DELETE, _REFRESH_PRESENT, _ID_SET}:
        raise ProtocolError("LDAP: a sync info message of no known kind")
    reader = Reader(content)
    cookie = reader.optional(ber.OCTET_STRING) or b""
    flag = reader.optional(ber.BOOLEAN)
    if tag == _ID_SET:
        ids = Reader(reader.take(_SET))
        reader.end()
        while ids.next_is(ber.OCTET_STRING):
            if len(ids.take(ber.OCTET_STRING)) != UUID_OCTETS:
                raise ProtocolError("LDAP: an id that is none")
        ids.end()
        return Unlisted(cookie)
    reader.end()
    refreshed = flag is None or as_bool(flag)  # refreshDone BOOLEAN DEFAULT TRUE
    kind = Told if tag == _REFRESH_DELETE else Unlisted
    return kind(cookie, refreshed)


def _sequence(value: bytes) -> Reader:
    outer = Reader(value)
    reader = Reader(outer.take(ber.SEQUENCE))
    outer.end()
    return reader


def cookie_of(csns: Mapping[str, str]) -> bytes:
    """Return the cookie of whoever has seen everything up to these change numbers."""
    return b"rid=000,csn=" + ";".join(csns[sid] for sid in sorted(csns)).encode()


def csns_of_cookie(cookie: bytes) -> dict[str, str]:
    """Return the change numbers in a cookie of OpenLDAP by the server that gave them.

    Raises:
        ProtocolError: There is none in it.
    """
    for part in as_text(cookie).split(","):
        if part.startswith("csn="):
            return csns(part.removeprefix("csn=").split(";"))
    raise ProtocolError("LDAP: a cookie without a change number")


def csns(values: Iterable[str]) -> dict[str, str]:
    """Return change numbers (contextCSN, entryCSN) by the server that gave them.

    Those of one server can be compared as texts.

    Raises:
        ProtocolError: One of them is none.
    """
    found = {}
    for value in values:
        parts = value.split("#")
        if len(parts) != 4 or not all(parts):
            raise ProtocolError("LDAP: a change number that is none")
        found[parts[2]] = value
    return found


def covers(seen: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Return whether whoever has seen up to `seen` has seen all of `wanted`."""
    return all(seen.get(sid, "") >= csn for sid, csn in wanted.items())
