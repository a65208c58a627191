"""What an application of libpam sees of the module, for every way a daemon can behave."""

from __future__ import annotations

import pytest

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase, Purpose
from loginward.doors.login.pam_codes import IGNORE, pam_code
from loginward.wire.login import Ask, Flag, Notice, Result
from tests.native.conftest import IGNORED, PASSWORD, Stack
from tests.native.fake_daemon import ASK, OK, FakeDaemon, by_phase, plays, refuse, says

pytestmark = pytest.mark.live


def seen_code(phase: Phase, verdict: Verdict, reason: Reason) -> str:
    code = pam_code(phase, verdict, reason)
    return IGNORED if code == IGNORE else code


@pytest.mark.parametrize("reason", list(Reason), ids=lambda reason: reason.value)
def test_every_cell_of_the_table(stack: Stack, reason: Reason) -> None:
    """R25, R26, I18: each verdict and reason has its code in each phase."""
    for verdict in Verdict:
        result = Result(verdict=verdict, reason=reason, reference="7F3-K2Q")
        part = by_phase(
            authn=plays(ASK, result),
            acct=plays(result),
            chauthtok_prelim=plays(ASK, result),
            chauthtok_update=plays(ASK, OK),
            open=plays(result),
            close=plays(result),
        )
        with FakeDaemon(stack.socket, part):
            seen = stack.run(
                "alice", "auth", "acct", "open", "close", "chauthtok", typed=[PASSWORD] * 2
            )

        def expected(phase: Phase) -> str:
            return seen_code(phase, verdict, reason)  # noqa: B023

        assert seen.code("auth") == expected(Phase.AUTHN)
        assert seen.code("acct") == expected(Phase.ACCT)
        assert seen.code("open") == expected(Phase.OPEN)
        assert seen.code("close") == expected(Phase.CLOSE)
        if expected(Phase.CHAUTHTOK_PRELIM) != "PAM_SUCCESS":
            assert seen.code("chauthtok") == expected(Phase.CHAUTHTOK_PRELIM)


@pytest.mark.parametrize("reason", list(Reason), ids=lambda reason: reason.value)
def test_every_cell_of_the_update(stack: Stack, reason: Reason) -> None:
    for verdict in Verdict:
        part = by_phase(
            chauthtok_prelim=plays(ASK, OK),
            chauthtok_update=plays(ASK, Result(verdict=verdict, reason=reason)),
        )
        with FakeDaemon(stack.socket, part) as daemon:
            seen = stack.run("alice", "chauthtok", typed=[PASSWORD])

        assert seen.code("chauthtok") == seen_code(Phase.CHAUTHTOK_UPDATE, verdict, reason)
        assert daemon.typed == [PASSWORD.encode()] * 2, "asked once, proven twice"


def test_the_question_carries_what_the_application_knows(stack: Stack) -> None:
    with FakeDaemon(stack.socket, says(ASK, OK)) as daemon:
        stack.run(
            "Ärger", "rhost=203.0.113.7", "tty=pts/3", "silent", "nonull", "auth", typed=[PASSWORD]
        )

    [begin] = daemon.begins
    assert (begin.user, begin.service, begin.tty) == ("Ärger", "lwtest", "pts/3")
    assert begin.rhost == "203.0.113.7"
    assert begin.flags == Flag.SILENT | Flag.DISALLOW_NULL
    assert daemon.typed == [PASSWORD.encode()]


def test_the_account_phase_says_which_authenticate_it_follows(stack: Stack) -> None:
    with FakeDaemon(stack.socket, by_phase(authn=plays(ASK, OK), acct=plays(OK))) as daemon:
        stack.run("alice", "auth", "acct", typed=[PASSWORD])

    assert [begin.transaction for begin in daemon.begins] == ["", OK.transaction]


def test_the_account_phase_stands_alone(stack: Stack) -> None:
    """R25: keys, cron, sudo without a password."""
    with FakeDaemon(stack.socket, says(refuse(Reason.ACCOUNT_LOCKED))) as daemon:
        seen = stack.run("alice", "acct")

    assert seen.code("acct") == "PAM_PERM_DENIED"
    assert [begin.transaction for begin in daemon.begins] == [""]


def test_a_refused_authenticate_leaves_no_transaction(stack: Stack) -> None:
    refused = Result(verdict=Verdict.REFUSE, reason=Reason.WRONG_CREDENTIALS, transaction="5eed")
    with FakeDaemon(stack.socket, by_phase(authn=plays(ASK, refused), acct=plays(OK))) as daemon:
        seen = stack.run("alice", "auth", "acct", "setcred", typed=[PASSWORD])

    assert daemon.begins[1].transaction == ""
    assert seen.code("setcred") == "PAM_PERM_DENIED", "what libpam says where nobody says success"


def test_setcred_succeeds_without_asking_where_we_let_in(stack: Stack) -> None:
    with FakeDaemon(stack.socket, says(ASK, OK)) as daemon:
        seen = stack.run("alice", "auth", "setcred", typed=[PASSWORD])

    assert seen.code("setcred") == "PAM_SUCCESS"
    assert len(daemon.begins) == 1


def test_what_the_daemon_says_is_shown_in_its_style_and_cannot_steer_a_terminal(
    stack: Stack,
) -> None:
    part = says(
        Notice("Password expires in 3 days."),
        ASK,
        Notice("Locked \x1b[2Juntil\a 14:32.", is_error=True),
        refuse(Reason.ACCOUNT_LOCKED),
    )
    with FakeDaemon(stack.socket, part):
        seen = stack.run("alice", "auth", typed=[PASSWORD])

    assert seen.said("info") == ["Password expires in 3 days."]
    assert seen.said("error") == ["Locked  [2Juntil  14:32."]


def test_silent_shows_nothing(stack: Stack) -> None:
    part = says(
        Notice("hello"), ASK, Notice("locked", is_error=True), refuse(Reason.ACCOUNT_LOCKED)
    )
    with FakeDaemon(stack.socket, part):
        seen = stack.run("alice", "silent", "auth", typed=[PASSWORD])

    assert seen.said("info") == seen.said("error") == []


def test_the_delay_of_a_refusal_is_asked_of_pam_in_milliseconds(stack: Stack) -> None:
    with FakeDaemon(stack.socket, says(ASK, refuse(Reason.WRONG_CREDENTIALS, delay_ms=1500))):
        [told] = stack.run("alice", "auth", typed=[PASSWORD]).said("delay")
        stack.options = ["nodelay"]
        untold = stack.run("alice", "auth", typed=[PASSWORD]).said("delay")

    assert 700_000 <= int(told.split()[0]) <= 2_300_000, "libpam strays by half at most"
    assert untold == []


def test_a_code_is_asked_of_the_person_and_may_be_seen(stack: Stack) -> None:
    code = Ask(purpose=Purpose.CODE, prompt="Code: ", shown=True)
    with FakeDaemon(stack.socket, says(ASK, code, OK)) as daemon:
        seen = stack.run("alice", "auth", typed=[PASSWORD, "123456"])

    assert seen.code("auth") == "PAM_SUCCESS"
    assert seen.said("shown") == ["Code: "]
    assert daemon.typed == [PASSWORD.encode(), b"123456"]


def test_a_person_who_gives_up_gets_in_nowhere(stack: Stack) -> None:
    code = Ask(purpose=Purpose.CODE, prompt="Code: ", shown=True)
    with FakeDaemon(stack.socket, says(ASK, code, OK)):
        assert stack.run("alice", "auth", typed=[PASSWORD]).code("auth") == "PAM_CONV_ERR"
        assert stack.run("alice", "auth", typed=[]).code("auth") == "PAM_CONV_ERR"
