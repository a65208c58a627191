"""`loginward radius explain`: what a client would hear about somebody, and what it would be given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from loginward.cli import why
from loginward.cli.exits import DONE, REFUSED
from loginward.cli.options import Asking, asks_daemon
from loginward.cli.times import moment
from loginward.core.reasons import Verdict
from loginward.wire.admin.requests import ExplainRadius
from loginward.wire.admin.rows import RadiusExplanationRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


@click.command("explain")
@click.argument("user")
@click.option(
    "--client", default="", metavar="C", help="The RADIUS client; needed where there are several."
)
@click.option("-v", "--verbose", is_flag=True, help="Also show each fact as its source spelt it.")
@asks_daemon
def explain_command(asking: Asking, user: str, client: str, verbose: bool) -> int:
    """Show what a RADIUS client would be told.

    What the law decides of USER's right password now, by which rule of doors.radius.replies, and what an Accept would carry. Nothing is tried and nothing is counted. Ends with 0 if USER would be let in.
    """
    answer = asking.client.ask(ExplainRadius(name=user, client=client))
    row = answer.one(RadiusExplanationRow)
    if asking.out.as_json:
        asking.out.row(row)
    else:
        why.show(asking.out, row.why, answer.now, verbose=verbose)
        asking.out.facts(_lines(row, answer.now))
    return REFUSED if row.why.verdict is Verdict.REFUSE or row.why.unknown else DONE


def _lines(row: RadiusExplanationRow, now: datetime) -> Iterator[tuple[str, str]]:
    by = [*row.networks, *(["RADIUS over TLS"] if row.comes_by_tls else [])]
    yield "client", f"{row.client}, from {', '.join(by)}; {', '.join(row.methods)}"
    if row.scope:
        yield "scope", f"members of {' or '.join(row.scope)} (doors.radius.clients[].groups)"
    if not row.attributes:
        return
    yield "accept", _rule(row)
    for one in row.attributes:
        yield "", f"{one.name} = {one.value}{_capped(row, one.name, now)}"


def _rule(row: RadiusExplanationRow) -> str:
    if row.rule is None:
        return "would carry (no rule of doors.radius.replies fits)"
    of = [f"members of {' or '.join(row.rule_groups)}"] if row.rule_groups else ["anybody"]
    of += [f"at {' or '.join(row.rule_clients)}"] if row.rule_clients else []
    return f"would carry, by doors.radius.replies[{row.rule}] ({', '.join(of)})"


def _capped(row: RadiusExplanationRow, name: str, now: datetime) -> str:
    """Return why a session lasts less long than the rule says."""
    if name != "Session-Timeout" or row.due_at is None:
        return ""
    shown = next(one.value for one in row.attributes if one.name == name)
    if shown == str(row.session_timeout_s):
        return ""
    return f" instead of {row.session_timeout_s}: the password falls due {moment(row.due_at, now)}"
