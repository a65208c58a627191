"""Import and export: whole or not at all, and a backup that comes back octet for octet."""

from __future__ import annotations

import csv
import io
import json
import string
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loginward.core.evidence import Proven
from loginward.core.lockout import Failure, Tally
from loginward.core.names import index_form, is_well_formed
from loginward.core.status import ExpiryCause, Lock, LockCause, PasswordStatus, UserState
from loginward.directory.embedded import codec, rows
from loginward.directory.embedded.fields import Format
from loginward.directory.embedded.importing import Imported, NotImported
from loginward.directory.embedded.record import OldPassword, Password, Record, SetBy, Token
from loginward.directory.port import Verb

RIGHT = b"right-horse-battery"
PHC = (
    "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$DXrhvFW0cyRwqwdVKqqP5wO6jGAYXSCwLPdFqMtHSrY"
)
CHOOSE = "leave it empty to let the person choose one"
ARGON2 = "Argon2id hash in PHC form ($argon2id$v=19$m=...,t=...,p=...$)"
NOW = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)


def load(world, text, form=Format.CSV, seen=None):
    octets = text if isinstance(text, bytes) else text.encode()
    return world.directory.import_accounts(octets, form, (seen if seen is not None else []).append)


def problems(result):
    assert isinstance(result, NotImported)
    return [str(problem) for problem in result.problems]


def exported(world, form=Format.JSON, *, with_hashes=False):
    text = "".join(world.directory.export_accounts(form, with_hashes=with_hashes))
    if form is Format.JSON:
        return {account["username"]: account for account in json.loads(text)}
    return {row["username"]: row for row in csv.DictReader(io.StringIO(text))}


def test_accounts_come_in_pending_hashed_or_with_their_hash(world):
    world.add("template", RIGHT)
    phc = exported(world, with_hashes=True)["template"]["password_hash"]
    result = load(
        world,
        "username,displayname,email,recovery_email,groups,state,password,password_hash\n"
        "ann,Ann Lee,ann@example.org,ann@home.example,staff;vpn,ACTIVATED,,\n"
        f"bob,,,,,STAGED,{RIGHT.decode()},\n"
        f'cyd,,,,,,,"{phc}"\n',
    )
    assert result == Imported(accounts=3, pending=1, hashed=1)
    assert world.status("ann").statuses == {PasswordStatus.PENDING}
    assert world.facts("ann").groups == {"staff", "vpn"}
    assert world.status("bob").state is UserState.STAGED
    assert isinstance(world.check("bob", RIGHT), Proven)
    assert isinstance(world.check("cyd", RIGHT), Proven)
    told = exported(world)["ann"]
    assert (told["displayname"], told["email"], told["recovery_email"]) == (
        "Ann Lee",
        "ann@example.org",
        "ann@home.example",
    )


def test_json_says_the_same(world):
    text = json.dumps(
        [
            {
                "username": "ann",
                "groups": ["staff"],
                "password_must_change": True,
                "password": RIGHT.decode(),
            },
            {"username": "bob", "ends_at": "2026-03-28T13:00:00+01:00"},
        ]
    )
    assert load(world, text, Format.JSON) == Imported(accounts=2, pending=1, hashed=1)
    assert world.status("ann").must_change
    assert world.status("bob").state is UserState.SUSPENDED  # ended at this very moment


def test_every_problem_of_the_file_is_told_and_nothing_comes_in(world):
    world.add("taken", RIGHT)
    result = load(
        world,
        "username,id,email,state,starts_at,ends_at,password,password_hash,password_must_change\n"
        "ok,,,,,,,,\n"
        "a:b,,,,,,,,\n"
        ",,,,,,,,\n"
        "TAKEN,,,,,,,,\n"
        "OK,,,,,,,,\n"
        "c,x y,no-address,ACTIV,2026-03-01,,short,,maybe\n"
        "d,,,,2026-03-02T00:00:00Z,2026-03-01T00:00:00Z,,$2b$12$abc,\n"
        f"e,,,,,,secret-horse-battery,{PHC.replace(',', ';')},\n",
    )
    assert problems(result) == [
        "line 3, username: is no login name; it has no colon, slash or hyphen in front",
        "line 4, username: is missing",
        "line 5, username: is in the directory already; remove it there or here",
        "line 6, username: is that of line 2 too; names differ in more than case",
        "line 7, password: is too-short by policy.password; " + CHOOSE,
        "line 7, password_must_change: is neither true nor false",
        "line 7, id: is no id; letters, digits and hyphens, or leave it empty",
        "line 7, email: is no mail address; write it like ann@example.org",
        "line 7, state: is none of STAGED, ACTIVATED, SUSPENDED",
        "line 7, starts_at: is no moment with a zone; write it like 2026-03-01T08:00:00Z",
        "line 8, password_hash: is no " + ARGON2,
        "line 8, ends_at: is not after starts_at; correct one of them",
        "line 9, password_hash: is no " + ARGON2,
    ]
    assert "secret-horse" not in repr(result)
    assert [facts.name for facts in world.directory.accounts_with()] == ["taken"]


def test_half_a_character_is_no_password(world):
    text = '[{"username": "ann", "password": "horse-battery-\\ud800-x"}]'
    assert problems(load(world, text, Format.JSON)) == [
        "line 1, password: holds half a character; type it anew"
    ]


def test_a_password_beside_a_hash_is_one_too_many(world):
    text = json.dumps([{"username": "ann", "password": RIGHT.decode(), "password_hash": PHC}])
    assert problems(load(world, text, Format.JSON)) == [
        "line 1, password_hash: stands beside a password; give one of the two"
    ]


@pytest.mark.parametrize(
    "phc",
    [
        pytest.param("$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$c29tZXRhZ3NvbWV0YWc", id="argon2i"),
        pytest.param(
            "$argon2id$v=19$m=9999999,t=9,p=1$c29tZXNhbHRzbw$c29tZXRhZ3NvbWV0YWc", id="a-week-long"
        ),
        pytest.param("{SSHA}abc", id="ssha"),
        pytest.param(7, id="number"),
        pytest.param("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$", id="no-tag"),
    ],
)
def test_a_hash_that_cannot_be_checked_is_refused(world, phc):
    text = json.dumps([{"username": "ann", "password_hash": phc}])
    assert "is no Argon2id hash" in problems(load(world, text, Format.JSON))[0]


def test_what_a_foreign_file_refuses_stays_refused(world):
    text = json.dumps(
        [
            {
                "username": "ann",
                "password_hash": PHC,
                "account_locked": True,
                "account_locked_date": "2026-03-01T00:00:00Z",
            },
            {"username": "bob", "password_hash": PHC, "password_expired": True},
            {
                "username": "cyd",
                "password_hash": PHC,
                "password_expired": True,
                "password_expiration_date": "2026-03-02T00:00:00Z",
            },
        ]
    )
    assert isinstance(load(world, text, Format.JSON), Imported)
    lock = world.status("ann").lock
    assert (lock.cause, lock.since) == (LockCause.BY_ADMIN, datetime(2026, 3, 1, tzinfo=UTC))
    assert world.status("bob").due.cause is ExpiryCause.BY_ADMIN
    assert world.status("cyd").due.at == datetime(2026, 3, 2, tzinfo=UTC)
    assert PasswordStatus.EXPIRED in world.status("cyd").statuses


def test_r13_an_imported_password_from_before_the_rules_is_outdated(world):
    world.clock.pass_by(timedelta(days=1))
    world.rules(min_length=14, update_by=world.clock.now() + timedelta(days=9))
    text = json.dumps(
        [
            {"username": "old", "password_hash": PHC, "password_date": "2026-03-28T12:00:00Z"},
            {"username": "new", "password_hash": PHC, "password_date": "2026-03-29T12:00:00Z"},
        ]
    )
    load(world, text, Format.JSON)
    assert world.status("old").due.cause is ExpiryCause.POLICY_DEADLINE
    assert world.status("new").due is None


def test_r11_an_export_says_what_the_api_says(world):
    world.rules(max_age_s=86400)
    world.add("ann", RIGHT)
    world.add("bob", RIGHT)
    world.lock_by_guessing("bob")
    world.guess("ann", times=2)
    world.clock.pass_by(timedelta(days=1))
    world.lock_by_guessing("bob")
    told = exported(world)
    wanted = {
        "state": "ACTIVATED",
        "activated": True,
        "suspended": False,
        "password_expired": True,
        "password_expiration_date": "2026-03-29T12:00:00Z",
        "password_date": "2026-03-28T12:00:00Z",
        "password_never_expires": False,
        "account_locked": False,
        "account_locked_date": None,
        "totp_enabled": False,
        "totp_status": "disabled",
        "badLoginAttempts": 2,
    }
    assert {name: told["ann"][name] for name in wanted} == wanted
    assert told["bob"]["account_locked"] is True
    assert told["bob"]["account_locked_date"] == "2026-03-29T12:00:00Z"
    assert told["bob"]["account_locked_until"] == "2026-03-29T12:30:00Z"
    assert told["bob"]["account_locked_source"] == "sshd 203.0.113.7"
    assert told["bob"]["totp_status"] == "locked"  # R08, R55


def test_an_export_without_hashes_holds_none(world):
    world.add("ann", RIGHT)
    world.act("ann", Verb.SET_TEMPORARY, b"second-staple-correct")
    for form in Format:
        text = "".join(world.directory.export_accounts(form, with_hashes=False))
        assert "argon2" not in text
        assert "sha256" not in text


def test_csv_cells_never_start_like_a_formula(world):
    load(
        world,
        json.dumps(
            [
                {"username": "ann", "displayname": "=cmd|'/c calc'!A1"},
                {"username": "bob", "displayname": "'t Hooft"},
            ]
        ),
        Format.JSON,
    )
    told = exported(world, Format.CSV)
    assert told["ann"]["displayname"] == "'=cmd|'/c calc'!A1"
    assert told["bob"]["displayname"] == "'t Hooft"
    text = "".join(world.directory.export_accounts(Format.CSV, with_hashes=True))
    world.directory.remove(world.facts("ann").account_id)
    world.directory.remove(world.facts("bob").account_id)
    assert isinstance(load(world, text), Imported)
    assert exported(world)["ann"]["displayname"] == "=cmd|'/c calc'!A1"


def test_progress_is_told_with_its_rate(world):
    class Running:
        def __init__(self, clock):
            self.clock, self.at = clock, 0.0
            self.now = clock.now

        def monotonic(self):
            self.at += 0.5
            return self.at

    world.book.clock = Running(world.clock)
    seen = []
    load(
        world,
        "username,password\n" + "".join(f"u{n},pass-phrase-number-{n}\n" for n in range(300)),
        seen=seen,
    )
    last = {progress.step: progress for progress in seen}
    assert list(last) == ["reading", "hashing", "writing"]
    assert all(p.done == p.total for p in last.values())
    assert last["hashing"].total == 300
    assert last["hashing"].per_s > 0
    assert len([p for p in seen if p.step == "hashing"]) <= 101


def test_an_empty_directory_is_an_empty_file(world):
    assert exported(world) == {}
    assert exported(world, Format.CSV) == {}
    for form in Format:
        text = "".join(world.directory.export_accounts(form, with_hashes=True))
        assert load(world, text, form) == Imported(accounts=0, pending=0, hashed=0)


def test_an_account_added_while_passwords_are_hashed_stops_the_import(world):
    world.during_next_hash(lambda: world.add("ann", RIGHT))
    result = load(world, f"username,password\nbob,{RIGHT.decode()}\nANN,\n")
    assert problems(result) == [
        "line 3, username: is in the directory already; remove it there or here"
    ]
    assert world.facts("bob") is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tally", "{"), ("tally", "7"), ("tally", "{}"),
        ("tally", '{"epoch":-1,"failures":[],"lock":null}'),
        ("tally", '{"epoch":true,"failures":[],"lock":null}'),
        ("tally", '{"epoch":0,"failures":[[1,2,3]],"lock":null}'),
        ("tally", '{"epoch":0,"failures":{},"lock":null}'),
        ("tally", '{"epoch":0,"failures":[],"lock":{"id":"x"}}'),
        ("activation", '{"sha256":"00","expires_at":"2026-03-01T00:00:00Z"}'),
        ("activation", '{"sha256":7,"expires_at":"2026-03-01T00:00:00Z"}'),
        ("password_history", '[["x","2026-03-01T00:00:00Z"]]'),
        ("password_history", "[" * 5000), ("password_set_by", "nobody"), ("state_set", "open"),
        ("admin_lock", "[]"), ("groups", "[1]"), ("starts_at", "soon"),
        ("starts_at", "0001-01-01T00:00:00+14:00"), ("created", "2026-03-01"),
        ("displayname", "x" * 257), ("id", "../etc"), ("email", "a b@c"),
    ],
)  # fmt: skip
def test_a_tampered_field_is_a_problem_of_its_own_line(world, field, value):
    line = io.StringIO()
    csv.writer(line).writerows(
        [["username", "state_set", field], ["ann", "active", value]]
        if field != "state_set"
        else [["username", field], ["ann", value]]
    )
    found = problems(load(world, line.getvalue()))
    assert found[0].startswith(f"line 2, {field}: ")


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
