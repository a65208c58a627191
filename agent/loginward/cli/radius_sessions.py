"""`loginward radius sessions`: who is connected where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from loginward.cli.exits import DONE
from loginward.cli.options import Asking, asks_daemon
from loginward.cli.output import warn
from loginward.cli.times import moment, since
from loginward.wire.admin.requests import ListRadiusSessions
from loginward.wire.admin.rows import RadiusSessionRow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loginward.cli.client import Answer

HEAD = ("user", "client", "station", "since", "heard", "session", "accepted")


@click.command("sessions")
@asks_daemon
def sessions_command(asking: Asking) -> int:
    """List the sessions at VPN and Wi-Fi.

    As their accounting tells. Those that another server accepted are never ended by this one.
    """
    answer = asking.client.ask(ListRadiusSessions())
    if asking.out.as_json:
        for row in answer.of(RadiusSessionRow):
            asking.out.row(row)
    elif asking.out.table(HEAD, _cells(answer)) == 0:
        warn("no session is known")
    return DONE


def _cells(answer: Answer) -> Iterator[tuple[str, ...]]:
    for row in answer.of(RadiusSessionRow):
        yield (
            row.name or "-",
            f"{row.client} {row.address}",
            row.station or "-",
            moment(row.since, answer.now),
            since(row.heard_at, answer.now),
            row.session,
            "here" if row.is_ours else "elsewhere",
        )
