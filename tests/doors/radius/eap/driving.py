"""A peer and a session talk until one has had enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from loginward.doors.radius.eap.session import EapSession
from loginward.doors.radius.eap.turns import (
    LAST,
    Accept,
    EapMethod,
    NeedsAccount,
    NeedsPassword,
    Send,
    Turn,
    Verdict,
)
from tests.doubles.eap_peer import Peer


@dataclass
class Told:
    """What the law was asked, the packets and the end."""

    asked: list[NeedsPassword | NeedsAccount] = field(default_factory=list)
    packets: list[bytes] = field(default_factory=list)
    end: Turn | None = None


def accept(_: Turn) -> Verdict:
    return Accept()


def talk(session: EapSession, peer: Peer, law: Callable[[Turn], Verdict] = accept) -> Told:
    """Drive both to the end; the peer hears the last packet too."""
    told = Told()
    turn: Turn = session.start()
    while not isinstance(turn, LAST):
        if isinstance(turn, Send):
            told.packets.append(turn.eap)
            answer = peer.answer(turn.eap)
            assert answer is not None
            turn = session.receive(answer)
        else:
            assert isinstance(turn, NeedsPassword | NeedsAccount), turn
            told.asked.append(turn)
            turn = session.resume(law(turn))
    told.end = turn
    peer.answer(turn.eap)
    return told


def scripted(*verdicts: Verdict) -> Callable[[Turn], Verdict]:
    """Return a law that says these, and fails on leftovers of neither side."""
    left = list(verdicts)
    return lambda _: left.pop(0)


def all_methods() -> Sequence[EapMethod]:
    return tuple(EapMethod)
