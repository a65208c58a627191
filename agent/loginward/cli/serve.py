"""`loginward serve` and `demo`: the two commands that are not clients of the daemon."""

from __future__ import annotations

import click

from loginward.cli.options import config_option, examples
from loginward.cli.place import DEFAULT_CONFIG


@click.command(
    "serve",
    epilog=examples(
        "loginward serve                        as systemd does it",
        "loginward serve -c ./loginward.yaml    with another configuration",
    ),
)
@config_option
@click.option("--user", metavar="USER", help="Become this user first, when started as root.")
def serve_command(config: str | None, user: str | None) -> int:
    """Run the daemon in the foreground.

    Until SIGTERM; SIGHUP reads the configuration again.
    """
    from loginward.runtime import daemon

    code: int = daemon.serve(config or str(DEFAULT_CONFIG), user)
    return code


@click.command(
    "demo",
    epilog=examples(
        "loginward demo           goes on serving until Ctrl-C",
        "loginward demo --once    shows the table and ends",
    ),
)
@click.option("--once", is_flag=True, help="End after the show instead of serving on.")
@click.option(
    "--dir",
    "folder",
    metavar="DIR",
    default="build/demo",
    show_default=True,
    type=click.Path(),
    help="Where everything lies.",
)
def demo_command(once: bool, folder: str) -> int:
    """Show what loginward does.

    Sample accounts, a login of each, an unlock. Everything lies in DIR; nothing of this machine is changed.
    """
    from pathlib import Path

    from loginward.runtime import demo

    code: int = demo.run(once=once, folder=Path(folder))
    return code
