"""Every state at the login door, from the question to the answer, the words and the event."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from loginward.core.acts import Verb
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Peer, Phase
from loginward.core.secret import Secret
from loginward.doors.login.port import AskTurn
from loginward.runtime.answers import REFUSAL_S
from tests.runtime.people import NEXT, RIGHT, STATES, WRONG, person

SEAT = {"service": "login", "tty": "tty1"}
# state: authenticate, account phase, a word of what a person at the seat reads, password asked for
TABLE = {
    "active": ("ok", "ok", "", True),
    "pending": ("password-pending", "password-pending", "no password yet", False),
    "expired": ("password-expired", "password-expired", "was expired by an admin", True),
    "locked": ("account-locked", "account-locked", "is locked", False),
    "locked-expired": ("account-locked", "account-locked", "is locked", False),
    "temporary": ("change-required", "change-required", "", True),
    "staged": ("user-staged", "user-staged", "not active yet", False),
    "suspended": ("user-suspended", "user-suspended", "is suspended", False),
    "future": ("user-staged", "user-staged", "not active yet. It starts", False),
    "ended": ("user-suspended", "user-suspended", "has ended", False),
}


def words(turn):
    return "\n".join(info.text for info in turn.infos)


@pytest.fixture
def everybody(host):
    host.people(*(person(f"{state}-user", state) for state in STATES))
    return host


@pytest.mark.parametrize("state", TABLE)
def test_each_state_meets_its_reason_in_both_phases(everybody, state):
    """R13, R17, R25, R27: the same reason in both phases, with the way out and an event."""
    host, name = everybody, f"{state}-user"
    authn, acct, said, _ = TABLE[state]
    turn = host.ask(name, RIGHT, **SEAT)
    assert turn.reason.value == authn
    assert said in words(turn)
    event = host.event(turn)
    assert (event.name, event.reason.value, event.phase) == (name, authn, Phase.AUTHN)
    assert RIGHT.decode() not in repr(event)
    turn = host.acct(name, **SEAT)
    assert turn.reason.value == acct
    assert host.event(turn).phase is Phase.ACCT
    if turn.verdict is Verdict.REFUSE:
        reference = f"{turn.reference[:3]}-{turn.reference[3:]}"
        assert reference in words(turn)
    assert host.failures(name) == 0


@pytest.mark.parametrize("state", TABLE)
def test_a_wrong_password_counts_only_where_it_is_checked(everybody, state):
    """R14, I3: nobody who is not let in anyway is counted against."""
    host, name = everybody, f"{state}-user"
    authn, _, _, is_checked = TABLE[state]
    turn = host.ask(name, WRONG, **SEAT)
    assert turn.reason.value == ("wrong-credentials" if is_checked else authn)
    assert host.failures(name) == int(is_checked)


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


def test_five_wrong_passwords_lock_and_the_right_one_does_not_help(host):
    """R15, I5: the fifth counted failure locks; the right password is not even asked about."""
    host.people(person("ann"))
    for n in range(5):
        turn = host.ask("ann", b"guess number %d" % n, **SEAT)
        assert host.event(turn).tripped is None or n == 4
    assert host.event(turn).tripped is not None
    locked = host.ask("ann", RIGHT, **SEAT)
    assert locked.reason is Reason.ACCOUNT_LOCKED
    assert "is locked until" in words(locked)
    assert host.account("ann").status.lock.failures == 5


def test_a_lock_ends_by_itself(host, hands):
    """R16: after its duration the right password is let in, and clears the tally."""
    host.people(person("ann"))
    for n in range(5):
        host.ask("ann", b"guess number %d" % n)
    hands.pass_by(timedelta(minutes=29, seconds=59))
    assert host.ask("ann", RIGHT).verdict is Verdict.REFUSE
    hands.pass_by(timedelta(seconds=2))
    assert host.ask("ann", RIGHT).reason is Reason.OK
    assert host.failures("ann") == 0


def test_a_proof_clears_what_was_counted(host):
    """R15: four wrong ones, a right one, four wrong ones: no lock."""
    host.people(person("ann"))
    for _ in range(2):
        for n in range(4):
            host.ask("ann", b"guess number %d" % n)
        assert host.ask("ann", RIGHT).reason is Reason.OK


def test_the_same_wrong_password_counts_once(host):
    """A phone with an old password locks nobody out; the event says that it was known."""
    host.people(person("ann"))
    for n in range(20):
        turn = host.ask("ann", WRONG)
        assert turn.reason is Reason.WRONG_CREDENTIALS
        if n == 1:
            assert host.event(turn).checked == "wrong (known)"
    assert host.failures("ann") == 1
    assert host.ask("ann", RIGHT).reason is Reason.OK


def test_a_hundred_guesses_at_once_are_no_more_than_five(host):
    """I6: parallel guesses of different passwords check at most the threshold."""
    host.people(person("ann"))
    guesses = [b"guess number %d" % n for n in range(100)]
    with ThreadPoolExecutor(16) as pool:
        turns = list(pool.map(lambda guess: host.ask("ann", guess, **SEAT), guesses))
    reasons = [turn.reason for turn in turns]
    assert reasons.count(Reason.WRONG_CREDENTIALS) == 5
    assert reasons.count(Reason.ACCOUNT_LOCKED) == 95
    assert host.account("ann").status.lock.failures == 5


def test_eight_right_logins_at_once_never_lock(host):
    """Whoever comes at once waits for who is before; nobody is counted."""
    host.people(person("ann"))
    for _ in range(5):
        with ThreadPoolExecutor(8) as pool:
            turns = list(pool.map(lambda _: host.ask("ann", RIGHT), range(8)))
        assert {turn.reason for turn in turns} == {Reason.OK}
    assert host.failures("ann") == 0


def test_right_and_wrong_at_once_let_the_right_ones_in_or_lock(host):
    """A right password in a crowd of four wrong ones is never counted."""
    host.people(person("ann"))
    typed = [RIGHT, b"guess 1", RIGHT, b"guess 2", RIGHT, b"guess 3", RIGHT, b"guess 4"]
    with ThreadPoolExecutor(8) as pool:
        turns = list(pool.map(lambda secret: host.ask("ann", secret), typed))
    for secret, turn in zip(typed, turns, strict=True):
        assert (turn.reason is Reason.OK) == (secret == RIGHT)


def test_an_unlock_lets_the_next_login_in(host):
    """R44, I1: the very next login works, and known wrong passwords are forgotten."""
    host.people(person("ann"))
    for n in range(5):
        host.ask("ann", b"guess number %d" % n)
    (row,) = host.act(Verb.UNLOCK, "ann")
    assert row.before.lock is not None
    assert row.after.lock is None
    assert host.failures("ann") == 0
    assert host.ask("ann", RIGHT).reason is Reason.OK
    host.ask("ann", b"guess number 0")
    assert host.failures("ann") == 1


def test_unlocking_leaves_expired_and_resetting_clears_both(host):
    """R27, I1, I2."""
    host.people(person("ann", "locked-expired"), person("bob", "locked-expired"))
    host.act(Verb.UNLOCK, "ann")
    assert host.ask("ann", RIGHT).reason is Reason.PASSWORD_EXPIRED
    (row,) = host.act(Verb.RESET_PASSWORD, "bob", password=NEXT)
    assert [one.value for one in row.after.statuses] == ["active"]
    assert host.ask("bob", NEXT).reason is Reason.OK
    assert host.ask("bob", RIGHT).reason is Reason.WRONG_CREDENTIALS


def test_a_temporary_password_is_good_for_its_change_alone(host):
    """R40: authenticate succeeds with `change`, the change ends it."""
    host.people(person("ann", "temporary"))
    turn = host.ask("ann", RIGHT)
    assert (turn.verdict, turn.reason) == (Verdict.CHANGE, Reason.CHANGE_REQUIRED)
    acct = host.acct("ann", transaction=turn.transaction)
    assert acct.verdict is Verdict.CHANGE
    assert words(acct)
    prelim = host.ask("ann", RIGHT, phase=Phase.CHAUTHTOK_PRELIM, transaction=turn.transaction)
    assert prelim.verdict is Verdict.ALLOW
    changed = host.ask(
        "ann", RIGHT, NEXT, NEXT, phase=Phase.CHAUTHTOK_UPDATE, transaction=prelim.transaction
    )
    assert changed.verdict is Verdict.ALLOW, words(changed)
    assert host.ask("ann", NEXT).reason is Reason.OK
    assert host.ask("ann", RIGHT).reason is Reason.WRONG_CREDENTIALS


def test_an_expired_password_is_changed_where_the_site_lets_it(hosts):
    """R26: `when_expired: change` opens the change inside the login."""
    host = hosts("policy: {expiry: {when_expired: change}}")
    host.people(person("ann", "expired"))
    turn = host.ask("ann", RIGHT)
    assert (turn.verdict, turn.reason) == (Verdict.CHANGE, Reason.PASSWORD_EXPIRED)
    changed = host.ask(
        "ann", RIGHT, NEXT, NEXT, phase=Phase.CHAUTHTOK_UPDATE, transaction=turn.transaction
    )
    assert changed.verdict is Verdict.ALLOW, words(changed)
    assert host.ask("ann", NEXT).reason is Reason.OK


def test_an_expired_password_is_changed_by_its_owner_where_the_login_denies_it(host):
    """R26: `deny` governs the login; passwd with the old password is one of the ways out."""
    host.people(person("ann", "expired"))
    assert host.ask("ann", RIGHT).reason is Reason.PASSWORD_EXPIRED
    assert "the person: passwd" in host.why("ann").clears
    change = {"phase": Phase.CHAUTHTOK_UPDATE, "service": "passwd"}
    assert host.ask("ann", WRONG, NEXT, NEXT, **change).verdict is Verdict.REFUSE
    assert host.ask("ann", RIGHT, NEXT, NEXT, **change).verdict is Verdict.ALLOW
    assert host.ask("ann", NEXT).reason is Reason.OK


def test_who_is_expired_by_an_admin_has_no_temporary_password_any_more(host):
    """R26, R40: the expiry governs in both phases, under `deny` too."""
    host.people(person("ann", "temporary"), person("bob", "temporary", password_expired=True))
    host.act(Verb.EXPIRE, "ann")
    for name in ("ann", "bob"):
        for service in ("sshd", "login"):
            assert host.ask(name, RIGHT, service=service).reason is Reason.PASSWORD_EXPIRED
            acct = host.acct(name, service=service)
            assert (acct.verdict, acct.reason) == (Verdict.REFUSE, Reason.PASSWORD_EXPIRED)


def test_wrong_current_passwords_of_a_change_count(host):
    """A change is no way around the tally."""
    host.people(person("ann"))
    for n in range(5):
        turn = host.ask("ann", b"guess %d" % n, NEXT, NEXT, phase=Phase.CHAUTHTOK_UPDATE)
        assert turn.verdict is Verdict.REFUSE
    assert host.ask("ann", RIGHT, **SEAT).reason is Reason.ACCOUNT_LOCKED


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


def test_root_asks_for_anybody_others_for_themselves(host, monkeypatch):
    """R33: rights follow the effective uid; a person may ask for oneself alone."""
    host.people(person("nobody"), person("ann"))
    own = Peer(uid=65534, real_uid=65534)
    named = Peer(uid=65534, real_uid=65534, named=True)
    assert host.ask("nobody", RIGHT, peer=own).reason is Reason.OK
    refused = host.ask("ann", RIGHT, peer=own)
    assert refused.verdict is Verdict.REFUSE
    assert host.event(refused).reason is Reason.NOT_PERMITTED
    assert host.ask("ann", RIGHT, peer=named).reason is Reason.OK
    assert host.acct("ann", peer=own).verdict is Verdict.REFUSE


def test_guesses_at_a_lock_screen_never_lock_the_account(host):
    """security.md 2: a tally of their own, which closes that path alone."""
    host.people(person("nobody"))
    own = {"peer": Peer(uid=65534, real_uid=65534), "service": "screensaver"}
    for n in range(5):
        host.ask("nobody", b"guess number %d" % n, **own)
    assert host.ask("nobody", RIGHT, **own).verdict is Verdict.REFUSE
    assert host.failures("nobody") == 0
    assert host.ask("nobody", RIGHT).reason is Reason.OK


def test_a_full_tally_of_a_lock_screen_closes_to_the_last_proven_password_too(host):
    """security.md 2: right password included, whatever was proven elsewhere meanwhile."""
    host.people(person("nobody"))
    own = {"peer": Peer(uid=65534, real_uid=65534), "service": "screensaver"}
    for n in range(5):
        host.ask("nobody", b"guess number %d" % n, **own)
    assert host.ask("nobody", RIGHT).reason is Reason.OK
    assert host.ask("nobody", RIGHT, **own).verdict is Verdict.REFUSE


def test_a_refusal_takes_as_long_however_slowly_it_was_typed(host, monkeypatch):
    """What a person takes to type hides nothing and shortens nothing."""
    host.people(person("ann"))
    turn, talk = host.begin("ann")
    assert isinstance(turn, AskTurn)
    clock, later = type(host.parts.clock), host.parts.clock.monotonic() + 60
    monkeypatch.setattr(clock, "monotonic", lambda self: later)
    assert talk.answer(Secret(WRONG)).delay_ms == REFUSAL_S * 1000


def test_a_proof_lets_nobody_else_in(host):
    """The account phase of another name judges that name."""
    host.people(person("ann"), person("bob", "suspended"))
    proof = host.ask("ann", RIGHT)
    turn = host.acct("bob", transaction=proof.transaction)
    assert turn.reason is Reason.USER_SUSPENDED
    assert host.event(turn).name == "bob"


def test_who_is_suspended_after_the_password_is_refused_by_the_account_phase(host):
    """R25, security.md 21: what moved meanwhile is read again, however fresh the proof."""
    host.people(person("ann"))
    proof = host.ask("ann", RIGHT)
    host.act(Verb.SUSPEND, "ann")
    assert host.acct("ann", transaction=proof.transaction).reason is Reason.USER_SUSPENDED


def test_forwarded_is_malformed_here(host):
    """security.md 1."""
    host.people(person("ann"))
    assert host.ask("ann", RIGHT, forwarded=True).reason is Reason.MALFORMED


@pytest.mark.parametrize("typed", [b"", b"with\0nul", b"x" * 1025])
def test_what_cannot_be_a_password_is_neither_checked_nor_counted(host, typed):
    """security.md 25."""
    host.people(person("ann"))
    assert host.ask("ann", typed).reason is Reason.MALFORMED
    assert host.failures("ann") == 0


def test_the_account_phase_rests_on_the_proof_of_its_own_transaction(hosts):
    """A proof is found by its id, asker and service alone."""
    host = hosts("policy: {expiry: {key_logins: deny}}")
    host.people(person("ann", "temporary"))
    proof = host.ask("ann", RIGHT)
    own = host.acct("ann", transaction=proof.transaction)
    assert own.reason is Reason.CHANGE_REQUIRED
    assert host.acct("ann", transaction="0" * 32).reason is Reason.CHANGE_REQUIRED
    assert host.ask("ann", RIGHT).transaction != proof.transaction


def test_a_conversation_that_takes_too_long_ends(host, monkeypatch):
    """security.md 21: 120 s at most, and nothing is checked after that."""
    host.people(person("ann"))
    turn, talk = host.begin("ann")
    assert isinstance(turn, AskTurn)
    later = host.parts.clock.monotonic() + 121
    monkeypatch.setattr(type(host.parts.clock), "monotonic", lambda self: later)
    assert talk.answer(Secret(WRONG)).reason is Reason.MALFORMED
    assert host.failures("ann") == 0


def test_who_is_suspended_while_typing_is_not_let_in(host):
    """R60: facts are read again before anybody is let in."""
    host.people(person("ann"))
    _, talk = host.begin("ann", **SEAT)
    host.act(Verb.SUSPEND, "ann")
    assert talk.answer(Secret(RIGHT)).reason is Reason.USER_SUSPENDED


def test_a_source_that_tries_many_names_is_stopped(host):
    """security.md 5: ten accounts failing from one address; the eleventh is not checked."""
    host.people(*(person(f"user{n}") for n in range(12)))
    there = {"rhost": "203.0.113.7"}
    for n in range(10):
        assert host.ask(f"user{n}", WRONG, **there).reason is Reason.WRONG_CREDENTIALS
    assert host.ask("user10", RIGHT, **there).reason is Reason.SOURCE_THROTTLED
    assert host.failures("user10") == 0
    assert host.ask("user10", RIGHT, rhost="203.0.113.8").reason is Reason.OK


def test_why_agrees_with_the_door_in_a_thousand_states(hosts):
    """R51: what `why` says of the right password is what the door then does, in both phases."""
    rng = random.Random(20260601)
    host = hosts("policy: {expiry: {max_age_d: 90, when_expired: change}}")
    people = [_anybody(rng, n) for n in range(1000)]
    host.people(*people)
    for one in people:
        name = one["username"]
        for guess in range(rng.choice((0, 0, 0, 4, 5))):
            host.ask(name, b"guess %d" % guess)
        service = rng.choice(("sshd", "login", "cron", "imap"))
        why = host.why(name, service)
        turn = host.ask(name, RIGHT, service=service, tty="tty1")
        told = host.event(turn)
        assert (why.verdict, why.reason) == (told.verdict, told.reason), (one, service)
        assert why.rule


def _anybody(rng, n):
    fields = {"password_date": f"2026-0{rng.randint(1, 5)}-{rng.randint(1, 28):02}T08:00:00Z"}
    perhaps = (
        ("account_locked", True, 0.15),
        ("password_expired", True, 0.15),
        ("password_must_change", True, 0.15),
        ("starts_at", "2099-01-01T00:00:00Z", 0.1),
        ("ends_at", "2026-02-01T00:00:00Z", 0.1),
        ("password_hash", None, 0.1),
    )
    fields |= {key: value for key, value, chance in perhaps if rng.random() < chance}
    if "starts_at" in fields:
        fields.pop("ends_at", None)
    fields["state"] = rng.choice(("ACTIVATED",) * 5 + ("STAGED", "SUSPENDED"))
    return person(f"user{n}", **fields)


def test_a_warning_is_said_once_in_a_transaction_and_to_every_key_login(hosts):
    host = hosts("policy: {expiry: {max_age_d: 155}}\n")  # five days are left of them
    host.people(person("ann"))
    turn = host.ask("ann", RIGHT)
    assert "Your password expires" in words(turn)
    assert words(host.acct("ann", transaction=turn.transaction)) == ""
    assert "Your password expires" in words(host.acct("ann"))
