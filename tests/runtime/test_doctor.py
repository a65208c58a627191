"""All checks together, without a daemon and from within one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from loginward.directory.port import ServerHealth, Watched
from loginward.errors import DirectoryUnavailable
from loginward.runtime import doctor
from loginward.settings import Settings
from loginward.settings.directory import Account, Directory
from loginward.settings.policy import Lockout, Policy
from loginward.settings.site import Keys
from loginward.wire.admin.rows import FindingRow, Level


def settings(tmp_path: Path, **changes: object) -> Settings:
    (tmp_path / "state").mkdir(exist_ok=True)
    (tmp_path / "run").mkdir(exist_ok=True)
    return Settings(state_dir=tmp_path / "state", runtime_dir=tmp_path / "run", **changes)  # type: ignore[arg-type]


def parts(**changes: object) -> SimpleNamespace:
    given = {
        "health": (),
        "watched": None,
        "store": (),
        "events": "",
        "serves": True,
    } | changes
    return SimpleNamespace(
        directory=SimpleNamespace(health=lambda: given["health"], watched=lambda: given["watched"]),
        store=SimpleNamespace(
            faults=lambda: given["store"], time=SimpleNamespace(serves_allowance=given["serves"])
        ),
        audit=SimpleNamespace(health=lambda: SimpleNamespace(fault=given["events"])),
    )


def hidden() -> tuple[str, ...]:
    return ("staff is hidden",)


def unanswered() -> tuple[str, ...]:
    raise DirectoryUnavailable("search")


def test_protected_groups_that_nobody_could_look_at_are_no_good_news(tmp_path: Path) -> None:
    found = {one.check: one for one in doctor.findings(settings(tmp_path), parts(), unanswered)}
    assert found["protection"].level is Level.WARNING


def test_a_daemon_that_is_down_is_the_first_finding(tmp_path: Path) -> None:
    found = list(doctor.run(settings(tmp_path)))
    assert (found[0].check, found[0].level) == ("daemon", Level.PROBLEM)
    assert {"pam", "sshd", "marker", "state"} <= {one.check.split("-")[0] for one in found}


def test_what_the_daemon_knows_is_told(tmp_path: Path) -> None:
    """R63: directory, store, events and clock, each with what to do."""
    fault = SimpleNamespace(account="ann", problem="a row was changed", remedy="forget it")
    server = ServerHealth(name="ldap1", usable=False, last_problem="refused")
    ill = parts(health=(server,), store=(fault,), events="disk full", serves=False)
    found = {one.check: one for one in doctor.findings(settings(tmp_path), ill, hidden)}
    for check, text in (
        ("directory", "ldap1: refused"),
        ("store", "ann: a row was changed"),
        ("events", "disk full"),
        ("clock", "jumped"),
        ("protection", "staff is hidden"),
    ):
        assert found[check].level is Level.PROBLEM
        assert text in found[check].text


def test_a_directory_that_cannot_be_watched_is_told(tmp_path: Path) -> None:
    for watched, level in (
        (Watched(pushed=False, why="no syncprov overlay"), Level.WARNING),
        (Watched(pushed=False), Level.OK),
        (Watched(pushed=True), Level.OK),
    ):
        found = doctor.findings(settings(tmp_path), parts(watched=watched), tuple)
        directory = next(one for one in found if one.check == "directory")
        assert directory.level is level
        assert watched.why in directory.text


def test_a_daemon_that_is_well_says_so(tmp_path: Path) -> None:
    found = {one.check: one for one in doctor.findings(settings(tmp_path), parts(), tuple)}
    for check in (
        "directory",
        "store",
        "events",
        "clock",
        "protection",
        "secrets",
        "lockout",
        "configuration",
    ):
        assert found[check].level is Level.OK


def inviting(tmp_path: Path) -> Directory:
    """Return a directory whose status nobody may read, with no secret and no authorities."""
    return Directory(
        kind="ldap",
        servers=("ldaps://ldap.example.org",),
        ca_file=tmp_path / "absent.pem",
        admin_account=Account(dn="cn=a", password_file=tmp_path / "absent"),
        users=replace(Directory().users, dn_template="uid={user},dc=example,dc=org"),
    )


def test_what_the_configuration_invites_is_told(tmp_path: Path) -> None:
    """Two counters, a status that nobody may read, a secret that is not there, no authorities."""
    site = settings(
        tmp_path, directory=inviting(tmp_path), policy=Policy(lockout=Lockout(owner="agent"))
    )
    found = {one.check: one for one in doctor.run(site)}
    assert found["lockout"].level is Level.WARNING
    assert found["secrets"].level is Level.PROBLEM
    assert found["ca-file"].level is Level.PROBLEM
    assert "status" in found["configuration"].text


def test_what_a_stolen_disk_yields_is_told(tmp_path: Path) -> None:
    """security.md 15: the keys beside the store are said to lie there."""
    found = {one.check: one for one in doctor.run(settings(tmp_path))}
    assert "stolen disk yields both" in found["keys"].text


def test_what_is_closed_to_the_daemon_is_named_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no finding, and can be looked at again by name with other rights."""

    def closed(*_: object) -> Iterator[FindingRow]:
        raise PermissionError(13, "Permission denied", "/etc/shadow")
        yield

    monkeypatch.setattr(doctor.host, "break_glass", closed)
    site = settings(tmp_path)
    (unseen,) = [one for one in doctor.run(site) if one.check.startswith("break-glass")]
    assert (unseen.check, unseen.level) == ("break-glass-unseen", Level.OK)
    assert "/etc/shadow is closed to this user" in unseen.text
    monkeypatch.undo()
    assert {one.check for one in doctor.again("break-glass-unseen", site)} <= {
        "break-glass",
        "break-glass-unseen",
    }


def failing(tmp_path: Path) -> dict[str, Callable[[Settings], object]]:
    """Return, by check, how to make it find something, on a copy of what it looks at."""
    etc, site = tmp_path / "etc", tmp_path / "state"

    def write(path: Path, text: str, mode: int = 0o644) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    return {
        "break-glass": lambda _: (
            write(etc / "shadow", "root:*:1::::::\n"), write(etc / "passwd", "root:x:0:0::/root:/\n")
        ),
        "pam": lambda _: write(etc / "pam.d/sshd", "auth required pam_unix.so\n"),
        "sshd": lambda _: write(etc / "ssh/sshd_config", "UsePAM no\n"),
        "marker": lambda _: write(site / "known", "cut\n"),
        "state": lambda _: write(site / "store.db", "", 0o644),
        "secrets": lambda _: None,
        "ca-file": lambda _: None,
        "keys": lambda _: write(site / "keys/loginward.sealing", "", 0o600),
        "lockout": lambda _: None,
        "configuration": lambda _: None,
        "sockets": lambda _: None,
        "helpers": lambda _: None,
        "directory": lambda _: None,
        "store": lambda _: None,
        "events": lambda _: None,
        "clock": lambda _: None,
        "protection": lambda _: None,
    }  # fmt: skip


def ill_site(tmp_path: Path) -> Settings:
    policy = Policy(lockout=Lockout(owner="agent"), reveal="always")
    return settings(
        tmp_path, directory=inviting(tmp_path), policy=policy, keys=Keys(source="credential")
    )


def test_every_check_can_fail_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R63: a check that never finds anything is none, nor is one that leaves people helpless."""
    monkeypatch.setattr(doctor, "ETC", tmp_path / "etc")
    monkeypatch.setenv("LOGINWARD_WRITER_SOCKET", str(tmp_path / "writer.sock"))
    site = ill_site(tmp_path)
    for break_it in failing(tmp_path).values():
        break_it(site)
    fault = SimpleNamespace(account="", problem="a row was changed", remedy="")
    server = ServerHealth(name="ldap1", usable=False)
    ill = parts(health=(server,), store=(fault,), events="disk full", serves=False)
    found = list(doctor.findings(site, ill, hidden))
    bad = [one for one in found if one.level is not Level.OK]
    failed = {name for name in failing(tmp_path) if any(one.check.startswith(name) for one in bad)}
    assert failed == set(failing(tmp_path))
    assert [one.check for one in bad if not one.hint] == []
    assert {one.check.partition("-")[0] for one in found} <= {
        name.partition("-")[0] for name in failing(tmp_path)
    }


def test_what_cannot_be_read_has_a_remedy_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "ETC", tmp_path / "nowhere")
    site = settings(tmp_path)
    assert all(one.hint for one in doctor.run(site) if one.level is not Level.OK)


def test_a_key_left_on_the_disk_is_found(tmp_path: Path) -> None:
    """security.md 15: keys given by systemd do not lie beside what they seal."""
    site = settings(tmp_path, keys=Keys(source="tpm2"))
    assert [one.level for one in doctor.run(site) if one.check == "keys"] == [Level.OK]
    left = site.state_dir / "keys/loginward.pepper"
    left.parent.mkdir()
    left.write_bytes(b"")
    first = next(one for one in doctor.run(site) if one.check == "keys")
    assert (first.level, first.hint) == (
        Level.PROBLEM,
        f"keep a copy elsewhere, then: shred -u {left}",
    )
