"""The PAM profile, as Debian's own pam-auth-update writes it; the host's files stay untouched."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
PROFILE = TOP / "packaging/pam/loginward"


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[str]]]:
    """The lines of each generated file, split at blanks; controls in brackets stay whole."""
    root = tmp_path_factory.mktemp("root")
    for folder in ("etc/pam.d", "var/lib/pam", "usr/share/pam-configs"):
        (root / folder).mkdir(parents=True)
    shutil.copytree("/usr/share/pam", root / "usr/share/pam")
    for name in ("unix", "systemd"):
        host = Path("/usr/share/pam-configs") / name
        if host.exists():
            shutil.copy(host, root / "usr/share/pam-configs")
    shutil.copy(PROFILE, root / "usr/share/pam-configs")
    debconf = root / "debconf"
    shutil.copytree("/var/cache/debconf", debconf)
    # debconf keeps answers in one place whatever --root says: it gets a copy of its own.
    script = (
        'set -e; mount --make-rprivate /; mount --bind "$1/debconf" /var/cache/debconf; '
        'exec pam-auth-update --root "$1" --package --force'
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", root],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {
        path.name: [
            _split(line)
            for line in path.read_text().splitlines()
            if line.strip() and not line.startswith("#")
        ]
        for path in (root / "etc/pam.d").iterdir()
    }


def _split(line: str) -> list[str]:
    kind, _, rest = line.partition("\t")
    if rest.startswith("["):
        control, _, rest = rest.partition("]")
        control += "]"
    else:
        control, _, rest = rest.partition("\t")
    return [kind.strip(), control.strip(), *rest.split()]


def _jump(control: str) -> int:
    return int(control.split("success=")[1].split(maxsplit=1)[0].rstrip("]"))


@pytest.mark.parametrize("stack", ["common-auth", "common-account", "common-password"])
def test_ours_is_first_and_success_passes_over_the_local_password(
    stacks: dict[str, list[list[str]]], stack: str
) -> None:
    lines = stacks[stack]
    assert lines[0][2] == "pam_loginward.so"
    landed = lines[1 + _jump(lines[0][1])]
    assert landed[1:3] == ["required", "pam_permit.so"]


@pytest.mark.parametrize("stack", ["common-auth", "common-account", "common-password"])
def test_a_refusal_ends_the_stack_before_pam_unix(
    stacks: dict[str, list[list[str]]], stack: str
) -> None:
    """No aged or valid local password lets a refused user in."""
    control = stacks[stack][0][1].strip("[]").split()
    assert control[-1] == "default=die"
    passed_on = {word.split("=")[0] for word in control if word.endswith("=ignore")}
    assert passed_on == {"ignore", "user_unknown"}


def test_an_expired_password_is_handed_to_the_program(
    stacks: dict[str, list[list[str]]],
) -> None:
    assert "new_authtok_reqd=done" in stacks["common-account"][0][1]


def test_accounts_that_are_not_ours_can_change_their_local_password(
    stacks: dict[str, list[list[str]]],
) -> None:
    """The line of pam_unix after ours asks itself: it has no use_authtok."""
    after = stacks["common-password"][1]
    assert after[2] == "pam_unix.so"
    assert "use_authtok" not in after
    landed = stacks["common-password"][2 + _jump(after[1])]
    assert landed[1:3] == ["required", "pam_permit.so"]


@pytest.mark.parametrize("stack", ["common-session", "common-session-noninteractive"])
def test_a_session_never_fails_because_of_us(
    stacks: dict[str, list[list[str]]], stack: str
) -> None:
    assert [line[1] for line in stacks[stack] if "pam_loginward.so" in line] == ["optional"]
