"""`make` on a machine that lacks something: packages are installed quietly, or the line is said."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles.systemd import as_user

TOP = Path(__file__).parents[2]
PACKAGES, RIGHTS = TOP / "tools/system-packages", TOP / "tools/test-rights"
LACKING = "slapd valgrind"


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="loginward-test-") as made:  # pytest's are root's alone
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture
def path(folder: Path) -> str:
    """A PATH on which dpkg lacks two packages, and apt-get writes down what it is told."""
    programs = {
        "dpkg-query": f'case " {LACKING} " in *" $4 "*) exit 1 ;; esac; echo installed',
        "apt-get": f'{{ echo "$DEBIAN_FRONTEND: $*"; cat /usr/sbin/policy-rc.d; }} '
        f'>>{folder}/told; [ "$1" != "$FAILS" ]',
    }
    for name, script in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def run(*command: str | Path, path: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*map(str, command)], env={"PATH": path, **env}, cwd=TOP,
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip


def test_who_is_not_root_is_told_the_exact_line(path: str, folder: Path) -> None:
    done = run(*as_user("nobody", PACKAGES), path=path)
    assert done.returncode == 1
    assert done.stderr == (
        "loginward: error: packages are missing; as root run:\n"
        f"    apt-get update && apt-get install -y --no-install-recommends {LACKING}\n"
    )
    assert not (folder / "told").exists()


def installed_by_root(path: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run it where /usr/sbin is a folder of the test's own."""
    (folder / "sbin").mkdir()
    script = f'mount --make-rprivate / && mount --bind {folder}/sbin /usr/sbin && exec "$0"'
    return run("unshare", "-m", "sh", "-c", script, PACKAGES, path=path, **env)


def test_root_has_them_installed_without_a_question_and_without_a_service(
    path: str, folder: Path
) -> None:
    """invoke-rc.d(8): 101 of policy-rc.d forbids every start while packages are unpacked."""
    done = installed_by_root(path, folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "told").read_text() == (
        "noninteractive: update -qq\n#!/bin/sh\nexit 101\n"
        f"noninteractive: install -y --no-install-recommends {LACKING} "
        "-qq -o DPkg::Lock::Timeout=120\n#!/bin/sh\nexit 101\n"
    )
    assert list((folder / "sbin").iterdir()) == [], "the policy does not stay"


@pytest.mark.parametrize(("fails", "code"), [("update", 0), ("install", 1)])
def test_a_list_that_cannot_be_read_stops_nothing_an_install_does(
    path: str, folder: Path, fails: str, code: int
) -> None:
    assert installed_by_root(path, folder, FAILS=fails).returncode == code
    assert list((folder / "sbin").iterdir()) == []


def test_the_tests_stop_where_they_could_not_run_and_say_one_line() -> None:
    done = run(*as_user("nobody", RIGHTS), path=os.environ["PATH"])
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, "    make test")
    bound = run("setpriv", "--bounding-set=-sys_admin", RIGHTS, path=os.environ["PATH"])
    assert bound.returncode == 1
    assert "unshare -mn is not permitted here" in bound.stderr
    assert run(RIGHTS, path=os.environ["PATH"]).returncode == 0


def test_a_tree_that_other_users_cannot_enter_is_said_before_tests_fail_of_it(
    folder: Path,
) -> None:
    """A clone below /root is one."""
    (folder / "closed/tools").mkdir(parents=True)
    (folder / "closed").chmod(0o700)
    copy = folder / "closed/tools/test-rights"
    copy.write_text(RIGHTS.read_text())
    copy.chmod(0o755)
    done = run(copy, path=os.environ["PATH"])
    assert done.returncode == 1
    assert f"other users cannot enter {folder}/closed" in done.stderr
    (folder / "closed").chmod(0o755)
    assert run(copy, path=os.environ["PATH"]).returncode == 0
