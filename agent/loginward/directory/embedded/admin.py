"""An administrator's work on the accounts: the verbs, adding, removing, scheduling."""

from __future__ import annotations

import secrets
import sqlite3
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from loginward.core.passwords import problem_of
from loginward.core.status import UserState
from loginward.directory.embedded import accounts, codec, life, rows, tokens
from loginward.directory.embedded.acts import STEPS, Acted, Means, Written
from loginward.directory.port import Act, Done, NotDone

if TYPE_CHECKING:
    from datetime import datetime

    from loginward.core.clock import Deadline
    from loginward.directory.embedded.accounts import NewAccount
    from loginward.directory.embedded.book import Book
    from loginward.directory.embedded.record import Record

GONE = NotDone("The account is gone; list the accounts again.")


def carry_out(book: Book, account_id: str, act: Act, deadline: Deadline) -> Done | NotDone:
    """Carry out one verb on one account.

    Raises:
        DirectoryUnavailable: No computation was free for the password in time; nothing was done.
    """
    step = STEPS[act.verb]
    now = book.clock.now()
    means = Means(
        now=now, site=book.site, lock_id=secrets.token_hex(8), token=tokens.new_token(now)
    )
    record = book.by_id(account_id)
    if record is None:
        return GONE
    if act.verb.sets_password:
        foreseen = _password_problem(book, record, act) or step(record, means)
        if isinstance(foreseen, NotDone) or act.password is None:
            return foreseen if isinstance(foreseen, NotDone) else GONE
        means = replace(means, phc=book.hashing.new(act.password, account_id, deadline))

    def in_file(current: Record | None) -> tuple[Record | None, Done | NotDone]:
        acted: Acted = GONE if current is None else step(current, means)
        return (acted.record, acted.done) if isinstance(acted, Written) else (None, acted)

    return book.update(account_id, in_file)


def add(book: Book, new: NewAccount) -> tuple[str, Done] | NotDone:
    """Add an account without a password.

    Returns:
        Its id, and Done with an activation token unless it is staged or suspended.

    Raises:
        StoreFault: The file cannot be written; nothing was added.
    """
    now = book.clock.now()
    record = accounts.record_of(new, str(uuid.uuid4()), now)
    if isinstance(record, NotDone):
        return record
    shown, token = tokens.new_token(now)
    if new.state is UserState.ACTIVE and (new.starts_at is None or new.starts_at <= now):
        record = life.with_token(record, token)
    try:
        book.write(lambda connection: rows.insert(connection, [codec.rows_of(record)]))
    except sqlite3.IntegrityError:
        return NotDone("That name is taken, perhaps in another spelling; choose another.")
    return record.id, Done(token=None if record.token is None else shown)


def remove(book: Book, account_id: str) -> Done | NotDone:
    """Remove an account and all that is kept of it.

    Raises:
        StoreFault: The file cannot be written; nothing was removed.
    """
    return Done() if book.remove(account_id) else GONE


def schedule(
    book: Book, account_id: str, starts_at: datetime | None, ends_at: datetime | None
) -> Done | NotDone:
    """Set when an account starts and ends; None takes that date away."""
    problem = accounts.schedule_problem(starts_at, ends_at)
    if problem is not None:
        return problem
    now = book.clock.now()

    def in_file(current: Record | None) -> tuple[Record | None, Done | NotDone]:
        if current is None:
            return None, GONE
        if (current.starts_at, current.ends_at) == (starts_at, ends_at):
            return current, Done(was_noop=True)
        return life.scheduled(current, starts_at=starts_at, ends_at=ends_at, now=now), Done()

    return book.update(account_id, in_file)


def _password_problem(book: Book, record: Record, act: Act) -> NotDone | None:
    if act.password is None:
        return NotDone("This needs a password; give one.")
    problem = problem_of(act.password, record.name, book.site.passwords)
    if problem is None:
        return None
    return NotDone(f"The password is {problem.value} by policy.password; choose another.")
