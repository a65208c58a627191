"""One connection on which an OpenLDAP says what changes in it, and how far it has said so.

Two searches go on (RFC 4533): over the people, with what their status follows from, and over the
whole database, by which it shows when something else changed on which that of people depends:
groups, policies, what lies above an entry. Both begin at the present, so that the people are not
transferred. Each second contextCSN is read on the same connection: once both searches have told up
to what it was, nothing that had happened when it was asked for is missing.

Source: slapo-syncprov(5), servers/slapd/overlays/syncprov.c; proven against a live server.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from loginward.core.clock import Deadline
from loginward.directory.ldap import searching
from loginward.directory.ldap.channel import unavailable
from loginward.directory.ldap.entry import Entry
from loginward.directory.ldap.filters import ANY
from loginward.directory.ldap.names import is_below
from loginward.errors import DirectoryUnavailable, ProtocolError
from loginward.wire import ldap
from loginward.wire.ldap import sync
from loginward.wire.ldap.search import Scope, SearchDone, SearchEntry, search_request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from loginward.core.clock import Clock
    from loginward.directory.ldap.channel import Channel

STAGE: Final = "directory.watch"
PROBE_S: Final = 1.0
NO_ANSWER_S: Final = 5.0
TURN_S: Final = 0.25
CSN: Final = "contextCSN"
_SUCCESS: Final = 0
_NO_SUCH_CONTROL: Final = 12  # RFC 4511: unavailableCriticalExtension
_PEOPLE, _ALL, _FIRST_PROBE = 10, 11, 100  # message ids
_CHUNK: Final = 65_536
_OF_ALL: Final = ("objectClass", "hasSubordinates")


class NotOfferedError(DirectoryUnavailable):
    """This server cannot be watched, and will not be until somebody configures it otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What is watched.

    Attributes:
        people: Filter of the people below `base_dn`, encoded.
        attributes: What is asked of them.
        beside: DNs of other entries on which their status depends.
    """

    base_dn: str
    people: bytes
    attributes: tuple[str, ...]
    beside: tuple[str, ...]


class Hears(Protocol):
    """Who is told."""

    def person(self, account_id: str, entry: Entry | None) -> None:
        """Take note that something happened to a person's entry; None: it is gone."""

    def other(self, entry_id: str, entry: Entry | None) -> None:
        """Take note that something happened to any entry; None: it is gone."""

    def missed(self) -> None:
        """Take note that something happened that nobody will tell of."""


@dataclass(slots=True)
class _Stream:
    csns: dict[str, str]
    refreshed: bool = False

    def took(self, cookie: bytes) -> None:
        if cookie:
            self.csns |= sync.csns_of_cookie(cookie)


@dataclass(frozen=True, slots=True)
class _Probe:
    """When contextCSN was asked for, and what it was; empty: it has not come."""

    at: float
    time: datetime
    csns: Mapping[str, str]


class Follower:
    """Follows one server over a connection of its own; for one thread.

    Attributes:
        seen_at: The moment (CLOCK_MONOTONIC, wall time) up to which nothing is missing.
        suffix: The database that is watched.
    """

    def __init__(self, channel: Channel, rule: Rule, hears: Hears, clock: Clock) -> None:
        self._channel = channel
        self._rule = rule
        self._hears = hears
        self._clock = clock
        self._framer = ldap.Framer(searching.MAX_MESSAGE)
        self._streams: dict[int, _Stream] = {}
        self._probe_id = _FIRST_PROBE
        self._probe: _Probe | None = None
        self._probe_at = 0.0
        self._awaited = deque[_Probe](maxlen=16)
        self.seen_at: tuple[float, datetime] | None = None
        self.suffix = ""

    @property
    def is_live(self) -> bool:
        """Return whether everything that happens from now on will be told."""
        return bool(self._streams) and all(one.refreshed for one in self._streams.values())

    def begin(self) -> None:
        """Ask for all that happens from now on.

        Raises:
            NotOfferedError: The server cannot be watched.
            DirectoryUnavailable: No answer.
        """
        root = self._read("", ("supportedControl", "namingContexts"))
        if sync.REQUEST not in root.texts("supportedControl"):
            raise NotOfferedError(STAGE, "the server has no syncprov overlay")
        self.suffix = self._suffix(root.texts("namingContexts"))
        csns = self._csns(self._read(self.suffix, (CSN,)))
        if not csns:
            raise NotOfferedError(
                STAGE,
                f"no {CSN} of {self.suffix} is shown: it has no syncprov overlay, or"
                " directory.service_account may not read it",
            )
        rule, control = self._rule, sync.request(sync.cookie_of(csns))
        self._streams = {_PEOPLE: _Stream(dict(csns)), _ALL: _Stream(dict(csns))}
        self._send(_PEOPLE, rule.base_dn, rule.people, rule.attributes, control)
        self._send(_ALL, self.suffix, ANY, _OF_ALL, control)

    def turn(self) -> None:
        """Take in what comes within a moment.

        Raises:
            DirectoryUnavailable: The connection, or the watch, has ended.
        """
        now = self._clock.monotonic()
        if self._probe is None and now >= self._probe_at:
            self._ask_how_far(now)
        elif self._probe is not None and now - self._probe.at > NO_ANSWER_S:
            raise DirectoryUnavailable(STAGE, "no answer in time")
        self._channel.deadline = Deadline.after(TURN_S, self._clock)
        try:
            octets = self._channel.recv(_CHUNK)
        except TimeoutError:
            return
        except OSError as error:
            raise unavailable(STAGE, error) from error
        if not octets:
            raise DirectoryUnavailable(STAGE, "the server closed the connection")
        try:
            for whole in self._framer.feed(octets):
                self._take(sync.parse(whole))
        except ProtocolError as error:
            raise DirectoryUnavailable(STAGE, str(error)) from error

    def _take(self, message: object) -> None:
        match message:
            case SearchEntry(message_id=number) if number in self._streams:
                self._entry(number, message)
            case SearchEntry(message_id=number) if self._probe and number == self._probe_id:
                csns = self._csns(Entry(message.dn, message.values))
                self._probe = _Probe(self._probe.at, self._probe.time, csns)
            case sync.Said(message_id=number, what=what) if number in self._streams:
                self._said(number, what)
            case SearchDone(message_id=number) if self._probe and number == self._probe_id:
                self._answered(message)
            case SearchDone(result=result):
                said = f"result {result.code} {result.diagnostic}".strip()
                none = result.code == _NO_SUCH_CONTROL
                raise (NotOfferedError if none else DirectoryUnavailable)(STAGE, said)
            case _:
                pass  # references to other servers
        self._settle()

    def _said(self, number: int, what: sync.Told | sync.Unlisted) -> None:
        """Take in how far a search has told.

        A change of the database that is none of its entries is one of what may not be read.
        """
        stream = self._streams[number]
        is_hidden = number == _ALL and stream.refreshed
        if isinstance(what, sync.Unlisted) or is_hidden:
            self._hears.missed()
        stream.took(what.cookie)
        stream.refreshed = stream.refreshed or what.refreshed

    def _entry(self, number: int, found: SearchEntry) -> None:
        state = sync.state_of(found)
        gone = state.became is sync.Became.DELETED
        entry = None if gone else Entry(found.dn, found.values)
        if state.became is not sync.Became.PRESENT:
            tell = self._hears.person if number == _PEOPLE else self._hears.other
            tell(state.entry_id, entry)
        self._streams[number].took(state.cookie)

    def _answered(self, done: SearchDone) -> None:
        probe, self._probe = self._probe, None
        if done.result.code != _SUCCESS or probe is None or not probe.csns:
            raise DirectoryUnavailable(STAGE, f"{CSN} cannot be read: result {done.result.code}")
        self._awaited.append(probe)

    def _settle(self) -> None:
        while self._awaited and self.is_live:
            wanted = self._awaited[0].csns
            if not all(sync.covers(one.csns, wanted) for one in self._streams.values()):
                return
            probe = self._awaited.popleft()
            self.seen_at = probe.at, probe.time

    def _ask_how_far(self, now: float) -> None:
        self._probe_id += 1
        self._probe = _Probe(now, self._clock.now(), {})
        self._probe_at = now + PROBE_S
        self._send(self._probe_id, self.suffix, ANY, (CSN,), scope=Scope.BASE)

    def _send(
        self,
        number: int,
        base: str,
        filter_: bytes,
        attributes: tuple[str, ...],
        *controls: ldap.Control,
        scope: Scope = Scope.SUBTREE,
    ) -> None:
        octets = search_request(
            number,
            base,
            filter_,
            searching.attribute_list(attributes),
            scope=scope,
            controls=controls,
        )
        try:
            self._channel.sendall(octets)
        except OSError as error:
            raise unavailable(STAGE, error) from error

    def _read(self, dn: str, attributes: tuple[str, ...]) -> Entry:
        """Return an entry, or an empty one where it is not shown."""
        self._probe_id += 1
        request = search_request(
            self._probe_id, dn, ANY, searching.attribute_list(attributes), scope=Scope.BASE
        )
        found, _ = searching.run(self._channel, self._probe_id, request)
        return found[0] if found else Entry(dn, {})

    def _csns(self, entry: Entry) -> dict[str, str]:
        """Return contextCSN by server.

        Raises:
            DirectoryUnavailable: It is malformed.
        """
        try:
            return sync.csns(entry.texts(CSN))
        except ProtocolError as error:
            raise DirectoryUnavailable(STAGE, str(error)) from error

    def _suffix(self, contexts: tuple[str, ...]) -> str:
        """Return the one database that holds everything on which people's status depends.

        Raises:
            NotOfferedError: There is none.
        """
        holding = [one for one in contexts if one and is_below(self._rule.base_dn, one)]
        if not holding:
            raise NotOfferedError(STAGE, "no namingContexts of the server holds users.base_dn")
        suffix = max(holding, key=len)
        for dn in self._rule.beside:
            if not is_below(dn, suffix):
                raise NotOfferedError(STAGE, f"{dn} lies in another database than {suffix}")
        return suffix
