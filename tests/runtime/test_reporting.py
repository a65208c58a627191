"""What the admin door is told of the daemon, the accounts and the copies."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from loginward.crypto.password_hash import PasswordHasher
from loginward.directory.port import Watched
from loginward.runtime.reporting import Reporting
from loginward.runtime.watcher import Watcher
from loginward.wire.admin import requests
from tests.runtime.people import RIGHT, person


@pytest.fixture
def reporting(site):
    watcher = Watcher(site.parts)
    made = Reporting(
        site.parts,
        "/c.yaml",
        conversations=lambda: 3,
        watched_at=lambda: watcher.watched_at,
        hidden_groups=tuple,
    )
    made.watcher = watcher
    return made


def test_health_counts_what_is_kept_and_what_is_being_judged(site, reporting, hands):
    before = reporting.health()
    assert (before.copies, before.verifiers, before.conversations) == (0, 0, 3)
    assert (before.config_file, before.directory) == ("/c.yaml", "auto")
    site.ask("ann", RIGHT)
    site.parts.verifiers.idle()
    site.acct("bob")
    hands.pass_by(timedelta(hours=1))
    after = reporting.health()
    assert (after.copies, after.verifiers, after.verifiers_waiting) == (2, 1, 0)
    assert after.started_at == before.started_at


def test_health_names_the_flavour_once_it_has_been_found(site, reporting):
    """`directory.flavour: auto` is told as such only until a server has answered."""
    assert (reporting.health().directory, reporting.health().directory_found) == ("auto", False)
    site.paper.found = "openldap"
    assert (reporting.health().directory, reporting.health().directory_found) == ("openldap", True)


def test_the_embedded_directory_is_never_found_out(host):
    health = host.admin.health()
    assert (health.directory, health.directory_found) == ("embedded", False)
    assert health.watch == ""


def test_health_says_when_every_account_was_last_looked_at(site, reporting, hands):
    site.acct("ann")
    assert reporting.health().watched_at is None
    hands.pass_by(timedelta(minutes=2))
    reporting.watcher.one_pass()
    assert reporting.health().watched_at == hands.raw.wall


def test_health_says_how_changes_come_to_be_known(site, reporting):
    site.paper.watching = Watched(pushed=True, age_s=0.5, accounts=7)
    health = reporting.health()
    assert (health.watch, health.watch_age_s, health.at_hand) == ("push", 0.5, 7)
    site.paper.watching = Watched(pushed=False, why="no overlay")
    health = reporting.health()
    assert (health.watch, health.watch_age_s, health.watch_problem) == ("poll", None, "no overlay")


def test_health_says_how_many_verifiers_are_still_to_be_made(site, reporting, monkeypatch):
    """The worker is held up by ann's; bob's waits for it."""
    at_work, go_on, make = threading.Event(), threading.Event(), PasswordHasher.hash

    def slowly(*arguments, **more):
        at_work.set()
        assert go_on.wait(10)
        return make(*arguments, **more)

    monkeypatch.setattr(PasswordHasher, "hash", slowly)
    site.ask("ann", RIGHT)
    assert at_work.wait(10)
    site.ask("bob", RIGHT)
    assert reporting.health().verifiers_waiting == 1
    go_on.set()
    site.parts.verifiers.idle()
    assert reporting.health().verifiers_waiting == 0


def test_without_a_service_account_health_warns_that_status_is_hidden(site, reporting):
    health = reporting.health()
    assert not health.reads_status
    assert "service_account" in health.notes[0].hint


def test_an_embedded_directory_hides_nothing(host):
    health = host.admin.health()
    assert health.reads_status
    assert health.notes == ()
    assert health.lockout_owner == "directory"


def test_an_account_says_where_it_was_read_and_whether_it_can_sign_in_offline(site):
    """The copy says until when it lets anybody in."""
    fresh = site.account("ann")
    assert (fresh.source, fresh.usable_until, fresh.can_sign_in_offline) == ("auto", None, False)
    site.ask("ann", RIGHT)
    site.parts.verifiers.idle()
    assert site.account("ann").can_sign_in_offline
    site.paper.down = True
    copy = site.account("ann")
    assert copy.source == "local copy"
    allowed = timedelta(seconds=site.settings.policy.offline.allowed_s)
    assert copy.usable_until == copy.read_at + allowed
    assert copy.can_sign_in_offline


def test_an_embedded_account_needs_no_verifier(host):
    host.people(person("ann"))
    assert not host.account("ann").can_sign_in_offline


def test_the_copies_are_told_by_name_with_their_ends(site):
    site.acct("bob")
    site.ask("ann", RIGHT)
    site.parts.verifiers.idle()
    ann, bob = site.admin.copies()
    assert (ann.name, bob.name) == ("ann", "bob")
    assert (ann.can_sign_in_offline, bob.can_sign_in_offline) == (True, False)
    assert ann.usable_until > ann.read_at
    assert (ann.fault, bob.fault) == ("", "")


def test_a_list_is_by_name_and_holds_our_own_locks(site):
    site.guess("bob", 5)
    rows = list(site.admin.users(requests.ListUsers()))
    assert [row.name for row in rows] == ["ann", "bob"]
    assert [row.status.lock is not None for row in rows] == [False, True]
