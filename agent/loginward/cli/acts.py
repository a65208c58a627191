"""The administrator's verbs: bulk, one line a name with what was and what is now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from loginward.cli.exits import of_bulk
from loginward.cli.options import Asking, asks_daemon, examples
from loginward.cli.output import complain
from loginward.cli.times import day, localise
from loginward.cli.words import flags
from loginward.core.acts import Verb
from loginward.core.status import PasswordStatus
from loginward.wire.admin.requests import ActOnUsers
from loginward.wire.admin.rows import ActRow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from loginward.cli.client import Answer


@dataclass(frozen=True, slots=True)
class _Words:
    """What a verb is called.

    Attributes:
        does: The help, its first sentence short.
        noop: What an account is that the verb would not change.
        takes_force: Whether it can override what the directory's own people set.
    """

    does: str
    noop: str
    takes_force: bool = False


WORDS: Final[Mapping[Verb, _Words]] = {
    Verb.UNLOCK: _Words(
        "Unlock accounts.\n\nThe same password works again at once, at every door. An expired "
        "password stays expired.",
        "not locked",
    ),
    Verb.LOCK: _Words("Lock accounts until somebody unlocks them.", "locked already"),
    Verb.RESET_PASSWORD: _Words(
        "Set a password that lasts.\n\nClears a lock, an expiry and all counted failures.",
        "has that password already",
    ),
    Verb.SET_TEMPORARY: _Words(
        "Set a password that must be changed.\n\nClears a lock and an expiry; the "
        "person signs in with it and chooses an own one.",
        "has that password already",
    ),
    Verb.SET_FIRST_PASSWORD: _Words(
        "Set a first password.\n\nFor accounts that never had one. An open activation token is "
        "revoked.",
        "has a password already",
    ),
    Verb.EXPIRE: _Words(
        "Make passwords expire now.\n\nThey open nothing any more until they are changed or reset.",
        "expired already",
    ),
    Verb.SUSPEND: _Words(
        "Close accounts for every door.\n\nPasswords stay as they are; activate opens them again.",
        "suspended already",
        takes_force=True,
    ),
    Verb.ACTIVATE: _Words(
        "Open accounts that are staged or suspended.", "active already", takes_force=True
    ),
    Verb.RESEND_ACTIVATION: _Words(
        "Make a new activation token.\n\nFor accounts without a password. It is printed once; the "
        "one before stops working.",
        "not pending",
    ),
}


def _command(verb: Verb) -> click.Command:
    """Return the command of a verb."""
    words = WORDS[verb]

    def run(
        asking: Asking, users: tuple[str, ...], *, password_stdin: bool = False, force: bool = False
    ) -> int:
        from loginward.cli.prompt import piped, typed_twice

        password = None
        if verb.sets_password:
            password = piped() if password_stdin else typed_twice(f"new password for {users[0]}")
        order = ActOnUsers(verb=verb, names=users, password=password, force=force)
        return show(asking, asking.client.ask(order), verb)

    decorated: Any = asks_daemon(run)
    if verb.sets_password:
        decorated = click.option(
            "--password-stdin", is_flag=True, help="Read the password from the first line of stdin."
        )(decorated)
    if words.takes_force:
        decorated = click.option(
            "--force",
            is_flag=True,
            help="Also where others set a start or an end in the directory.",
        )(decorated)
    decorated = click.argument("users", nargs=-1, required=True, metavar="USER...")(decorated)
    return click.command(verb.value, help=words.does, epilog=_examples(verb))(decorated)


def _examples(verb: Verb) -> str:
    if verb.sets_password:
        return examples(
            f"loginward {verb.value} ann                            asks for it, twice",
            f"pwgen 16 1 | loginward {verb.value} ann --password-stdin",
        )
    if verb is Verb.UNLOCK:
        return examples(
            "loginward unlock ann bob",
            "loginward users --status locked --names | xargs loginward unlock",
        )
    prefix = "users " if verb is Verb.LOCK else ""
    return examples(f"loginward {prefix}{verb.value} ann bob")


def show(asking: Asking, answer: Answer, verb: Verb | None) -> int:
    """Print what was done, one line a name, and return the exit code of the whole."""
    problems = []
    for row in answer.of(ActRow):
        problems.append(row.problem)
        if asking.out.as_json:
            asking.out.row(row)
        elif row.problem is not None:
            complain(f"{row.name}: {localise(row.why, answer.now)}")
        else:
            _print(asking, row, verb, answer.now)
        if row.token is not None and not asking.out.as_json:
            token = row.token.reveal().decode("ascii", "backslashreplace")
            asking.out.line(f"{row.name}: activation token, shown this once: {token}")
            asking.out.line(
                f"{row.name}: next, by who has the token: loginward passwd {row.name} --token"
            )
    return of_bulk(problems)


def _print(asking: Asking, row: ActRow, verb: Verb | None, now: datetime) -> None:
    notes = [localise(note, now) for note in row.notes]
    if row.noop:
        noop = WORDS[verb].noop if verb is not None else "so already"
        change = f"{noop}, nothing done"
    else:
        change = _change(row)
        notes += _still_expired(row, verb, now)
    told = f"{row.name}: {change}"
    asking.out.line(f"{told}   ({'; '.join(notes)})" if notes else told)


def _change(row: ActRow) -> str:
    if row.before is None and row.after is None:
        return "done"
    before = "new" if row.before is None else flags(row.before)
    after = "removed" if row.after is None else flags(row.after)
    return after if before == after else f"{before} -> {after}"


def _still_expired(row: ActRow, verb: Verb | None, now: datetime) -> list[str]:
    """Say what an unlock does not do (R10)."""
    after = row.after
    if verb is not Verb.UNLOCK or after is None or PasswordStatus.EXPIRED not in after.statuses:
        return []
    return ["password still expired" + (f" since {day(after.due_at, now)}" if after.due_at else "")]


unlock_command = _command(Verb.UNLOCK)
lock_command = _command(Verb.LOCK)
reset_password_command = _command(Verb.RESET_PASSWORD)
set_temporary_command = _command(Verb.SET_TEMPORARY)
set_first_password_command = _command(Verb.SET_FIRST_PASSWORD)
expire_command = _command(Verb.EXPIRE)
suspend_command = _command(Verb.SUSPEND)
activate_command = _command(Verb.ACTIVATE)
resend_activation_command = _command(Verb.RESEND_ACTIVATION)
