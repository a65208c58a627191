"""`loginward users`: the accounts of the directory, listed and kept."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from loginward.cli.acts import lock_command, show
from loginward.cli.exits import DONE, REFUSED, USAGE, CommandFailed
from loginward.cli.files import export_command, import_command
from loginward.cli.options import Asking, asks_daemon, examples
from loginward.cli.output import warn
from loginward.cli.words import COLOURS, explain, password
from loginward.core.status import PasswordStatus, UserState
from loginward.wire.admin.requests import AddUser, ListUsers, RemoveUsers
from loginward.wire.admin.rows import CutRow, UserRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from loginward.cli.client import Answer

DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M"])
HEAD = ("user", "state", "password", "why, and what clears it")


@click.group(
    "users",
    invoke_without_command=True,
    epilog=examples(
        "loginward users                            everybody",
        "loginward users --status locked            who is locked out, expired or not",
        "loginward users --state suspended --json",
        "loginward users --status locked --names | xargs loginward unlock",
        "loginward users add ann --mail ann@example.org --groups staff,vpn",
    ),
)
@click.option(
    "--status",
    type=click.Choice([status.value for status in PasswordStatus]),
    help="Only accounts whose password has this status.",
)
@click.option(
    "--state",
    type=click.Choice([state.value for state in UserState]),
    help="Only accounts in this state.",
)
@click.option("--names", is_flag=True, help="Print nothing but names, one a line.")
@asks_daemon
@click.pass_context
def users_command(
    ctx: click.Context, asking: Asking, status: str | None, state: str | None, names: bool
) -> int:
    """List accounts, or keep them.

    Without a command below, the list; `locked` includes who is also expired.
    """
    if ctx.invoked_subcommand is not None:
        return DONE
    asked = ListUsers(
        status=None if status is None else PasswordStatus(status),
        state=None if state is None else UserState(state),
    )
    _list(asking, asking.client.ask(asked), names=names)
    return DONE


def _list(asking: Asking, answer: Answer, *, names: bool) -> None:
    out = asking.out
    if out.as_json:
        for row in answer.of(UserRow, CutRow):
            out.row(row)
        return
    cut: list[CutRow] = []
    if names:
        for user in _users(answer, cut):
            out.line(user.name)
    else:
        colours: list[str | None] = []
        if out.table(HEAD, _cells(_users(answer, cut), colours, answer.now), colours) == 0:
            warn("no such account among those listed" if cut else "no such account")
    for row in cut:
        warn(f"there may be more: {row.why}")


def _users(answer: Answer, cut: list[CutRow]) -> Iterator[UserRow]:
    for row in answer.of(UserRow, CutRow):
        if isinstance(row, UserRow):
            yield row
        elif isinstance(row, CutRow):
            cut.append(row)


def _cells(
    users: Iterator[UserRow], colours: list[str | None], now: datetime
) -> Iterator[tuple[str, ...]]:
    for user in users:
        status = user.status
        colours.append(COLOURS[status.headline] if status.state is UserState.ACTIVE else "red")
        yield (
            user.name,
            status.state.value,
            password(status, now),
            explain(user.name, status, now),
        )


@click.command(
    "add",
    epilog=examples(
        "loginward users add ann --mail ann@example.org",
        "loginward users add ann                         asks for the rest",
        "loginward users add ann --starts 2026-12-01     staged until then",
    ),
)
@click.argument("user")
@click.option("--mail", metavar="ADDRESS", help="The person's mail address.")
@click.option("--recovery", metavar="ADDRESS", default="", help="Another one, outside.")
@click.option("--display-name", metavar="NAME", default="", help="The person's name.")
@click.option("--groups", metavar="A,B", help="Groups, with commas between.")
@click.option("--staged", is_flag=True, help="Not active until somebody activates it.")
@click.option("--starts", metavar="DAY", type=DAY, help="Staged until then, in your time zone.")
@click.option("--ends", metavar="DAY", type=DAY, help="Suspended from then on.")
@asks_daemon
def add_command(
    asking: Asking,
    user: str,
    mail: str | None,
    recovery: str,
    display_name: str,
    groups: str | None,
    staged: bool,
    starts: datetime | None,
    ends: datetime | None,
) -> int:
    """Add USER to the embedded directory.

    The account has no password yet: hand over the activation token that is printed, or set one
    with set-first-password or set-temporary.
    """
    mail = _asked(mail, "mail address (may be empty)")
    groups = _asked(groups, "groups, with commas between (may be empty)")
    order = AddUser(
        name=user,
        display_name=display_name,
        mail=mail,
        recovery=recovery,
        groups=tuple(group for group in (part.strip() for part in groups.split(",")) if group),
        state=UserState.STAGED if staged else UserState.ACTIVE,
        starts_at=None if starts is None else starts.astimezone(),
        ends_at=None if ends is None else ends.astimezone(),
    )
    return show(asking, asking.client.ask(order), None)


def _asked(given: str | None, prompt: str) -> str:
    """Return what was given, or what is typed where somebody is there to type."""
    if given is not None:
        return given
    if not sys.stdin.isatty():
        return ""
    typed: str = click.prompt(prompt, default="", show_default=False, err=True)
    return typed


@click.command(
    "remove", epilog=examples("loginward users remove ann", "loginward users remove ann bob --yes")
)
@click.argument("users", nargs=-1, required=True, metavar="USER...")
@click.option("--yes", is_flag=True, help="Do not ask whether you are sure.")
@asks_daemon
def remove_command(asking: Asking, users: tuple[str, ...], yes: bool) -> int:
    """Remove accounts from the embedded directory, for good."""
    if not (yes or _is_sure(users)):
        return REFUSED
    return show(asking, asking.client.ask(RemoveUsers(names=users)), None)


def _is_sure(users: tuple[str, ...]) -> bool:
    try:
        return click.confirm(f"Remove {', '.join(users)}?", err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        click.echo(err=True)
        raise CommandFailed("nobody said yes", "say so with --yes", USAGE) from None


for command in (add_command, import_command, export_command, lock_command, remove_command):
    users_command.add_command(command)
