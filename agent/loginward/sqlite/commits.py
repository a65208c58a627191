"""Group commit: many callers, one flush.

The first caller writes for all who wait by then; those who come meanwhile wait for the next
commit, which one of them leads. Alone, a caller pays no change of thread.

A disk may hang instead of failing: whoever waits for another's commit waits for a bounded time,
and while that one does not come back nobody else does.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from loginward.errors import StoreFault
from loginward.sqlite.database import roll_back
from loginward.sqlite.faults import NotWritable, fault_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.sqlite.database import Database

T = TypeVar("T")
MOST_AT_ONCE: Final = 256  # bounds how long one commit keeps the others waiting
PATIENCE_S: Final = 3.0  # with another's commit: less than the 4 s of a login's client


class _Job:
    """One function to run in a transaction, and what came of it.

    Attributes:
        done: It has a result or a failure.
        leads: Its thread is the one to lead the next commit.
        is_over: Its thread goes on without: it is not run any more.
        turn: Held until it is done, or its turn to lead has come.
    """

    __slots__ = ("done", "failure", "function", "is_over", "leads", "result", "turn")

    def __init__(self, function: Callable[[sqlite3.Connection], Any]) -> None:
        self.function = function
        self.result: Any = None
        self.failure: BaseException | None = None
        self.done = self.leads = self.is_over = False
        self.turn = threading.Lock()
        self.turn.acquire()


class GroupCommit:
    """Runs functions in shared transactions; each returns when its own writes are durable.

    Args:
        patience_s: How long to wait for another's commit, seconds.
    """

    def __init__(self, database: Database, patience_s: float = PATIENCE_S) -> None:
        self._database = database
        self._patience_s = patience_s
        self._connection: sqlite3.Connection | None = None
        self._lock = threading.Lock()
        self._queue = deque[_Job]()
        self._led = False
        self._hangs = False  # somebody waited in vain for the commit that is under way
        self._turns = 0

    @property
    def turn(self) -> int | None:
        """Return the number of the commit that is under way; None: none is."""
        with self._lock:
            return self._turns if self._led else None

    @property
    def hangs(self) -> bool:
        """Whether the commit under way has taken longer than anybody waits."""
        return self._hangs

    def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function in a transaction and return its result once it is durable.

        What the function raises undoes its own writes alone and is raised here.

        Args:
            function: Gets the connection; must neither commit nor wait for another caller.

        Raises:
            NotWritable: Also where another's commit did not come back in time. Then the function
                has not run and never will, unless it was part of that very commit: then
                nobody can tell what becomes of it.
            StoreFault: The transaction could not be written; nothing of it was kept.
        """
        job = _Job(function)
        with self._lock:
            if self._hangs:
                raise self._no_answer()
            self._queue.append(job)
            job.leads = not self._led
            self._led = True
        if not job.leads and not job.turn.acquire(timeout=self._patience_s):
            self._give_up(job)
        if not job.done:
            self._lead()
        if job.failure is not None:
            raise job.failure
        return cast("T", job.result)

    def close(self) -> None:
        """Close the database, unless a commit hangs: closing would wait for it.

        The end of the process closes everything. Nobody may be reading.
        """
        with contextlib.suppress(StoreFault):
            self.run(lambda _: None)  # waits for its turn, for a bounded time
        if not self._hangs:
            self._database.close()

    def _give_up(self, job: _Job) -> None:
        """Wait no longer, unless the turn of a job came at this very moment.

        Raises:
            NotWritable: It did not.
        """
        with self._lock:
            comes = job.done or job.leads
            if not comes:
                self._hangs = job.is_over = True
                if job in self._queue:
                    self._queue.remove(job)
        if not comes:
            raise self._no_answer()
        job.turn.acquire()

    def _no_answer(self) -> NotWritable:
        return NotWritable(
            f"{self._database.path}: the disk does not answer",
            "look at the disk and the kernel's log",
        )

    def _lead(self) -> None:
        batch: list[_Job] = []
        try:
            with self._lock:
                most = min(len(self._queue), MOST_AT_ONCE)
                batch.extend(self._queue.popleft() for _ in range(most))
            self._write(batch)
        finally:
            self._hand_over(batch)

    def _hand_over(self, batch: list[_Job]) -> None:
        """Let the next one lead, whatever became of this commit."""
        with self._lock:
            for job in batch:
                if not job.done:  # only by a fault of ours, or as this very thread is torn down
                    job.failure = StoreFault(f"{self._database.path}: the commit was cut short")
                    job.done = True
            following = self._queue[0] if self._queue else None
            self._led = following is not None
            self._hangs = False
            self._turns += 1
            if following is not None:
                following.leads = True
        for job in batch:
            job.turn.release()
        if following is not None:
            following.turn.release()

    def _write(self, batch: list[_Job]) -> None:
        try:
            connection = self._connection or self._database.open_connection()
            self._connection = connection
            connection.execute("BEGIN IMMEDIATE")
            for job in batch:
                if not job.is_over:
                    _run(connection, job, alone=len(batch) == 1)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._fail(batch, fault_of(error, self._database.path))
        except StoreFault as fault:
            self._fail(batch, fault)
        finally:
            self._tidy()
        with self._lock:
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
            with contextlib.suppress(sqlite3.Error):
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
