"""What the caller says of a new account, checked field by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loginward.core.status import UserState
from loginward.directory.embedded import values
from loginward.directory.embedded.fields import FieldProblem
from loginward.directory.embedded.record import Record
from loginward.directory.port import NotDone

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account to add; it has no password until one is set or activation brings one.

    Attributes:
        starts_at: A scheduled activation (aware UTC); None: none.
        ends_at: A scheduled end (aware UTC); None: none.
    """

    name: str
    display_name: str = ""
    mail: str = ""
    recovery: str = ""
    groups: frozenset[str] = frozenset()
    state: UserState = UserState.ACTIVE
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def record_of(new: NewAccount, account_id: str, now: datetime) -> Record | NotDone:
    """Return the record of a new account, or what is wrong with it."""
    for field, take, value in (
        ("The name", values.login_name, new.name),
        ("The display name", values.text, new.display_name),
        ("The mail address", values.address, new.mail),
        ("The recovery address", values.address, new.recovery),
        ("The list of groups", values.groups, sorted(new.groups)),
    ):
        try:
            take(value)
        except FieldProblem as problem:
            return NotDone(f"{field} {problem}.")
    impossible = schedule_problem(new.starts_at, new.ends_at)
    if impossible is not None:
        return impossible
    return Record(
        id=account_id,
        name=new.name,
        display_name=new.display_name,
        mail=new.mail,
        recovery=new.recovery,
        groups=new.groups,
        created_at=now,
        state=new.state,
        state_since=now,
        starts_at=new.starts_at,
        ends_at=new.ends_at,
    )


def schedule_problem(starts_at: datetime | None, ends_at: datetime | None) -> NotDone | None:
    """Return why those dates cannot be; None: they can."""
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        return NotDone("The end is not after the start; correct one of them.")
    return None
