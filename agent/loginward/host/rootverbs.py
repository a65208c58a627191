"""The closed list of what is done with root's rights (security.md 12).

A verb takes a uid and nothing else: names, paths and arguments are found here.
"""

from __future__ import annotations

import enum
import pwd
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loginward.host.clears import MOST

if TYPE_CHECKING:
    from loginward.host.clears import Clears

COMMAND_S: Final = 5.0
FAILLOCK_CONF: Final = Path("/etc/security/faillock.conf")
_FOLDER: Final = Path("/var/run/faillock")  # pam_faillock(8)
_DIR: Final = re.compile(r"\s*dir\s*=\s*(/\S*)\s*")
_SBIN: Final = ("/usr/sbin", "/sbin", "/usr/bin")
_NAME: Final = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.@-]{0,255}\$?")
_ENVIRONMENT: Final = {"LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


class RootVerb(enum.Enum):
    """What may be asked for; the value is the name of the step."""

    FAILLOCK = "faillock"
    SSSD = "sssd-cache"
    NSCD = "nscd-cache"

    def arguments(self, name: str) -> tuple[str, ...]:
        """Return the fixed arguments of the program for a user of this host."""
        match self:
            case RootVerb.FAILLOCK:
                folder = str(tally_folder(FAILLOCK_CONF))
                return ("--dir", folder, "--user", name, "--reset")
            case RootVerb.SSSD:
                return ("-u", name)
            case RootVerb.NSCD:
                return ("-i", "passwd")


CACHES: Final = (RootVerb.SSSD, RootVerb.NSCD)
_PROGRAMS: Final = {
    RootVerb.FAILLOCK: "faillock",
    RootVerb.SSSD: "sss_cache",
    RootVerb.NSCD: "nscd",
}


def program_of(verb: RootVerb) -> str | None:
    """Return the absolute path of a verb's program; None: this host has not got it."""
    paths = (Path(folder) / _PROGRAMS[verb] for folder in _SBIN)
    return next((str(path) for path in paths if path.is_file()), None)


def tally_folder(conf: Path) -> Path:
    """Return where pam_faillock keeps its tallies, as faillock.conf(5) says."""
    folder = _FOLDER
    try:
        text = conf.read_text("utf-8", "replace")
    except OSError:
        return folder
    for line in text.splitlines():
        match = _DIR.fullmatch(line.partition("#")[0])
        if match is not None:
            folder = Path(match[1])
    return folder


def carry_out(verb: RootVerb, uid: int, clears: Clears) -> str:
    """Do what a verb says for a user; return what went wrong, empty if nothing.

    Args:
        clears: Bounds how often one account's tally is cleared.
    """
    try:
        name = pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return "no such user on this host"
    if uid == 0:
        return "never for root"
    if not _NAME.fullmatch(name):
        return "not a name to hand to a program"
    program = program_of(verb)
    if program is None:
        return f"{_PROGRAMS[verb]} is not installed"
    if verb is RootVerb.FAILLOCK and (problem := _too_often(uid, clears)):
        return problem
    return run((program, *verb.arguments(name)))


def _too_often(uid: int, clears: Clears) -> str:
    try:
        if clears.take(uid):
            return ""
    except (OSError, ValueError):
        return "not cleared: how often it was cleared cannot be counted"
    return f"not cleared: it was {MOST} times within the hour; root can, by hand"


def run(command: tuple[str, ...], within_s: float = COMMAND_S) -> str:
    """Run a program without a shell; return what went wrong, empty if nothing."""
    try:
        done = subprocess.run(
            command,
            env=_ENVIRONMENT,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=within_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]} did not end within {within_s:g} s"
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    if done.returncode == 0:
        return ""
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return said[-1][:200] if said else f"{command[0]} ended with {done.returncode}"
