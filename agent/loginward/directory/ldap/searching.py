"""One search over a connection: entries in, or why not, within the channel's deadline."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from loginward.directory.ldap.channel import unavailable
from loginward.directory.ldap.entry import Entry
from loginward.errors import DirectoryUnavailable, ProtocolError
from loginward.wire import ldap
from loginward.wire.ldap import search

if TYPE_CHECKING:
    from loginward.directory.ldap.channel import Channel

STAGE: Final = "search"
MAX_MESSAGE: Final = 1 << 20  # octets of one entry
MAX_OCTETS: Final = 16 << 20  # octets of all answers to one search
_CHUNK: Final = 65_536

attribute_list = lru_cache(maxsize=64)(search.attribute_list)


def run(channel: Channel, message_id: int, request: bytes) -> tuple[list[Entry], search.SearchDone]:
    """Send a search and return what it found and how it ended; references are passed over.

    Raises:
        DirectoryUnavailable: No whole answer in time; the connection is then of no more use.
    """
    try:
        channel.sendall(request)
        return _answers(channel, message_id)
    except OSError as error:
        raise unavailable(STAGE, error) from error
    except ProtocolError as error:
        raise DirectoryUnavailable(STAGE, str(error)) from error


def _answers(channel: Channel, message_id: int) -> tuple[list[Entry], search.SearchDone]:
    framer = ldap.Framer(MAX_MESSAGE)
    found: list[Entry] = []
    done: search.SearchDone | None = None
    left = MAX_OCTETS
    while done is None:
        octets = channel.recv(_CHUNK)
        left -= len(octets)
        if not octets or left < 0:
            raise ProtocolError("the server closed the connection, or never ends")
        for whole in framer.feed(octets):
            answer = search.parse(whole)
            if answer.message_id != message_id or done is not None:
                raise ProtocolError("the answer is not to what was asked")
            if isinstance(answer, search.SearchEntry):
                found.append(_entry(answer))
            elif isinstance(answer, search.SearchDone):
                done = answer
    if framer.spare:
        raise ProtocolError("the server said more than it was asked")
    return found, done


def _entry(found: search.SearchEntry) -> Entry:
    controls = frozenset(control.oid for control in found.controls)
    return Entry(dn=found.dn, values=found.values, controls=controls)
