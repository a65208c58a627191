"""An import in small pieces: a login goes on between them, and nobody sees half a file."""

from __future__ import annotations

import json
import threading

import pytest

from loginward.core.attempts import Granted, Outcome
from loginward.directory.embedded import rows
from loginward.directory.embedded.accounts import NewAccount
from loginward.directory.embedded.batches import AT_ONCE
from loginward.directory.embedded.fields import Format
from loginward.directory.embedded.importing import Imported, NotImported
from loginward.directory.port import NotDone
from loginward.errors import StoreFault

RIGHT = b"right-horse-battery"
COUNT = 5 * AT_ONCE
FILE = json.dumps([{"username": f"u{n}", "groups": ["staff"]} for n in range(COUNT)]).encode()


def load(world, meanwhile=lambda progress: None, octets=FILE):
    def on_progress(progress):
        if progress.step == "writing":
            meanwhile(progress)

    return world.directory.import_accounts(octets, Format.JSON, on_progress)


def names(world):
    return {facts.name for facts in world.directory.accounts_with()}


def taken(world):
    return world.book.read(rows.names_and_ids)[0]


def test_nobody_sees_an_account_before_all_are_there(world):
    """Not by name, by id, in a list or in an export; then all at once."""
    world.add("ann", RIGHT)
    looks = []

    def look(progress):
        one = next(iter(taken(world) - {"ann"}))
        exported = json.loads(
            "".join(world.directory.export_accounts(Format.JSON, with_hashes=True))
        )
        looks.append((world.facts(one), names(world), [entry["username"] for entry in exported]))
        assert progress.done < COUNT or len(taken(world)) == COUNT + 1

    assert load(world, look) == Imported(accounts=COUNT, pending=COUNT, hashed=0)
    assert len(looks) > 3
    assert looks == [(None, {"ann"}, ["ann"])] * len(looks)
    assert len(names(world)) == COUNT + 1
    assert world.facts("U7").groups == {"staff"}


def test_a_login_is_counted_between_two_pieces(world):
    """The file is never held for longer than a piece takes."""
    world.add("ann", RIGHT)
    granted = []

    def sign_in(progress):
        def attempt():
            reserved = world.reserve("ann")
            world.settle("ann", reserved, Outcome.ALLOWED)
            granted.append(reserved)

        login = threading.Thread(target=attempt, daemon=True)
        login.start()
        login.join(10)
        assert not login.is_alive(), "it waits for the import"

    assert isinstance(load(world, sign_in), Imported)
    assert len(granted) > 3
    assert all(isinstance(reserved, Granted) for reserved in granted)


def test_a_name_taken_meanwhile_leaves_nothing_of_the_file(world):
    last = json.loads(FILE)[-1] | {"id": "zzz"}  # written last, by its id
    octets = json.dumps([*json.loads(FILE)[:-1], last]).encode()
    added = []

    def add(progress):
        if not added:
            added.append(world.directory.add(NewAccount(name=last["username"].upper())))

    told = load(world, add, octets)
    assert isinstance(told, NotImported)
    assert [problem.field for problem in told.problems] == ["username"]
    assert names(world) == {last["username"].upper()}
    assert taken(world) == {last["username"]}


def test_a_name_of_an_import_under_way_is_taken(world):
    told = []

    def add(progress):
        one = next(iter(taken(world)))
        told.append(world.directory.add(NewAccount(name=one)))

    assert isinstance(load(world, add), Imported)
    assert told
    assert all(isinstance(one, NotDone) for one in told)


def test_one_import_at_a_time(world):
    told = []
    assert isinstance(load(world, lambda progress: told.append(load(world))), Imported)
    assert {str(problem.why) for other in told for problem in other.problems} == {
        "another file is being imported; try again when that one is done"
    }
    assert len(names(world)) == COUNT


def test_what_a_fault_left_is_gone_before_the_next_import(world, monkeypatch):
    """A disk that is full in the middle, and has room again."""
    world.add("ann", RIGHT)
    insert, pieces = rows.insert, []

    def failing(connection, new, batch=None):
        pieces.append(len(new))
        if len(pieces) > 2:
            raise StoreFault("accounts.db: the disk is full", "make room")
        insert(connection, new, batch)

    monkeypatch.setattr(rows, "insert", failing)
    with pytest.raises(StoreFault):
        load(world)
    monkeypatch.undo()
    assert names(world) == {"ann"}
    assert load(world) == Imported(accounts=COUNT, pending=COUNT, hashed=0)
    assert len(taken(world)) == COUNT + 1


def test_what_a_crash_left_is_gone_at_the_next_start(world, monkeypatch):
    world.add("ann", RIGHT)
    monkeypatch.setattr(
        rows, "insert", lambda *_, insert=rows.insert, **new: fail_after(insert, _, new)
    )
    with pytest.raises(KeyboardInterrupt):
        load(world)
    monkeypatch.undo()
    assert len(taken(world)) == AT_ONCE + 1
    world.reopen()
    assert taken(world) == names(world) == {"ann"}


def fail_after(insert, arguments, new):
    """Write the first piece, and cut the second short."""
    if len(arguments[0].execute("SELECT 1 FROM account").fetchall()) > 1:
        raise KeyboardInterrupt
    insert(*arguments, **new)
