"""`loginward doctor`: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from loginward.cli.exits import DONE, REFUSED, UNREACHABLE, CommandFailed
from loginward.cli.options import Asking, asks_daemon, examples
from loginward.cli.output import warn
from loginward.cli.terminal import clean
from loginward.cli.times import stamp
from loginward.wire.admin.requests import AcceptClock, AskDoctor, AskHealth
from loginward.wire.admin.rows import ClockRow, FindingRow, HealthRow, Level

if TYPE_CHECKING:
    from collections.abc import Iterable

COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "red"}


@click.command(
    "doctor",
    epilog=examples(
        "loginward doctor                   all checks",
        "loginward doctor --json | jq 'select(.level != \"ok\")'",
        "loginward doctor --accept-clock    after the clock was set right by hand",
    ),
)
@click.option("--accept-clock", is_flag=True, help="Believe the wall clock as it is now.")
@asks_daemon
def doctor_command(asking: Asking, accept_clock: bool) -> int:
    """Check the installation.

    PAM, directory, store, clock, break-glass account; also while the daemon is down. Ends with 1 if something is wrong.
    """
    if accept_clock:
        return _accept_clock(asking)
    findings: Iterable[FindingRow]
    try:
        findings = asking.client.ask(AskDoctor()).of(FindingRow)
    except CommandFailed as failure:
        if failure.code != UNREACHABLE:
            raise
        warn(f"{failure.error}; checking without it")
        findings = _without_daemon(asking)
    found = False
    for told in findings:
        for finding in _seen(asking, told):
            found |= finding.level is not Level.OK
            _print(asking, finding)
    return REFUSED if found else DONE


def _print(asking: Asking, finding: FindingRow) -> None:
    out = asking.out
    if out.as_json:
        out.row(finding)
        return
    level = out.styled(f"{finding.level.value:8}", COLOURS[finding.level])
    out.raw(f"{level} {clean(finding.check)}")
    out.facts([("", finding.text), *([("", f"-> {finding.hint}")] if finding.hint else [])])


def _accept_clock(asking: Asking) -> int:
    row = asking.client.ask(AcceptClock()).one(ClockRow)
    if asking.out.as_json:
        asking.out.row(row)
        return DONE
    already = " already, nothing done" if row.was_noop else ""
    asking.out.line(f"the clock is believed{already}: {stamp(row.now)}")
    return DONE


def _seen(asking: Asking, finding: FindingRow) -> list[FindingRow]:
    """Return a finding; of what is closed to the daemon but not to root, what root finds."""
    if not finding.check.endswith("-unseen") or os.geteuid() != 0:
        return [finding]
    from loginward.cli.config import settings_of
    from loginward.runtime.doctor import again

    try:
        return list(again(finding.check, settings_of(asking.config or _config_of(asking))))
    except CommandFailed:  # the daemon runs on a configuration that is not the usual one
        return [finding]


def _config_of(asking: Asking) -> str:
    """Return the file that the daemon runs on."""
    return asking.client.ask(AskHealth()).one(HealthRow).config_file


def _without_daemon(asking: Asking) -> list[FindingRow]:
    from loginward.cli.config import settings_of
    from loginward.runtime.doctor import run

    return list(run(settings_of(asking.config)))
