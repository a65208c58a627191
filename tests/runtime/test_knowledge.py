"""A directory elsewhere: what this host counts and remembers, online and unplugged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from loginward.core.acts import Verb
from loginward.core.reasons import Reason, Verdict
from loginward.core.status import UserState
from loginward.runtime.watcher import Watcher
from tests.runtime.paper import CONFIG
from tests.runtime.people import RIGHT, WRONG


def learnt(host, name="ann"):
    """Sign in online, and wait until the verifier is made."""
    assert host.ask(name, RIGHT).reason is Reason.OK
    host.parts.verifiers.idle()


def test_this_host_locks_where_the_directory_does_not_count(site):
    """R15: five binds, not one more; the lock is ours and shown as such."""
    site.guess("ann", 8)
    assert site.paper.binds == 5
    turn = site.ask("ann", RIGHT, service="login", tty="tty1")
    assert turn.reason is Reason.ACCOUNT_LOCKED
    assert site.why("ann").reason is Reason.ACCOUNT_LOCKED


def test_a_hundred_guesses_at_once_are_five_binds(site):
    """I6, where this host owns the lock."""
    guesses = [b"guess number %d" % n for n in range(100)]
    with ThreadPoolExecutor(16) as pool:
        turns = list(pool.map(lambda guess: site.ask("ann", guess), guesses))
    assert site.paper.binds == 5
    assert {turn.verdict for turn in turns} == {Verdict.REFUSE}


def test_equal_guesses_in_flight_share_one_bind(site):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: site.ask("ann", WRONG), range(32)))
    assert site.paper.binds == 1


def test_a_crash_between_keeps_what_was_counted(site, hosts):
    """Another agent on the same folder goes on counting where the first one was cut off."""
    site.guess("ann", 4)
    site.close()
    site.close = lambda: None
    again = hosts(CONFIG)
    again.ask("ann", b"guess number 4")
    assert again.why("ann").reason is Reason.ACCOUNT_LOCKED


def test_an_unlock_here_ends_our_lock(site):
    """R44: although the directory had nothing to unlock."""
    site.guess("ann", 5)
    (row,) = site.act(Verb.UNLOCK, "ann")
    assert (row.problem, row.noop) == (None, False)
    assert row.before.lock is not None
    assert row.after.lock is None
    assert site.ask("ann", RIGHT).reason is Reason.OK


def test_unplugged_nobody_gets_in_who_was_never_here(site):
    """R56."""
    site.paper.down = True
    assert site.ask("ann", RIGHT).reason is Reason.OFFLINE_NEVER_SEEN
    assert site.acct("ann").verdict is Verdict.REFUSE


def test_unplugged_the_last_password_holds_and_nothing_else(site):
    """R56, Q9: the sealed verifier decides; wrong ones count here."""
    learnt(site)
    site.paper.down = True
    turn = site.ask("ann", RIGHT)
    assert turn.reason is Reason.OK
    assert site.event(turn).offline
    assert site.ask("ann", WRONG).reason is Reason.WRONG_CREDENTIALS
    site.guess("ann", 4)
    assert site.event(site.ask("ann", RIGHT)).reason is Reason.ACCOUNT_LOCKED


def test_plugged_in_again_an_offline_lock_is_not_applied_nor_forgotten(site):
    """security.md 3: it applies again offline until its end or a password proven online."""
    learnt(site)
    site.paper.down = True
    site.guess("ann", 5)
    site.paper.down = False
    assert site.acct("ann").reason is Reason.OK
    site.paper.down = True
    assert site.acct("ann").reason is Reason.ACCOUNT_LOCKED


def test_a_copy_lets_in_only_for_its_time(site, hands):
    """R57: `policy.offline.allowed_s`, then not at all."""
    learnt(site)
    site.paper.down = True
    hands.pass_by(timedelta(seconds=site.settings.policy.offline.allowed_s - 1))
    assert site.ask("ann", RIGHT).reason is Reason.OK
    hands.pass_by(timedelta(seconds=2))
    assert site.event(site.ask("ann", RIGHT)).reason is Reason.OFFLINE_TOO_LONG


def test_what_the_watcher_read_holds_unplugged(site):
    """R36: a suspension seen by the watcher alone refuses offline."""
    learnt(site)
    watcher = Watcher(site.parts)
    watcher.one_pass()
    site.paper.move("ann", state=UserState.SUSPENDED)
    watcher.one_pass()
    site.paper.down = True
    assert site.event(site.ask("ann", RIGHT)).reason is Reason.USER_SUSPENDED


def test_an_outage_counts_nothing(site):
    """R58: an answer that never came is no wrong password."""
    site.ask("ann", b"guess number 0")
    site.paper.down = True
    for n in range(10):
        turn = site.ask("bob", b"guess number %d" % n)
        assert turn.reason is Reason.OFFLINE_NEVER_SEEN
    site.paper.down = False
    assert site.ask("bob", RIGHT).reason is Reason.OK


def test_a_stranger_is_not_ours_and_never_reaches_a_bind(site):
    assert site.ask("nobody-here", RIGHT).reason is Reason.USER_UNKNOWN
    assert site.paper.binds == 0


def test_one_empty_answer_removes_nobody_and_lets_nobody_in(site, hands):
    """security.md 13: two empty answers 60 s apart, another entry readable in both."""
    learnt(site)
    learnt(site, "bob")
    del site.paper.entries["ann"]
    assert site.event(site.ask("ann", RIGHT)).reason is Reason.DIRECTORY_UNAVAILABLE
    hands.pass_by(timedelta(seconds=61))
    told = site.event(site.ask("ann", RIGHT))
    assert (told.reason, told.detail) == (Reason.USER_SUSPENDED, "removed")
    site.paper.down = True
    assert site.acct("ann").verdict is Verdict.REFUSE


def test_a_name_that_appears_after_all_is_dropped_from_the_absent(site, monkeypatch):
    """Else a forgotten copy would leave the directory's old word behind: not ours."""
    monkeypatch.setattr(site.parts.knowledge, "_is_local", lambda name: True)
    assert site.ask("carol", RIGHT).reason is Reason.USER_UNKNOWN
    site.paper.put("carol", RIGHT)
    assert site.ask("carol", RIGHT).reason is Reason.OK
    site.parts.store.forget("carol")
    site.paper.down = True
    assert site.event(site.ask("carol", RIGHT)).reason is Reason.OFFLINE_NEVER_SEEN
