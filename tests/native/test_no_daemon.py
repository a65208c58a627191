"""The socket is absent or refuses: nobody known gets past, root always does (R27)."""

from __future__ import annotations

import subprocess
import time

import pytest

from loginward.store.known import render
from tests.doubles.sockets import listening
from tests.native.conftest import EMPTY, IGNORED, NOBODY, PASSWORD, Stack
from tests.native.fake_daemon import OK, FakeDaemon, says

pytestmark = pytest.mark.live


class TestNoDaemon:
    """The socket is absent or refuses: the marker decides the account phase."""

    @pytest.mark.parametrize(
        ("text", "user", "acct"),
        [
            pytest.param(EMPTY, "alice", IGNORED, id="nobody-known"),
            pytest.param(EMPTY, "nobody", IGNORED, id="nobody-known-by-uid"),
            pytest.param(
                "loginward-known 1\nalice\t-\nend 1\n", "alice", "PAM_PERM_DENIED", id="by-name"
            ),
            pytest.param(
                "loginward-known 1\nalice\t-\nend 1\n", "ALICE", "PAM_PERM_DENIED", id="by-case"
            ),
            pytest.param("loginward-known 1\nalice\t-\nend 1\n", "alic", IGNORED, id="by-other"),
            pytest.param(
                f"loginward-known 1\nalice\t-\nbob\t{NOBODY}\nend 2\n",
                "nobody",
                "PAM_PERM_DENIED",
                id="by-uid",
            ),
            pytest.param("loginward-known 1\nend 5\t7\nend 1\n", "alice", IGNORED, id="name-end-5"),
            pytest.param(
                "loginward-known 1\n"
                + "".join(f"u{n:06}\t{n}\n" for n in range(5000))
                + "end 5000\n",
                "alice",
                IGNORED,
                id="many",
            ),
            pytest.param("loginward-known 1 all\nend 0\n", "alice", "PAM_PERM_DENIED", id="all"),
            pytest.param("", "alice", "PAM_PERM_DENIED", id="no-header"),
            pytest.param("loginward-known 2\nend 0\n", "alice", "PAM_PERM_DENIED", id="version-2"),
            pytest.param("loginward-known 1\n", "alice", "PAM_PERM_DENIED", id="no-end"),
            pytest.param(
                "loginward-known 1\nbob\t7\nend 2\n", "alice", "PAM_PERM_DENIED", id="wrong-count"
            ),
            pytest.param(
                "loginward-known 1\nbob\t7\nend 1\n\n", "alice", "PAM_PERM_DENIED", id="after-end"
            ),
            pytest.param("loginward-known 1\nend 0", "alice", "PAM_PERM_DENIED", id="cut-newline"),
            pytest.param(
                "loginward-known 1\nc\t7\nb\t8\nend 2\n", "alice", "PAM_PERM_DENIED", id="unsorted"
            ),
            pytest.param(
                "loginward-known 1\nb\tx\nend 1\n", "alice", "PAM_PERM_DENIED", id="no-uid"
            ),
            pytest.param(
                f"loginward-known 1\n{'b' * 2000}\t7\nend 1\n",
                "alice",
                "PAM_PERM_DENIED",
                id="long",
            ),
            pytest.param(
                "loginward-known 1\nb\0b\t7\nend 1\n", "alice", "PAM_PERM_DENIED", id="nul"
            ),
        ],
    )
    def test_the_marker(self, impatient: Stack, text: str, user: str, acct: str) -> None:
        impatient.know(text)

        assert impatient.run(user, "acct").code("acct") == acct

    def test_the_marker_that_the_store_writes(self, impatient: Stack) -> None:
        names = [
            (f"{first}{n}", 3000 + n) for n in range(300) for first in ("Zoë ", "ärger", "a-b")
        ]
        impatient.know(render([*names, ("somebody", NOBODY)]))

        assert impatient.run("nobody", "acct").code("acct") == "PAM_PERM_DENIED"
        assert impatient.run("a-b7", "acct").code("acct") == "PAM_PERM_DENIED"
        assert impatient.run("alice", "acct").code("acct") == IGNORED
        impatient.know(render([]))
        assert impatient.run("a-b7", "acct").code("acct") == IGNORED

    @pytest.mark.parametrize("mode", [0o664, 0o646])
    def test_a_marker_that_others_can_write_is_malformed(self, impatient: Stack, mode: int) -> None:
        impatient.know(EMPTY)
        impatient.known.chmod(mode)

        assert impatient.run("alice", "acct").code("acct") == "PAM_PERM_DENIED"

    def test_no_marker_is_a_malformed_one(self, impatient: Stack) -> None:
        assert impatient.run("alice", "acct").code("acct") == "PAM_PERM_DENIED"

    def test_a_link_or_a_folder_is_no_marker(self, impatient: Stack) -> None:
        impatient.know(EMPTY)
        impatient.known.rename(impatient.folder / "other")
        impatient.known.symlink_to(impatient.folder / "other")
        assert impatient.run("alice", "acct").code("acct") == "PAM_PERM_DENIED"
        impatient.known.unlink()
        impatient.known.mkdir()
        assert impatient.run("alice", "acct").code("acct") == "PAM_PERM_DENIED"

    @pytest.mark.parametrize("text", [EMPTY, "loginward-known 1\nalice\t-\nend 1\n", ""])
    def test_the_password_cannot_be_judged(self, impatient: Stack, text: str) -> None:
        impatient.know(text)
        seen = impatient.run("alice", "auth", typed=[PASSWORD])

        assert seen.code("auth") == "PAM_AUTHINFO_UNAVAIL"
        assert "does not answer" in seen.said("error")[0]

    def test_ignore_unavailable_ignores_only_whom_the_marker_lets(self, impatient: Stack) -> None:
        impatient.options = ["ignore_unavailable"]
        impatient.know("loginward-known 1\nalice\t-\nend 1\n")

        assert impatient.run("bob", "auth", typed=[PASSWORD]).code("auth") == IGNORED
        assert (
            impatient.run("alice", "auth", typed=[PASSWORD]).code("auth") == "PAM_AUTHINFO_UNAVAIL"
        )

    def test_a_change_is_left_to_others_only_for_whom_the_marker_lets(
        self, impatient: Stack
    ) -> None:
        impatient.know("loginward-known 1\nalice\t-\nend 1\n")

        assert impatient.run("bob", "chauthtok").code("chauthtok") == IGNORED
        assert impatient.run("alice", "chauthtok").code("chauthtok") == "PAM_TRY_AGAIN"

    def test_sessions_go_on(self, impatient: Stack) -> None:
        seen = impatient.run("alice", "open", "close")

        assert seen.code("open") == seen.code("close") == IGNORED
        assert seen.said("error") == []

    def test_a_socket_nobody_listens_at_is_no_daemon(self, impatient: Stack) -> None:
        impatient.know(EMPTY)
        listening(impatient.socket).close()

        assert impatient.run("alice", "acct").code("acct") == IGNORED

    def test_a_daemon_that_is_back_within_a_second_is_waited_for(self, stack: Stack) -> None:
        stack.know("loginward-known 1\nalice\t-\nend 1\n")
        confdir = stack.write()
        with subprocess.Popen(
            [*stack.driver, str(confdir), stack.service, "alice", "acct"], stdout=subprocess.PIPE
        ) as driver:
            time.sleep(0.4)  # the restart that this is about
            with FakeDaemon(stack.socket, says(OK)):
                out, _ = driver.communicate(timeout=10)

        assert out.decode().splitlines() == ["acct: 0"]

    def test_root_is_let_go_at_once(self, stack: Stack) -> None:
        begin = time.monotonic()
        seen = stack.run("root", "auth", "acct", "setcred", "open", "close")

        assert {seen.code(a) for a in ("auth", "acct", "setcred", "open", "close")} == {IGNORED}
        assert time.monotonic() - begin < 0.5
