"""Import and export: whole or not at all, and a backup that comes back octet for octet."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from loginward.core.evidence import Proven
from loginward.core.status import ExpiryCause, LockCause, PasswordStatus, UserState
from loginward.directory.embedded.fields import Format
from loginward.directory.embedded.importing import Imported
from loginward.directory.port import Verb
from tests.directory.embedded.files import PHC, RIGHT, exported, load, problems

CHOOSE = "leave it empty to let the person choose one"
ARGON2 = "Argon2id hash in PHC form ($argon2id$v=19$m=...,t=...,p=...$)"


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
