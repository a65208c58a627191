"""What the person at the door is told, how long a refusal takes, and whom it is told to."""

from __future__ import annotations

import pytest

from loginward.core.commands import Done
from loginward.core.decision import Decision
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Peer
from loginward.core.secret import Secret
from loginward.doors.login.port import AskTurn
from loginward.runtime.answers import REFUSAL_S
from tests.runtime.asking import case_of
from tests.runtime.people import RIGHT, WRONG, person
from tests.runtime.seat import SEAT, TABLE, words


def test_a_stranger_is_asked_for_a_password_and_told_nothing(host):
    """R35: a name that nobody has reads like a wrong password."""
    host.people(person("ann"))
    stranger = host.ask("nobody-knows", WRONG)
    wrong = host.ask("ann", WRONG)
    assert stranger.reason is Reason.USER_UNKNOWN
    assert wrong.reason is Reason.WRONG_CREDENTIALS
    masked = [
        words(turn).replace(f"{turn.reference[:3]}-{turn.reference[3:]}", "")
        for turn in (stranger, wrong)
    ]
    assert masked[0] == masked[1]
    assert "nobody-knows" not in repr(host.event(stranger))


@pytest.mark.parametrize("state", ["locked", "suspended", "staged", "pending", "future"])
def test_from_elsewhere_nothing_unproven_is_told(everybody, state):
    """R34: with rhost neither reason nor words say what the account is; the event does."""
    host, name = everybody, f"{state}-user"
    turn = host.ask(name, RIGHT, rhost="203.0.113.7")
    assert turn.reason is Reason.WRONG_CREDENTIALS
    assert words(turn).startswith("You cannot sign in.")
    assert host.event(turn).reason.value == TABLE[state][0]


def test_from_elsewhere_a_proven_password_is_told(everybody):
    """R34: who proved the password hears why it does not let them in."""
    turn = everybody.ask("expired-user", RIGHT, rhost="203.0.113.7")
    assert turn.reason is Reason.PASSWORD_EXPIRED


def test_every_refusal_takes_as_long(everybody):
    """Unknown, wrong, locked and suspended: what was worked and what is waited add up alike."""
    host, totals = everybody, {}
    asked = {"nobody": WRONG, "active-user": WRONG, "locked-user": WRONG, "suspended-user": WRONG}
    for name, secret in asked.items():
        before = host.parts.clock.monotonic()
        turn = host.ask(name, secret, rhost="203.0.113.7")
        elapsed = host.parts.clock.monotonic() - before
        totals[name] = elapsed + turn.delay_ms / 1000
    assert all(abs(total - REFUSAL_S) < 0.1 for total in totals.values()), totals


def test_a_silent_asker_gets_no_words(everybody):
    assert everybody.ask("locked-user", RIGHT, silent=True, **SEAT).infos == ()


def test_a_refusal_takes_as_long_however_slowly_it_was_typed(host, monkeypatch):
    """What a person takes to type hides nothing and shortens nothing."""
    host.people(person("ann"))
    turn, talk = host.begin("ann")
    assert isinstance(turn, AskTurn)
    clock, later = type(host.parts.clock), host.parts.clock.monotonic() + 60
    monkeypatch.setattr(clock, "monotonic", lambda self: later)
    assert talk.answer(Secret(WRONG)).delay_ms == REFUSAL_S * 1000


def test_a_warning_is_said_once_in_a_transaction_and_to_every_key_login(hosts):
    host = hosts("policy: {expiry: {max_age_d: 155}}\n")  # five days are left of them
    host.people(person("ann"))
    turn = host.ask("ann", RIGHT)
    assert "Your password expires" in words(turn)
    assert words(host.acct("ann", transaction=turn.transaction)) == ""
    assert "Your password expires" in words(host.acct("ann"))


def test_a_setuid_program_is_no_seat_for_whoever_started_it(everybody):
    """A user at a program of root's sees of others what anybody sees from elsewhere."""
    turn = everybody.ask("locked-user", RIGHT, **SEAT, peer=Peer(uid=0, real_uid=65533))
    assert turn.reason is Reason.WRONG_CREDENTIALS
    assert words(turn).startswith("You cannot sign in.")


def test_a_refusal_that_took_longer_than_that_is_sent_at_once(host):
    """A directory that was waited for: no delay is left, and none is negative."""
    case, refusal = case_of(host), Decision(verdict=Verdict.REFUSE, reason=Reason.ACCOUNT_LOCKED)
    turn = case.in_force.answers.result(
        case.request, Done(refusal), elapsed_s=9.0, reference="7F3K2Q", transaction=""
    )
    assert turn.delay_ms == 0
