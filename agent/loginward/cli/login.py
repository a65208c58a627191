"""`loginward login` and `passwd`: one conversation over the login socket, as a person has it."""

from __future__ import annotations

import os
import pwd
from select import select

import click

from loginward.cli.exits import DONE, REFUSED
from loginward.cli.logins import LoginSocket, Shown
from loginward.cli.options import Asking, asks_daemon, examples
from loginward.cli.output import complain
from loginward.cli.why import shown_reference
from loginward.core.reasons import Verdict
from loginward.core.requests import Phase
from loginward.wire.login import Begin, Result


@click.command(
    "login",
    epilog=examples(
        "loginward login ann                                  asks for the password",
        "loginward login ann --service sshd --password-stdin < password.txt",
    ),
)
@click.argument("user")
@click.option(
    "--service", default="login", show_default=True, metavar="S", help="The PAM service to be."
)
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@asks_daemon
def login_command(asking: Asking, user: str, service: str, password_stdin: bool) -> int:
    """Try one real login of USER.

    A wrong password counts, and the attempt is in the audit trail with who made it. Ends with 0
    if USER gets in.
    """
    shown = Shown(asking.out.as_json)
    socket = LoginSocket(asking.folder / "login.sock", shown, from_stdin=password_stdin)
    return _end(asking, user, socket.sign_in(user, service), "signed in", shown)


@click.command(
    "passwd",
    epilog=examples(
        "loginward passwd                  your own",
        "loginward passwd ann              ann's, who has to know the old one",
        "loginward passwd ann --token      ann's first one, by her activation token",
    ),
)
@click.argument("user", required=False)
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the old password (or the token) and the new one from stdin, a line each.",
)
@click.option(
    "--token",
    is_flag=True,
    help="Set the first password, by the activation token that is asked for.",
)
@asks_daemon
def passwd_command(asking: Asking, user: str | None, password_stdin: bool, token: bool) -> int:
    """Change a password, knowing the old one.

    Your own, or USER's who types the old one. Who never had one types the activation token
    instead. An administrator who does not know it uses reset-password or set-temporary.
    """
    name = user or _own_name()
    if token:
        from loginward.cli.activation import activate

        return activate(asking, name, from_stdin=password_stdin)
    shown = Shown(asking.out.as_json)
    socket = LoginSocket(asking.folder / "login.sock", shown, from_stdin=password_stdin)
    begin = Begin(phase=Phase.CHAUTHTOK_UPDATE, user=name, service="passwd")
    return _end(asking, name, socket.talk(begin), "password changed", shown)


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        raise click.UsageError("this user has no name here; say which user") from None


def _end(asking: Asking, user: str, result: Result, done: str, shown: Shown) -> int:
    if asking.out.as_json:
        asking.out.row(shown.row(user, result))
    elif result.verdict is Verdict.ALLOW:
        asking.out.line(f"{user}: {done}")
    elif result.verdict is Verdict.CHANGE:
        complain(f"{user}: {result.reason.value}", f"loginward passwd {user}")
    else:
        reference = shown_reference(result.reference)
        hint = f"loginward why --ref {reference}" if reference else ""
        complain(f"{user}: {result.reason.value}", hint)
    if result.verdict is Verdict.ALLOW:
        return DONE
    if result.delay_ms:
        select([], [], [], result.delay_ms / 1000)
    return REFUSED
