"""Who may ask what: every request against every role, and the kernel's word on who asks."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import socket
import typing

import pytest

from loginward.core.acts import ALL_RIGHTS, OF_EVERYBODY, Right, Verb
from loginward.core.secret import Secret
from loginward.doors.admin.peer import operator_of
from loginward.doors.admin.port import Operator
from loginward.doors.admin.roles import Roles, may_ask, right_for, right_named
from loginward.doors.admin.server import IN_ALL
from loginward.wire.admin import requests as ask
from loginward.wire.admin import rows
from loginward.wire.admin.lines import decode_row, encode_line

if typing.TYPE_CHECKING:
    from pathlib import Path

GROUPS = {"helpdesk": "users", "admins": "adm", "nobody": "nogroup"}  # groups of a bare Debian
ROLES = Roles({"users": frozenset({"view", "unlock"}), "adm": frozenset({"all"})})

REQUESTS = [
    ask.AskHealth(),
    ask.AskMetrics(),
    ask.AskAccount(name="ann"),
    ask.AskWhy(name="ann"),
    ask.AskReference(reference="7F3K2Q"),
    ask.ListUsers(),
    ask.ListCache(),
    ask.ListRadiusSessions(),
    ask.ExplainRadius(name="ann"),
    ask.AskEvents(),
    ask.AskDoctor(),
    ask.RunRefresh(dry_run=True),
    ask.RunRefresh(),
    ask.AddUser(name="ann"),
    ask.RemoveUsers(names=("ann",)),
    ask.ImportUsers(form=rows.FileFormat.CSV, octets=0),
    ask.ExportUsers(form=rows.FileFormat.CSV),
    ask.ForgetCopies(names=("ann",)),
    ask.ActivateSelf(name="ann", token=Secret(b"t"), new=Secret(b"n")),
    ask.ClearCache(),
    ask.AcceptClock(),
    ask.Reload(),
    *(ask.ActOnUsers(verb=verb, names=("ann",)) for verb in Verb),
]
VIEWS = 12  # the first of them change nothing
OF_HELPDESK = {Right.VIEW, Right.UNLOCK, *OF_EVERYBODY}


def test_every_kind_of_request_is_in_the_matrix() -> None:
    assert {type(request) for request in REQUESTS} == set(typing.get_args(ask.AnyRequest))


def test_every_verb_is_a_right_and_every_right_opens_something() -> None:
    assert {verb.value for verb in Verb} <= {right.value for right in Right}
    assert {right_for(request) for request in REQUESTS} == ALL_RIGHTS


def test_views_need_view_and_nothing_that_changes_does() -> None:
    assert [right_for(request) is Right.VIEW for request in REQUESTS] == [
        at < VIEWS for at in range(len(REQUESTS))
    ]


def test_every_verb_that_brings_a_password_says_so() -> None:
    assert {verb for verb in Verb if verb.sets_password} == {
        Verb.RESET_PASSWORD,
        Verb.SET_TEMPORARY,
        Verb.SET_FIRST_PASSWORD,
    }


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: type(r).__name__)
@pytest.mark.parametrize(
    ("uid", "group", "rights"),
    [
        pytest.param(0, "nobody", ALL_RIGHTS, id="root"),
        pytest.param(1000, "admins", ALL_RIGHTS, id="admin"),
        pytest.param(1000, "helpdesk", OF_HELPDESK, id="helpdesk"),
        pytest.param(1000, "nobody", OF_EVERYBODY, id="no-role"),
    ],
)
def test_the_matrix(request_: ask.AnyRequest, uid: int, group: str, rights: set[Right]) -> None:
    """security.md 16: rights are those of the roles of the peer's kernel groups, no others."""
    gid = grp.getgrnam(GROUPS[group]).gr_gid
    rights_there = ROLES.rights_of(uid, frozenset({gid}))
    operator = Operator(uid=uid, real_uid=uid, name="bob", pid=1, rights=rights_there)

    assert operator.rights == rights
    assert may_ask(operator, request_) is (right_for(request_) in rights)


@pytest.mark.parametrize("rights", [{Right.EXPORT, Right.VIEW}, ALL_RIGHTS - {Right.CLOCK}])
def test_hashes_are_for_who_has_every_right(rights: set[Right]) -> None:
    """They can be guessed at elsewhere, those of everybody."""
    backup = ask.ExportUsers(form=rows.FileFormat.JSON, with_hashes=True)
    some = Operator(uid=1000, real_uid=1000, name="bob", pid=1, rights=frozenset(rights))
    every = Operator(uid=1000, real_uid=1000, name="bob", pid=1, rights=ALL_RIGHTS)

    assert may_ask(some, ask.ExportUsers(form=rows.FileFormat.JSON))
    assert (may_ask(some, backup), may_ask(every, backup)) == (False, True)
    assert right_named(backup) == "all"


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize(
    ("uid", "protected", "with_hashes", "is_given"),
    [
        pytest.param(0, {"g"}, True, True, id="root-can-read-the-file-anyway"),
        pytest.param(65534, {"g"}, True, False, id="protected-from-administrators-of-everything"),
        pytest.param(65534, {"g"}, False, True, id="without-hashes"),
        pytest.param(65534, set(), True, True, id="nobody-is-protected"),
    ],
)
def test_hashes_of_protected_people_are_roots_alone(
    serve, scripted, uid: int, protected: set[str], with_hashes: bool, is_given: bool
) -> None:
    """security.md 16."""
    scripted.script["export_users"] = []
    path = serve(Roles({"adm": frozenset({"all"})}, protected))
    adm = grp.getgrnam("adm").gr_gid
    asked = ask.ExportUsers(form=rows.FileFormat.JSON, with_hashes=with_hashes)

    answer = ask_as(path, asked, uid=uid, groups=[adm])

    if is_given:
        assert answer[1:] == [rows.EndRow()]
    else:
        assert answer[-1].problem is rows.Problem.NOT_PERMITTED
        assert [method for method, _, _ in scripted.asked] == ["turned_away"]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("asked", [ask.ClearCache(), ask.RunRefresh()], ids=["clear", "refresh"])
@pytest.mark.parametrize("uid", [0, 65534])
def test_what_clears_the_counts_of_protected_people_too_is_roots_alone(
    serve, scripted, asked: ask.AnyRequest, uid: int
) -> None:
    """security.md 16: who may refresh or clear would unlock whoever this agent has locked."""
    scripted.script |= {"refresh": [], "clear_copies": rows.ClearedRow(copies=0)}
    path = serve(Roles({"adm": frozenset({"all"})}, {"g"}))

    answer = ask_as(path, asked, uid=uid, groups=[grp.getgrnam("adm").gr_gid])

    assert isinstance(answer[-1], rows.EndRow) is (uid == 0)
    assert ("turned_away" in {method for method, _, _ in scripted.asked}) is (uid != 0)


@pytest.mark.parametrize("typed", ["bob", "BOB", " Bob "])
def test_a_person_may_ask_for_the_own_status_and_no_more(typed: str) -> None:
    bob = Operator(uid=1000, real_uid=1000, name="bob", pid=1)

    assert may_ask(bob, ask.AskAccount(name=typed))
    assert not may_ask(bob, ask.AskAccount(name="ann"))
    assert not may_ask(bob, ask.AskWhy(name="bob"))
    assert not may_ask(bob, ask.ActOnUsers(verb=Verb.UNLOCK, names=("bob",)))


def test_a_group_that_is_not_on_this_host_gives_nothing() -> None:
    roles = Roles({"no-such-group-here": frozenset({"all"})})

    assert roles.rights_of(1000, frozenset({0, 4, 100})) == OF_EVERYBODY


def ask_as(path: Path, request: ask.AnyRequest, *, uid: int, groups: list[int]) -> list:
    """Ask from a process with those credentials; needs uid 0, as the live tests do."""
    assert os.geteuid() == 0, "run the tests as root: other users' rights are tested for real"
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.chdir(path.parent)  # where the other user could not go
            os.setgroups(groups)
            os.setresgid(65534, 65534, 65534)
            os.setresuid(uid, uid, uid)
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(10)
                connection.connect(path.name)
                connection.sendall(encode_line(request))
                while octets := connection.recv(65536):
                    os.write(theirs, octets)
        finally:
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, "rb") as answer:
        lines = answer.read().splitlines()
    os.waitpid(child, 0)
    return [decode_row(line) for line in lines]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # the child only talks
@pytest.mark.parametrize(
    ("groups", "verb", "is_allowed"),
    [
        pytest.param(["users"], Verb.UNLOCK, True, id="helpdesk-unlocks"),
        pytest.param(["users"], Verb.SUSPEND, False, id="helpdesk-cannot-suspend"),
        pytest.param(["adm"], Verb.SUSPEND, True, id="admin-suspends"),
        pytest.param([], Verb.UNLOCK, False, id="others-nothing"),
        pytest.param([*range(3000, 3200), "users"], Verb.UNLOCK, True, id="two-hundred-groups"),
    ],
)
def test_the_kernels_groups_decide(serve, scripted, groups, verb: Verb, is_allowed: bool) -> None:
    """Not what /etc/group says of the user: nobody is in none of these groups there."""
    scripted.script["act"] = [rows.ActRow(name="ann", noop=True)]
    gids = [g if isinstance(g, int) else grp.getgrnam(g).gr_gid for g in groups]
    path = serve(ROLES)

    answer = ask_as(path, ask.ActOnUsers(verb=verb, names=("ann",)), uid=65534, groups=gids)

    if is_allowed:
        assert answer[1:] == [rows.ActRow(name="ann", noop=True), rows.EndRow()]
        assert [(method, by) for method, _, by in scripted.asked] == [("act", "nobody")]
    else:
        assert answer[-1].problem is rows.Problem.NOT_PERMITTED
        assert scripted.asked == [("turned_away", f"act-on-users, needs {verb.value}", "nobody")]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_root_may_do_everything_over_the_socket(serve, scripted) -> None:
    scripted.script["act"] = [rows.ActRow(name="ann")]
    path = serve(Roles())

    answer = ask_as(path, ask.ActOnUsers(verb=Verb.LOCK, names=("ann",)), uid=0, groups=[])

    assert isinstance(answer[-1], rows.EndRow)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_many_uids_that_ask_nothing_keep_nobody_out(serve, scripted, monkeypatch) -> None:
    """One person may have 65,536 uids of their own (subuid(5))."""
    scripted.script["act"] = [rows.ActRow(name="ann")]
    path = serve(ROLES)
    monkeypatch.chdir(path.parent)
    helper = grp.getgrnam("users").gr_gid
    with contextlib.ExitStack() as idle:
        for uid in range(200_000, 200_000 + IN_ALL):
            connection = idle.enter_context(socket.socket(socket.AF_UNIX))
            os.seteuid(uid)
            try:
                connection.connect(path.name)
            finally:
                os.seteuid(0)
        order = ask.ActOnUsers(verb=Verb.UNLOCK, names=("ann",))
        answer = ask_as(path, order, uid=65534, groups=[helper])

    assert answer[1:] == [rows.ActRow(name="ann"), rows.EndRow()]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_whoever_has_a_token_may_use_it(serve, scripted) -> None:
    """R03: no role is needed, and a protected group is not asked after: the token is the proof."""
    scripted.script["activate_self"] = rows.ActivationRow(name="ann")
    request = ask.ActivateSelf(name="ann", token=Secret(b"t0ken"), new=Secret(b"n\xe9w"))
    path = serve(Roles())

    answer = ask_as(path, request, uid=65534, groups=[])

    assert answer[1:] == [rows.ActivationRow(name="ann"), rows.EndRow()]
    assert scripted.asked == [("activate_self", request, "nobody")]


def test_the_socket_can_be_reached_by_whoever_has_a_role(serve) -> None:
    path = serve(Roles())

    assert path.stat().st_mode & 0o777 == 0o666


def test_the_login_uid_is_recorded(tmp_path) -> None:
    """R45: an act by root is put down to the person who became root."""
    here, there = socket.socketpair()
    (tmp_path / str(os.getpid())).mkdir()
    file = tmp_path / str(os.getpid()) / "loginuid"
    with here, there:
        file.write_text("65534")
        by_person = operator_of(here, Roles(), proc=tmp_path)
        file.write_text(str(2**32 - 1))
        by_nobody = operator_of(here, Roles(), proc=tmp_path)
        file.unlink()
        unreadable = operator_of(here, Roles(), proc=tmp_path)

    assert by_person.shown == f"{by_person.name} (nobody)"
    assert (by_nobody.login_uid, by_nobody.shown) == (None, by_nobody.name)
    assert unreadable.login_uid is None


def test_an_uid_without_a_name_is_shown_as_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.setattr(grp, "getgrgid", nobody)
    here, there = socket.socketpair(socket.AF_UNIX)
    with here, there:
        operator = operator_of(here, Roles())

    assert operator.name == str(os.geteuid())
    assert str(os.getegid()) in operator.groups
