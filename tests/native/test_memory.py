"""No secret and no descriptor stays behind in the application that called the module."""

from __future__ import annotations

import pytest

from loginward.core.reasons import Reason
from loginward.core.requests import Purpose
from loginward.wire.login import Ask, Notice
from tests.native.conftest import EMPTY, PASSWORD, Stack
from tests.native.fake_daemon import ASK, OK, FakeDaemon, Part, by_phase, plays, refuse, says

pytestmark = pytest.mark.live


class TestMemory:
    """No secret and no descriptor stays behind."""

    @pytest.mark.parametrize(
        "part",
        [
            pytest.param(by_phase(authn=plays(ASK, OK)), id="let-in"),
            pytest.param(by_phase(authn=plays(ASK, refuse(Reason.ACCOUNT_LOCKED))), id="refused"),
            pytest.param(by_phase(authn=plays(ASK)), id="cut-after-the-password"),
        ],
    )
    def test_no_copy_of_the_password_is_left(self, stack: Stack, part: Part) -> None:
        secret = "Tr0ub4dor-and-more-than-thirty-octets-of-it"
        hidden = stack.folder / "hidden"
        hidden.write_bytes(bytes(octet ^ 0x55 for octet in secret.encode()))
        with FakeDaemon(stack.socket, part) as daemon:
            seen = stack.run("alice", "auth", f"scan={hidden}", typed=[secret])

        assert daemon.typed == [secret.encode()]
        assert seen.said("found") == ["0"], seen.lines

    def test_no_copy_of_a_new_password_is_left(self, stack: Stack) -> None:
        secret = "Tr0ub4dor-and-more-than-thirty-octets-of-it"
        hidden = stack.folder / "hidden"
        hidden.write_bytes(bytes(octet ^ 0x55 for octet in secret.encode()))
        new, again = (Ask(purpose=p, prompt="New: ") for p in (Purpose.NEW, Purpose.NEW_AGAIN))
        part = by_phase(
            chauthtok_prelim=plays(ASK, OK), chauthtok_update=plays(ASK, new, again, new, again, OK)
        )
        with FakeDaemon(stack.socket, part) as daemon:
            seen = stack.run(
                "alice",
                "chauthtok",
                f"scan={hidden}",
                typed=["old", "weak", "weak", secret, secret],
            )

        assert daemon.typed[-1] == secret.encode()
        assert seen.said("found") == ["0"], seen.lines

    def test_the_scan_finds_what_is_there(self, stack: Stack) -> None:
        """The control: the service name stands in memory as long as the program's arguments do."""
        hidden = stack.folder / "hidden"
        hidden.write_bytes(bytes(octet ^ 0x55 for octet in b"rhost=a-long-enough-needle"))
        with FakeDaemon(stack.socket, says(OK)):
            seen = stack.run("alice", "rhost=a-long-enough-needle", "acct", f"scan={hidden}")

        assert int(seen.said("found")[0]) > 0

    def test_a_thousand_calls_leave_no_descriptor(self, sanitized: Stack) -> None:
        sanitized.know(EMPTY)
        with FakeDaemon(sanitized.socket, says(refuse(Reason.ACCOUNT_LOCKED))) as daemon:
            seen = sanitized.run("alice", "repeat=1000", "acct")

        assert len(daemon.begins) == 1000
        assert seen.code("acct") == "PAM_PERM_DENIED"
        assert seen.said("descriptors") == []

    def test_the_callers_low_descriptors_are_left_alone(self, stack: Stack) -> None:
        with FakeDaemon(stack.socket, says(Notice("hello"), OK)):
            assert stack.run("alice", "low", "acct").lines[-1] == "acct: 0"

    def test_valgrind_has_nothing_to_say(self, stack: Stack) -> None:
        part = by_phase(
            authn=plays(Notice("hello"), ASK, OK),
            acct=plays(refuse(Reason.ACCOUNT_LOCKED)),
            chauthtok_prelim=plays(ASK, OK),
            chauthtok_update=plays(ASK, refuse(Reason.NOT_PERMITTED)),
            open=plays(OK),
        )
        stack.driver = [
            "valgrind", "-q", "--error-exitcode=99", "--leak-check=full", "--track-fds=no",
            "--errors-for-leak-kinds=definite,indirect,possible", *stack.driver,
        ]  # fmt: skip
        stack.options = ["timeout_s=30"]
        with FakeDaemon(stack.socket, part):
            seen = stack.run(
                "alice", "auth", "acct", "chauthtok", "open", typed=[PASSWORD] * 2, timeout_s=60
            )

        assert seen.code("chauthtok") == "PAM_AUTHTOK_ERR"
