"""`loginward demo`: a real agent with sample accounts, on loopback, and a login of each."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loginward.cli import demo_show
from loginward.cli.exits import DONE, FAULT, USAGE, CommandFailed
from loginward.cli.options import Asking
from loginward.cli.output import Output
from loginward.cli.place import VARIABLE
from loginward.config.load import load_config
from loginward.runtime.clock import SystemClock
from loginward.runtime.demo_people import NAMES, PASSWORD, UNKNOWN, settle_in
from loginward.runtime.demo_radius import DemoRadius, radius_of

if TYPE_CHECKING:
    from collections.abc import Iterator

USER: Final = "nobody"  # whom the agent becomes when root runs the demo
CONFIG: Final = "demo.yaml"
READY_S: Final = 15.0
STOP_S: Final = 15.0
_SERVICES: Final = "[login, sshd, sudo]"
_MAX_PATH: Final = 100  # sun_path holds 107 octets; the agent's own sockets have longer names


def run(*, once: bool, folder: Path) -> int:
    """Show it, and go on serving until Ctrl-C unless `once`; the agent ends with this process.

    Raises:
        CommandFailed: The folder cannot be used, or the agent does not start.
    """
    folder = folder.absolute()
    out = Output()
    # SIGINT is ignored in a shell's background; SIGHUP comes when the terminal is closed.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    _prepare(folder)
    with _state(folder) as state_dir:
        radius = radius_of(folder)
        config = _write_config(folder, state_dir, radius)
        settle_in(state_dir, load_config(config).policy)
        _hand_over(state_dir)
        clock = SystemClock()
        begin = clock.monotonic()
        with _agent(config, folder) as agent:
            out.line(
                f"agent ready in {clock.monotonic() - begin:.2f} s   login socket "
                f"{_shortest(folder / 'login.sock')}   embedded directory, "
                f"{len(NAMES)} sample accounts and an unknown name"
            )
            out.line()
            asking = Asking(folder, None, out)
            demo_show.show_logins(asking, NAMES, UNKNOWN, PASSWORD)
            if radius is not None:
                answers = radius.answers((*NAMES, UNKNOWN), PASSWORD)
                demo_show.show_radius(out, radius.address, answers)
            demo_show.show_unlock(asking, "frank")
            return DONE if once else _serve_on(agent, folder, out)


def _prepare(folder: Path) -> None:
    """Make the folder afresh; one that is not the demo's is left alone."""
    if len(os.fsencode(folder)) > _MAX_PATH - len("/admin.sock"):
        raise CommandFailed(f"{folder}: too long for a socket", "name another with --dir", USAGE)
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / CONFIG).is_file():
            raise CommandFailed(f"{folder}: holds something else", "name another with --dir", USAGE)
        with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
            probe.connect(os.fspath(folder / "admin.sock"))
            raise CommandFailed(f"{folder}: a demo runs there", "end it, or use --dir", USAGE)
    try:
        shutil.rmtree(folder, ignore_errors=not folder.exists())
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
    except OSError as error:
        raise CommandFailed(f"{folder}: {error.strerror}", "name another with --dir") from error


@contextmanager
def _state(folder: Path) -> Iterator[Path]:
    """Give the agent's own folder; elsewhere where whom root becomes could not reach it."""
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in folder.parents):
        state_dir = folder / "state"
        state_dir.mkdir()
        yield state_dir
        return
    with tempfile.TemporaryDirectory(prefix="loginward-demo-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def _write_config(folder: Path, state_dir: Path, radius: DemoRadius | None) -> Path:
    """Write the configuration: whoever runs the demo may ask for everybody and do everything."""
    me = pwd.getpwuid(os.getuid())
    lines = [
        "# The demo's own; made anew each time.",
        "schema: 1",
        f"state_dir: {state_dir}",
        f"runtime_dir: {folder}",
        "policy:",
        "  expiry: {max_age_d: 90, warn_d: 14}",
        "  reveal: always  # so that each answer says what it is",
    ]
    doors = [] if radius is None else radius.lines()
    if me.pw_uid != 0:
        group = grp.getgrgid(os.getgid()).gr_name
        doors += [
            f"  login: {{peers: [{{user: {me.pw_name}, services: {_SERVICES}}}]}}",
            f"  admin: {{roles: {{{group}: [all]}}}}",
        ]
    lines += ["doors:", *doors] if doors else []
    config = folder / CONFIG
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    config.chmod(0o644)
    return config


def _hand_over(state_dir: Path) -> None:
    """Give what was made to whom the agent becomes."""
    if os.geteuid() == 0:
        owner = pwd.getpwnam(USER)
        for path in (state_dir, *state_dir.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid)


@contextmanager
def _agent(config: Path, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the real agent until the block is left; what it logs is in agent.log."""
    command = [os.fspath(Path(sys.executable).with_name("loginward")), "serve", "-c", str(config)]
    if os.geteuid() == 0:
        command += ["--user", USER]
    log = folder / "agent.log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told, log.open("wb") as log_file:
        told.bind(f"\0loginward-demo-{os.getpid()}")
        told.settimeout(READY_S)
        agent = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=log_file,
            env={**os.environ, "NOTIFY_SOCKET": f"@loginward-demo-{os.getpid()}"},
            start_new_session=True,  # Ctrl-C is for us; we end it
        )
        try:
            _wait_ready(told, agent, log)
            yield agent
        finally:
            _stop(agent)


def _wait_ready(told: socket.socket, agent: subprocess.Popen[bytes], log: Path) -> None:
    told.settimeout(0.05)
    clock = SystemClock()
    latest = clock.monotonic() + READY_S
    while clock.monotonic() < latest and agent.poll() is None:
        with suppress(TimeoutError):
            if told.recv(64) == b"READY=1":
                return
    said = log.read_text("utf-8", "replace").strip().splitlines() or ["it said nothing"]
    raise CommandFailed("the agent does not start", said[-1], FAULT)


def _stop(agent: subprocess.Popen[bytes]) -> None:
    agent.terminate()
    try:
        agent.wait(STOP_S)
    except subprocess.TimeoutExpired:
        agent.kill()
        agent.wait()


def _serve_on(agent: subprocess.Popen[bytes], folder: Path, out: Output) -> int:
    """Serve until Ctrl-C."""
    out.line(f"The password of all is {PASSWORD}. In another terminal:")
    out.line(f"  export {VARIABLE}={folder}")
    command = _shortest(Path(sys.executable).with_name("loginward"))
    examples = ["login alice", "why bob", "unlock bob", "users --status locked", "--help"]
    if find_spec("pyrad") is not None:
        examples.insert(1, f"radius test alice -c {_shortest(folder / CONFIG)}")
    for example in examples:
        out.line(f"  {command} {example}")
    out.line()
    with suppress(KeyboardInterrupt):
        out.line("Serving until Ctrl-C.")
        code = agent.wait()
        raise CommandFailed(f"the agent ended with {code}", f"see {folder / 'agent.log'}", FAULT)
    out.line()
    return DONE


def _shortest(path: Path) -> str:
    """Return a path as one would type it here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
