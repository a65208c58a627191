"""The module on Debian's generated stack, in real sshd, su and sudo, before a scripted daemon.

Every person here has a valid local password in shadow. It must let nobody in whom we refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase, Purpose
from loginward.wire.login import Answer, Ask, Begin, Notice, Result
from tests.live.pam_ns import Machine, host_files, machine_at
from tests.native.conftest import build
from tests.native.fake_daemon import FakeDaemon, Line, refuse

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("pam-stack")]

LOCAL = "a-valid-local-password"
OURS = "the-directory-password"
UIDS = {"alice": 2001, "locked": 2002, "aged": 2003, "local": 2004, "changing": 2005}
LOCKED_TEXT = "Account locked until 14:32."


@dataclass
class Script:
    """What the daemon says of each person; it knows one password, and `local` is not its own."""

    changed: list[bytes] = field(default_factory=list)

    def __call__(self, line: Line) -> None:
        begin = line.hear()
        if not isinstance(begin, Begin):
            return
        if begin.user not in UIDS or begin.user == "local":
            if begin.phase is Phase.AUTHN:
                self._password(line)
            line.say(refuse(Reason.USER_UNKNOWN))
        elif begin.phase in {Phase.OPEN, Phase.CLOSE}:
            line.say(Result(verdict=Verdict.ALLOW, reason=Reason.OK))
        elif begin.user == "locked":
            self._locked(line, begin)
        else:
            self._active(line, begin)

    def _password(self, line: Line) -> bytes:
        line.say(Ask(purpose=Purpose.PASSWORD))
        answer = line.hear()
        return answer.typed.reveal() if isinstance(answer, Answer) else b""

    def _locked(self, line: Line, begin: Begin) -> None:
        if begin.phase is Phase.AUTHN:
            self._password(line)
        line.say(Notice(LOCKED_TEXT, is_error=True))
        line.say(refuse(Reason.ACCOUNT_LOCKED))

    def _active(self, line: Line, begin: Begin) -> None:
        due = begin.user == "changing" and not self.changed
        change = Result(verdict=Verdict.CHANGE, reason=Reason.CHANGE_REQUIRED)
        ok = Result(verdict=Verdict.ALLOW, reason=Reason.OK, transaction="5eed")
        if begin.phase is not Phase.ACCT:
            current = self.changed[-1] if self.changed else OURS.encode()
            if self._password(line) != current:
                line.say(refuse(Reason.WRONG_CREDENTIALS))
                return
        if begin.phase is Phase.CHAUTHTOK_UPDATE:
            typed = []
            for purpose, prompt in ((Purpose.NEW, "New: "), (Purpose.NEW_AGAIN, "Again: ")):
                line.say(Ask(purpose=purpose, prompt=prompt))
                answer = line.hear()
                assert isinstance(answer, Answer)
                typed.append(answer.typed.reveal())
            self.changed.append(typed[0])
            line.say(ok)
        else:
            line.say(change if due else ok)


@dataclass
class Scene:
    machine: Machine
    socket: Path
    known: Path


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    before = host_files()
    folder = tmp_path_factory.mktemp("pam-stack")
    build(folder / "built", "all", cflags="-DLW_RETRY_MS=100")  # how long it waits: tests/native
    (folder / "run").mkdir(mode=0o755)
    (folder / "state").mkdir(mode=0o755)
    known = folder / "state/known"
    ours = sorted(name for name in UIDS if name != "local")
    lines = [f"{name}\t{UIDS[name]}" for name in ours]
    known.write_text("\n".join(["loginward-known 1", *lines, f"end {len(lines)}"]) + "\n")
    known.chmod(0o644)
    module = folder / "built/pam_loginward.so"
    with machine_at(folder, module, folder / "run", folder / "state", "nodelay") as machine:
        for name, uid in UIDS.items():
            machine.add_person(name, uid, password=LOCAL, aged=name == "aged", sudo=True)
        yield Scene(machine, folder / "run/login.sock", known)
    assert host_files() == before, "the host was changed"


@pytest.fixture
def machine(scene: Scene) -> Iterator[Machine]:
    """The machine with its daemon up."""
    with FakeDaemon(scene.socket, Script()):
        yield scene.machine


@pytest.fixture
def down(scene: Scene) -> Machine:
    """The machine with its daemon dead."""
    return scene.machine


METHODS = ["password", "keyboard-interactive", "publickey"]


class TestLetIn:
    """Who is let in by the daemon is let in, whatever /etc/shadow says of the local password."""

    @pytest.mark.parametrize("name", ["alice", "aged"])
    @pytest.mark.parametrize("method", METHODS)
    def test_ssh(self, machine: Machine, name: str, method: str) -> None:
        outcome = machine.ssh(name, method, "" if method == "publickey" else OURS)

        assert outcome.out.strip() == name, outcome.err

    @pytest.mark.parametrize("name", ["alice", "aged"])
    def test_su_and_sudo(self, machine: Machine, name: str) -> None:
        assert machine.su(name, OURS, by=UIDS["local"]).out.strip() == name
        assert machine.sudo(UIDS[name], OURS).out.strip() == "root"

    @pytest.mark.parametrize("name", ["alice", "aged"])
    def test_the_local_password_is_not_theirs_any_more(self, machine: Machine, name: str) -> None:
        for method in ("password", "keyboard-interactive"):
            outcome = machine.ssh(name, method, LOCAL)
            assert outcome.out == ""
            assert "Permission denied" in outcome.err
        assert machine.su(name, LOCAL, by=UIDS["local"]).code == 1
        assert machine.sudo(UIDS[name], LOCAL).code == 1


class TestRefused:
    """A refused person has a valid local password, and a key, and gets in nowhere (R25)."""

    @pytest.mark.parametrize("password", [LOCAL, OURS])
    def test_by_password(self, machine: Machine, password: str) -> None:
        for method in ("password", "keyboard-interactive"):
            outcome = machine.ssh("locked", method, password)
            assert outcome.code != 0
            assert "locked\n" not in outcome.out
        assert machine.su("locked", password, by=UIDS["local"]).code == 1
        assert machine.sudo(UIDS["locked"], password).code == 1

    def test_by_key_and_is_told_why_by_banner(self, machine: Machine) -> None:
        outcome = machine.ssh("locked", "publickey")

        assert outcome.code == 255
        assert LOCKED_TEXT in outcome.err

    def test_su_tells_why(self, machine: Machine) -> None:
        assert LOCKED_TEXT in machine.su("locked", OURS, by=UIDS["local"]).said

    def test_even_root_becomes_nobody_who_is_locked(self, machine: Machine) -> None:
        """`su` by root asks no password, and the account phase all the same."""
        assert machine.run("su", "-", "alice", "-c", "id -un").out.strip() == "alice"
        assert machine.run("su", "-", "locked", "-c", "id -un").code != 0

    def test_the_log_says_the_reason_and_the_reference(self, machine: Machine) -> None:
        machine.log.lines()  # of the tests before
        machine.ssh("locked", "publickey")

        [line] = [line for line in machine.log.lines() if "pam_loginward" in line]
        assert re.search(
            r"pam_loginward\(sshd:account\): refused: user=locked reason=account-locked "
            r"reference=7F3-K2Q$",
            line,
        ), line


class TestNotOurs:
    """An account that the directory does not have works as before."""

    @pytest.mark.parametrize("method", METHODS)
    def test_ssh(self, machine: Machine, method: str) -> None:
        outcome = machine.ssh("local", method, "" if method == "publickey" else LOCAL)

        assert outcome.out.strip() == "local", outcome.err

    def test_su_and_sudo(self, machine: Machine) -> None:
        assert machine.su("local", LOCAL, by=UIDS["alice"]).out.strip() == "local"
        assert machine.sudo(UIDS["local"], LOCAL).out.strip() == "root"
        assert machine.su("local", OURS, by=UIDS["alice"]).code == 1

    def test_root_changes_its_password_without_being_asked_for_the_old(
        self, machine: Machine, scene: Scene
    ) -> None:
        shadow = scene.machine.root / "etc/shadow"
        before = shadow.read_text()
        outcome = machine.run("passwd", "local", typed="n3w-and-long\nn3w-and-long\n")

        assert outcome.code == 0, outcome.said
        assert shadow.read_text() != before
        shadow.write_text(before)


class TestDaemonDead:
    """Killing the daemon opens nothing and shuts root out of nothing (R27)."""

    @pytest.mark.parametrize("name", ["alice", "locked", "aged"])
    def test_whom_we_know_gets_in_nowhere(self, down: Machine, name: str) -> None:
        for method in METHODS:
            outcome = down.ssh(name, method, "" if method == "publickey" else LOCAL)
            assert outcome.code != 0, method
            assert f"{name}\n" not in outcome.out
        assert down.su(name, LOCAL, by=UIDS["local"]).code == 1
        assert down.sudo(UIDS[name], LOCAL).code == 1

    def test_root_gets_in(self, down: Machine) -> None:
        root_key = down.root / "etc/ssh/keys/root"
        root_key.write_text((down.root / "etc/ssh/ns_user_key.pub").read_text())

        assert down.ssh("root", "publickey").out.strip() == "root"
        assert down.run("su", "-", "root", "-c", "id -un").out.strip() == "root"
        assert down.pamtester("sudo", "root", "acct_mgmt").code == 0

    def test_accounts_that_are_not_ours_get_in(self, down: Machine) -> None:
        assert down.ssh("local", "password", LOCAL).out.strip() == "local"
        assert down.su("local", LOCAL, by=UIDS["alice"]).out.strip() == "local"

    def test_without_a_marker_only_root_gets_in(self, down: Machine, scene: Scene) -> None:
        aside = scene.known.rename(scene.known.with_name("aside"))
        try:
            assert down.su("local", LOCAL, by=UIDS["alice"]).code == 1
            assert down.run("su", "-", "root", "-c", "id -un").out.strip() == "root"
        finally:
            aside.rename(scene.known)


class TestChange:
    """A temporary password is changed inside the login (R26, R40)."""

    def test_keyboard_interactive_asks_for_the_new_one(self, scene: Scene) -> None:
        script = Script()
        machine = scene.machine
        talk = (
            "set timeout 15\n"
            "log_user 1\n"
            "spawn ssh -F none -p 2222 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
            " -o PreferredAuthentications=keyboard-interactive -o PubkeyAuthentication=no"
            " changing@127.0.0.1 id -un\n"
            f'expect -re "assword: $" {{ send "{OURS}\\r" }} timeout {{ exit 11 }}\n'
            f'expect -re "assword: $" {{ send "{OURS}\\r" }} timeout {{ exit 12 }}\n'
            'expect -re "New: $" { send "brand-new-one\\r" } timeout { exit 13 }\n'
            'expect -re "Again: $" { send "brand-new-one\\r" } timeout { exit 14 }\n'
            "expect eof\n"
        )
        with FakeDaemon(scene.socket, script):
            outcome = machine.run("expect", "-c", talk)
            again = machine.ssh("changing", "password", "brand-new-one")

        assert outcome.code == 0, outcome.said
        assert outcome.out.splitlines()[-1].strip() == "changing", outcome.said
        assert script.changed == [b"brand-new-one"]
        assert again.out.strip() == "changing"
