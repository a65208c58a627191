"""`loginward config`: check a file, show what is in force, print the annotated example."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from loginward.cli.exits import BAD_CONFIGURATION, DONE, CommandFailed
from loginward.cli.options import Asking, asks_daemon, config_option, examples, json_option
from loginward.cli.output import Output, complain
from loginward.cli.place import DEFAULT_CONFIG
from loginward.wire.admin.requests import Reload
from loginward.wire.admin.rows import ReloadedRow

if TYPE_CHECKING:
    from loginward.config import Problem
    from loginward.settings import Settings

FILE: Final = click.argument("file", required=False, type=click.Path())


class ProblemRow(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="problem"):
    """One thing wrong or unwise in a configuration file, for `--json`."""

    file: str
    line: int
    column: int
    path: str
    message: str
    is_warning: bool


@click.group(
    "config",
    epilog=examples(
        "loginward config example > loginward.yaml     every key, its default and meaning",
        "loginward config check loginward.yaml",
        "loginward config show                         what is in force",
    ),
)
def config_command() -> None:
    """Check, show and reload the configuration."""


@config_command.command("check")
@FILE
@config_option
@json_option
def check_file(file: str | None, config: str | None, as_json: bool) -> int:
    """Check a FILE.

    Every problem with its line, what is expected, and what is unwise. Ends with 78 if the file cannot be used.
    """
    from loginward.config import check_config

    path = file or config or str(DEFAULT_CONFIG)
    settings, problems = check_config(path)
    _print(problems, Output(as_json=as_json))
    if settings is None:
        return BAD_CONFIGURATION
    if not as_json:
        click.echo(f"{path}: ok")
    return DONE


def _print(problems: list[Problem], out: Output) -> None:
    for problem in problems:
        if out.as_json:
            out.row(
                ProblemRow(
                    file=problem.file,
                    line=problem.place.line,
                    column=problem.place.column,
                    path=problem.path,
                    message=problem.message,
                    is_warning=problem.is_warning,
                )
            )
        else:
            complain(str(problem))


@config_command.command("show")
@FILE
@config_option
@json_option
def show_file(file: str | None, config: str | None, as_json: bool) -> int:
    """Show all that a FILE says.

    Defaults too; secrets lie in files of their own and are never shown.
    """
    from loginward.config import render_config, to_plain

    settings = settings_of(file or config)
    if as_json:
        click.echo(msgspec.json.encode(to_plain(settings)).decode())
    else:
        click.echo(render_config(settings), nl=False)
    return DONE


@config_command.command("example")
def show_example() -> int:
    """Print an annotated example.

    Every key with its default and meaning.
    """
    from loginward.config import example_text

    click.echo(example_text(), nl=False)
    return DONE


@config_command.command("reload")
@asks_daemon
def reload_file(asking: Asking) -> int:
    """Have the daemon read its file again.

    A file that cannot be used changes nothing; ends with 78 then.
    """
    row = asking.client.ask(Reload()).one(ReloadedRow)
    if asking.out.as_json:
        asking.out.row(row)
        return DONE
    if not (row.changed or row.needs_restart):
        asking.out.line("nothing has changed, nothing done")
    for path in row.changed:
        asking.out.line(f"{path}: in force")
    for path in row.needs_restart:
        asking.out.line(f"{path}: after a restart of the daemon")
    return DONE


def settings_of(config: str | None, *, secrets: bool = True) -> Settings:
    """Return the settings of a file, by default the usual one.

    Args:
        secrets: Look at the files of secrets too.

    Raises:
        CommandFailed: It cannot be used; every problem has been printed.
    """
    from loginward.config import BadConfigFileError, load_config

    path = config or str(DEFAULT_CONFIG)
    try:
        return load_config(path, secrets=secrets)
    except BadConfigFileError as error:
        _print(list(error.problems), Output())
        hint = f"loginward config check {path}"
        if not Path(path).exists():
            hint = f"name another with -c, or begin with: loginward config example > {path}"
        raise CommandFailed(f"{path} cannot be used", hint, BAD_CONFIGURATION) from error
