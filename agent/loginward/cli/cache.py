"""`loginward cache`: the sealed copies that this machine keeps for when the directory is away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from loginward.cli.exits import DONE, REFUSED, of_bulk
from loginward.cli.options import Asking, asks_daemon, examples
from loginward.cli.output import complain, warn
from loginward.cli.times import moment, since
from loginward.cli.words import password
from loginward.wire.admin.requests import ClearCache, ForgetCopies, ListCache
from loginward.wire.admin.rows import ActRow, ClearedRow, CopyRow, ForgottenRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from loginward.cli.client import Answer

HEAD = ("user", "read", "state", "password", "offline")


@click.group(
    "cache",
    epilog=examples(
        "loginward cache list",
        "loginward cache forget ann      ann is no longer known to this machine",
    ),
)
def cache_command() -> None:
    """Show or forget the local copies of accounts."""


@cache_command.command("list")
@asks_daemon
def list_copies(asking: Asking) -> int:
    """List the copies.

    How old they are, and until when they let anybody in.
    """
    answer = asking.client.ask(ListCache())
    if asking.out.as_json:
        for row in answer.of(CopyRow):
            asking.out.row(row)
    elif asking.out.table(HEAD, _cells(answer)) == 0:
        warn("no copy is kept")
    return DONE


def _cells(answer: Answer) -> Iterator[tuple[str, ...]]:
    for copy in answer.of(CopyRow):
        status, now = copy.status, answer.now
        yield (
            copy.name,
            "-" if copy.read_at is None else since(copy.read_at, now),
            "-" if status is None else status.state.value,
            "-" if status is None else password(status, now),
            copy.fault or _offline(copy, now),
        )


def _offline(copy: CopyRow, now: datetime) -> str:
    if copy.usable_until is None:
        return "lets nobody in"
    until = moment(copy.usable_until, now)
    password_too = "" if copy.can_sign_in_offline else ", not with a password"
    return f"until {until}{password_too}"


@cache_command.command("forget")
@click.argument("users", nargs=-1, required=True, metavar="USER...")
@asks_daemon
def forget_copies(asking: Asking, users: tuple[str, ...]) -> int:
    """Forget the copies of users.

    They are unknown here until the directory names them again.
    """
    problems = []
    for row in asking.client.ask(ForgetCopies(names=users)).of(ForgottenRow, ActRow):
        problems.append(row.problem if isinstance(row, ActRow) else None)
        if asking.out.as_json:
            asking.out.row(row)
        elif isinstance(row, ActRow):
            complain(f"{row.name}: {row.why}")
        elif isinstance(row, ForgottenRow):
            said = "forgotten" if row.was_kept else "no copy was kept, nothing done"
            asking.out.line(f"{row.name}: {said}")
    return of_bulk(problems)


@cache_command.command("clear")
@click.option("--yes", is_flag=True, help="Do not ask whether you are sure.")
@asks_daemon
def clear_copies(asking: Asking, yes: bool) -> int:
    """Forget every copy.

    While the directory is away nobody can sign in then.
    """
    question = "Forget every copy? Nobody can sign in offline then."
    if not yes and not click.confirm(question, err=True):
        return REFUSED
    row = asking.client.ask(ClearCache()).one(ClearedRow)
    if asking.out.as_json:
        asking.out.row(row)
    else:
        asking.out.line(
            f"{row.copies} copies forgotten" if row.copies else "no copy was kept, nothing done"
        )
    return DONE
