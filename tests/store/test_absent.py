"""Names that the directory does not have are remembered a day, and not without end."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from loginward.store.absent import AbsentNames

if TYPE_CHECKING:
    from tests.store.stage import Host


def test_an_absent_name_is_remembered_in_any_spelling_for_a_day(host: Host) -> None:
    AbsentNames(host.open()).note("Postgres")
    names = AbsentNames(host.restart())

    assert names.is_absent(" postgres")
    assert not names.is_absent("ada")
    host.machine.run(hours=24, seconds=1)
    assert not names.is_absent("postgres")


def test_a_name_that_turns_up_is_forgotten(host: Host) -> None:
    names = AbsentNames(host.open())
    names.note("ada")
    names.drop("ADA")
    names.drop("nobody")

    assert not names.is_absent("ada")
    assert not AbsentNames(host.restart()).is_absent("ada")


def test_a_repeated_answer_is_written_once_an_hour(host: Host) -> None:
    store = host.open()
    names = AbsentNames(store)
    names.note("postgres")
    before = store.file.read(store.file.rows.header).sequence
    host.machine.run(minutes=59)
    names.note("postgres")
    assert store.file.read(store.file.rows.header).sequence == before
    host.machine.run(minutes=2)
    names.note("postgres")
    host.machine.run(hours=23)
    assert names.is_absent("postgres")


def test_at_most_a_thousand_are_kept_and_the_oldest_make_room(host: Host) -> None:
    names = AbsentNames(host.open())
    for number in range(1001):
        names.note(f"user-{number}")

    assert not names.is_absent("user-0")
    assert names.is_absent("user-1")
    host.machine.run(hours=25)
    names.note("late")
    assert names._names is not None
    assert len(names._names) == 1


def test_a_list_that_was_changed_is_not_believed(host: Host) -> None:
    AbsentNames(host.open()).note("ada")
    host.close()
    connection = sqlite3.connect(host.database)
    with connection:
        connection.execute("UPDATE aside SET sealed = zeroblob(60) WHERE name = 'absent'")
    connection.close()
    store = host.open()

    assert not AbsentNames(store).is_absent("ada")
    assert len(store.faults()) == 1
