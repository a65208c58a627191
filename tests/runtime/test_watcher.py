"""What the watcher notices: each transition once, with before and after, also that time passed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loginward.core.acts import Verb
from loginward.core.secret import Secret
from loginward.directory.port import Act, ServerHealth
from loginward.errors import DirectoryUnavailable
from loginward.runtime.event_rows import row_of
from loginward.runtime.events import TransitionEvent
from loginward.runtime.watcher import Watcher
from tests.runtime.people import NEXT, RIGHT, person


@pytest.fixture
def watch(host):
    host.people(person("ann"), person("bob", "expired"))
    watcher = Watcher(host.parts)
    watcher.one_pass()
    return watcher


def seen(host, name="ann"):
    """Return the transitions in the trail as the admin socket shows them, oldest first."""
    entries = host.parts.audit.last(1000, name)
    rows = [row_of(entry) for entry in entries if isinstance(entry.event, TransitionEvent)]
    return [(row.verb, row.before, row.after) for row in rows]


def test_nothing_is_noted_while_nothing_changes(host, watch):
    watch.one_pass()
    watch.one_pass()
    assert seen(host) == []


def test_a_lock_and_its_end_are_noted_once_with_what_tripped_it(host, watch, hands):
    """R39, R45: the lock by guesses, then its end by time, although nobody did anything."""
    for n in range(5):
        host.ask("ann", b"guess number %d" % n, rhost="203.0.113.7")
    watch.one_pass()
    watch.one_pass()
    assert seen(host) == [("locked", "active", "locked")]
    (entry,) = [e for e in host.parts.audit.last(1000, "ann") if row_of(e).event == "transition"]
    assert row_of(entry).source == "sshd 203.0.113.7"
    hands.pass_by(timedelta(minutes=31))
    watch.one_pass()
    assert seen(host)[1:] == [("unlocked", "locked", "active")]


def test_an_admins_acts_are_noted(host, watch):
    for verb in (Verb.SUSPEND, Verb.ACTIVATE, Verb.EXPIRE):
        host.act(verb, "ann")
        watch.one_pass()
    host.act(Verb.RESET_PASSWORD, "ann", password=NEXT)
    watch.one_pass()
    assert [after for _, _, after in seen(host)] == ["suspended, active", "active", "expired",
                                                     "active"]  # fmt: skip


def test_a_password_that_falls_due_is_noted(hosts, hands):
    """R28: expiry by age, seen without a login."""
    host = hosts("policy: {expiry: {max_age_d: 365}}")
    host.people(person("ann"))
    watcher = Watcher(host.parts)
    watcher.one_pass()
    hands.pass_by(timedelta(days=365))
    watcher.one_pass()
    assert seen(host) == [("expired", "active", "expired")]


def test_an_unlock_elsewhere_forgets_wrong_passwords(host, watch):
    """R39: what this host remembers goes, whoever unlocked."""
    host.act(Verb.LOCK, "ann")
    watch.one_pass()
    account = host.parts.embedded.find("ann", None)
    host.parts.driver._desk._memory.repeats.remember(account, Secret(RIGHT))
    host.parts.embedded.act(account, Act(verb=Verb.UNLOCK), None)
    watch.one_pass()
    assert host.ask("ann", RIGHT).reason.value == "ok"


def test_a_directory_that_does_not_answer_changes_nothing(host, watch, monkeypatch):
    def silent(account, deadline):
        raise DirectoryUnavailable("connect", "no answer")

    host.act(Verb.SUSPEND, "ann")
    with monkeypatch.context() as patch:
        patch.setattr(type(host.parts.embedded), "read", lambda self, a, d: silent(a, d))
        watch._look_at(next(iter(watch._seen.values()))[0])
    assert seen(host) == []
    watch.one_pass()
    assert len(seen(host)) == 1


def test_a_directory_that_answers_again_is_looked_at_before_the_next_poll(host, watch, monkeypatch):
    """The watcher finds it out, so that no login has to wait for a silent server."""
    away = ServerHealth(name="one", usable=False, last_ok_at=None, last_problem="no answer")
    directory, asked = type(host.parts.embedded), []

    def read(self, account, deadline):
        asked.append(deadline.left)
        if len(asked) < 3:
            raise DirectoryUnavailable("connect", "no answer")
        return account

    monkeypatch.setattr(directory, "health", lambda self: (away,))
    monkeypatch.setattr(directory, "read", read)
    watch._sleep()
    assert len(asked) == 3
    assert max(asked) <= 1, "a silent server would be waited for"


def test_the_thread_wakes_when_told_and_stops(host):
    watcher = Watcher(host.parts)
    watcher.start()
    watcher.look_now()
    watcher.stop()
    assert not watcher._thread.is_alive()
