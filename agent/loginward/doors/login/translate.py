"""Frames to requests, turns to frames; nothing is decided here."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from loginward.core.requests import Door, LoginRequest, Peer
from loginward.doors.login.port import AskTurn, Info, ResultTurn
from loginward.wire.login import Ask, Begin, Flag, Notice, Result, encode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

LINE_OCTETS: Final = 500  # of a text; PAM_MAX_MSG_SIZE is 512 with its NUL


def request_of(begin: Begin, caller: Peer, services: Collection[str]) -> LoginRequest:
    """Return what a client asks, with what the kernel says of it.

    Args:
        services: Those at which this caller, not being root, may ask for others.
    """
    return LoginRequest(
        door=Door.LOGIN,
        phase=begin.phase,
        name=begin.user,
        service=begin.service,
        peer=replace(caller, named=caller.uid == 0 or begin.service in services),
        tty=begin.tty,
        rhost=begin.rhost,
        ruser=begin.ruser,
        transaction=begin.transaction,
        silent=Flag.SILENT in begin.flags,
        disallow_null=Flag.DISALLOW_NULL in begin.flags,
        forwarded=Flag.FORWARDED in begin.flags,
    )


def octets_of(turn: AskTurn | ResultTurn) -> bytes:
    """Return the frames of a turn: its lines first, then the ASK or the RESULT.

    Raises:
        ProtocolError: A reference or transaction does not fit: a fault of ours.
    """
    notices = [encode(notice) for info in turn.infos for notice in _notices(info)]
    return b"".join([*notices, encode(_last(turn))])


def _last(turn: AskTurn | ResultTurn) -> Ask | Result:
    if isinstance(turn, AskTurn):
        prompt = next(_lines(turn.prompt), "")
        return Ask(purpose=turn.purpose, prompt=prompt, shown=turn.shown)
    return Result(
        verdict=turn.verdict,
        reason=turn.reason,
        reference=turn.reference,
        delay_ms=turn.delay_ms,
        transaction=turn.transaction,
    )


def _notices(info: Info) -> Iterator[Notice]:
    for line in info.text.splitlines():
        for piece in _lines(line):
            yield Notice(piece, is_error=info.is_error)


def _lines(text: str) -> Iterator[str]:
    """Yield a text without control characters, cut at blanks into pieces that PAM can carry."""
    ends_blank = text.endswith(" ")
    line = ""
    for word in "".join(" " if _is_control(c) else c for c in text).split():
        for piece in _pieces(word):
            longer = f"{line} {piece}" if line else piece
            if len(longer.encode(errors="replace")) > LINE_OCTETS:
                yield line
                longer = piece
            line = longer
    if line:
        yield f"{line} " if ends_blank else line


def _pieces(word: str) -> Iterator[str]:
    """Yield a word whole, or in pieces where it alone is too long for a line."""
    step = LINE_OCTETS // 4  # no character has more than 4 octets
    if len(word.encode(errors="replace")) <= LINE_OCTETS:
        yield word
    else:
        yield from (word[at : at + step] for at in range(0, len(word), step))


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"}
