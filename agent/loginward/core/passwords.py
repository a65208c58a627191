"""Passwords: what a new one must be, and when one falls due.

Source: requirements R12, R13, R19, R40; NIST SP 800-63B section 5.1.1.2 for what is weak.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta

from loginward.core.changes import ChangeProblem
from loginward.core.names import index_form
from loginward.core.secret import MAX_OCTETS, Secret
from loginward.core.status import DueDate, ExpiryCause

MIN_DISTINCT = 5  # characters; fewer is a rhythm, not a password
MIN_NAME = 3  # characters; a shorter name is inside too many good passwords


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordRules:
    """The site's rules for passwords that we keep or change.

    Attributes:
        min_length: In characters, not octets.
        history: How many old passwords, besides the one in force, may not come back.
        min_age_s: How long a person must keep a password; None: not at all.
        max_age_s: How long a password lasts; None: for ever.
        update_by: Passwords set before the rules last asked for more are due then (R13);
            None: they never are for that cause.
    """

    min_length: int = 12
    history: int = 5
    min_age_s: int | None = None
    max_age_s: int | None = None
    update_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Demands:
    """The rules as they were known last, to see when they ask for more.

    Attributes:
        update_by: The last date ever set; None: none yet.
    """

    min_length: int
    update_by: datetime | None


def problem_of(new: Secret, name: str, rules: PasswordRules) -> ChangeProblem | None:
    """Return what is wrong with a new password of that account by itself; None: nothing."""
    octets = new.reveal()
    if len(octets) > MAX_OCTETS:
        return ChangeProblem.TOO_LONG
    text = _as_text(octets)
    if len(text) < max(1, rules.min_length):
        return ChangeProblem.TOO_SHORT
    if 0 in octets or _holds_name(text, name) or _is_pattern(text):
        return ChangeProblem.TOO_WEAK
    return None


def is_too_young(
    changed_at: datetime | None, rules: PasswordRules, now: datetime, *, must_change: bool
) -> bool:
    """Return whether the minimum age forbids a change; never one that is demanded (R19, R40)."""
    if rules.min_age_s is None or changed_at is None or must_change:
        return False
    return now - changed_at < timedelta(seconds=rules.min_age_s)


def due_dates(
    changed_at: datetime, rules: PasswordRules, *, forced_at: datetime | None, outdated: bool
) -> tuple[DueDate, ...]:
    """Return every moment from which a password is expired, with its cause (R12-R14).

    `forced_at` is when an administrator expired it, None if nobody did; `outdated` says that it
    was set before the rules last asked for more.
    """
    due = []
    if forced_at is not None:
        due.append(DueDate(forced_at, ExpiryCause.BY_ADMIN))
    if outdated and rules.update_by is not None:
        due.append(DueDate(rules.update_by, ExpiryCause.POLICY_DEADLINE))
    if rules.max_age_s is not None:
        aged_out = changed_at + timedelta(seconds=rules.max_age_s)
        due.append(DueDate(aged_out, ExpiryCause.AGING))
    return tuple(due)


def asks_for_more(last: Demands, rules: PasswordRules, now: datetime) -> bool:
    """Return whether passwords set until now no longer do, by these rules (R13).

    A longer minimum does it, and a date to update by: the first one, or one set after the last
    had passed. A date that is moved while it lies ahead is the same demand with another date.
    """
    if rules.min_length > last.min_length:
        return True
    if rules.update_by is None or rules.update_by == last.update_by:
        return False
    return last.update_by is None or last.update_by <= now


def demands_of(last: Demands | None, rules: PasswordRules) -> Demands:
    """Return what to remember of the rules now in force."""
    known = last.update_by if last is not None else None
    return Demands(rules.min_length, rules.update_by or known)


def _as_text(octets: bytes) -> str:
    """Return the characters to count; octets that are no UTF-8 count as one each."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _holds_name(text: str, name: str) -> bool:
    whole = index_form(name)
    folded = index_form(text)
    return any(
        len(part) >= MIN_NAME and part in folded for part in (whole, whole.partition("@")[0])
    )


def _is_pattern(text: str) -> bool:
    """Return whether a text is a repetition ("aaaa", "abcabc") or mostly a sequence ("12345")."""
    if len(set(text)) < MIN_DISTINCT or text in (text + text)[1:-1]:
        return True
    steps = [abs(ord(b) - ord(a)) for a, b in itertools.pairwise(text)]
    return 3 * sum(step <= 1 for step in steps) > 2 * len(steps)
