"""What the kernel says of a hardened process, each in a process of its own (security.md 12, 25)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from loginward.errors import ConfigError
from loginward.runtime import hardening

SHOW = """
import json, os, resource, sys
status = dict(
    line.split(":", 1) for line in open("/proc/self/status").read().splitlines() if ":" in line
)
libc = __import__("ctypes").CDLL(None)
print(json.dumps({
    "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    "core": resource.getrlimit(resource.RLIMIT_CORE), "dumpable": libc.prctl(3, 0, 0, 0, 0),
    "uids": status["Uid"].split(), "gids": status["Gid"].split(),
    "groups": status["Groups"].split(), "capabilities": int(status["CapPrm"], 16),
    "no_new_privs": status["NoNewPrivs"].strip(), "umask": status["Umask"].strip(),
    "locked_kb": int(status["VmLck"].split()[0]), "rss_kb": int(status["VmRSS"].split()[0]),
    "environ": sorted(os.environ), "switch_s": sys.getswitchinterval(), "notes": notes,
}))
"""
AGENT = str(Path(hardening.__file__).parents[2])


def shown(begin, **environ):
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {AGENT!r})\n{begin}\n{SHOW}"],
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


HARDEN = "from loginward.runtime.hardening import harden; notes = harden()"


def test_no_core_no_debugger_no_wide_file():
    seen = shown(HARDEN)
    assert seen["core"] == [0, 0]
    assert seen["dumpable"] == 0
    assert seen["no_new_privs"] == "1"
    assert seen["umask"] == "0077"
    assert seen["switch_s"] == 0.0005


@pytest.mark.parametrize(
    ("limits", "after"), [((64, 8192), 4096), ((64, 1000), 1000), ((5000, 8192), 5000)]
)
def test_there_are_descriptors_for_every_connection_of_the_doors(limits, after):
    """A thousand idle connections leave the directory and the disk theirs."""
    lower = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, {limits})"
    assert shown(f"{lower}\n{HARDEN}")["files"] == after


def test_memory_is_locked_where_that_is_permitted_or_it_is_said():
    seen = shown(HARDEN)
    if seen["locked_kb"] == 0:
        assert seen["notes"] == ["memory is not kept from swap: no right to lock it"]
    else:
        assert seen["notes"] == []
    plain = shown("notes = []")
    assert seen["rss_kb"] < plain["rss_kb"] + 15_000, "locking on fault costs no memory"


def test_the_environment_names_no_code():
    seen = shown(
        HARDEN, LD_LIBRARY_PATH="/tmp", PYTHONINSPECT="", SSLKEYLOGFILE="/tmp/keys", LANG="C",
        NOTIFY_SOCKET="@x",
    )  # fmt: skip
    assert {"PATH", "LANG", "NOTIFY_SOCKET"} <= set(seen["environ"])
    assert not {"LD_LIBRARY_PATH", "PYTHONINSPECT", "SSLKEYLOGFILE"} & set(seen["environ"])


BECOME = """
import pwd
from loginward.errors import ConfigError
from loginward.runtime.hardening import become, harden
harden()
try:
    become(pwd.getpwnam("nobody"))
    notes = ["became"]
except ConfigError as error:
    notes = [str(error)]
"""


def test_root_gives_its_rights_up_for_good_and_nobody_else_has_any():
    seen = shown(BECOME)
    if os.geteuid() != 0:
        assert "cannot become nobody" in seen["notes"][0]
        return
    assert seen["notes"] == ["became"]
    assert set(seen["uids"]) == {"65534"}
    assert set(seen["gids"]) == {"65534"}
    assert seen["groups"] == []
    assert seen["capabilities"] == 0
    assert seen["dumpable"] == 0


def test_the_user_to_become_exists_and_is_not_root(monkeypatch):
    monkeypatch.setattr(hardening.os, "geteuid", lambda: 0)
    assert hardening.user_to_become(None, "nobody").pw_name == "nobody"
    with pytest.raises(ConfigError, match="never runs as root"):
        hardening.user_to_become("root", "nobody")
    with pytest.raises(ConfigError, match="no user no-such-user to become; useradd"):
        hardening.user_to_become("no-such-user", "nobody")
    monkeypatch.setattr(hardening.os, "geteuid", lambda: 1000)
    assert hardening.user_to_become("root", "nobody") is None


def test_rights_that_could_be_taken_back_end_the_start(monkeypatch):
    nobody = hardening.pwd.getpwnam("nobody")
    three = (nobody.pw_uid,) * 3
    for name in ("setgroups", "setresgid", "setresuid", "setuid"):
        monkeypatch.setattr(hardening.os, name, lambda *_: None)
    monkeypatch.setattr(hardening.os, "getresuid", lambda: three)
    monkeypatch.setattr(hardening.os, "getresgid", lambda: (nobody.pw_gid,) * 3)
    monkeypatch.setattr(hardening.os, "getgroups", list)
    with pytest.raises(ConfigError, match="could not be given up"):
        hardening.become(nobody)


def test_a_folder_is_made_or_the_operator_is_told(tmp_path):
    hardening.own_folder(tmp_path / "a" / "b", 0o750, None)
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o750
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file"):
        hardening.own_folder(tmp_path / "file" / "b", 0o750, None)
