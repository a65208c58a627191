"""Every state at the login door, from the question to the answer, the words and the event."""

from __future__ import annotations

import random

import pytest

from loginward.core.acts import Verb
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Peer, Phase
from loginward.core.secret import Secret
from loginward.doors.login.pam_codes import pam_code
from loginward.doors.login.port import AskTurn
from tests.runtime.people import NEXT, RIGHT, WRONG, person
from tests.runtime.seat import SEAT, TABLE, words


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


def test_an_unlock_lets_the_next_login_in(host):
    """R44, I1: the very next login works, and known wrong passwords are forgotten."""
    host.people(person("ann"))
    host.guess("ann", 5)
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
        acct = host.acct(name, service=service, tty="tty1")
        code = pam_code(Phase.ACCT, acct.verdict, acct.reason).removeprefix("PAM_")
        assert why.pam_acct == code, (one, service)
        turn = host.ask(name, RIGHT, service=service, tty="tty1")
        told = host.event(turn)
        assert (why.verdict, why.reason) == (told.verdict, told.reason), (one, service)
        code = pam_code(Phase.AUTHN, told.verdict, told.reason).removeprefix("PAM_")
        assert why.pam_authn == code, (one, service)
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
