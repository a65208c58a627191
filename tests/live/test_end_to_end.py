"""A login end to end: real sshd, su, sudo and pamtester, our module, the real agent, real slapd."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live import people
from tests.live.daemon import Agent, agent_at
from tests.live.pam_ns import Machine, Outcome, host_files, machine_at
from tests.live.slapd import Slapd, now

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("end-to-end")]

TOP = Path(__file__).resolve().parents[2]
RIGHT, WRONG = people.PASSWORD, "not-the-password"
UIDS = {
    person.uid: 3000 + number for number, person in enumerate(people.matrix(now())) if person.uid
}


@dataclass
class World:
    """The three of them, running."""

    slapd: Slapd
    agent: Agent
    machine: Machine


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A machine whose people all have accounts here, and a host that is the same afterwards."""
    before = host_files()
    folder = Path(tempfile.mkdtemp(prefix="lw-live-"))  # pytest's own folders are root's alone
    folder.chmod(0o755)
    (folder / "machine").mkdir()
    try:
        with (
            Slapd(folder / "slapd", people.matrix(now())) as slapd,
            agent_at(folder / "agent", slapd) as agent,
            machine_at(
                folder / "machine",
                TOP / "build/pam_loginward.so",
                agent.run_dir,
                agent.state_dir,
                "nodelay",
            ) as machine,
        ):
            for name, uid in UIDS.items():
                machine.add_person(name, uid, sudo=True)
            yield World(slapd, agent, machine)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert before == host_files()


def authenticate(world: World, name: str, password: str = RIGHT) -> Outcome:
    return world.machine.pamtester("login", name, "authenticate", password=password)


def account(world: World, name: str) -> Outcome:
    return world.machine.pamtester("login", name, "acct_mgmt")


CASES = [
    # name, password, authenticate says, account phase says, reason, binds
    ("active", RIGHT, "successfully authenticated", "account management done", "ok", 1),
    ("active", WRONG, "Authentication failure", None, "wrong-credentials", 1),
    ("pending", RIGHT, "Permission denied", "Permission denied", "password-pending", 0),
    ("expired", RIGHT, "Permission denied", "User account has expired", "password-expired", 1),
    ("locked", RIGHT, "Permission denied", "Permission denied", "account-locked", 0),
    ("lockperm", RIGHT, "Permission denied", "Permission denied", "account-locked", 0),
    ("explock", RIGHT, "Permission denied", "Permission denied", "account-locked", 0),
    ("notyet", RIGHT, "Permission denied", "User account has expired", "user-staged", 0),
    ("ended", RIGHT, "Permission denied", "User account has expired", "user-suspended", 0),
    ("warning", RIGHT, "successfully authenticated", "account management done", "ok", 1),
]


@pytest.mark.parametrize(
    ("name", "password", "authn", "acct", "reason", "binds"),
    [pytest.param(*case, id=f"{case[0]}-{case[4]}") for case in CASES],
)
def test_each_account_gets_its_answer_in_both_phases(
    world: World, name: str, password: str, authn: str, acct: str | None, reason: str, binds: int
) -> None:
    """R17, R24, R25, R26, R60: code, event, and no more binds than the answer takes."""
    bound = world.slapd.bound(name)
    said = authenticate(world, name, password).said
    assert authn in said
    assert world.slapd.bound(name) - bound == binds
    assert any(reason in line for line in world.agent.events(name))
    if acct is not None:
        assert acct in account(world, name).said
        assert world.slapd.bound(name) - bound == binds


def test_a_locked_person_at_a_seat_is_told_why(world: World) -> None:
    assert "is locked until" in authenticate(world, "locked").said


def test_an_unknown_name_is_not_ours(world: World) -> None:
    world.machine.add_person("stranger", 3900)
    said = authenticate(world, "stranger").said
    assert "successfully" not in said
    assert world.slapd.bound("stranger") == 0


def test_a_key_login_of_a_locked_person_is_refused_and_told_why(world: World) -> None:
    """R25: the account phase stands alone; the reason comes as the banner."""
    refused = world.machine.ssh("lockperm", "publickey")
    assert refused.code != 0
    assert "locked" in refused.said
    assert world.machine.ssh("active", "publickey").out.strip() == "active"


@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
def test_ssh_lets_in_and_refuses(world: World, method: str) -> None:
    assert world.machine.ssh("warning", method, RIGHT).out.strip() == "warning"
    refused = world.machine.ssh("lockperm", method, RIGHT)
    assert refused.code != 0
    assert "locked" not in refused.out


def test_su_and_sudo(world: World) -> None:
    assert world.machine.su("active", RIGHT, by=UIDS["warning"]).out.strip() == "active"
    assert world.machine.su("lockperm", RIGHT, by=UIDS["warning"]).code != 0
    assert world.machine.sudo(UIDS["active"], RIGHT).out.strip() == "root"
    assert world.machine.sudo(UIDS["lockperm"], RIGHT).code != 0


def test_a_wrong_password_raises_the_directorys_count_by_one(world: World) -> None:
    world.slapd.add(people.Person("counted", ()), 9100)
    world.machine.add_person("counted", 3901)
    assert "Authentication failure" in authenticate(world, "counted", WRONG).said
    assert world.slapd.failures("counted") == 1


def test_an_unlock_of_ours_or_in_slapd_counts_at_the_very_next_login(world: World) -> None:
    """R22, R24, R39, without a restart."""
    for number, unlock in enumerate((_by_command, _in_slapd)):
        name = f"tounlock{number}"
        world.slapd.add(
            people.Person(name, ("pwdAccountLockedTime: 000001010000Z",)), 9200 + number
        )
        world.machine.add_person(name, 3910 + number)
        assert "Permission denied" in authenticate(world, name).said
        unlock(world, name)
        assert "successfully authenticated" in authenticate(world, name).said
        assert "account management done" in account(world, name).said


def test_unlocking_leaves_expired_and_a_reset_clears_both(world: World) -> None:
    """R09, R10, I1, I2, I4 in a directory that is not ours."""
    assert "expired" in world.agent.command("unlock", "explock").stdout
    assert "Permission denied" in authenticate(world, "explock").said
    assert any("password-expired" in line for line in world.agent.events("explock"))
    new = "a-brand-new-Pass9"
    reset = world.agent.command("reset-password", "explock", "--password-stdin", typed=f"{new}\n")
    assert reset.returncode == 0, reset.stderr
    assert "successfully authenticated" in authenticate(world, "explock", new).said


def test_root_passes_whatever_the_directory_does(world: World) -> None:
    """R28, I17."""
    assert world.machine.run("su", "-", "root", "-c", "id -un").out.strip() == "root"


def _by_command(world: World, name: str) -> None:
    done = world.agent.command("unlock", name)
    assert done.returncode == 0, done.stderr


def _in_slapd(world: World, name: str) -> None:
    world.slapd.change(name, {"pwdAccountLockedTime": ()}, relax=False)
