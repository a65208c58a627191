"""What an application sees of passwords: whose is asked, and how one is changed."""

from __future__ import annotations

import pytest

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase, Purpose
from loginward.wire.login import Answer, Ask, Notice, Result
from tests.native.conftest import IGNORED, PASSWORD, Stack
from tests.native.fake_daemon import ASK, OK, FakeDaemon, Line, by_phase, plays, refuse, says

pytestmark = pytest.mark.live


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
