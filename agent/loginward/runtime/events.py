"""What the audit trail holds: one type a kind of event, one JSON line each.

No field can hold a secret: a password is a Secret, which the encoder does not know.
"""

import secrets
from datetime import datetime
from typing import Any, Final

import msgspec

from loginward.core.names import index_form
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Door, Phase
from loginward.core.transitions import Bar, Transition
from loginward.crypto.tags import keyed
from loginward.doors.radius.disconnect import Outcome
from loginward.wire.admin.parts import LockPart, StatusPart

# Digits and capitals without those read as another: I, L, O, U.
REFERENCE_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_CHARACTERS: Final = 6
_SHIFTS: Final = tuple(range(0, 5 * REFERENCE_CHARACTERS, 5))
_HASH_OCTETS: Final = 6


class PeerPart(msgspec.Struct, frozen=True, kw_only=True):
    """The process that asked, as the kernel shows it."""

    uid: int
    real_uid: int
    pid: int = 0


class ClaimPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a process without root's rights said of itself; used for nothing."""

    service: str = ""
    rhost: str = ""
    tty: str = ""
    ruser: str = ""
    transaction: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """One line.

    Attributes:
        at: Believed time, aware UTC.
        name: As the directory spells it; of a name nobody has, what `stranger` makes of it.
        account: Stable id of the entry; empty where there is none.
    """

    at: datetime
    name: str = ""
    account: str = ""


class DecisionEvent(Event, frozen=True, kw_only=True, omit_defaults=True, tag="decision"):
    """A request was judged.

    Attributes:
        reference: Set by the trail; told to the person.
        source: One line, such as "sshd 203.0.113.7".
        sources: What bounds applied to, such as "uid 1000".
        detail: Narrows the reason: "until", "ended", "removed" ...
        checked: What the password check showed: "proven", "wrong" ...; empty: none was made.
        evidence: As the sources spelt it.
        tripped: The lock that this very attempt tripped.
        until: When trying again makes sense; None: not by waiting.
        read_at: When the facts were read from the directory; None: there were none.
        offline: Judged from the local copy.
        count: Identical refusals that this line stands for.
        references: Theirs, where there are several.
    """

    reference: str = ""
    door: Door
    phase: Phase
    service: str
    source: str = ""
    sources: tuple[str, ...] = ()
    peer: PeerPart | None = None
    claimed: ClaimPart | None = None
    verdict: Verdict
    reason: Reason
    detail: str = ""
    status: StatusPart | None = None
    checked: str = ""
    evidence: tuple[str, ...] = ()
    allowed_by: str = ""
    warnings: tuple[str, ...] = ()
    tripped: LockPart | None = None
    until: datetime | None = None
    read_at: datetime | None = None
    offline: bool = False
    duration_ms: float = 0.0
    count: int = 1
    references: tuple[str, ...] = ()


class ActEvent(Event, frozen=True, kw_only=True, omit_defaults=True, tag="act"):
    """An administrator did something, or was not allowed to (R45).

    Attributes:
        by: "root (ann)": the operator, and who logged in where that differs.
        groups: Kernel groups of the operator.
        verb: As on the command line; of a refused request its tag.
        problem: Empty: done.
        notes: What else was done or left.
    """

    by: str
    uid: int
    pid: int = 0
    login_uid: int | None = None
    groups: tuple[str, ...] = ()
    verb: str
    before: StatusPart | None = None
    after: StatusPart | None = None
    noop: bool = False
    problem: str = ""
    why: str = ""
    notes: tuple[str, ...] = ()


class TransitionEvent(Event, frozen=True, kw_only=True, omit_defaults=True, tag="transition"):
    """An account changed, by whomever, or time passed."""

    transition: Transition
    before: StatusPart
    after: StatusPart
    source: str = ""


class DisconnectEvent(Event, frozen=True, kw_only=True, omit_defaults=True, tag="disconnect"):
    """A NAS was asked to end a session, or could not be asked.

    Attributes:
        bar: What barred the account.
        nas: Where it was asked; empty: nowhere.
        session: Acct-Session-Id.
        cause: Error-Cause of a refusal (RFC 5176 section 3.5); None: it gave none.
    """

    client: str
    station: str = ""
    nas: str = ""
    session: str
    bar: Bar
    outcome: Outcome
    cause: int | None = None


class FaultEvent(Event, frozen=True, kw_only=True, omit_defaults=True, tag="fault"):
    """Something does not work as it should, such as "store" or "events"."""

    part: str
    problem: str
    remedy: str = ""


class DaemonEvent(Event, frozen=True, kw_only=True, omit_defaults=True, tag="daemon"):
    """The daemon started, stops, reloaded or refused to, corrected its clock."""

    what: str
    text: str = ""
    by: str = ""


AnyEvent = DecisionEvent | ActEvent | TransitionEvent | DisconnectEvent | FaultEvent | DaemonEvent
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final[msgspec.json.Decoder[AnyEvent]] = msgspec.json.Decoder(AnyEvent)


def new_reference() -> str:
    """Return an unpredictable reference; shown to people as 7F3-K2Q."""
    drawn = secrets.randbits(5 * REFERENCE_CHARACTERS)
    return "".join(REFERENCE_ALPHABET[drawn >> shift & 31] for shift in _SHIFTS)


class StrangerNames:
    """Spells names that nobody has; people type their passwords there.

    Args:
        key: Keys the hashes, so that a list of likely words does not undo them.
        plain: Write them as they are (`events.unknown_names: plain`).
    """

    def __init__(self, key: bytes, *, plain: bool) -> None:
        self._key = key
        self._plain = plain

    def shown(self, name: str) -> str:
        """Return the name, or a keyed hash and the length; equal spellings give equal hashes."""
        if self._plain:
            return name
        tag = keyed(self._key, b"stranger", index_form(name).encode("utf-8", "surrogatepass"))
        return f"#{tag[:_HASH_OCTETS].hex()}/{len(name)}"


def event_line(event: AnyEvent) -> bytes:
    """Return the event as one line, its end included."""
    try:
        encoded = _ENCODER.encode(event)
    except UnicodeEncodeError:  # a lone surrogate, from an octet that is no UTF-8
        encoded = _ENCODER.encode(_printable(msgspec.to_builtins(event)))
    return encoded + b"\n"


def event_of(line: bytes) -> AnyEvent | None:
    """Return the event of a line; None: torn, or none of ours."""
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _printable(value: Any) -> Any:  # noqa: ANN401  what JSON is made of
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {key: _printable(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(held) for held in value]
    return value
