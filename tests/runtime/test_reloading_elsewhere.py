"""What a reload changes where the directory is elsewhere: offline, in our own lockout, in the trail."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from loginward.core.reasons import Reason
from loginward.runtime.reloading import Reloading
from loginward.runtime.trail import trail_files
from tests.runtime.people import RIGHT

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NUMBERS = itertools.count()


@pytest.fixture
def reload(site):
    """Return what reads the configuration again, with more in it than the directory."""
    path = site.folder / "loginward.yaml"
    plain = path.read_text()
    reloading = Reloading(str(path), site.parts, lambda: None)

    def again(more=""):
        path.write_text(plain + more)
        return reloading.reload().changed

    return again


@pytest.fixture
def known(site):
    """A host where ann has a verifier."""
    assert site.ask("ann", RIGHT).reason is Reason.OK
    site.parts.verifiers.idle()
    return site


def offline(site, password=RIGHT, name="ann"):
    site.paper.down = True
    try:
        return site.event(site.ask(name, password, service="login")).reason
    finally:
        site.paper.down = False


def guess(site, count):
    """Guess as often, each time another password: a repeat would not count."""
    for n in itertools.islice(NUMBERS, count):
        assert site.ask("ann", b"guess number %d" % n).reason is Reason.WRONG_CREDENTIALS


def lock(site):
    return site.account("ann").status.lock


def test_doors_without_verifiers_let_nobody_in_by_those_from_before(known, reload):
    """`policy.offline.verifiers: []`: who has one is refused offline, and nobody gets another."""
    assert offline(known) is Reason.OK
    assert reload("policy: {offline: {verifiers: []}}\n") == ("policy.offline.verifiers",)
    assert offline(known) is Reason.DIRECTORY_UNAVAILABLE
    assert known.ask("bob", RIGHT).reason is Reason.OK
    known.parts.verifiers.idle()
    assert not known.account("bob").can_sign_in_offline
    reload()
    assert offline(known) is Reason.OK
    assert offline(known, name="bob") is Reason.DIRECTORY_UNAVAILABLE


def test_how_long_a_copy_lets_in_follows(known, reload, hands):
    hands.pass_by(2 * HOUR)
    assert offline(known) is Reason.OK
    reload("policy: {offline: {allowed_s: 3600}}\n")
    assert offline(known) is Reason.OFFLINE_TOO_LONG
    reload("policy: {offline: {allowed_s: 10800}}\n")
    assert offline(known) is Reason.OK


def test_how_many_guesses_a_verifier_survives_follows(known, reload):
    """The guesses from before count: the next one destroys it."""
    for n in range(3):
        assert offline(known, b"guess %d" % n) is Reason.WRONG_CREDENTIALS
    reload("policy: {offline: {max_failures: 3}}\n")
    offline(known, b"one guess more")
    known.parts.verifiers.idle()
    assert not known.account("ann").can_sign_in_offline
    assert offline(known) is not Reason.OK


def test_another_threshold_of_ours_holds_for_the_next_attempt(known, reload):
    guess(known, 2)
    assert reload("policy: {lockout: {threshold: 3}}\n") == ("policy.lockout.threshold",)
    assert lock(known) is None
    guess(known, 1)
    assert lock(known).failures == 3


def test_whose_lockout_it_is_follows(known, reload):
    """What the directory owns is locked by it alone; what is ours again is counted by us again."""
    reload("policy: {lockout: {owner: directory}}\n")
    guess(known, 7)
    assert lock(known) is None
    reload("policy: {lockout: {owner: agent}}\n")
    guess(known, 5)
    assert lock(known) is not None


def test_how_long_events_are_kept_follows(known, reload, hands):
    """From the next file on; nothing older is removed before."""
    folder = trail_files(known.folder / "state" / "events")[0].path.parent
    today = known.parts.clock.now().date()
    old = folder / f"00000000-{(today - 40 * DAY).isoformat()}.jsonl"
    old.write_text("")
    hands.pass_by(DAY)
    known.ask("ann", RIGHT)
    assert known.parts.audit.flush(5)
    assert old.exists()
    assert reload("events: {keep_d: 30}\n") == ("events.keep_d",)
    hands.pass_by(DAY)
    known.ask("ann", RIGHT)
    assert known.parts.audit.flush(5)
    assert not old.exists()
    assert len(trail_files(folder)) == 3
