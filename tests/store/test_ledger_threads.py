"""Several threads at one record: what one of them found is not taken for what another left."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from loginward.sqlite.faults import NotWritable
from loginward.store.attempts import DurableAttempts
from loginward.store.record import AGENT, Record
from tests.store.stage import NOW, Host, account, wrong

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from loginward.core.facts import AccountFacts
    from loginward.store.store import Store


def younger(by_s: int) -> AccountFacts:
    return account(read_at=NOW + timedelta(seconds=by_s))


def test_a_reading_that_comes_back_after_a_lock_does_not_hide_it_r60(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between a login's look at the copy and its renewal another one trips the lock."""
    before = store.save(account()).generation
    latest = store.ledger.latest

    def overtaken(account_id: str) -> Record | None:
        found = latest(account_id)
        monkeypatch.setattr(store.ledger, "latest", latest)
        wrong(DurableAttempts(store), times=5)
        return found

    monkeypatch.setattr(store.ledger, "latest", overtaken)
    saved = store.save(younger(by_s=1))

    assert store.lock_of("id-ada", AGENT) is not None
    assert saved.generation == store.generation("id-ada") > before
    assert store.copy("id-ada") == younger(by_s=1)


def test_a_copy_forgotten_while_it_is_read_is_kept_again_by_the_next_login(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.open().save(account())
    store = host.restart()
    record = store.ledger.record

    def forgotten(account_id: str) -> Record | None:
        found = record(account_id)
        monkeypatch.setattr(store.ledger, "record", record)
        assert store.forget("ada")
        return found

    monkeypatch.setattr(store.ledger, "record", forgotten)
    store.save(younger(by_s=1))

    assert [kept.facts.name for kept in store.list()[0]] == ["ada"]


def test_what_waits_for_a_full_disk_is_not_lost_to_a_name_that_was_not_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new account of the same name lets the old one go once it is in the file, not before."""
    store.save(account())
    commits = store.file.write

    def full(function: Callable[[sqlite3.Connection], object]) -> object:
        def cut_short(connection: sqlite3.Connection) -> None:
            function(connection)
            raise NotWritable("disk full")

        return commits(cut_short)

    monkeypatch.setattr(store.file, "write", full)
    wrong(DurableAttempts(store), times=5)
    assert store.lock_of("id-ada", AGENT) is not None
    with pytest.raises(NotWritable):
        store.ledger.change(
            "id-other",
            lambda _: (Record(facts=account(account_id="id-other"), generation=1), None),
            only_durable=True,
        )

    assert store.lock_of("id-ada", AGENT) is not None
