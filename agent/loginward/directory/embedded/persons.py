"""A person's own new password: proven by the old one, or by an activation token."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from loginward.core.changes import Changed, ChangeProblem, NotChanged
from loginward.core.facts import status_at
from loginward.core.passwords import is_too_young, problem_of
from loginward.core.status import PasswordStatus, UserState
from loginward.directory.embedded import life, tokens
from loginward.directory.embedded.facts import SiteRules, facts_of, status_of
from loginward.directory.embedded.record import SetBy

if TYPE_CHECKING:
    from datetime import datetime

    from loginward.core.clock import Deadline
    from loginward.core.secret import Secret
    from loginward.directory.embedded.book import Book
    from loginward.directory.embedded.record import Record

NO_ACTIVATION = NotChanged(ChangeProblem.NO_ACTIVATION)


def change(
    book: Book, record: Record, old: Secret, new: Secret, deadline: Deadline
) -> Changed | NotChanged:
    """Change a password, proving the old one; nothing is computed for who may not (I3, I7)."""
    now, site = book.clock.now(), book.site
    password = record.password
    shut = barrier(record, site, now)
    if shut is not None or password is None:
        return shut or NotChanged(ChangeProblem.NOT_ALLOWED, "no password is set")
    if not book.hashing.matches(password.phc, old, record.id, deadline):
        return NotChanged(ChangeProblem.WRONG_OLD)
    problem = ChangeProblem.SAME if new == old else _problem_of_change(record, new, site, now)
    if problem is None and any(
        book.hashing.matches(was.phc, new, record.id, deadline) for was in password.history
    ):
        problem = ChangeProblem.IN_HISTORY
    if problem is not None:
        return NotChanged(problem)
    phc = book.hashing.new(new, record.id, deadline)

    def step(current: Record | None) -> tuple[Record | None, Changed | NotChanged]:
        moved = current is None or current.password is None or current.password.phc != password.phc
        if current is None or moved:
            return None, NotChanged(ChangeProblem.WRONG_OLD, "it was changed meanwhile")
        return _with_password(current, phc, SetBy.PERSON, site, now)

    return book.update(record.id, step)


def activate(
    book: Book, name: str, typed: Secret, new: Secret, deadline: Deadline
) -> Changed | NotChanged:
    """Set the first password by an activation token, which is used up by it (I14).

    An unknown name, a wrong token and one that was used or outlived are one answer.
    """
    now, site = book.clock.now(), book.site
    record = book.by_name(name)
    token = None if record is None else record.token
    if not tokens.opens(token, typed, now) or record is None or token is None:
        return NO_ACTIVATION
    shut = barrier(record, site, now)
    if shut is not None:
        return shut
    problem = problem_of(new, record.name, site.passwords)
    if problem is not None:
        return NotChanged(problem)
    phc = book.hashing.new(new, record.id, deadline)

    def step(current: Record | None) -> tuple[Record | None, Changed | NotChanged]:
        kept = None if current is None or current.token is None else current.token.digest
        if current is None or kept is None or not hmac.compare_digest(kept, token.digest):
            return None, NO_ACTIVATION
        return _with_password(current, phc, SetBy.ACTIVATION, site, now)

    return book.update(record.id, step)


def barrier(record: Record, site: SiteRules, now: datetime) -> NotChanged | None:
    """Return why the person may not choose a password now; None: nothing is against it."""
    status = status_of(record, site, now)
    if status.state is not UserState.ACTIVE:
        return NotChanged(ChangeProblem.NOT_ALLOWED, f"the account is {status.state.value}")
    if PasswordStatus.LOCKED in status.statuses:
        return NotChanged(ChangeProblem.NOT_ALLOWED, "the account is locked")
    return None


def _with_password(
    record: Record, phc: str, set_by: SetBy, site: SiteRules, now: datetime
) -> tuple[Record | None, Changed | NotChanged]:
    """Return the account with its new password, unless it was closed while that was hashed."""
    shut = barrier(record, site, now)
    if shut is not None:
        return None, shut
    after = life.with_password(record, phc, set_by=set_by, rules=site.passwords, now=now)
    return after, Changed(now)


def _problem_of_change(
    record: Record, new: Secret, site: SiteRules, now: datetime
) -> ChangeProblem | None:
    facts = facts_of(record, site, now)
    status = status_at(facts, now)
    demanded = status.must_change or PasswordStatus.EXPIRED in status.statuses
    if is_too_young(facts.changed_at, site.passwords, now, must_change=demanded):
        return ChangeProblem.TOO_YOUNG
    return problem_of(new, record.name, site.passwords)
