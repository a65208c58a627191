"""What is said at the door arrives, and only printable."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Door, Peer, Phase, Purpose
from loginward.doors.login.port import AskTurn, Info, ResultTurn
from loginward.doors.login.translate import LINE_OCTETS, octets_of, request_of
from loginward.wire.login import Ask, Begin, Decoder, Flag, Message, Notice, Result

ROOT = Peer(uid=0, real_uid=1001, pid=7)
DOVECOT = Peer(uid=120, real_uid=120)
RESULT = ResultTurn(
    verdict=Verdict.REFUSE, reason=Reason.ACCOUNT_LOCKED, reference="7F3-K2Q", delay_ms=1500
)


def messages(octets: bytes) -> list[Message]:
    decoder = Decoder()
    decoder.feed(octets)
    found = []
    while (message := decoder.next_message()) is not None:
        found.append(message)
    assert decoder.waiting_octets == 0
    return found


def test_a_question_is_taken_as_it_came_with_the_kernels_word() -> None:
    begin = Begin(
        phase=Phase.ACCT,
        user="Ärger ",
        service="sshd",
        tty="ssh",
        rhost="203.0.113.7",
        ruser="x",
        flags=Flag.SILENT | Flag.FORWARDED,
        transaction="5eed",
    )
    request = request_of(begin, ROOT, ())

    assert (request.door, request.phase, request.name) == (Door.LOGIN, Phase.ACCT, "Ärger ")
    assert (request.service, request.tty, request.rhost) == ("sshd", "ssh", "203.0.113.7")
    assert (request.ruser, request.transaction) == ("x", "5eed")
    assert (request.silent, request.disallow_null, request.forwarded) == (True, False, True)
    assert request.peer == Peer(uid=0, real_uid=1001, pid=7, named=True)


def test_a_listed_user_is_named_at_its_services_only() -> None:
    def named(service: str) -> bool:
        begin = Begin(phase=Phase.AUTHN, user="alice", service=service)
        return request_of(begin, DOVECOT, ("dovecot",)).peer.named

    assert named("dovecot")
    assert not named("sshd")


def test_a_turn_is_its_lines_and_then_what_is_owed() -> None:
    turn = AskTurn(
        purpose=Purpose.NEW,
        prompt="New password: ",
        infos=(Info("Too short."), Info("No,\nreally.", is_error=True)),
    )

    assert messages(octets_of(turn)) == [
        Notice("Too short."),
        Notice("No,", is_error=True),
        Notice("really.", is_error=True),
        Ask(purpose=Purpose.NEW, prompt="New password: "),
    ]
    assert messages(octets_of(RESULT)) == [
        Result(
            verdict=Verdict.REFUSE,
            reason=Reason.ACCOUNT_LOCKED,
            reference="7F3-K2Q",
            delay_ms=1500,
        )
    ]


@given(st.text(st.characters(), max_size=2000), st.booleans())
def test_any_text_travels_in_lines_that_pam_can_carry_and_steer_no_terminal(
    text: str, is_error: bool
) -> None:
    turn = ResultTurn(
        verdict=Verdict.ALLOW, reason=Reason.OK, reference="", infos=(Info(text, is_error),)
    )
    try:
        found = messages(octets_of(turn))
    except UnicodeEncodeError as fault:  # pragma: no cover
        raise AssertionError(text) from fault

    for notice in found[:-1]:
        assert isinstance(notice, Notice)
        assert notice.is_error == is_error
        assert len(notice.text.encode()) <= LINE_OCTETS + 1
        assert notice.text.isprintable() or all(
            not c.isascii() for c in notice.text if not c.isprintable()
        )
        assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in notice.text)


def test_words_are_kept_whole_where_they_fit() -> None:
    text = " ".join(["password"] * 200)
    turn = ResultTurn(verdict=Verdict.ALLOW, reason=Reason.OK, reference="", infos=(Info(text),))

    lines = [message.text for message in messages(octets_of(turn)) if isinstance(message, Notice)]

    assert " ".join(lines) == text
    assert len(lines) == 4


def notices(text: str) -> list[str]:
    turn = ResultTurn(verdict=Verdict.ALLOW, reason=Reason.OK, reference="", infos=(Info(text),))
    return [message.text for message in messages(octets_of(turn)) if isinstance(message, Notice)]


def test_no_text_turns_what_is_read_around() -> None:
    """Format characters, such as the override of the writing direction, are none of a text."""
    assert notices("pay \u202elive\u2069\u200b now") == ["pay live now"]


def test_a_line_that_just_fits_stays_one() -> None:
    fits = "x" * 249 + " " + "y" * (LINE_OCTETS - 250)

    assert notices(fits) == [fits]
    assert len(notices(fits + "y")) == 2
