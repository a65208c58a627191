"""What the demo shows: a login of each sample account, and an unlock that leaves an expiry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from loginward.cli import acts, why
from loginward.cli.exits import REFUSED, CommandFailed
from loginward.cli.logins import LoginSocket, Shown
from loginward.cli.words import COLOURS, explain, password
from loginward.core.acts import Verb
from loginward.core.reasons import Verdict
from loginward.core.secret import Secret
from loginward.core.status import UserState
from loginward.wire.admin.requests import ActOnUsers, AskAccount, AskWhy
from loginward.wire.admin.rows import AccountRow, ExplanationRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loginward.cli.options import Asking
    from loginward.cli.output import Output
    from loginward.wire.login import Result

SERVICE: Final = "login"
RADIUS_HEAD: Final = ("user", "RADIUS", "what the person reads")
HEAD: Final = ("user", "state", "password", "answer", "why, and what clears it")
_REFERENCE: Final = re.compile(r"\b[0-9A-Z]{3}-[0-9A-Z]{3}\b")


class _Attempt:
    """One login through the socket: how it ended, and what the person read."""

    def __init__(self, asking: Asking, name: str, typed: str) -> None:
        shown = Shown(as_json=True)
        socket = LoginSocket(asking.folder / "login.sock", shown, password=Secret(typed.encode()))
        self.result: Result = socket.sign_in(name, SERVICE)
        self.texts = shown.row(name, self.result).notices

    @property
    def answer(self) -> str:
        """Return the answer in one word or two."""
        if self.result.verdict is Verdict.ALLOW:
            return "signed in"
        return self.result.reason.value

    @property
    def words(self) -> list[str]:
        """Return what the person read, whatever the reference was."""
        return [_REFERENCE.sub("", text) for text in self.texts]


def show_logins(asking: Asking, names: Sequence[str], unknown: str, typed: str) -> None:
    """Print a login of each account and of a name that nobody has, as a table."""
    wrong = _Attempt(asking, names[0], f"not {typed}")
    rows: list[tuple[str, ...]] = []
    colours: list[str | None] = []
    for name in names:
        row, colour = _row_of(asking, name, typed)
        rows.append(row)
        colours.append(colour)
    stranger = _Attempt(asking, unknown, typed)
    same = stranger.words == wrong.words
    told = "no such account" + ("; said in the words of a wrong password" if same else "")
    rows.append((unknown, "-", "-", stranger.answer, told))
    asking.out.table(HEAD, rows, [*colours, None])


def _row_of(asking: Asking, name: str, typed: str) -> tuple[tuple[str, ...], str | None]:
    attempt = _Attempt(asking, name, typed)
    answer = asking.client.ask(AskAccount(name=name))
    account, now = answer.one(AccountRow), answer.now
    status = account.status
    told = explain(name, status, now, account.changed_at)
    if attempt.result.verdict is Verdict.ALLOW and attempt.texts:
        told = f"warned: {told}"
    colour = COLOURS[status.headline] if status.state is UserState.ACTIVE else "red"
    if attempt.result.verdict is Verdict.CHANGE:
        colour = "yellow"
    return (name, status.state.value, password(status, now), attempt.answer, told), colour


def show_radius(out: Output, address: str, answers: Sequence[tuple[str, str, str]]) -> None:
    """Print what a VPN gateway hears of the same accounts, and what each person reads."""
    out.line()
    out.line(f"The same law over RADIUS ({address}, PAP, the same password):")
    out.line()
    out.table(RADIUS_HEAD, [(name, answer, text) for name, answer, text in answers])


def show_unlock(asking: Asking, name: str) -> None:
    """Unlock an account and print what that changed and what still keeps it out."""
    asking.out.line()
    asking.out.line(f"$ loginward unlock {name}")
    order = ActOnUsers(verb=Verb.UNLOCK, names=(name,))
    if acts.show(asking, asking.client.ask(order), Verb.UNLOCK):
        raise CommandFailed(f"{name} could not be unlocked", code=REFUSED)
    asking.out.line(f"$ loginward why {name} --service {SERVICE}")
    answer = asking.client.ask(AskWhy(name=name, service=SERVICE))
    why.show(asking.out, answer.one(ExplanationRow), answer.now)
    asking.out.line()
