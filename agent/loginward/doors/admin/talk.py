"""One connection of the admin socket: a request in, rows out, nothing after."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING, Final

from loginward.core.clock import Deadline
from loginward.doors.admin.peer import operator_of
from loginward.doors.admin.roles import may_ask
from loginward.errors import ConfigError, DirectoryUnavailable, ProtocolError, StoreFault
from loginward.wire.admin import rows
from loginward.wire.admin.lines import Lines, decode_piece, decode_request, encode_line
from loginward.wire.admin.requests import AskEvents, ImportUsers

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator

    from loginward.core.clock import Clock
    from loginward.doors.admin.dispatch import Dispatch
    from loginward.doors.admin.port import Operator
    from loginward.doors.admin.roles import Roles
    from loginward.wire.admin.requests import AnyRequest

REQUEST_S: Final = 5.0  # for the whole line, so that one octet a second is of no use
FILE_S: Final = 60.0  # for the whole file of an import
ROW_S: Final = 10.0  # for a reader to take a row
LOOK_AGAIN_S: Final = 5.0  # at the groups of this host, while somebody follows events
_OCTETS: Final = 65536
_PROBLEMS: Final = 10  # of a configuration, told at once
_LOG: Final = logging.getLogger("loginward.admin")


class _HungUpError(Exception):
    """The peer is gone or too slow; there is nobody to answer."""


class Talk:
    """Reads one request and writes its answer.

    Args:
        roles_now: Returns the roles in force now, which end an answer that goes on.
    """

    def __init__(
        self,
        connection: socket.socket,
        dispatch: Dispatch,
        clock: Clock,
        importing: threading.Semaphore,
        roles_now: Callable[[], Roles],
    ) -> None:
        self._connection = connection
        self._dispatch = dispatch
        self._clock = clock
        self._importing = importing
        self._roles_now = roles_now
        self._lines = Lines()

    def run(self, roles: Roles, heard: Callable[[], None]) -> None:
        """Serve the connection to its end and call `heard` once the request is read; never raises."""
        try:
            operator = operator_of(self._connection, roles)
            self._write(self._answer(operator, heard))
        except _HungUpError:
            return
        except OSError:  # the kernel does not say who it is
            _LOG.warning("admin socket: a peer without credentials")

    def _answer(
        self, operator: Operator, heard: Callable[[], None]
    ) -> rows.FailedRow | rows.EndRow:
        """Read the request and write the rows of its answer; return the last."""
        try:
            request = decode_request(self._read_line(Deadline.after(REQUEST_S, self._clock)))
            heard()
            self._write(rows.BeganRow(now=self._clock.now()))
            if not may_ask(operator, request):
                return self._dispatch.turned_away(request, operator)
            if isinstance(request, ImportUsers):
                return self._import(request, operator)
            answer = self._dispatch.answer(request, b"", operator)
            if isinstance(request, AskEvents):
                answer = self._while_allowed(answer, request)
            return self._write_all(answer)
        except _HungUpError:
            raise
        except Exception as error:  # noqa: BLE001  the door's one net: a fault of ours ends here
            return _failure(error)

    def _write_all(self, answer: Iterable[rows.AnyRow | None]) -> rows.FailedRow | rows.EndRow:
        try:
            for row in answer:
                if isinstance(row, rows.FailedRow):
                    return row
                if row is None:
                    self._check_still_there()
                else:
                    self._write(row)
        finally:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
        return rows.EndRow()

    def _while_allowed(
        self, answer: Iterable[rows.AnyRow | None], request: AnyRequest
    ) -> Iterator[rows.AnyRow | None]:
        """Yield an answer to its end, or to where the operator loses the right to it.

        A row that waits is not given to whoever may no longer ask for it.
        """
        judged, again = self._roles_now(), Deadline.after(LOOK_AGAIN_S, self._clock)
        for row in answer:
            roles = self._roles_now()
            if roles is not judged or again.passed:
                judged, again = roles, Deadline.after(LOOK_AGAIN_S, self._clock)
                operator = operator_of(self._connection, roles)
                if not may_ask(operator, request):
                    yield self._dispatch.turned_away(request, operator)
                    return
            yield row

    def _import(self, request: ImportUsers, operator: Operator) -> rows.FailedRow | rows.EndRow:
        if not self._importing.acquire(blocking=False):
            return rows.FailedRow(
                problem=rows.Problem.REFUSED, why="another import is running", hint="wait for it"
            )
        try:
            file = self._read_file(request.octets)
            return self._write_all(self._dispatch.answer(request, file, operator))
        finally:
            self._importing.release()

    def _read_file(self, octets: int) -> bytes:
        deadline = Deadline.after(FILE_S, self._clock)
        file = bytearray()
        while len(file) < octets:
            file += decode_piece(self._read_line(deadline)).octets.reveal()
        if len(file) > octets:
            raise ProtocolError("more of a file than was announced")
        return bytes(file)

    def _read_line(self, deadline: Deadline) -> bytes:
        while True:
            line = self._lines.take()
            if line is not None:
                return line
            if deadline.passed:
                raise _HungUpError
            octets = self._receive(deadline)
            if not octets:
                raise _HungUpError
            self._lines.feed(octets)

    def _receive(self, deadline: Deadline) -> bytes:
        try:
            self._connection.settimeout(deadline.left)
            return self._connection.recv(_OCTETS)
        except OSError as error:
            raise _HungUpError from error

    def _write(self, row: rows.AnyRow) -> None:
        line = encode_line(row)
        try:
            self._connection.settimeout(ROW_S)
            self._connection.sendall(line)
        except OSError as error:
            raise _HungUpError from error

    def _check_still_there(self) -> None:
        """Notice a peer that hung up while nothing happened."""
        self._connection.setblocking(False)  # noqa: FBT003  socket's own signature
        try:
            if not self._connection.recv(1, socket.MSG_PEEK):
                raise _HungUpError
        except BlockingIOError:
            return
        except OSError as error:
            raise _HungUpError from error


def _failure(error: Exception) -> rows.FailedRow:
    match error:
        case ProtocolError():
            _LOG.warning("admin socket: %s", error)
            hint = "the command and the daemon may be of different versions"
            return rows.FailedRow(problem=rows.Problem.USAGE, why=str(error), hint=hint)
        case DirectoryUnavailable(stage=stage):
            why = f"the directory gives no answer ({stage})"
            return rows.FailedRow(
                problem=rows.Problem.UNAVAILABLE, why=why, hint="loginward status"
            )
        case StoreFault(problem=problem, remedy=remedy):
            return rows.FailedRow(problem=rows.Problem.UNAVAILABLE, why=problem, hint=remedy)
        case ConfigError():
            why = "; ".join(str(error).splitlines()[:_PROBLEMS])  # each with file, line and column
            hint = "the configuration before it stays in force"
            return rows.FailedRow(problem=rows.Problem.CONFIGURATION, why=why, hint=hint)
    _LOG.error("a fault of ours at the admin socket", exc_info=error)
    hint = "the daemon's log has the details: journalctl -u loginward"
    return rows.FailedRow(problem=rows.Problem.FAULT, why="a fault of ours", hint=hint)
