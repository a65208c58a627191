"""The login socket from a command: prompts at the terminal, notices as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from loginward.cli.client import other_version
from loginward.cli.exits import UNREACHABLE, USAGE, CommandFailed
from loginward.cli.prompt import piped, typed_hidden
from loginward.cli.sockets import connect, hung_up, received
from loginward.cli.terminal import clean
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase, Purpose
from loginward.errors import ProtocolError
from loginward.wire.login import Answer, Ask, Begin, Decoder, Message, Notice, Result, encode

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from loginward.core.secret import Secret

ANSWER_S: Final = 10.0  # the daemon owes an answer within 3 s
PROMPTS: Final = {
    Purpose.PASSWORD: "password",
    Purpose.NEW: "new password",
    Purpose.NEW_AGAIN: "the same again",
    Purpose.CODE: "one-time code",
}
UNANSWERED: Final = frozenset({Reason.DIRECTORY_UNAVAILABLE})


class LoginRow(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="login"):
    """The end of an attempt, for `--json`."""

    name: str
    verdict: Verdict
    reason: Reason
    reference: str
    notices: tuple[str, ...]


class Shown:
    """Notices for the person: printed on stderr as they come, or kept for JSON."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._texts: list[str] = []

    def notice(self, notice: Notice) -> None:
        """Take a notice."""
        self._texts.append(notice.text)
        if not self._as_json:
            import click

            click.echo(clean(notice.text), err=True)

    def row(self, name: str, result: Result) -> LoginRow:
        """Return the whole attempt."""
        return LoginRow(
            name=name,
            verdict=result.verdict,
            reason=result.reason,
            reference=result.reference,
            notices=tuple(self._texts),
        )


class LoginSocket:
    """Has conversations, one connection each.

    Args:
        from_stdin: Passwords are lines of stdin, not typed.
        password: Known already; then nothing is asked for.
    """

    def __init__(
        self, path: Path, shown: Shown, *, from_stdin: bool = False, password: Secret | None = None
    ) -> None:
        self._path = path
        self._shown = shown
        self._from_stdin = from_stdin
        self._password = password
        self._new: Secret | None = None

    def sign_in(self, user: str, service: str) -> Result:
        """Return how a login ended: both phases of one transaction.

        Raises:
            CommandFailed: The daemon does not answer, or the directory does not.
        """
        result = self.talk(Begin(phase=Phase.AUTHN, user=user, service=service))
        if result.verdict is not Verdict.ALLOW:
            return result
        return self.talk(
            Begin(phase=Phase.ACCT, user=user, service=service, transaction=result.transaction)
        )

    def talk(self, begin: Begin) -> Result:
        """Return how a conversation ended.

        Raises:
            CommandFailed: The daemon does not answer, or the directory does not.
        """
        decoder = Decoder()
        first = _frame(begin)
        with connect(self._path) as connection:
            connection.settimeout(ANSWER_S)
            _send(connection, first)
            while True:
                message = _next(connection, decoder)
                match message:
                    case Notice():
                        self._shown.notice(message)
                    case Ask():
                        _send(connection, _frame(Answer(self._typed(message))))
                    case Result(reason=reason) if reason in UNANSWERED:
                        raise CommandFailed(
                            "the directory gives no answer", "loginward status", UNREACHABLE
                        )
                    case Result():
                        return message
                    case _:
                        raise other_version()

    def _typed(self, ask: Ask) -> Secret:
        if self._password is not None:
            return self._password
        if not self._from_stdin:
            return typed_hidden(clean(ask.prompt) or PROMPTS[ask.purpose])
        if ask.purpose is Purpose.NEW_AGAIN and self._new is not None:
            return self._new
        typed = piped()
        if ask.purpose is Purpose.NEW:
            self._new = typed
        return typed


def _frame(message: Message) -> bytes:
    try:
        return encode(message)
    except ProtocolError as error:
        raise CommandFailed(f"this cannot be asked: {error}", code=USAGE) from None


def _send(connection: socket.socket, frame: bytes) -> None:
    try:
        connection.sendall(frame)
    except OSError:
        raise hung_up() from None


def _next(connection: socket.socket, decoder: Decoder) -> Message:
    while True:
        try:
            message = decoder.next_message()
            if message is not None:
                return message
            decoder.feed(received(connection))
        except ProtocolError:
            raise other_version() from None
