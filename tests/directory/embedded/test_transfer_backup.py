"""A backup comes back as it was, and no file breaks an import."""

from __future__ import annotations

import json
import string
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from loginward.core.lockout import Failure, Tally
from loginward.core.names import index_form, is_well_formed
from loginward.core.status import Lock, LockCause, UserState
from loginward.directory.embedded import codec, rows
from loginward.directory.embedded.fields import Format
from loginward.directory.embedded.importing import Imported
from loginward.directory.embedded.record import OldPassword, Password, Record, SetBy, Token
from tests.directory.embedded.files import PHC, load

MOMENTS = st.datetimes(
    datetime(2020, 1, 1),
    datetime(2026, 3, 28, 12),
    timezones=st.just(UTC),
)

LINES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=12)

NAMES = st.text(string.ascii_letters + "äß.@-' =+\uff21\uff22", min_size=1, max_size=12).filter(
    is_well_formed
)

IDS = st.text("0123456789abcdef-", min_size=1, max_size=16)

ADDRESSES = st.sampled_from(["", "a@b", "=x@example.org", "'@x@y"[:4] + "z"]).filter(
    lambda mail: not mail or mail.count("@") == 1
)


def locks(cause):
    return st.builds(
        Lock,
        id=IDS,
        cause=st.just(cause),
        since=MOMENTS,
        until=st.none() if cause is LockCause.BY_ADMIN else st.none() | MOMENTS,
        source=st.just("") if cause is LockCause.BY_ADMIN else LINES,
        failures=st.just(0) if cause is LockCause.BY_ADMIN else st.integers(1, 9),
    )


RECORDS = st.builds(
    Record,
    id=IDS,
    name=NAMES,
    display_name=LINES,
    mail=ADDRESSES,
    recovery=ADDRESSES,
    groups=st.frozensets(LINES, max_size=3),
    created_at=MOMENTS,
    state=st.sampled_from(UserState),
    state_since=st.none() | MOMENTS,
    starts_at=st.none() | MOMENTS,
    ends_at=st.none() | MOMENTS.map(lambda at: at + timedelta(days=9000)),
    admin_lock=st.none() | locks(LockCause.BY_ADMIN),
    password=st.none()
    | st.builds(
        Password,
        phc=st.just(PHC),
        changed_at=MOMENTS,
        set_by=st.sampled_from(SetBy),
        must_change=st.booleans(),
        forced_at=st.none() | MOMENTS,
        outdated=st.booleans(),
        history=st.lists(st.builds(OldPassword, st.just(PHC), MOMENTS), max_size=3).map(tuple),
    ),
    token=st.none() | st.builds(Token, st.binary(min_size=32, max_size=32), MOMENTS),
    tally=st.builds(
        Tally,
        failures=st.lists(st.builds(Failure, MOMENTS, LINES), max_size=3).map(tuple),
        lock=st.none() | locks(LockCause.THRESHOLD),
        epoch=st.integers(0, 1000),
    ),
)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        RECORDS,
        max_size=4,
        unique_by=(lambda record: record.id, lambda record: index_form(record.name)),
    ),
    st.sampled_from(Format),
)
def test_a_backup_comes_back_octet_for_octet(new_world, records, form):
    """A backup loaded into a new directory exports to the very same octets."""
    with tempfile.TemporaryDirectory() as folder:
        texts = []
        for number in range(2):
            world = new_world(Path(folder) / f"{number}.db")
            world.rules(max_age_s=86400 * 90)
            if number:
                assert isinstance(load(world, texts[0], form), Imported)
                assert list(world.book.read(lambda c: list(rows.in_order(c)))) == sorted(
                    records, key=lambda record: index_form(record.name)
                )
            else:
                for record in records:
                    world.book.write(
                        lambda c, record=record: rows.insert(c, [codec.rows_of(record)])
                    )
            texts.append("".join(world.directory.export_accounts(form, with_hashes=True)))
            world.close()
        assert texts[0] == texts[1]


@settings(deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["username", "groups", "state", "tally", "admin_lock", "activation",
                             "password", "password_history", "ends_at", "id", "state_set"]),
            st.none() | st.booleans() | st.integers() | st.text(max_size=8)
            | st.lists(st.text(max_size=3), max_size=2)
            | st.dictionaries(st.sampled_from(["epoch", "lock", "failures"]), st.none()),
        ),
        max_size=3,
    )
)  # fmt: skip
def test_fuzz_any_json_is_imported_whole_or_refused_by_line(new_world, accounts):
    """Whatever the values are, the result is a value and the directory has all or none."""
    with tempfile.TemporaryDirectory() as folder:
        world = new_world(Path(folder) / "a.db")
        result = load(world, json.dumps(accounts), Format.JSON)
        there = len(world.directory.accounts_with())
        world.close()
    assert there == (len(accounts) if isinstance(result, Imported) else 0)
    assert isinstance(result, Imported) or all(p.line >= 1 and p.why for p in result.problems)
