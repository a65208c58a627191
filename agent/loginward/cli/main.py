"""The `loginward` command: finds the command asked for, and how it ends."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from loginward import VERSION
from loginward.cli import exits
from loginward.cli.lazy import LazyGroup
from loginward.cli.output import complain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROGRAM: Final = "loginward"
COMPLETION: Final = "_LOGINWARD_COMPLETE"  # set by the files in packaging/completion
# In the order of the help; only the module of the command that runs is loaded.
COMMANDS: Final[Mapping[str, str]] = {
    "status": "status",
    "why": "why",
    "unlock": "acts",
    "reset-password": "acts",
    "set-temporary": "acts",
    "set-first-password": "acts",
    "expire": "acts",
    "suspend": "acts",
    "activate": "acts",
    "resend-activation": "acts",
    "users": "users",
    "login": "login",
    "passwd": "login",
    "cache": "cache",
    "refresh": "refresh",
    "radius": "radius",
    "events": "events",
    "doctor": "doctor",
    "config": "config",
    "serve": "serve",
    "demo": "serve",
}


HELP: Final = """Who may sign in on this machine, why not, and what to do about it.

\b
Someone cannot sign in?    loginward why ann
Too many wrong passwords?  loginward unlock ann
Is the agent well?         loginward status, loginward doctor
"""


@click.group(
    cls=LazyGroup,
    modules=COMMANDS,
    help=HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(VERSION, message="loginward %(version)s")
def cli() -> None:
    """Hold the commands together."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; no traceback ever reaches the terminal."""
    _open_streams()
    try:
        return _run(argv)
    except exits.CommandFailed as failure:
        complain(failure.error, failure.hint)
        return failure.code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return exits.USAGE
    except click.UsageError as error:
        complain(error.format_message(), _usage_hint(error))
        return exits.USAGE
    except click.ClickException as error:
        complain(error.format_message())
        return exits.REFUSED
    except (KeyboardInterrupt, EOFError, click.Abort):
        click.echo(err=True)
        return exits.INTERRUPTED
    except BrokenPipeError:
        _give_up_stdout()
        return exits.NO_READER
    except OSError as error:  # each other place that may raise it has said so already
        _give_up_stdout()
        complain(f"the output cannot be written: {os.strerror(error.errno or 0)}")
        return exits.REFUSED
    except Exception as error:  # noqa: BLE001  the one net of the command line
        return _fault(error)


def _open_streams() -> None:
    """Make all three usable: closed ones lead nowhere, LANG=C and the like lose no line."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  open to the end
        elif isinstance(stream, io.TextIOWrapper) and mode == "w":
            stream.reconfigure(errors="replace")


def _run(argv: Sequence[str] | None) -> int:
    if COMPLETION in os.environ:
        cli.main(prog_name=PROGRAM)
    # Not cli.main: it ends with 1 when the reader of stdout is gone.
    args = list(sys.argv[1:] if argv is None else argv)
    try:
        with cli.make_context(PROGRAM, args) as context:
            code: Any = cli.invoke(context)
    except click.exceptions.Exit as end:  # of --help and --version
        code = end.exit_code
    sys.stdout.flush()
    return code if isinstance(code, int) else exits.DONE


def _usage_hint(error: click.UsageError) -> str:
    path = error.ctx.command_path if error.ctx is not None else "loginward"
    return f"{path} --help"


def _give_up_stdout() -> None:
    """Leave nothing that the interpreter would try to write at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _fault(error: Exception) -> int:
    if os.environ.get("LOGINWARD_TRACEBACK"):
        raise error
    hint = "run it again with LOGINWARD_TRACEBACK=1 and report what it says"
    complain(f"a fault of ours: {type(error).__name__}", hint)
    return exits.FAULT
