"""The command as a whole: help, usage errors, its one net, what it loads, how fast it is."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import tomllib

import click
import pytest

from loginward import VERSION
from loginward.cli.main import COMMANDS, cli
from loginward.doors.admin.server import listen
from loginward.wire.admin import rows
from tests.cli import samples
from tests.cli.conftest import RUN, TOP, Done, environment


def every_command(group: click.Group = cli, path: tuple[str, ...] = ()):
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))


ALL = dict(every_command())


def test_the_commands_are_those_that_others_rely_on() -> None:
    assert set(COMMANDS) == {
        "serve", "login", "status", "passwd", "why", "users", "unlock", "reset-password",
        "set-temporary", "set-first-password", "expire", "suspend", "activate",
        "resend-activation", "cache", "refresh", "doctor", "config", "events", "demo",
        "radius",
    }  # fmt: skip
    assert {path[1] for path in ALL if path[0] == "users" and len(path) > 1} == {
        "add", "import", "export", "lock", "remove",
    }  # fmt: skip
    assert {path[1:] for path in ALL if len(path) > 1 and path[0] in {"cache", "config"}} == {
        ("list",), ("forget",), ("clear",), ("check",), ("show",), ("example",), ("reload",),
    }  # fmt: skip


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_is_for_a_newcomer(path: tuple[str, ...]) -> None:
    """A first sentence that fits into the list, an example, a meaning for every option."""
    command = ALL[path]
    first = (command.help or "").split("\n\n")[0]

    assert first.endswith(".")
    assert len(first) <= 55
    if len(path) == 1 or path[0] == "users":
        assert f"  loginward {' '.join(path)}" in (command.epilog or ""), "no example"
    for option in command.params:
        if isinstance(option, click.Option) and option.name != "folder":
            assert option.help, option.name


EXAMPLES = [
    typed.split()
    for command in ALL.values()
    for typed in re.findall(r"loginward ((?:[^ |<>]+ ?)+)", command.epilog or "")
]


@pytest.mark.parametrize("typed", EXAMPLES, ids=" ".join)
def test_each_example_is_a_command_that_parses(typed: list[str]) -> None:
    """With click's own parser: an option that was renamed makes its example fail."""
    command: click.Command = cli
    while isinstance(command, click.Group) and typed:
        found = command.get_command(click.Context(command), typed[0])
        if found is None:
            break
        command, typed = found, typed[1:]

    assert command is not cli
    command.make_parser(click.Context(command)).parse_args([*typed])


def test_help_in_full() -> None:
    for argv in (["--help"], ["-h"]):
        done = run(*argv)
        assert (done.code, done.err) == (0, "")
        assert "Someone cannot sign in?    loginward why ann\n" in done.out
        assert max(map(len, done.out.splitlines())) <= 80
        assert "..." not in done.out.split("Commands:")[1]


def run(*argv: str, code: str = "", **env: str) -> Done:
    argv_ = RUN if not code else [sys.executable, "-c", code]
    done = subprocess.run(
        [*argv_, *argv], capture_output=True, env=environment(**env), timeout=30, check=False
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def test_nothing_typed_shows_the_help_on_stderr() -> None:
    done = run()

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Usage: loginward ")
    assert run("cache").err.startswith("Usage: loginward cache ")


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (["frobnicate"], "loginward --help"),
        (["unlock"], "loginward unlock --help"),
        (["status", "--colour"], "loginward status --help"),
        (["why", "ann", "--door", "window"], "loginward why --help"),
        (["users", "--status", "sleepy"], "loginward users --help"),
    ],
)
def test_a_usage_error_is_one_line_and_a_hint(argv: list[str], hint: str) -> None:
    done = run(*argv)

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("loginward: error: ")
    assert done.err.splitlines()[1:] == [f"loginward: hint: {hint}"]


def test_the_version_is_that_of_the_package() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]

    assert project["version"] == VERSION
    assert run("--version") == Done(0, f"loginward {VERSION}\n", "")


FAULTY = """
import sys
from loginward.cli import client, main
def ask(*args, **kwargs):
    raise RuntimeError("s3cret")
client.Client.ask = ask
sys.exit(main.main())
"""


def test_a_fault_of_ours_shows_no_traceback_unless_asked_for() -> None:
    done = run("status", code=FAULTY)

    assert (done.code, done.out) == (70, "")
    assert done.err.startswith("loginward: error: a fault of ours: RuntimeError\n")
    assert "s3cret" not in done.err
    assert "Traceback" in run("status", code=FAULTY, LOGINWARD_TRACEBACK="1").err


def test_rights_that_are_missing_end_with_77(world) -> None:
    world.admin.script["users"] = [
        rows.FailedRow(problem=rows.Problem.NOT_PERMITTED, why="ann has no role", hint="ask")
    ]

    assert world.run("users") == Done(
        77, "", "loginward: error: ann has no role\nloginward: hint: ask\n"
    )


LOADED = """
import sys
from loginward.cli.main import main
main()
print(*sorted(sys.modules), file=sys.stderr)
"""


def test_a_command_over_the_socket_loads_little(world) -> None:
    world.admin.script["health"] = samples.HEALTH
    env = environment(LOGINWARD_RUNTIME_DIR=str(world.folder))
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "status"], capture_output=True, env=env, check=True
    )
    loaded = set(done.stderr.decode().split())
    heavy = {"ldap3", "cryptography", "yaml", "rich", "sqlite3", "ssl", "asyncio"}

    assert not heavy & loaded
    ours = {name.split(".")[1] for name in loaded if name.startswith("loginward.")}
    assert ours == {"cli", "core", "errors", "wire"}


def test_status_costs_less_than_150_ms(world) -> None:
    """In processor time, so that a busy machine is not blamed on it; the bench has the wall's."""
    world.admin.script["health"] = samples.HEALTH

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert world.run("status").code == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(once() for _ in range(9)) < 0.15


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("schema: 1\nruntime_dir: /tmp/x\n", "/tmp/x"),
        ('runtime_dir:   "/tmp/a b"  # there\n', "/tmp/a b"),
        ("runtime_dir: '/tmp/x'\n", "/tmp/x"),
        ("directory:\n  runtime_dir: /tmp/x\n", "/run/loginward"),
        ("schema: 1\n", "/run/loginward"),
    ],
)
def test_the_sockets_are_found_by_the_configuration(tmp_path, text: str, found: str) -> None:
    (tmp_path / "l.yaml").write_text(text)
    done = run("status", "-c", str(tmp_path / "l.yaml"))

    assert f"({found}/admin.sock: " in done.err


def test_option_variable_file_in_that_order(tmp_path) -> None:
    (tmp_path / "l.yaml").write_text("runtime_dir: /tmp/file\n")
    named = ["-c", str(tmp_path / "l.yaml")]

    assert "/tmp/variable/" in run("status", *named, LOGINWARD_RUNTIME_DIR="/tmp/variable").err
    argv = ["status", *named, "--runtime-dir", "/tmp/option"]
    assert "/tmp/option/" in run(*argv, LOGINWARD_RUNTIME_DIR="/tmp/variable").err


@pytest.mark.parametrize("octets", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_a_bad_configuration(tmp_path, octets) -> None:
    if octets is not None:
        (tmp_path / "l.yaml").write_bytes(octets)
    done = run("status", "-c", str(tmp_path / "l.yaml"))

    assert (done.code, done.out) == (78, "")


STUBBED = """
import sys, types
import loginward.runtime
from loginward.wire.admin.rows import FindingRow, Level
for name in ("daemon", "demo", "doctor"):
    module = types.ModuleType("loginward.runtime." + name)
    sys.modules[module.__name__] = module
    setattr(loginward.runtime, name, module)
loginward.runtime.daemon.serve = lambda *args: print("serve", *args) or 78
loginward.runtime.demo.run = lambda **args: print("demo", args["once"], args["folder"]) or 0
loginward.runtime.doctor.run = lambda settings: [
    FindingRow(check="daemon", level=Level.PROBLEM, text=f"down ({settings.runtime_dir})")]
from loginward.cli.main import main
sys.exit(main())
"""


def test_serve_and_demo_are_the_runtimes() -> None:
    assert run("serve", "-c", "/x.yaml", "--user", "lw", code=STUBBED) == Done(
        78, "serve /x.yaml lw\n", ""
    )
    assert run("serve", code=STUBBED).out == "serve /etc/loginward/loginward.yaml None\n"
    assert run("demo", "--once", code=STUBBED) == Done(0, "demo True build/demo\n", "")


def test_doctor_checks_without_the_daemon(tmp_path) -> None:
    (tmp_path / "l.yaml").write_text(f"schema: 1\nruntime_dir: {tmp_path}\n")
    done = run("doctor", "-c", str(tmp_path / "l.yaml"), code=STUBBED)

    assert (done.code, done.out) == (1, f"problem  daemon\n    down ({tmp_path})\n")
    assert done.err.startswith("loginward: note: the daemon does not answer")
    assert "; checking without it\n" in done.err


def test_a_configuration_that_is_not_there_can_be_begun(tmp_path) -> None:
    path = tmp_path / "absent.yaml"

    begin = f"name another with -c, or begin with: loginward config example > {path}"

    assert run("config", "show", str(path)).err.splitlines() == [
        f"loginward: error: {path}: cannot be opened: No such file or directory",
        f"loginward: error: {path} cannot be used",
        f"loginward: hint: {begin}",
    ]


def test_config_check(tmp_path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("schema: 1\n")
    bad.write_text("schema: 1\npolicy:\n  lockout: {threshold: zero, limit: 3}\n")

    done = run("config", "check", str(good))
    assert (done.code, done.out) == (0, f"{good}: ok\n")
    done = run("config", "check", str(bad))
    assert (done.code, done.out) == (78, "")
    assert f"loginward: error: {bad}:3:" in done.err
    assert "policy.lockout.threshold" in done.err
    assert "policy.lockout.limit" in done.err
    done = run("config", "show", str(bad))
    assert (done.code, done.out) == (78, "")
    assert done.err.splitlines()[-1] == f"loginward: hint: loginward config check {bad}"


def test_the_example_passes_its_own_check(tmp_path) -> None:
    example = run("config", "example")
    (tmp_path / "l.yaml").write_text(example.out)

    assert example.code == 0
    assert run("config", "check", str(tmp_path / "l.yaml")).code == 0
    shown = run("config", "show", str(tmp_path / "l.yaml"))
    assert "threshold: 5" in shown.out
    assert '"threshold":5' in run("config", "show", str(tmp_path / "l.yaml"), "--json").out


@pytest.mark.parametrize(
    ("redirection", "code", "err"),
    [
        (">/dev/full", 1, "loginward: error: the output cannot be written: No space left on device\n"),
        (">&-", 0, ""),
        ("<&- >&-", 0, ""),
    ],
)  # fmt: skip
def test_output_that_cannot_be_written(redirection: str, code: int, err: str) -> None:
    shell = f'exec "$@" {redirection}'
    done = subprocess.run(
        ["sh", "-c", shell, "sh", *RUN, "config", "example"],
        capture_output=True, env=environment(), text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (code, err)


SILENT = """
import sys
from loginward.cli import client, main
client.Client.ask.__defaults__ = (b"", 0.2)
sys.exit(main.main())
"""


def test_a_daemon_that_accepts_and_says_nothing(tmp_path) -> None:
    with listen(tmp_path / "admin.sock"):
        done = run("status", "--runtime-dir", str(tmp_path), code=SILENT)

    assert (done.code, done.out) == (69, "")
    assert done.err.startswith("loginward: error: the daemon does not answer in time\n")
