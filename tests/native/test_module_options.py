"""Whom the module leaves alone, by which spelling and by which options."""

from __future__ import annotations

from pathlib import Path

import pytest

from loginward.core.reasons import Reason
from tests.native.conftest import IGNORED, PASSWORD, Stack, compile_c
from tests.native.fake_daemon import ASK, OK, FakeDaemon, refuse, says

pytestmark = pytest.mark.live


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
