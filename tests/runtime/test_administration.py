"""Orders over the admin door: done in the directory, seen by the next login, audited."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from loginward.core.acts import Verb
from loginward.core.reasons import Reason
from loginward.core.status import PasswordStatus, UserState
from loginward.directory.embedded.fields import Format
from loginward.errors import DirectoryUnavailable, StoreFault
from loginward.runtime.acting import Acting
from loginward.runtime.event_rows import row_of
from loginward.runtime.transfer import Transfer
from loginward.wire.admin import requests, rows
from loginward.wire.admin.rows import Problem
from tests.runtime.conftest import OPERATOR
from tests.runtime.people import NEXT, RIGHT, STATES, WRONG, file_of, person


def acts(host, name=""):
    shown = [row_of(entry) for entry in host.parts.audit.last(1000, name)]
    return [row for row in shown if row.event == "act"]


def listed(host, **which):
    return [row.name for row in host.admin.users(requests.ListUsers(**which))]


def test_a_bulk_order_goes_on_after_who_fails(host):
    """R44, R45: one row a name, in order; each is in the trail with its operator."""
    host.people(person("ann", "locked"), person("bob"))
    first, second, third = host.act(Verb.UNLOCK, "ann", "nobody-here", "bob")
    assert (first.problem, first.noop) == (None, False)
    assert second.problem is Problem.UNKNOWN
    assert (third.problem, third.noop) == (None, True)
    assert [(row.name, row.verb, row.by) for row in acts(host)] == [
        ("ann", "unlock", "root"),
        ("nobody-here", "unlock", "root"),
        ("bob", "unlock", "root"),
    ]


def test_an_order_that_had_no_right_is_in_the_trail(host):
    host.admin.turned_away("act unlock", OPERATOR)
    (row,) = acts(host)
    assert row.verb == "act unlock"


def test_lists_hold_whom_the_status_names(everybody):
    """R51: locked includes who is expired too; expired does as well."""
    assert set(listed(everybody, status=PasswordStatus.LOCKED)) == {
        "locked-user",
        "locked-expired-user",
    }
    assert set(listed(everybody, status=PasswordStatus.EXPIRED)) == {
        "expired-user",
        "locked-expired-user",
    }
    assert set(listed(everybody, state=UserState.STAGED)) == {"staged-user", "future-user"}
    assert listed(everybody) == sorted(f"{state}-user" for state in STATES)


def test_the_list_and_the_account_say_the_same(everybody):
    for row in everybody.admin.users(requests.ListUsers()):
        assert everybody.account(row.name).status == row.status


def test_an_account_is_added_activated_and_removed(host):
    row = host.admin.add_user(requests.AddUser(name="ann", display_name="Ann Lee"), OPERATOR)
    assert row.token is not None
    assert PasswordStatus.PENDING in row.after.statuses
    assert host.ask("ann", RIGHT).reason is not Reason.OK
    again = host.admin.add_user(requests.AddUser(name="ANN"), OPERATOR)
    assert again.problem is Problem.REFUSED
    host.act(Verb.SET_FIRST_PASSWORD, "ann", password=NEXT)
    assert host.ask("ann", NEXT).reason is Reason.OK
    removal = requests.RemoveUsers(names=("ann", "ann"))
    gone, unknown = host.admin.remove_users(removal, OPERATOR)
    assert (gone.problem, unknown.problem) == (None, Problem.UNKNOWN)
    assert host.ask("ann", NEXT).reason is Reason.USER_UNKNOWN
    assert [row.verb for row in acts(host)] == ["add", "add", "set-first-password", "remove",
                                                "remove"]  # fmt: skip
    assert NEXT.decode() not in repr(acts(host)) + repr(row)


def test_a_file_is_taken_whole_or_said_to_be_wrong(host):
    order = requests.ImportUsers(form=rows.FileFormat.JSON, octets=1)
    good = list(host.admin.import_users(order, file_of(person("ann")), OPERATOR))
    assert (good[-1].accounts, good[-1].hashed) == (1, 0)
    bad = file_of(person("bob"), person("ann"))
    problems = list(host.admin.import_users(order, bad, OPERATOR))
    assert any(isinstance(row, rows.LineProblemRow) for row in problems)
    assert host.account("bob") is None
    assert [row.verb for row in acts(host)] == ["import"]


def test_no_file_brings_anybody_into_a_protected_group(hosts):
    """security.md 16: else the right to import made an administrator of whoever has it."""
    host = hosts(config="doors: {admin: {protected_groups: [Domain Admins]}}\n")
    order = requests.ImportUsers(form=rows.FileFormat.JSON, octets=1)
    file = file_of(person("ann", groups=["staff"]), person("eve", groups=["domain ADMINS"]))

    (problem,) = [
        row
        for row in host.admin.import_users(order, file, OPERATOR)
        if not isinstance(row, rows.ProgressRow)
    ]

    assert problem.field == "groups"
    assert "protected_groups" in problem.why
    assert (host.account("ann"), host.account("eve")) == (None, None)
    staff = file_of(person("ann", groups=["staff"]))
    assert isinstance(list(host.admin.import_users(order, staff, OPERATOR))[-1], rows.ImportedRow)


def test_a_fault_of_an_import_reaches_who_waits(host, monkeypatch):
    """Nobody is left waiting for a thread that has ended."""

    def broken(*arguments, **more):
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(type(host.parts.embedded), "import_accounts", broken)
    order = requests.ImportUsers(form=rows.FileFormat.JSON, octets=1)
    with pytest.raises(RuntimeError):
        list(host.admin.import_users(order, b"[]", OPERATOR))


def test_a_backup_restores_who_could_sign_in(hosts):
    """R11: exported with hashes, imported on another host, the same passwords hold."""
    old, new = hosts(name="old"), hosts(name="new")
    old.people(*(person(f"{state}-user", state) for state in STATES))
    order = requests.ExportUsers(form=rows.FileFormat.JSON, with_hashes=True)
    octets = b"".join(p.octets.reveal() for p in old.admin.export_users(order, OPERATOR))
    took = requests.ImportUsers(form=rows.FileFormat.JSON, octets=len(octets))
    assert isinstance(list(new.admin.import_users(took, octets, OPERATOR))[-1], rows.ImportedRow)
    for state in STATES:
        assert new.ask(f"{state}-user", RIGHT).reason is old.ask(f"{state}-user", RIGHT).reason, (
            state
        )
    plain = requests.ExportUsers(form=rows.FileFormat.JSON)
    octets = b"".join(p.octets.reveal() for p in old.admin.export_users(plain, OPERATOR))
    assert "argon2" not in octets.decode()
    assert len(json.loads(octets)) == len(STATES)


def test_a_refresh_says_what_it_would_do_and_then_does_it(host):
    """R46: repeatable; a dry run touches nothing."""
    host.people(person("ann"))
    would = list(host.admin.refresh(requests.RunRefresh(name="ann", dry_run=True), OPERATOR))
    assert would[0].state is rows.StepState.WOULD
    assert acts(host) == []
    list(host.admin.refresh(requests.RunRefresh(name="ann"), OPERATOR))
    assert [row.verb for row in acts(host)] == ["refresh"]
    (nobody,) = host.admin.refresh(requests.RunRefresh(name="nobody-here"), OPERATOR)
    assert nobody.state is rows.StepState.FAILED


def test_health_names_the_directory_and_the_socket(host):
    health = host.admin.health()
    assert health.directory == "embedded"
    assert health.servers[0].usable
    assert health.login_socket.endswith("/run/login.sock")


def test_metrics_count_what_was_decided(host):
    host.people(person("ann"))
    host.ask("ann", WRONG)
    assert "wrong-credentials" in host.admin.metrics().text


@pytest.mark.parametrize("state", STATES)
def test_why_names_rule_facts_and_what_clears_it(everybody, state):
    """R52: every fact with source and age, the rule, the way out as a command."""
    row = everybody.why(f"{state}-user")
    assert {fact.fact for fact in row.facts} == {"state", "password", "lock", "failures"}
    assert all(fact.source == "embedded directory" for fact in row.facts)
    assert row.rule
    if state != "active":
        assert row.clears


@pytest.mark.parametrize("state", STATES)
def test_the_first_way_out_that_why_names_ends_that_reason(everybody, state):
    """Following what `why` says is enough: the named verb ends that very reason."""
    name = f"{state}-user"
    before = everybody.why(name)
    verbs = {verb.value: verb for verb in Verb}
    for clear in before.clears:
        words = clear.split()
        if words[0] != "loginward" or verbs[words[1]] is Verb.RESEND_ACTIVATION:
            continue
        verb = verbs[words[1]]
        (row,) = everybody.act(verb, words[2], password=NEXT if verb.sets_password else None)
        assert row.problem is None, (clear, row.why)
        assert everybody.why(name).reason is not before.reason
        return


def test_why_finds_a_decision_by_its_reference(host):
    host.people(person("ann", "locked"))
    turn = host.ask("ann", RIGHT, rhost="203.0.113.7")
    row = host.admin.why_reference(requests.AskReference(reference=turn.reference))
    assert (row.name, row.reason) == ("ann", Reason.ACCOUNT_LOCKED)
    assert "loginward unlock ann" in row.clears
    host.act(Verb.UNLOCK, "ann")
    row = host.admin.why_reference(requests.AskReference(reference=turn.reference))
    assert row.reason is Reason.ACCOUNT_LOCKED
    assert row.clears == ("nothing any more: with the right password it would be let in now",)
    assert host.admin.why_reference(requests.AskReference(reference="AAAAAA")) is None


BUSY = DirectoryUnavailable("argon2", "every waiting place is taken")
FAULTS = [
    pytest.param(
        BUSY,
        "Too many passwords are being checked; nothing was done, try again in a moment.",
        id="too-busy",
    ),
    pytest.param(
        DirectoryUnavailable("connect", "[Errno 111] to 192.0.2.1"),
        "The directory gave no answer (connect); loginward status says what fails.",
        id="away",
    ),
    pytest.param(
        StoreFault("accounts.db: no space left on device", "make room"),
        "Nothing was done: accounts.db: no space left on device. make room.",
        id="full",
    ),
]


@pytest.mark.parametrize(("fault", "why"), FAULTS)
def test_what_a_fault_prevented_is_said_by_a_text_of_ours(host, monkeypatch, fault, why):
    """R44: what the exception says is for the log; the rest of the bulk goes on."""
    host.people(person("ann", "locked"), person("bob", "locked"))
    act, names = type(host.parts.embedded).act, []

    def failing(self, account, *more):
        names.append(account.name)
        if account.name == "ann":
            raise fault
        return act(self, account, *more)

    monkeypatch.setattr(type(host.parts.embedded), "act", failing)
    ann, bob = host.act(Verb.UNLOCK, "ann", "bob")
    assert (ann.problem, ann.why) == (Problem.UNAVAILABLE, why)
    assert bob.problem is None
    assert [row.text for row in acts(host)] == [why, "attempts cleared on this host"]


def test_an_act_that_cannot_be_read_back_was_done(host, monkeypatch):
    """The order is not said to have failed, and a token made by it is shown."""
    host.people(person("ann", "pending"))

    def away(*arguments):
        raise DirectoryUnavailable("search")

    monkeypatch.setattr(type(host.parts.embedded), "read", away)
    (row,) = host.act(Verb.RESEND_ACTIVATION, "ann")
    assert row.problem is Problem.UNAVAILABLE
    assert row.why.startswith("It was done, but")
    assert row.token is not None


def test_a_removal_goes_on_after_a_fault(host, monkeypatch):
    host.people(person("ann"), person("bob"))
    remove, removed = type(host.parts.embedded).remove, []

    def failing(self, account_id):
        if not removed:
            removed.append(account_id)
            raise StoreFault("accounts.db: is read-only", "make it writable")
        return remove(self, account_id)

    monkeypatch.setattr(type(host.parts.embedded), "remove", failing)
    ann, bob = host.admin.remove_users(requests.RemoveUsers(names=("ann", "bob")), OPERATOR)
    assert (ann.problem, bob.problem) == (Problem.UNAVAILABLE, None)
    assert ann.why == "Nothing was done: accounts.db: is read-only. make it writable."


def test_accounts_that_an_ldap_directory_keeps_are_not_kept_here(host):
    """An export that gives nothing says so; none of it looks like an empty directory."""
    elsewhere = Transfer(replace(host.parts, embedded=None), Acting(host.parts))
    told = {
        elsewhere.add(requests.AddUser(name="ann"), OPERATOR).why,
        *(row.why for row in elsewhere.remove(requests.RemoveUsers(names=("ann",)), OPERATOR)),
        *(row.why for row in elsewhere.take(Format.JSON, b"[]", OPERATOR)),
        *(row.why for row in elsewhere.give(Format.JSON, OPERATOR, with_hashes=False)),
    }
    assert told == {"Accounts are kept in the LDAP directory; add and remove them there."}


def test_a_name_that_nobody_has_is_told_once(host):
    """The command puts the name before it."""
    (row,) = host.act(Verb.UNLOCK, "nobody-here")
    assert row.why == "There is no such account; loginward users lists the names."


def test_a_site_words_what_administrators_are_told(hosts, tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text('act.unknown: "Nobody of that name; ask the personnel office."\n')
    host = hosts(config=f"messages: {{override_file: {own}}}\n")
    (row,) = host.act(Verb.UNLOCK, "nobody-here")
    assert row.why == "Nobody of that name; ask the personnel office."
