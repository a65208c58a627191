"""`loginward status`: how the daemon is, or what one account is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from loginward.cli.exits import DONE, UNREACHABLE
from loginward.cli.options import Asking, asks_daemon, examples
from loginward.cli.times import localise, moment, since
from loginward.cli.words import explain, password
from loginward.wire.admin.requests import AskAccount, AskHealth, AskMetrics
from loginward.wire.admin.rows import AccountRow, HealthRow, MetricsRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from loginward.wire.admin.rows import ServerPart


@click.command(
    "status",
    epilog=examples(
        "loginward status              is the agent well, and the directory?",
        "loginward status ann          what is ann's account now?",
        "loginward status --json       the same for a program",
        "loginward status --metrics    counters for Prometheus' textfile collector",
    ),
)
@click.argument("user", required=False)
@click.option("--metrics", is_flag=True, help="Print the daemon's counters as Prometheus text.")
@asks_daemon
def status_command(asking: Asking, user: str | None, metrics: bool) -> int:
    """Show how the agent or an account is.

    Anybody may ask about their own account. Ends with 69 while the directory gives no answer.
    """
    if metrics:
        if user is not None:
            raise click.UsageError("--metrics is about the daemon, not about a user")
        click.echo(asking.client.ask(AskMetrics()).one(MetricsRow).text, nl=False)
        return DONE
    if user is not None:
        return _account(asking, user)
    return _health(asking)


def _account(asking: Asking, user: str) -> int:
    answer = asking.client.ask(AskAccount(name=user))
    account = answer.one(AccountRow)
    if asking.out.as_json:
        asking.out.row(account)
        return DONE
    asking.out.line(account.name)
    asking.out.facts(_account_facts(account, answer.now))
    return DONE


def _account_facts(account: AccountRow, now: datetime) -> Iterator[tuple[str, str]]:
    status = account.status
    yield "state", status.state.value
    yield "password", password(status, now)
    why = explain(account.name, status, now, account.changed_at)
    if why:
        yield "means", why
    if account.failures is not None:
        limit = "" if account.threshold is None else f" of {account.threshold}"
        yield "failures", f"{account.failures}{limit} wrong passwords counted"
    if account.unreadable:
        yield "unreadable", ", ".join(account.unreadable)
    if account.groups:
        yield "groups", ", ".join(account.groups)
    yield "read", f"{account.source}, {since(account.read_at, now)}"
    if account.usable_until is not None:
        yield "offline", f"this copy lets nobody in after {moment(account.usable_until, now)}"
    elif account.can_sign_in_offline:
        yield "offline", "can sign in while the directory is away"
    for session in account.sessions:
        place = " ".join(part for part in (session.service, session.tty, session.rhost) if part)
        yield "session", f"{place}, since {moment(session.since, now)}"


def _health(asking: Asking) -> int:
    answer = asking.client.ask(AskHealth())
    health = answer.one(HealthRow)
    is_up = any(server.usable for server in health.servers)
    code = DONE if is_up else UNREACHABLE
    if asking.out.as_json:
        asking.out.row(health)
        return code
    started = moment(health.started_at, answer.now)
    asking.out.line(f"loginward {health.version}, running since {started} (pid {health.pid})")
    asking.out.facts(_health_facts(health, answer.now))
    for note in health.notes:
        asking.out.line(f"note: {localise(note.text, answer.now)}")
        if note.hint:
            asking.out.line(f"hint: {note.hint}")
    return code


def _health_facts(health: HealthRow, now: datetime) -> Iterator[tuple[str, str]]:
    yield "configuration", health.config_file
    yield "login socket", health.login_socket
    up = sum(server.usable for server in health.servers)
    embedded = len(health.servers) == 1 and health.servers[0].name == health.directory
    count = "" if embedded else f", {up} of {len(health.servers)} servers answer"
    yield "directory", f"{_kind(health)}{count}"
    for server in health.servers:
        yield f"  {server.name}", _server(server, now)
    if not health.reads_status:
        yield "", "status is unreadable without directory.service_account"
    if health.watch:
        yield "watch", _watch(health)
    yield "lockout", f"by {health.lockout_owner}"
    watched = "" if health.watched_at is None else f", re-read {since(health.watched_at, now)}"
    yield "copies", f"{health.copies}{watched}; {health.verifiers} can sign in offline"
    if health.verifiers_waiting:
        yield "", f"{health.verifiers_waiting} verifiers still to be made"
    yield "logins", f"{health.conversations} being judged; open sessions: {len(health.sessions)}"
    yield "store", health.store_fault or "ok"
    yield "events", health.events_fault or "ok"
    if health.hanging:
        yield "hangs", f"{', '.join(health.hanging)}: no progress for a minute"


def _kind(health: HealthRow) -> str:
    """Return the kind of directory, and whether it was found out or is set."""
    if health.directory == "auto":
        return "of a kind not known yet" if health.reads_status else "of a kind not known"
    return f"{health.directory} (found)" if health.directory_found else health.directory


def _watch(health: HealthRow) -> str:
    if health.watch_age_s is None:
        return f"polled: {health.watch_problem}" if health.watch_problem else "polled"
    kept = f"{health.at_hand} accounts at hand"
    return f"pushed, current {health.watch_age_s:.1f} s ago; {kept}"


def _server(server: ServerPart, now: datetime) -> str:
    seen = "never answered yet" if server.last_ok_at is None else since(server.last_ok_at, now)
    if server.usable:
        return f"ok, answered {seen}" if server.last_ok_at else "ok"
    problem = server.last_problem or "no answer"
    return f"down: {problem}; last answer: {seen}"
