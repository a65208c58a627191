"""The audit trail as the runtime uses it: nothing waits, nothing is lost unseen, all is found."""

from __future__ import annotations

import errno
import os
import threading
import time
from itertools import islice

import msgspec
import pytest

from loginward.core.reasons import Reason, Verdict
from loginward.core.transitions import Transition
from loginward.runtime import audit_thread, trail
from loginward.runtime.audit import Audit
from loginward.runtime.events import ActEvent, DaemonEvent, FaultEvent, TransitionEvent
from loginward.runtime.folding import Folding
from loginward.settings import Events
from tests.doubles.moving import NOW, MovingClock
from tests.runtime.decisions import decision

KEY = b"k" * 32


@pytest.fixture
def clock():
    return MovingClock()


@pytest.fixture
def make(tmp_path, clock):
    made = []

    def make_one(*, start=True, **settings):
        audit = Audit(tmp_path / "events", clock, lambda: Events(**settings), KEY)
        made.append(audit)
        if start:
            audit.start()
        return audit

    yield make_one
    for audit in made:
        audit.stop()


@pytest.fixture
def audit(make):
    return make()


def names(entries):
    return [entry.event.name for entry in entries]


def allowed(name="ann", **changes):
    return decision(name=name, verdict=Verdict.ALLOW, reason=Reason.OK, **changes)


def test_a_decision_is_found_by_its_reference_however_spelt(audit):
    reference = audit.decided(decision(name="ann"))
    other = audit.decided(allowed("bob"))

    assert audit.find(reference).name == "ann"
    assert audit.find(f"{other[:3].lower()}-{other[3:]}").name == "bob"
    assert audit.find("ZZZZZZ") is None
    assert audit.find("") is None
    assert audit.find('"') is None


def test_every_repeat_is_found_by_its_own_reference(audit, clock, make):
    references = [audit.decided(decision(duration_ms=number)) for number in range(4)]
    assert len(set(references)) == 4, "a reference shared or moved would tell what moved"
    assert [audit.find(reference).reference for reference in references] == references

    clock.pass_s(61)
    audit.stop()
    later = make()
    assert [later.find(reference).reference for reference in references] == references
    assert [entry.event.count for entry in later.last(10)] == [1, 3]


def test_every_kind_of_event_is_kept_in_order(audit):
    status = _status()
    audit.record(DaemonEvent(at=NOW, what="started"))
    audit.record(ActEvent(at=NOW, name="ann", by="root (bob)", uid=0, verb="unlock"))
    audit.record(
        TransitionEvent(
            at=NOW, name="ann", transition=Transition.UNLOCKED, before=status, after=status
        )
    )
    audit.record(FaultEvent(at=NOW, part="store", problem="disk full"))
    kinds = [type(entry.event).__name__ for entry in audit.last(10)]
    assert kinds == ["DaemonEvent", "ActEvent", "TransitionEvent", "FaultEvent"]


def _status():
    return msgspec.json.decode(
        b'{"state":"active","headline":"active","statuses":["active"]}',
        type=TransitionEvent.__annotations__["before"],
    )


def test_last_and_after_page_through_the_trail(audit):
    for number in range(10):
        audit.decided(allowed(f"user{number}"))
    last = audit.last(3)
    assert names(last) == ["user7", "user8", "user9"]
    assert names(audit.after(last[0].id)) == ["user8", "user9"]
    assert len(list(audit.after("nonsense"))) == 10
    assert audit.last(0) == []


def test_events_of_one_account_only_be_it_known_or_nobodys(audit):
    audit.decided(allowed("ann"))
    audit.decided(allowed("bob"))
    audit.decided(decision(name=audit.strangers.shown("carl"), reason=Reason.USER_UNKNOWN))

    assert names(audit.last(10, "Ann")) == ["ann"]
    assert len(audit.last(10, "carl")) == 1
    assert names(audit.after("", "bob")) == ["bob"]


def test_following_sees_what_happens_after_and_ends_with_the_trail(audit):
    audit.decided(allowed("before"))
    (start,) = audit.last(1)
    follow = audit.follow(start.id)
    assert next(follow) is None

    audit.decided(allowed("after"))
    seen = next(entry for entry in follow if entry is not None)
    assert seen.event.name == "after"
    audit.stop()
    assert list(islice((entry for entry in follow if entry is not None), 5)) == []


def test_a_login_never_waits_for_the_disk(audit, monkeypatch):
    """The disk hangs; the queue is bounded, the loss is counted and then written."""
    hangs, reached = threading.Event(), threading.Event()
    write = os.write

    def hang(descriptor, octets):
        reached.set()
        hangs.wait(20)
        return write(descriptor, octets)

    monkeypatch.setattr(audit_thread, "QUEUE", 100)
    monkeypatch.setattr(trail.os, "write", hang)
    audit.decided(allowed("first"))
    assert reached.wait(5)
    began = time.monotonic()
    for number in range(150):
        audit.decided(allowed(f"user{number}"))
    assert time.monotonic() - began < 1
    assert audit.health().dropped == 50
    assert audit.health().waiting == 100

    hangs.set()
    assert audit.flush(5)
    written = audit.last(1000)
    assert len(written) == 102
    assert "50 events were not written" in [getattr(e.event, "problem", "") for e in written]


def test_a_full_disk_is_told_and_mended(audit, monkeypatch):
    full, tried = [True], threading.Event()
    write = os.write

    def maybe(descriptor, octets):
        if full[0]:
            tried.set()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, octets)

    monkeypatch.setattr(audit_thread, "_AGAIN_S", 0.01)
    monkeypatch.setattr(trail.os, "write", maybe)
    reference = audit.decided(decision())
    assert tried.wait(5)
    assert not audit.flush(0.05)
    assert "No space left" in audit.health().fault

    full[0] = False
    assert audit.flush(5)
    assert audit.health().fault == ""
    assert audit.find(reference) is not None


def test_a_folder_that_cannot_be_made_ends_no_login(tmp_path, clock):
    (tmp_path / "events").write_text("a file in the way")
    audit = Audit(tmp_path / "events", clock, Events, KEY)
    audit.start()
    assert audit.decided(decision())
    assert not audit.flush(0.2)
    assert str(tmp_path / "events") in audit.health().fault
    audit.stop()


def test_an_event_that_cannot_be_written_does_not_end_the_trail(audit):
    audit.decided(allowed(object()))
    audit.flush(5)
    audit.decided(allowed("ann"))
    assert "ann" in names(audit.last(10))
    assert audit.health().dropped == 1


def test_what_is_new_is_durable_at_once_and_the_rest_within_a_second(make, clock, monkeypatch):
    synced = []
    monkeypatch.setattr(trail.os, "fdatasync", synced.append)
    audit = make()
    audit.decided(allowed())
    assert audit.flush(5)
    before = len(synced)
    audit.decided(decision())
    assert audit.flush(5)
    assert len(synced) == before + 1


def test_many_threads_lose_nothing(audit):
    def log_in(worker):
        for number in range(200):
            audit.decided(allowed(f"w{worker}-{number}"))

    workers = [threading.Thread(target=log_in, args=(worker,)) for worker in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(set(names(audit.last(5000)))) == 1600
    assert audit.health().dropped == 0


def test_stopping_writes_what_was_kept_back(audit, make):
    for _ in range(3):
        audit.decided(decision())
    audit.stop()
    audit.stop()
    assert [entry.event.count for entry in make().last(5)] == [1, 2]


def test_the_files_hold_no_password(audit, tmp_path):
    """I15: a name that nobody has may be a password typed in the wrong place."""
    typed = "correct horse battery"
    audit.decided(decision(name=audit.strangers.shown(typed), reason=Reason.USER_UNKNOWN))
    audit.flush(5)
    octets = b"".join(path.read_bytes() for path in (tmp_path / "events").iterdir())
    assert octets
    assert b"horse" not in octets


def test_days_are_kept_apart(audit, clock, tmp_path):
    audit.record(DaemonEvent(at=NOW, what="started"))
    assert audit.flush(5)
    clock.pass_s(86400)
    audit.record(DaemonEvent(at=clock.now(), what="stopping"))
    assert audit.flush(5)
    assert len(list((tmp_path / "events").iterdir())) == 2
    assert [entry.event.what for entry in audit.last(5)] == ["started", "stopping"]


def test_a_fault_between_two_batches_does_not_end_the_trail(audit, monkeypatch):
    failed = threading.Event()

    def broken(*_):
        failed.set()
        raise KeyError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr(Folding, "ended", broken)
        audit.record(DaemonEvent(at=NOW, what="started"))
        assert failed.wait(5)

    audit.decided(allowed("ann"))
    assert "ann" in names(audit.last(10))
    assert audit.is_well
