"""What an unlock clears on a Linux host (R62): planned, named, done, and left alone."""

from __future__ import annotations

import pwd
import struct
import subprocess

import pytest

from loginward.core.facts import AccountFacts
from loginward.core.transitions import Transition
from loginward.host import linux, rootverbs
from loginward.host.clears import Clears
from loginward.host.linux import LinuxActions
from loginward.host.port import StepOutcome
from loginward.host.rootverbs import RootVerb, tally_folder
from tests.doubles.moving import NOW

FAILLOCK = "/usr/sbin/faillock"
ACCOUNT = AccountFacts(account_id="id-1", name="nobody", read_at=NOW)
UID = pwd.getpwnam("nobody").pw_uid


class Root:
    """Carries verbs out in this process, and records them."""

    def __init__(self, problem=""):
        self.asked, self.problem = [], problem

    def ask(self, verb, uid):
        self.asked.append((verb, uid))
        return self.problem


class RealRoot(Root):
    def ask(self, verb, uid):
        super().ask(verb, uid)
        return rootverbs.carry_out(verb, uid, Clears(None))


@pytest.fixture(autouse=True)
def only_faillock(monkeypatch):
    """This machine's own caches are not touched."""
    monkeypatch.setattr(linux, "CACHES", ())


@pytest.fixture
def tallies(tmp_path, monkeypatch):
    folder = tmp_path / "faillock"
    folder.mkdir()
    conf = tmp_path / "faillock.conf"
    conf.write_text(f"# dir = /nowhere\ndeny = 3\n dir= {folder}  # here\n")
    monkeypatch.setattr(rootverbs, "FAILLOCK_CONF", conf)
    return folder, conf


def fail_three_times(folder):
    """Write a tally as pam_faillock does: records of 64 octets, the last of which is the time."""
    record = struct.pack("=52sHHQ", b"192.0.2.1", 0, 1 | 2, 1_800_000_000)
    (folder / "nobody").write_bytes(record * 3)
    assert len(shown(folder)) == 3


def shown(folder):
    said = subprocess.run(
        [FAILLOCK, "--dir", str(folder), "--user", "nobody"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return [line for line in said.splitlines() if "192.0.2.1" in line]


def outcomes(results):
    return [(result.step, result.outcome) for result in results]


def actions(root, conf):
    return LinuxActions(root, faillock_conf=conf)


def test_the_real_faillock_forgets_after_an_unlock(tallies):
    folder, conf = tallies
    fail_three_times(folder)
    root = RealRoot()
    doing = actions(root, conf)

    steps = doing.plan(ACCOUNT, Transition.UNLOCKED)
    assert outcomes(doing.carry_out(steps, dry_run=False)) == [("faillock", StepOutcome.DONE)]
    assert root.asked == [(RootVerb.FAILLOCK, UID)]
    assert shown(folder) == []

    again = doing.plan(ACCOUNT, Transition.UNLOCKED)
    assert outcomes(doing.carry_out(again, dry_run=False)) == [("faillock", StepOutcome.NOT_NEEDED)]


def test_a_dry_run_names_and_touches_nothing(tallies):
    folder, conf = tallies
    fail_three_times(folder)
    root = Root()
    doing = actions(root, conf)
    (result,) = doing.carry_out(doing.plan(ACCOUNT, Transition.RESET), dry_run=True)
    assert result.outcome is StepOutcome.WOULD
    assert f"faillock --dir {folder} --user nobody --reset" in result.text
    assert root.asked == []
    assert len(shown(folder)) == 3


def test_without_roots_rights_a_person_is_told_what_to_type(tallies):
    folder, conf = tallies
    fail_three_times(folder)
    doing = actions(None, conf)
    (result,) = doing.carry_out(doing.plan(ACCOUNT, Transition.UNLOCKED), dry_run=False)
    assert result.outcome is StepOutcome.ADVICE
    assert result.text.endswith("--user nobody --reset")


def test_what_fails_is_said_and_stops_nothing(tallies, monkeypatch):
    folder, conf = tallies
    fail_three_times(folder)
    monkeypatch.setattr(linux, "CACHES", (RootVerb.SSSD,))
    monkeypatch.setattr(linux, "program_of", lambda verb: "/usr/sbin/sss_cache")
    doing = actions(Root("broken"), conf)
    results = doing.carry_out(doing.plan(ACCOUNT, Transition.UNLOCKED), dry_run=False)
    assert outcomes(results) == [
        ("faillock", StepOutcome.FAILED), ("sssd-cache", StepOutcome.FAILED),
    ]  # fmt: skip
    assert results[0].text.endswith("broken")


@pytest.mark.parametrize("transition", Transition)
def test_only_what_lets_in_again_clears_the_tally(tallies, transition):
    clears = {Transition.UNLOCKED, Transition.RESET, Transition.ACTIVATED}
    steps = actions(None, tallies[1]).plan(ACCOUNT, transition)
    assert [step.name for step in steps] == (["faillock"] if transition in clears else [])


@pytest.mark.parametrize("name", ["no-such-user", "root", "a\0b"])
def test_strangers_and_root_have_no_steps(tallies, name):
    account = AccountFacts(account_id="id-1", name=name, read_at=NOW)
    assert actions(None, tallies[1]).plan(account, Transition.UNLOCKED) == ()


@pytest.mark.parametrize(
    ("conf", "folder"),
    [
        pytest.param("", "/var/run/faillock", id="default"),
        pytest.param("dir = /srv/tally\n", "/srv/tally", id="set"),
        pytest.param("# dir = /srv/tally\n", "/var/run/faillock", id="commented"),
        pytest.param("dir = tally\n", "/var/run/faillock", id="relative"),
        pytest.param("dir=/a\ndir=/b\n", "/b", id="the-last-holds"),
        pytest.param("directory = /a\n", "/var/run/faillock", id="another-key"),
    ],
)
def test_the_folder_is_the_one_that_faillock_conf_names(tmp_path, conf, folder):
    (tmp_path / "conf").write_text(conf)
    assert str(tally_folder(tmp_path / "conf")) == folder
    assert str(tally_folder(tmp_path / "absent")) == "/var/run/faillock"
