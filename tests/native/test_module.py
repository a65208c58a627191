"""What an application of libpam sees of the module, for every way a daemon can behave."""

from __future__ import annotations

from pathlib import Path

import pytest

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase, Purpose
from loginward.doors.login.pam_codes import IGNORE, pam_code
from loginward.wire.login import Answer, Ask, Flag, Notice, Result
from tests.native.conftest import IGNORED, Stack, compile_c
from tests.native.fake_daemon import ASK, OK, FakeDaemon, Line, by_phase, plays, refuse, says

pytestmark = pytest.mark.live
PASSWORD = "correct horse"


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


class TestPasswords:
    """Whose password is asked, and where it comes from."""

    def test_nobody_is_asked_where_an_earlier_module_must_have(self, stack: Stack) -> None:
        stack.options = ["use_first_pass"]
        with FakeDaemon(stack.socket, says(ASK, OK)) as daemon:
            prompted = stack.run("alice", "auth", typed=[PASSWORD])

        assert prompted.code("auth") == "PAM_AUTH_ERR"
        assert prompted.said("hidden") == []
        assert daemon.begins == []

    @pytest.mark.parametrize(
        ("option", "typed", "hidden", "answered"),
        [
            pytest.param("use_first_pass", ["first"], 1, [b"first"], id="use-first"),
            pytest.param("try_first_pass", ["first", "second"], 2, [b"first", b"second"], id="try"),
            pytest.param("nodelay", ["first", "second"], 2, [b"second"], id="neither"),
        ],
    )
    def test_a_password_of_an_earlier_module(
        self, stack: Stack, option: str, typed: list[str], hidden: int, answered: list[bytes]
    ) -> None:
        """The earlier module asks for "first", the daemon knows "second"."""
        stack.before = f"auth [default=ignore] {{module}} socket={stack.folder}/run/other\n"
        stack.options = [option]

        def part(line: Line) -> None:
            line.hear()
            line.say(ASK)
            answer = line.hear()
            assert isinstance(answer, Answer)
            right = answer.typed.reveal() == b"second"
            line.say(OK if right else refuse(Reason.WRONG_CREDENTIALS))

        with FakeDaemon(stack.socket, part) as daemon:
            seen = stack.run("alice", "auth", typed=typed)

        assert seen.code("auth") == ("PAM_SUCCESS" if len(typed) > 1 else "PAM_AUTH_ERR")
        assert len(seen.said("hidden")) == hidden
        assert daemon.typed == answered

    def test_no_person_is_asked_twice_for_one_password(self, stack: Stack) -> None:
        with FakeDaemon(stack.socket, says(ASK, OK)):
            seen = stack.run("alice", "auth", typed=[PASSWORD, "never read"])

        assert seen.said("hidden") == ["Password: "]

    @pytest.mark.parametrize("length", [1, 5, 13, 14, 40])
    def test_what_sshd_sends_for_hopeless_users_is_no_password(
        self, stack: Stack, length: int
    ) -> None:
        """It is asked about all the same, as the empty password: same time, nothing counted."""
        junk = ("\b\n\r\177INCORRECT" * 4)[:length]
        with FakeDaemon(stack.socket, says(ASK, refuse(Reason.MALFORMED))) as daemon:
            stack.run("alice", "auth", typed=[junk])

        assert daemon.typed == [b""]

    def test_octets_travel_as_typed(self, stack: Stack) -> None:
        with FakeDaemon(stack.socket, says(ASK, OK)) as daemon:
            stack.run("alice", "auth", typed=["pä ss\tx" * 60])

        assert daemon.typed == [("pä ss\tx" * 60).encode()]


class TestChange:
    """Changing a password, both phases (R26, R40)."""

    NEW = Ask(purpose=Purpose.NEW, prompt="New password: ")
    AGAIN = Ask(purpose=Purpose.NEW_AGAIN, prompt="Again: ")

    def test_the_old_is_proven_and_the_new_asked_of_the_person(self, stack: Stack) -> None:
        part = by_phase(
            chauthtok_prelim=plays(ASK, OK),
            chauthtok_update=plays(ASK, self.NEW, self.AGAIN, OK),
        )
        with FakeDaemon(stack.socket, part) as daemon:
            seen = stack.run("alice", "chauthtok", typed=["old", "new one", "new one"])

        assert seen.code("chauthtok") == "PAM_SUCCESS"
        assert daemon.typed == [b"old", b"old", b"new one", b"new one"]
        assert seen.said("hidden")[1:] == ["New password: ", "Again: "]

    def test_what_is_wrong_with_a_new_password_is_shown_and_asked_again(self, stack: Stack) -> None:
        part = by_phase(
            chauthtok_prelim=plays(ASK, OK),
            chauthtok_update=plays(
                ASK, self.NEW, self.AGAIN, Notice("Too short.", True), self.NEW, self.AGAIN, OK
            ),
        )
        with FakeDaemon(stack.socket, part) as daemon:
            seen = stack.run("alice", "chauthtok", typed=["old", "n", "n", "longer", "longer"])

        assert seen.said("error") == ["Too short."]
        assert daemon.typed[-2:] == [b"longer", b"longer"]

    def test_a_name_that_is_not_ours_is_left_to_others_without_a_prompt(self, stack: Stack) -> None:
        with FakeDaemon(stack.socket, says(refuse(Reason.USER_UNKNOWN))):
            seen = stack.run("alice", "chauthtok")

        assert seen.code("chauthtok") == IGNORED
        assert seen.said("hidden") == []

    def test_an_expired_password_of_somebody_else_is_none_of_our_business(
        self, stack: Stack
    ) -> None:
        with FakeDaemon(stack.socket, says(OK)) as daemon:
            assert stack.run("alice", "acct", "expired").code("expired") == IGNORED

        assert daemon.phases == [Phase.ACCT]

    def test_the_change_that_the_account_phase_orders_is_made(self, stack: Stack) -> None:
        due = Result(verdict=Verdict.CHANGE, reason=Reason.CHANGE_REQUIRED)
        part = by_phase(
            authn=plays(ASK, due),
            acct=plays(due),
            chauthtok_prelim=plays(ASK, OK),
            chauthtok_update=plays(ASK, self.NEW, self.AGAIN, OK),
        )
        with FakeDaemon(stack.socket, part):
            seen = stack.run(
                "alice", "auth", "acct", "expired", typed=["old", "old", "new one", "new one"]
            )

        assert seen.code("auth") == "PAM_SUCCESS"
        assert seen.code("acct") == "PAM_NEW_AUTHTOK_REQD"
        assert seen.code("expired") == "PAM_SUCCESS"


class TestNobodyIsThere:
    """R25: no change is ever ordered where nobody can type."""

    DUE = Result(verdict=Verdict.CHANGE, reason=Reason.CHANGE_REQUIRED)

    @pytest.mark.parametrize("service", ["cron", "crond", "atd"])
    def test_timers_are_refused(self, stack: Stack, service: str) -> None:
        stack.service = service
        with FakeDaemon(stack.socket, says(self.DUE)):
            assert stack.run("alice", "acct").code("acct") == "PAM_PERM_DENIED"

    def test_the_session_manager_goes_on(self, stack: Stack) -> None:
        stack.service = "systemd-user"
        with FakeDaemon(stack.socket, says(self.DUE)):
            assert stack.run("alice", "acct").code("acct") == "PAM_SUCCESS"


class TestUntouched:
    """Root, exempt and low users: no socket is touched, whatever the daemon is."""

    @pytest.mark.parametrize(
        ("user", "options"),
        [
            ("root", []),
            ("daemon", []),  # uid 1
            ("alice", ["exempt=bob,alice"]),
            ("nobody", ["exempt=nobody"]),
            ("root", ["min_uid=0", "exempt=bob"]),
        ],
    )
    def test_they_are_ignored(self, stack: Stack, user: str, options: list[str]) -> None:
        stack.options = options
        with FakeDaemon(stack.socket, says(refuse(Reason.ACCOUNT_LOCKED))) as daemon:
            seen = stack.run(user, "auth", "acct", "chauthtok", "open", "close", "setcred")

        for action in ("auth", "acct", "chauthtok", "open", "close", "setcred"):
            assert seen.code(action) == IGNORED
        assert daemon.heard == []
        assert seen.said("hidden") == []

    @pytest.mark.parametrize("options", [["exempt=alic"], ["exempt=alicee"], ["exempt=x,Alice"]])
    def test_others_are_not(self, stack: Stack, options: list[str]) -> None:
        stack.options = options
        with FakeDaemon(stack.socket, says(refuse(Reason.ACCOUNT_LOCKED))):
            assert stack.run("alice", "acct").code("acct") == "PAM_PERM_DENIED"

    def test_a_low_uid_is_asked_about_where_the_bound_is_lower(self, stack: Stack) -> None:
        stack.options = ["min_uid=1"]
        with FakeDaemon(stack.socket, says(refuse(Reason.ACCOUNT_LOCKED))):
            assert stack.run("daemon", "acct").code("acct") == "PAM_PERM_DENIED"


class TestNames:
    """The host's name service may know a person by another spelling (security.md 19)."""

    @pytest.fixture
    def respelling(self, stack: Stack, built: Path) -> Stack:
        library = built / "other_names.so"
        if not library.exists():
            compile_c("other_names.c", library, "-shared", "-fPIC")
        stack.env = {"LD_PRELOAD": str(library)}
        return stack

    def test_one_that_differs_by_more_than_case_is_refused_unasked(self, respelling: Stack) -> None:
        with FakeDaemon(respelling.socket, says(ASK, OK)) as daemon:
            seen = respelling.run("respelled", "auth", "acct", typed=[PASSWORD])

        assert (seen.code("auth"), seen.code("acct")) == ("PAM_AUTH_ERR", "PAM_PERM_DENIED")
        assert daemon.heard == []

    def test_one_that_differs_by_case_is_asked_about(self, respelling: Stack) -> None:
        with FakeDaemon(respelling.socket, says(OK)) as daemon:
            assert respelling.run("cased", "acct").code("acct") == "PAM_SUCCESS"

        assert daemon.begins[0].user == "cased"

    def test_another_name_of_uid_0_is_root(self, respelling: Stack) -> None:
        respelling.options = ["min_uid=0"]
        with FakeDaemon(respelling.socket, says(refuse(Reason.ACCOUNT_LOCKED))) as daemon:
            assert respelling.run("toor", "acct").code("acct") == IGNORED

        assert daemon.heard == []


class TestOptions:
    """An option that is not understood is said; one that cannot be is refused."""

    def test_an_unknown_one_is_skipped(self, stack: Stack) -> None:
        stack.options = ["colour=blue"]
        with FakeDaemon(stack.socket, says(OK)):
            assert stack.run("alice", "acct").code("acct") == "PAM_SUCCESS"

    @pytest.mark.parametrize(
        "option",
        [
            "timeout_s=0",
            "timeout_s=soon",
            "min_uid=-1",
            "min_uid=",
            "socket=run",
            "known=",
            "exempt=",
        ],
    )
    def test_one_that_cannot_be_lets_nobody_in(self, stack: Stack, option: str) -> None:
        stack.options = [option]
        with FakeDaemon(stack.socket, says(OK)) as daemon:
            assert stack.run("alice", "acct").code("acct") == "PAM_SERVICE_ERR"

        assert daemon.heard == []

    def test_names_that_are_not_ours_can_be_ignored(self, stack: Stack) -> None:
        stack.options = ["ignore_unknown_user"]
        with FakeDaemon(stack.socket, says(refuse(Reason.USER_UNKNOWN))):
            assert stack.run("alice", "acct").code("acct") == IGNORED
