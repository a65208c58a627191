"""The demo as a newcomer runs it: the real command, a real agent, the answers that it prints."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from loginward.runtime import demo_radius

COMMAND = Path(sys.executable).with_name("loginward")
ANSWERS = {
    "alice": ("active", "signed in", "warned: expires"),
    "bob": ("active", "account-locked", "5 wrong passwords, last from sshd 203.0.113.7; opens"),
    "carol": ("active", "password-expired", "aged out 3 d ago; change it: loginward passwd"),
    "dave": ("active", "password-pending", "loginward resend-activation dave"),
    "erin": ("active", "change-required", "temporary password"),
    "frank": ("active", "account-locked", "unlocking leaves it expired, a reset clears both"),
    "gina": ("staged", "user-staged", "not yet activated; starts"),
    "henry": ("suspended", "user-suspended", "suspended by an administrator, 2 d ago"),
    "mallory": ("-", "user-unknown", "said in the words of a wrong password"),
}


OVER_RADIUS = {
    "alice": ("Access-Accept", "Your password expires "),
    "bob": ("Access-Reject", "Your account is locked until "),
    "carol": ("Access-Reject", "Your password has expired"),
    "dave": ("Access-Reject", "Your account has no password yet."),
    "erin": ("Access-Challenge", "New password:"),
    "frank": ("Access-Reject", "Your account is locked until "),
    "gina": ("Access-Reject", "Your account is not active yet."),
    "henry": ("Access-Reject", "Your account is suspended."),
    "mallory": ("Access-Reject", "Wrong user name or password."),
}
RADIUS = "The same law over RADIUS (127.0.0.1:"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Give a folder that others can reach, with a name short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="lw-demo-") as made:
        Path(made).chmod(0o755)
        yield Path(made) / "demo"


@pytest.fixture(scope="module")
def shown(folder: Path) -> str:
    done = subprocess.run(
        [COMMAND, "demo", "--once", "--dir", folder],
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def lines_of(shown: str, name: str) -> list[str]:
    return [line for line in shown.splitlines() if line.startswith(f" {name} ")]


@pytest.mark.parametrize("name", ANSWERS)
def test_each_account_gets_its_answer_and_reason(shown: str, name: str) -> None:
    """R01-R05, R10, R40: one of each kind, through the login socket."""
    (line,) = lines_of(shown.partition(RADIUS)[0], name)
    state, answer, why = ANSWERS[name]
    assert f" {state} " in line
    assert f" {answer} " in line
    assert why in line


@pytest.mark.parametrize("name", OVER_RADIUS)
def test_a_vpn_gateway_hears_the_same_of_each(shown: str, name: str) -> None:
    """By PAP, over UDP, with what the person reads; a temporary password opens the change."""
    (line,) = lines_of(shown.partition(RADIUS)[2], name)
    answer, text = OVER_RADIUS[name]
    assert line.split()[1] == answer
    assert text in line


def test_without_the_extra_there_is_no_door_and_the_rest_goes_on(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(demo_radius, "find_spec", lambda _: None)
    assert demo_radius.radius_of(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_an_unlock_leaves_the_expiry(shown: str) -> None:
    """R10: frank is locked and expired; unlocked, the same login is refused for the expiry."""
    assert "frank: locked, expired -> expired   (attempts cleared on this host; " in shown
    assert "unlocked by root just now, was: 5 wrong passwords, sshd 203.0.113.7" in shown
    assert "the last: account-locked" in shown
    assert "password still expired since" in shown
    assert "refused: password-expired" in shown
    assert "loginward reset-password frank" in shown


def test_the_agent_ends_with_the_demo(shown: str, folder: Path) -> None:
    assert "agent ready in " in shown
    listening = Path("/proc/net/unix").read_text()
    assert str(folder) not in listening


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_serves_until_it_is_told(folder: Path, shown: str, number: signal.Signals) -> None:
    """The folder of the run before is made anew; a second demo there is turned away."""
    assert shown
    begun = subprocess.Popen([COMMAND, "demo", "--dir", folder], stdout=subprocess.PIPE, text=True)
    try:
        assert begun.stdout is not None
        for line in begun.stdout:
            if line.startswith("Serving until"):
                break
        second = subprocess.run(
            [COMMAND, "demo", "--once", "--dir", folder],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        status = subprocess.run(
            [COMMAND, "users", "--status", "locked", "--names"],
            env={**os.environ, "LOGINWARD_RUNTIME_DIR": str(folder)},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        begun.send_signal(number)
        assert begun.wait(30) == 0
    finally:
        begun.kill()
        begun.communicate()
    assert second.returncode == 2
    assert "a demo runs there" in second.stderr
    assert status.stdout == "bob\n"
    assert str(folder) not in Path("/proc/net/unix").read_text()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("keep me")
    done = subprocess.run(
        [COMMAND, "demo", "--once", "--dir", tmp_path],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 2
    assert (tmp_path / "letter.txt").read_text() == "keep me"


def test_a_folder_that_others_cannot_reach_will_do(tmp_path: Path) -> None:
    """As below /root: whom root becomes keeps its state elsewhere, and nothing of it is left."""
    tmp_path.chmod(0o700)
    before = set(Path(tempfile.gettempdir()).glob("loginward-demo-*"))
    done = subprocess.run(
        [COMMAND, "demo", "--once", "--dir", tmp_path / "demo"],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert set(Path(tempfile.gettempdir()).glob("loginward-demo-*")) <= before
