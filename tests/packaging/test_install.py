"""`make install` below a DESTDIR: everything in place, owned, moded, and speaking of its own place."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from loginward.config import check_config
from loginward.settings import Settings

TOP = Path(__file__).parents[2]

pytestmark = pytest.mark.timeout(240)


def make(target: str, destdir: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    words = [f"{name}={value}" for name, value in {"DESTDIR": destdir, **variables}.items()]
    return subprocess.run(
        ["make", "-s", target, *words], cwd=TOP, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    destdir = tmp_path_factory.mktemp("dest")
    done = make("install", destdir, DAEMON_UID="997", EXTRAS="radius eap")
    assert done.returncode == 0, done.stderr
    return destdir


@pytest.mark.xdist_group("install")
def test_everything_is_in_place(installed: Path) -> None:
    for name in (
        "opt/loginward/bin/loginward",
        "usr/bin/loginward",
        "usr/share/pam-configs/loginward",
        "usr/lib/systemd/system/loginward.service",
        "usr/lib/systemd/system/loginward.socket",
        "usr/lib/systemd/system/loginward-admin.socket",
        "usr/lib/systemd/system/loginward-root.socket",
        "usr/lib/systemd/system/loginward-root@.service",
        "usr/lib/systemd/system/loginward-writer.socket",
        "usr/lib/systemd/system/loginward-writer@.service",
        "usr/lib/sysusers.d/loginward.conf",
        "usr/lib/tmpfiles.d/loginward.conf",
        "usr/share/man/man1/loginward.1",
        "usr/share/man/man5/loginward.yaml.5",
        "usr/share/man/man8/pam_loginward.8",
        "usr/share/bash-completion/completions/loginward",
    ):
        assert os.path.lexists(installed / name), name
    (module,) = installed.glob("usr/lib*/**/security/pam_loginward.so")
    assert module.stat().st_mode & 0o777 == 0o644


@pytest.mark.xdist_group("install")
def test_all_is_roots_and_read_by_all_and_written_by_nobody_else(installed: Path) -> None:
    """The daemon's user reads its program; nobody can change it, and nothing gives rights away."""
    for path in installed.rglob("*"):
        seen = path.lstat()
        if path.is_symlink():
            continue
        assert (seen.st_uid, seen.st_gid) == (0, 0), path
        assert seen.st_mode & 0o7022 == 0, path
        assert seen.st_mode & 0o044 == 0o044, path
        if "opt/loginward" not in str(path) and path.is_file():
            assert seen.st_mode & 0o777 == 0o644, path


@pytest.mark.xdist_group("install")
def test_the_units_run_programs_that_are_there(installed: Path) -> None:
    units = list(installed.glob("usr/lib/systemd/system/*.service"))
    assert len(units) == 3
    for unit in units:
        (line,) = (one for one in unit.read_text().splitlines() if one.startswith("ExecStart="))
        program, *words = line.removeprefix("ExecStart=").split()
        assert (installed / program.lstrip("/")).exists()
        if words[:2] == ["-I", "-m"]:
            command = (installed / "opt/loginward/bin/python", "-I", "-c", f"import {words[2]}")
            subprocess.run(command, check=True, cwd="/")


@pytest.mark.xdist_group("install")
def test_extras_bring_what_the_radius_door_needs(installed: Path) -> None:
    code = "import OpenSSL.SSL; from loginward.doors.radius.dictionaries import load; load()"
    command = (installed / "opt/loginward/bin/python", "-I", "-c", code)
    subprocess.run(command, check=True, cwd="/")


def test_an_extra_that_does_not_exist_is_named(tmp_path: Path) -> None:
    done = make("install", tmp_path, DAEMON_UID="997", EXTRAS="radius telepathy")
    assert done.returncode == 2
    assert "no such extra: telepathy" in done.stderr


@pytest.mark.xdist_group("install")
def test_the_module_is_hardened(installed: Path) -> None:
    """It is loaded into sshd and sudo, which run as root."""
    (module,) = installed.glob("usr/lib*/**/security/pam_loginward.so")
    said = subprocess.run(
        ["readelf", "-dlsW", module], capture_output=True, text=True, check=True
    ).stdout
    assert "BIND_NOW" in said
    assert "GNU_RELRO" in said
    assert "TEXTREL" not in said
    assert "PATH" not in said, "no RUNPATH: libraries come from the system alone"
    (stack,) = (line for line in said.splitlines() if "GNU_STACK" in line)
    assert " RW " in stack
    assert "__stack_chk_fail" in said
    assert "_chk@" in said, "_FORTIFY_SOURCE"
    needed = {line.split("[")[1].rstrip("]") for line in said.splitlines() if "(NEEDED)" in line}
    assert needed == {"libpam.so.0", "libc.so.6"}


@pytest.mark.xdist_group("install")
def test_the_command_is_isolated_and_nothing_speaks_of_the_way_station(installed: Path) -> None:
    """security.md 25: shebangs use -I."""
    command = (installed / "opt/loginward/bin/loginward").read_text()
    assert command.startswith("#!/opt/loginward/bin/python -I\n")
    for path in (installed / "opt/loginward/bin").iterdir():
        if not path.is_symlink() and str(installed) in path.read_text(errors="replace"):
            pytest.fail(f"{path.name} speaks of {installed}")


@pytest.mark.xdist_group("install")
def test_the_marker_is_empty_and_whole(installed: Path) -> None:
    """security.md 9: absent or malformed would refuse everybody."""
    marker = installed / "var/lib/loginward/known"
    assert marker.read_text() == "loginward-known 1\nend 0\n"
    assert marker.stat().st_mode & 0o777 == 0o644
    assert marker.parent.stat().st_mode & 0o777 == 0o755


@pytest.mark.xdist_group("install")
def test_a_second_time_keeps_the_configuration_and_follows_no_link(installed: Path) -> None:
    """The folder of the marker belongs to the daemon's user, who could lay a link for root there."""
    marker, elsewhere = installed / "var/lib/loginward/known", installed / "etc/nologin"
    marker.unlink()
    marker.symlink_to(elsewhere)
    path = installed / "etc/loginward/loginward.yaml"
    assert check_config(path) == (Settings(), [])
    path.write_text("schema: 1\n")
    assert make("install", installed, DAEMON_UID="997").returncode == 0
    assert path.read_text() == "schema: 1\n"
    assert not elsewhere.exists()
    assert not marker.is_symlink()
    assert marker.stat().st_mode & 0o777 == 0o644


@pytest.mark.xdist_group("install")
def test_the_installed_program_needs_nothing_of_this_tree(installed: Path) -> None:
    python = installed / "opt/loginward/bin/python"
    code = "import loginward.cli.main, loginward.config, yaml; print(loginward.__file__)"
    done = subprocess.run(
        [python, "-I", "-c", code], cwd="/", capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(str(installed))


def test_without_the_uid_of_the_daemon_it_says_so(tmp_path: Path) -> None:
    done = make("install", tmp_path)
    assert done.returncode != 0
    assert "give DAEMON_UID" in done.stderr


@pytest.mark.xdist_group("install")
def test_taking_it_out_leaves_configuration_and_state(installed: Path, tmp_path: Path) -> None:
    copy = tmp_path / "dest"
    subprocess.run(["cp", "-a", installed, copy], check=True)
    assert make("uninstall", copy).returncode == 0
    left = {str(p.relative_to(copy)) for p in copy.rglob("*") if not p.is_dir()}
    assert left == {"etc/loginward/loginward.yaml", "var/lib/loginward/known"}
