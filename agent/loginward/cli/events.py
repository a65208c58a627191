"""`loginward events`: the audit trail, and what happens now."""

from __future__ import annotations

from select import select
from typing import TYPE_CHECKING, Final

import click
import msgspec

from loginward.cli.exits import DONE, UNREACHABLE, CommandFailed
from loginward.cli.options import Asking, asks_daemon, examples
from loginward.cli.output import warn
from loginward.cli.times import localise, stamp
from loginward.cli.why import shown_reference
from loginward.wire.admin.requests import AskEvents
from loginward.wire.admin.rows import LOCKED_FROM, EventRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

AGAIN_S: Final = 1.0  # between two tries to reach a daemon that restarts


@click.command(
    "events",
    epilog=examples(
        "loginward events                       the last 20",
        "loginward events -n 200 --user ann",
        "loginward events --follow --json | jq .reason",
    ),
)
@click.option("-f", "--follow", is_flag=True, help="Go on as things happen, until Ctrl-C.")
@click.option(
    "-n", "--last", default=20, show_default=True, type=click.IntRange(0, 100_000), metavar="N",
    help="How many past events to show.",
)  # fmt: skip
@click.option("--user", default="", metavar="USER", help="Only events about this account.")
@asks_daemon
def events_command(asking: Asking, follow: bool, last: int, user: str) -> int:
    """Show the audit trail.

    Who was let in or refused and why, and what administrators did.
    """
    ask = AskEvents(last=last, name=user, follow=follow)
    for row, now in _followed(asking, ask) if follow else _once(asking, ask):
        if asking.out.as_json:
            asking.out.row(row)
        else:
            asking.out.line(line_of(row, now))
    return DONE


def _once(asking: Asking, ask: AskEvents) -> Iterator[tuple[EventRow, datetime]]:
    answer = asking.client.ask(ask, wait_s=None if ask.follow else 30.0)
    for row in answer.of(EventRow):
        yield row, answer.now


def _followed(asking: Asking, ask: AskEvents) -> Iterator[tuple[EventRow, datetime]]:
    """Go on after the last event seen when the daemon restarts; fail if it was never there."""
    began = False
    while True:
        try:
            for row, now in _once(asking, ask):
                if not began:
                    began = True
                ask = msgspec.structs.replace(ask, after=row.id)
                yield row, now
            began = True  # it ended its answer: it stops
        except CommandFailed as failure:
            if failure.code != UNREACHABLE or not began:
                raise
        warn("the daemon is away; waiting for it")
        select([], [], [], AGAIN_S)


def line_of(row: EventRow, now: datetime) -> str:
    """Return an event in one line: when, what, who, and what came of it."""
    outcome = " ".join(part for part in (row.verdict, row.reason) if part)
    change = f"{row.before} -> {row.after}" if row.before else row.after
    locked_from = row.more.get(LOCKED_FROM, "")
    parts = [
        stamp(row.at),
        row.event,
        row.name,
        row.verb,
        outcome,
        change,
        " ".join(part for part in (row.door, row.service, row.phase) if part),
        f"from {row.source}" if row.source not in {"", row.service} else "",
        f"was locked from {locked_from}" if locked_from else "",
        f"by {row.by}" if row.by else "",
        f"x{row.count}" if row.count > 1 else "",
        f"ref {shown_reference(row.reference)}" if row.reference else "",
        localise(row.text, now),
    ]
    return "  ".join(part for part in parts if part)
