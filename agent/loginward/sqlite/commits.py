"""Group commit: many callers, one flush.

The first caller writes for all who wait by then; those who come meanwhile wait for the next
commit, which one of them leads. Alone, a caller pays no change of thread.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from loginward.errors import StoreFault
from loginward.sqlite.database import roll_back
from loginward.sqlite.faults import fault_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.sqlite.database import Database

T = TypeVar("T")
MOST_AT_ONCE: Final = 256  # bounds how long one commit keeps the others waiting


class _Job:
    """One function to run in a transaction, and what came of it."""

    __slots__ = ("done", "failure", "function", "result", "turn")

    def __init__(self, function: Callable[[sqlite3.Connection], Any]) -> None:
        self.function = function
        self.result: Any = None
        self.failure: BaseException | None = None
        self.done = False
        self.turn = threading.Lock()  # held until it is done, or its turn to lead has come
        self.turn.acquire()


class GroupCommit:
    """Runs functions in shared transactions; each returns when its own writes are durable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        self._queue = deque[_Job]()
        self._led = False

    def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function in a transaction and return its result once it is durable.

        What the function raises undoes its own writes alone and is raised here.

        Args:
            function: Gets the connection; must neither commit nor wait for another caller.

        Raises:
            StoreFault: The transaction could not be written; nothing of it was kept.
        """
        job = _Job(function)
        with self._lock:
            self._queue.append(job)
            leads = not self._led
            self._led = True
        if not leads:
            job.turn.acquire()
        if not job.done:
            self._lead()
        if job.failure is not None:
            raise job.failure
        return cast("T", job.result)

    def _lead(self) -> None:
        with self._lock:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), MOST_AT_ONCE))]
        try:
            self._write(batch)
        finally:
            with self._lock:
                following = self._queue[0] if self._queue else None
                self._led = following is not None
            for job in batch:
                if not job.done:  # only if this very thread is being torn down
                    job.failure = StoreFault(f"{self._database.path}: the commit was cut short")
                    job.done = True
                job.turn.release()
            if following is not None:
                following.turn.release()

    def _write(self, batch: list[_Job]) -> None:
        try:
            connection = self._connection or self._database.open_connection()
            self._connection = connection
            connection.execute("BEGIN IMMEDIATE")
            for job in batch:
                _run(connection, job, alone=len(batch) == 1)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._fail(batch, fault_of(error, self._database.path))
        except StoreFault as fault:
            self._fail(batch, fault)
        finally:
            self._tidy()
        for job in batch:
            job.done = True

    def _tidy(self) -> None:
        """Leave no transaction open; a connection that cannot end its own is replaced."""
        connection = self._connection
        if connection is None:
            return
        try:
            roll_back(connection)
        except sqlite3.Error:
            self._connection = None
            connection.close()

    def _fail(self, batch: list[_Job], fault: StoreFault) -> None:
        for job in batch:
            if job.failure is None:
                job.failure = type(fault)(fault.problem, fault.remedy)


def _run(connection: sqlite3.Connection, job: _Job, *, alone: bool) -> None:
    """Run one function; a failure of its own undoes what it wrote and nothing else.

    Raises:
        sqlite3.Error: The whole transaction is lost, and so are the neighbours' writes.
    """
    if not alone:
        connection.execute("SAVEPOINT job")
    try:
        job.result = job.function(connection)
    except sqlite3.IntegrityError as failure:
        job.failure = failure
    except sqlite3.Error:
        raise
    except BaseException as failure:  # noqa: BLE001  it belongs to the caller, who gets it
        job.failure = failure
    if alone and job.failure is not None:
        connection.execute("ROLLBACK")
        connection.execute("BEGIN")  # so that the caller's COMMIT has something to end
    elif not alone:
        if job.failure is not None:
            connection.execute("ROLLBACK TO job")
        connection.execute("RELEASE job")
