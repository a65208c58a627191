"""Accounts that are remembered, and all that makes them forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loginward.core.clock import Deadline
from loginward.core.evidence import NoVerdict, Proof, Proven, Refusal, Refused, Wrong
from loginward.core.facts import AccountFacts, Fact
from loginward.core.secret import Secret
from loginward.core.status import DueDate, ExpiryCause, Lock, LockCause, UserState
from loginward.directory.ldap import remembered as remembered_module
from loginward.directory.ldap.entry import Entry
from loginward.directory.ldap.held import Held
from loginward.directory.ldap.loop_binder import LoopChecks
from loginward.directory.ldap.openldap import with_last_login
from loginward.directory.ldap.remembered import HELD_S, SPELLINGS, Remembered

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SUFFIX = "dc=ex,dc=org"


class Hand:
    """A clock turned by hand."""

    def __init__(self) -> None:
        self.wall, self.at = NOW, 100.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.at

    boottime = monotonic


def csn(number: int) -> str:
    return f"20261124120000.{number:06}Z#000000#000#000000"


def entry(name: str = "ann", number: int = 1, **values: str) -> Entry:
    held = {"uid": name, "entrycsn": csn(number)} | values
    return Entry(f"uid={name},{SUFFIX}", {key: (held[key].encode(),) for key in held})


def facts(name: str = "ann", **known: object) -> AccountFacts:
    given = {"account_id": f"id-{name}", "name": name, "read_at": NOW} | known
    return AccountFacts(**given)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def kept(clock: Hand) -> Remembered:
    """Return a memory that holds ann."""
    found = Remembered("uid", clock)
    found.open(SUFFIX)
    keep(found)
    assert found.of_name("ann", NOW) == facts()
    return found


def keep(memory: Remembered, name: str = "ann", number: int = 1, **known: object) -> None:
    mark = memory.begin()
    assert mark is not None
    memory.keep(mark, entry(name, number), facts(name, **known), name)


def test_nothing_is_remembered_while_nothing_is_told(clock: Hand) -> None:
    memory = Remembered("uid", clock)
    assert memory.begin() is None
    memory.open(SUFFIX)
    mark = memory.begin()
    assert mark is not None
    memory.shut()
    memory.keep(mark, entry(), facts(), "ann")
    assert memory.of_name("ann", NOW) is None


def test_a_reading_from_before_the_watch_is_not_remembered(clock: Hand) -> None:
    memory = Remembered("uid", clock)
    memory.open(SUFFIX)
    mark = memory.begin()
    assert mark is not None
    memory.open(SUFFIX)  # another connection: what happened between the two was not told
    memory.keep(mark, entry(), facts(), "ann")
    assert memory.of_name("ann", NOW) is None


@pytest.mark.parametrize(
    "known",
    [
        pytest.param({"locks": (Lock(id="x", cause=LockCause.BY_ADMIN),)}, id="locked"),
        pytest.param({"failures": (NOW,)}, id="failed"),
        pytest.param({"failures": None}, id="failures-unreadable"),
        pytest.param({"unreadable": frozenset({Fact.GROUPS})}, id="unreadable"),
        pytest.param({"has_password": False}, id="pending"),
        pytest.param({"has_password": None}, id="password-unknown"),
        pytest.param({"must_change": True}, id="must-change"),
        pytest.param({"state": UserState.SUSPENDED}, id="suspended"),
        pytest.param({"starts_at": NOW + timedelta(1)}, id="staged"),
        pytest.param({"due": (DueDate(NOW, ExpiryCause.AGING),)}, id="expired"),
    ],
)
def test_whom_something_stands_against_is_not_at_hand(
    kept: Remembered, known: dict[str, object]
) -> None:
    """Who was unlocked a moment ago must get in, so that it is read."""
    keep(kept, number=2, **known)
    assert "id-ann" in kept
    assert kept.of_name("ann", NOW) is None


@pytest.mark.parametrize(
    "known",
    [
        {"ends_at": NOW + timedelta(minutes=5)},
        {"due": (DueDate(NOW + timedelta(minutes=5), ExpiryCause.AGING),)},
    ],
)
def test_what_comes_with_time_is_read_when_it_has_come(
    kept: Remembered, clock: Hand, known: dict[str, object]
) -> None:
    keep(kept, number=2, **known)
    clock.wall = NOW + timedelta(minutes=4, seconds=59)
    assert kept.of_name("ann", NOW) is not None
    clock.wall = NOW + timedelta(minutes=5)
    assert kept.of_name("ann", NOW) is None


def test_what_no_event_tells_of_is_looked_at_again(kept: Remembered, clock: Hand) -> None:
    clock.at += HELD_S
    assert kept.of_name("ann", NOW) is not None
    clock.at += 1
    assert kept.of_name("ann", NOW) is None


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(entry(number=2), id="what-is-not-read"),
        pytest.param(entry(number=2, pwdaccountlockedtime="000001010000Z"), id="lock"),
        pytest.param(entry(number=2, pwdfailuretime="20261124115900Z"), id="failure"),
        pytest.param(entry(number=2, pwdlastsuccess="20261124115900Z", uid="b"), id="and-name"),
        pytest.param(
            replace(entry(number=2, pwdlastsuccess="20261124115900Z"), dn="uid=ann,o=x"),
            id="login-and-place",
        ),
        pytest.param(entry(number=0, pwdlastsuccess="20261124115900Z"), id="of-before"),
        pytest.param(None, id="gone"),
    ],
)
def test_whatever_happens_to_an_entry_has_it_read(kept: Remembered, changed: Entry | None) -> None:
    assert kept.happened("id-ann", changed)
    assert kept.of_name("ann", NOW) is None
    assert "id-ann" not in kept


def test_a_login_is_taken_over(kept: Remembered) -> None:
    at = "20261124115900Z"
    assert not kept.happened("id-ann", entry(number=2, pwdlastsuccess=at))
    assert kept.of_name("ann", NOW) == facts(evidence=with_last_login((), (at,)))
    assert kept.happened("id-ann", entry(number=3, pwdlastsuccess=at))


def test_what_a_reading_has_seen_already_changes_nothing(kept: Remembered) -> None:
    assert not kept.happened("id-ann", entry(number=1, pwdlastsuccess="20261124115900Z"))
    assert kept.of_name("ann", NOW) == facts()


def test_what_happens_to_strangers_is_told_and_changes_nobody(kept: Remembered) -> None:
    assert kept.happened("id-bob", entry("bob"))
    assert kept.of_name("ann", NOW) is not None


@pytest.mark.parametrize("name", ["ann", "ANN", " Ann "])
def test_another_entry_of_the_name_makes_it_ambiguous(kept: Remembered, name: str) -> None:
    kept.happened("id-other", entry(name))
    assert kept.of_name("ann", NOW) is None


@pytest.mark.parametrize(
    ("account_id", "names"), [("id-ann", "ann"), ("id-other", "Ann"), ("id-ann", "elsewhere")]
)
def test_a_reading_that_something_overtook_is_not_remembered(
    kept: Remembered, account_id: str, names: str
) -> None:
    kept.spoil("id-ann")
    mark = kept.begin()
    assert mark is not None
    kept.happened("id-stranger", entry("stranger"))
    kept.happened(account_id, entry(names))
    kept.happened("id-stranger", entry("stranger"))
    kept.keep(mark, entry(number=2), facts(), "ann")
    assert kept.of_name("ann", NOW) is None


def test_a_reading_that_strangers_overtook_is_remembered(kept: Remembered) -> None:
    kept.spoil("id-ann")
    mark = kept.begin()
    assert mark is not None
    kept.happened("id-stranger", entry("stranger"))
    kept.keep(mark, entry(number=2), facts(), "ann")
    assert kept.of_name("ann", NOW) is not None


def test_a_reading_that_too_much_overtook_is_not_remembered(
    kept: Remembered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered_module, "_RECENT", 3)
    kept.spoil("id-ann")
    mark = kept.begin()
    assert mark is not None
    for _ in range(4):
        kept.happened("id-stranger", entry("stranger"))
    kept.keep(mark, entry(number=2), facts(), "ann")
    assert kept.of_name("ann", NOW) is None


def test_in_doubt_everything_is_forgotten_and_what_is_being_read(kept: Remembered) -> None:
    mark = kept.begin()
    assert mark is not None
    kept.doubt()
    assert len(kept) == 0
    kept.keep(mark, entry(), facts(), "ann")
    assert kept.of_name("ann", NOW) is None


@pytest.mark.parametrize(
    ("checked", "stays"),
    [
        pytest.param(Proven(proof=Proof.BIND), True, id="right"),
        pytest.param(Proven(proof=Proof.BIND, grace_left=1), False, id="grace"),
        pytest.param(Proven(proof=Proof.BIND, must_change=True), False, id="must-change"),
        pytest.param(Proven(proof=Proof.BIND, expired=True), False, id="expired"),
        pytest.param(Wrong(), False, id="wrong"),
        pytest.param(Refused(Refusal.LOCKED), False, id="refused"),
        pytest.param(NoVerdict("bind"), False, id="no-answer"),
    ],
)
def test_what_a_bind_of_ours_may_have_changed_is_read(
    kept: Remembered, checked: Proven | Wrong | Refused | NoVerdict, stays: bool
) -> None:
    """I6: the failure that it made is not missing in the next facts."""
    mark = kept.begin()
    assert mark is not None
    kept.checked("id-ann", checked)
    assert (kept.of_name("ann", NOW) is not None) is stays
    kept.keep(mark, entry(number=2), facts(), "ann")
    assert (kept.of_name("ann", NOW) is not None) is stays


def test_facts_are_as_old_as_what_has_been_told(kept: Remembered) -> None:
    later = NOW + timedelta(seconds=1)
    assert kept.of_name("ann", later) == facts(read_at=later)
    assert kept.of_name("ann", NOW) == facts(read_at=later)


@pytest.mark.parametrize(("checked", "stays"), [(Wrong(), False), (Proven(proof=Proof.BIND), True)])
def test_binds_of_an_event_loop_are_noted_too(
    kept: Remembered, clock: Hand, checked: Wrong | Proven, stays: bool
) -> None:
    class Binder:
        def bind(self, _dn, _password, _deadline, told, _takes_over) -> None:  # type: ignore[no-untyped-def]
            told(checked)

    told: list[object] = []
    checks = LoopChecks(Binder(), Held(clock), kept)  # type: ignore[arg-type]
    checks.check(facts(ref="uid=ann"), Secret(b"x"), Deadline.after(1, clock), told.append)
    assert told == [checked]
    assert (kept.of_name("ann", NOW) is not None) is stays


def test_names_are_told_apart_as_they_were_typed(kept: Remembered) -> None:
    """Only the directory knows whether two spellings are one name."""
    assert kept.of_name("Ann", NOW) is None


def test_spellings_are_bounded(kept: Remembered) -> None:
    for name in ("aNn", "anN", "ANn", "AnN", "aNN"):
        mark = kept.begin()
        assert mark is not None
        kept.keep(mark, entry(), facts(), name)
    held = [
        n for n in ("ann", "aNn", "anN", "ANn", "AnN", "aNN") if kept.of_name(n, NOW) is not None
    ]
    assert len(held) == SPELLINGS


def test_a_name_that_is_another_account_now(kept: Remembered) -> None:
    mark = kept.begin()
    assert mark is not None
    kept.keep(mark, entry(number=2), facts(account_id="id-new"), "ann")
    assert kept.of_name("ann", NOW) == facts(account_id="id-new")
    assert "id-ann" not in kept


def test_accounts_are_bounded(kept: Remembered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered_module, "BOUND", 3)
    for name in ("bob", "carol"):
        keep(kept, name)
    kept.of_name("ann", NOW)  # the one longest not asked for goes
    keep(kept, "dave")
    assert [n for n in ("ann", "bob", "carol", "dave") if kept.of_name(n, NOW)] == [
        "ann",
        "carol",
        "dave",
    ]


def test_an_entry_without_a_change_number_is_not_remembered(kept: Remembered) -> None:
    kept.spoil("id-ann")
    mark = kept.begin()
    assert mark is not None
    found = entry()
    del found.values["entrycsn"]
    kept.keep(mark, found, facts(), "ann")
    assert "id-ann" not in kept


def test_only_what_lies_in_the_database_is_watched(kept: Remembered) -> None:
    assert kept.is_watched(f"cn=default, ou=x, {SUFFIX.upper()}")
    assert not kept.is_watched("cn=default,dc=other")
    kept.shut()
    assert not kept.is_watched(SUFFIX)
