"""A first password by an activation token, as whoever reaches the admin socket may ask for."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from loginward.core.acts import Verb
from loginward.core.changes import ChangeProblem
from loginward.core.reasons import Reason
from loginward.core.secret import Secret
from loginward.doors.admin.port import Operator
from loginward.errors import DirectoryUnavailable, StoreFault
from loginward.runtime.activation import REFUSAL_S
from loginward.runtime.events import ActEvent
from loginward.runtime.throttle import ACCOUNTS_FAILING
from loginward.wire.admin import requests
from loginward.wire.admin.rows import ActivationRow, FailedRow, Problem
from tests.runtime.conftest import OPERATOR
from tests.runtime.people import NEXT, RIGHT

WEEK = timedelta(days=7)
NEVER_GIVEN = b"never-given-to-anybody-0123456789"
ANN = Operator(uid=1000, real_uid=1000, name="ann", pid=7)
BOB = Operator(uid=1001, real_uid=1001, name="bob", pid=8)


def added(host, name="ann"):
    """Return the token of a new account."""
    return host.admin.add_user(requests.AddUser(name=name), OPERATOR).token.reveal()


def activate(host, name, token, new=RIGHT, by=ANN):
    ask = requests.ActivateSelf(name=name, token=Secret(token), new=Secret(new))
    return host.admin.activate_self(ask, by)


def acts(host):
    """Return the acts after those of the administrator."""
    trail = [entry.event for entry in host.parts.audit.last(1000)]
    return [one for one in trail if isinstance(one, ActEvent) and one.by != "root"]


def test_r03_a_token_sets_the_first_password_once(host):
    """I14: and one event names who asked."""
    token = added(host)

    assert activate(host, " ANN ", token) == ActivationRow(name="ann")
    assert host.ask("ann", RIGHT).reason is Reason.OK
    assert activate(host, "ann", token, NEXT).problem is ChangeProblem.NO_ACTIVATION

    done, refused = acts(host)
    assert (done.verb, done.name, done.by, done.uid, done.pid) == (
        "activated",
        "ann",
        "ann",
        1000,
        7,
    )
    assert (done.before.headline.value, done.after.headline.value) == ("pending", "active")
    assert (refused.verb, refused.name, refused.problem) == ("activate-self", "ann", "refused")
    assert host.ask("ann", RIGHT).reason is Reason.OK


def test_i14_no_name_is_told_from_another_by_the_answer_or_its_time(host):
    """Unknown, wrong, outlived, used, of another, none at all: one answer, after one time."""
    outlived = added(host, "gone")
    host.hands.pass_by(WEEK)
    used = added(host, "done")
    activate(host, "done", used)
    others = added(host, "other")
    added(host, "open")
    cases = [("nobody", NEVER_GIVEN), ("open", NEVER_GIVEN), ("open", b""), ("open", others),
             ("gone", outlived), ("done", used), ("x" * 256, NEVER_GIVEN)]  # fmt: skip

    said, took_s = set(), []
    for name, token in cases:
        began = time.monotonic()
        row = activate(host, name, token, by=BOB)
        took_s.append(time.monotonic() - began)
        said.add((row.name == name, row.problem, row.why))

    assert len(said) == 1
    assert {problem for _, problem, _ in said} == {ChangeProblem.NO_ACTIVATION}
    assert min(took_s) >= REFUSAL_S * 0.95


def test_the_trail_spells_nobodys_name_as_a_hash_and_holds_no_secret(host):
    """security.md 25: people type their passwords where the name goes."""
    token = added(host)
    activate(host, "my-own-secret", token)
    activate(host, "ann", token)

    trail = repr([entry.event for entry in host.parts.audit.last(1000)])
    for secret in ("my-own-secret", token.decode(), RIGHT.decode()):
        assert secret not in trail
    assert acts(host)[0].name.startswith("#")


@pytest.mark.parametrize(
    ("new", "problem", "text"),
    [
        (b"", ChangeProblem.TOO_SHORT, "12 characters"),
        (b"short", ChangeProblem.TOO_SHORT, "12 characters"),
        (b"x" * 1025, ChangeProblem.TOO_LONG, "1024"),
        (b"annannannann", ChangeProblem.TOO_WEAK, "guess"),
    ],
)
def test_a_bad_new_password_is_told_and_leaves_the_token_good(host, new, problem, text):
    token = added(host)

    row = activate(host, "ann", token, new)

    assert (row.problem, text in row.why) == (problem, True)
    assert activate(host, "ann", token).problem is None


def test_who_is_locked_by_an_administrator_is_told_to_the_holder_of_the_token_alone(host):
    token = added(host)
    host.act(Verb.LOCK, "ann")

    assert activate(host, "ann", NEVER_GIVEN).problem is ChangeProblem.NO_ACTIVATION
    assert activate(host, "ann", token).problem is ChangeProblem.NOT_ALLOWED
    assert acts(host)[-1].why == "the account is locked"


def test_many_names_from_one_user_end_its_tries_and_nobody_elses(host):
    """security.md 5: refused alike for names there are and names there are not."""
    token = added(host)
    for n in range(ACCOUNTS_FAILING):
        assert activate(host, f"guess-{n}", NEVER_GIVEN).problem is ChangeProblem.NO_ACTIVATION

    refused = [activate(host, name, token) for name in ("ann", "nobody")]

    assert refused == [
        FailedRow(
            problem=Problem.REFUSED, why="Too many tries from here; try again in 15 min."
        )
    ] * 2  # fmt: skip
    assert len(acts(host)) == ACCOUNTS_FAILING
    assert activate(host, "nobody", NEVER_GIVEN, by=OPERATOR).problem is not None
    assert activate(host, "ann", token, by=BOB) == ActivationRow(name="ann")


def test_a_setuid_program_gives_nobody_more_tries(host):
    """security.md 10: limits follow the real uid."""
    by = Operator(uid=0, real_uid=1000, name="root", pid=9)
    for n in range(ACCOUNTS_FAILING):
        activate(host, f"guess-{n}", NEVER_GIVEN, by=by)

    assert isinstance(activate(host, "ann", NEVER_GIVEN), FailedRow)


def test_tries_a_minute_are_bounded_with_the_logins(hosts):
    host = hosts("policy: {throttle: {per_source_per_min: 2}}\n")
    added(host)
    rows = [activate(host, "ann", NEVER_GIVEN) for _ in range(3)]

    assert [type(row) for row in rows] == [ActivationRow, ActivationRow, FailedRow]
    assert rows[-1].why.endswith("in 1 min.")
    host.hands.pass_by(timedelta(minutes=1))
    assert isinstance(activate(host, "ann", NEVER_GIVEN), ActivationRow)


def test_who_helps_many_people_is_not_taken_for_a_guesser(host):
    """One uid at a desk: each person that was activated counts no more."""
    for n in range(ACCOUNTS_FAILING + 2):
        token = added(host, f"person-{n}")
        activate(host, f"person-{n}", NEVER_GIVEN)
        assert activate(host, f"person-{n}", token).problem is None


def test_where_accounts_are_kept_elsewhere_it_says_so(site):
    row = activate(site, "ann", NEVER_GIVEN)

    assert row == FailedRow(
        problem=Problem.REFUSED,
        why="Accounts are kept in the LDAP directory; first passwords are set there.",
    )


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (DirectoryUnavailable("argon2"), "Too many passwords are being checked"),
        (StoreFault("accounts.db is full", "make room"), "accounts.db is full"),
    ],
)
def test_a_fault_is_told_and_in_the_trail(host, monkeypatch, fault, text):
    def failing(*_):
        raise fault

    token = added(host)
    monkeypatch.setattr(host.parts.embedded, "activate_with_token", failing)

    row = activate(host, "ann", token)

    assert (row.problem, text in row.why) == (Problem.UNAVAILABLE, True)
    assert [(one.verb, one.problem) for one in acts(host)] == [("activate-self", "unavailable")]


def test_done_is_done_though_it_cannot_be_read_back(host, monkeypatch):
    def unreadable(*_):
        raise DirectoryUnavailable("embedded")

    token = added(host)
    monkeypatch.setattr(host.parts.embedded, "read", unreadable)

    assert activate(host, "ann", token) == ActivationRow(name="ann")
    assert (acts(host)[0].verb, acts(host)[0].after) == ("activated", None)
