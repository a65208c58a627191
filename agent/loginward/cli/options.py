"""What the commands that ask the daemon have in common."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from loginward.cli.output import Output
from loginward.cli.place import DEFAULT_CONFIG, VARIABLE, runtime_dir

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from loginward.cli.client import Client

config_option = click.option(
    "-c",
    "--config",
    metavar="FILE",
    type=click.Path(),
    help=f"The configuration file. Default: {DEFAULT_CONFIG}",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print facts as JSON, one object a line."
)


class Asking:
    """What a command that asks the daemon is given: where it is, and where to print.

    Attributes:
        folder: Where the sockets are.
        config: The configuration file, where one was named.
    """

    def __init__(self, folder: Path, config: str | None, out: Output) -> None:
        self.folder = folder
        self.config = config
        self.out = out

    @property
    def client(self) -> Client:
        """Return the client of the admin socket."""
        from loginward.cli.client import Client

        return Client(self.folder)


def asks_daemon(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a socket and of JSON, and an `Asking` as first argument."""

    @config_option
    @click.option(
        "--runtime-dir",
        "runtime_dir_given",
        metavar="DIR",
        type=click.Path(file_okay=False),
        help=f"The folder of the daemon's sockets. Default: {VARIABLE}, or the configuration's.",
    )
    @json_option
    @functools.wraps(command)
    def wrapped(
        *args: Any,  # noqa: ANN401  click's own arguments pass through
        config: str | None,
        runtime_dir_given: str | None,
        as_json: bool,
        **options: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        asking = Asking(runtime_dir(runtime_dir_given, config), config, Output(as_json=as_json))
        return command(asking, *args, **options)

    return wrapped


def examples(*lines: str) -> str:
    """Return the end of a help text: commands as typed, each with what it does."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
