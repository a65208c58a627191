"""`loginward refresh`: what has to happen on this machine after an unlock (R62)."""

from __future__ import annotations

import click

from loginward.cli.exits import DONE, REFUSED
from loginward.cli.options import Asking, asks_daemon, examples
from loginward.cli.output import warn
from loginward.cli.times import localise
from loginward.wire.admin.requests import RunRefresh
from loginward.wire.admin.rows import StepRow, StepState

WORDS = {
    StepState.DONE: "done",
    StepState.WOULD: "would do",
    StepState.NOT_NEEDED: "not needed",
    StepState.FAILED: "failed",
    StepState.ADVICE: "for you",
}
COLOURS = {StepState.FAILED: "red", StepState.ADVICE: "yellow"}


@click.command(
    "refresh",
    epilog=examples(
        "loginward refresh ann --dry-run      what would be done for ann?",
        "loginward refresh                    for everybody this machine knows",
    ),
)
@click.argument("user", required=False)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@asks_daemon
def refresh_command(asking: Asking, user: str | None, dry_run: bool) -> int:
    """Bring this machine in line after an unlock.

    And say what is left for a person to do. It happens by itself after `unlock`; running it again does no harm.
    """
    answer = asking.client.ask(RunRefresh(name=user, dry_run=dry_run))
    steps = list(answer.of(StepRow))
    if asking.out.as_json:
        for step in steps:
            asking.out.row(step)
    elif not steps:
        warn("nothing to do")
    else:
        cells = [(s.name, s.step, WORDS[s.state], localise(s.text, answer.now)) for s in steps]
        asking.out.table(("user", "step", "", "what"), cells, [COLOURS.get(s.state) for s in steps])
    return REFUSED if any(s.state is StepState.FAILED for s in steps) else DONE
