"""The real module in the real libpam, driven by a small program, against a scripted daemon."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NATIVE = ROOT / "agent/native"
HERE = Path(__file__).parent
PASSWORD = "correct horse"
EMPTY = "loginward-known 1\nend 0\n"  # the marker of a host that knows nobody
NOBODY = 65534
IGNORED = "PAM_SYMBOL_ERR"  # what the last line of the stack says: ours said PAM_IGNORE

HEADER = Path("/usr/include/security/_pam_types.h").read_text()
NAMES = re.findall(r"^#define (PAM_\w+)\s+(\d+)", HEADER, re.MULTILINE)
CODES = {int(number): name for name, number in reversed(NAMES)}  # the codes come first in it


def build(out: Path, *targets: str, uid: int | None = None, cflags: str = "") -> None:
    """Build the module as `make setup` does, trusting a daemon of this uid."""
    uid = os.getuid() if uid is None else uid
    command = ["make", "-s", "-C", str(NATIVE), f"OUT={out}", f"DAEMON_UID={uid}"]
    subprocess.run([*command, f"CFLAGS={cflags}", *targets], check=True)


def compile_c(source: str, out: Path, *flags: str) -> Path:
    """Compile a program of the tests."""
    command = ["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-g", "-Wall", "-Wextra", "-Werror"]
    command += [f"-I{NATIVE}", str(HERE / source), "-o", str(out), *flags, "-lpam"]
    subprocess.run(command, check=True)
    return out


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the module, its sanitized variant and both drivers."""
    out = tmp_path_factory.mktemp("native")
    build(out, "all", "sanitize")
    build(out / "impatient", "all", cflags="-DLW_RETRY_MS=50")
    compile_c("pam_driver.c", out / "pam_driver")
    compile_c("pam_driver.c", out / "pam_driver_sanitized", "-fsanitize=address,undefined")
    return out


@dataclass(frozen=True)
class Seen:
    """What the application saw."""

    lines: list[str]

    def code(self, action: str) -> str:
        """Return the name of the code that an action ended with."""
        numbers = [line.split(": ")[1] for line in self.lines if line.startswith(f"{action}: ")]
        return CODES[int(numbers[-1])]

    def said(self, style: str) -> list[str]:
        """Return the texts of one style: hidden, shown, error, info, delay, found."""
        prefix = f"{style}: "
        return [line.removeprefix(prefix) for line in self.lines if line.startswith(prefix)]


@dataclass
class Stack:
    """A PAM configuration of one service with the module alone in it.

    `run` gives what an application sees; a module that says PAM_IGNORE shows as IGNORED.
    """

    folder: Path
    module: Path
    driver: list[str]
    service: str = "lwtest"
    options: list[str] = field(default_factory=list)
    before: str = ""  # lines in front, with {module}
    env: dict[str, str] = field(default_factory=dict)

    @property
    def socket(self) -> Path:
        return self.folder / "run/login.sock"

    @property
    def known(self) -> Path:
        return self.folder / "known"

    def know(self, text: str) -> None:
        """Write the marker: whom the daemon knew when it last ran."""
        self.known.write_text(text)
        self.known.chmod(0o644)

    def write(self) -> Path:
        confdir = self.folder / "pam.d"
        confdir.mkdir(exist_ok=True)
        options = " ".join(
            [f"socket={self.socket}", f"known={self.known}", "timeout_s=1", *self.options]
        )
        debug = [
            "auth",
            "acct",
            "prechauthtok",
            "chauthtok",
            "cred",
            "open_session",
            "close_session",
        ]
        says = " ".join(f"{action}=symbol_err" for action in debug)
        control = "[success=done new_authtok_reqd=done ignore=ignore default=die]"
        (confdir / self.service).write_text(
            self.before.format(module=self.module)
            + "".join(
                f"{kind} {control} {self.module} {options}\n{kind} required pam_debug.so {says}\n"
                for kind in ("auth", "account", "password", "session")
            )
        )
        return confdir

    def run(
        self, user: str, *actions: str, typed: list[str] | None = None, timeout_s: float = 20
    ) -> Seen:
        command = [*self.driver, str(self.write()), self.service, user, *actions]
        done = subprocess.run(
            command,
            input="".join(f"{text}\0" for text in typed or []).encode(),
            capture_output=True,
            timeout=timeout_s,
            check=False,
            env={"PATH": os.environ["PATH"], **self.env},
        )
        assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
        return Seen(done.stdout.decode().splitlines())


@pytest.fixture
def stack(built: Path, tmp_path: Path) -> Stack:
    (tmp_path / "run").mkdir(mode=0o755)
    return Stack(tmp_path, built / "pam_loginward.so", [str(built / "pam_driver")])


@pytest.fixture
def impatient(stack: Stack, built: Path) -> Stack:
    """The same stack, built to wait a twentieth of a second for a daemon that does not run."""
    stack.module = built / "impatient/pam_loginward.so"
    return stack


@pytest.fixture
def sanitized(stack: Stack, built: Path) -> Stack:
    """The same stack, built so that a wrong memory access ends it."""
    stack.module = built / "pam_loginward_sanitized.so"
    stack.driver = [str(built / "pam_driver_sanitized")]
    stack.env = {"ASAN_OPTIONS": "detect_leaks=1:exitcode=99", "UBSAN_OPTIONS": "halt_on_error=1"}
    return stack
