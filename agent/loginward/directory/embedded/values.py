"""The values of an import file's fields, each checked for what it must be.

A CSV cell is always a text; JSON brings its own kinds. Both are taken where they mean the same.
"""

from __future__ import annotations

import enum
import json
import re
import unicodedata
from typing import TYPE_CHECKING, Final, TypeVar

from loginward.core.lockout import Failure, Tally
from loginward.core.names import is_well_formed
from loginward.core.secret import Secret
from loginward.core.status import Lock, LockCause, UserState
from loginward.directory.embedded import fields
from loginward.directory.embedded.fields import FieldProblem, parse_moment
from loginward.directory.embedded.record import OldPassword, SetBy, Token

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_E = TypeVar("_E", bound=enum.Enum)
MAX_TEXT: Final = 256  # characters of a name, an address, a group, a source
MAX_GROUPS: Final = 1024
MAX_COUNT: Final = 2**31
_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_STATES: Final = {word: state for state, word in fields.STATES.items()}
_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


def text(value: object) -> str:
    """Take a text of one line."""
    if not isinstance(value, str):
        raise FieldProblem("is no text; write it in quotes")
    if len(value) > MAX_TEXT:
        raise FieldProblem(f"is longer than {MAX_TEXT} characters; shorten it")
    if any(unicodedata.category(c) in _UNPRINTABLE for c in value):
        raise FieldProblem("holds a control character; remove it")
    return value


def login_name(value: object) -> str:
    """Take a login name."""
    name = text(value)
    if not is_well_formed(name):
        raise FieldProblem("is no login name; it has no colon, slash or hyphen in front")
    return name


def account_id(value: object) -> str:
    """Take an account id."""
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    raise FieldProblem("is no id; letters, digits and hyphens, or leave it empty")


def address(value: object) -> str:
    """Take a mail address, or nothing."""
    mail = text(value)
    if mail and not _ADDRESS.fullmatch(mail):
        raise FieldProblem("is no mail address; write it like ann@example.org")
    return mail


def groups(value: object) -> frozenset[str]:
    """Take group names: a list, or a text with semicolons between them."""
    if isinstance(value, str) and not value.startswith("["):
        names: object = [name for name in (part.strip() for part in value.split(";")) if name]
    else:
        names = _structure(value)
    if not isinstance(names, list) or len(names) > MAX_GROUPS:
        raise FieldProblem("is no list of groups; write them like staff;vpn")
    return frozenset(text(name) for name in names)


def flag(value: object) -> bool:
    """Take true or false."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise FieldProblem("is neither true nor false")


def moment(value: object) -> datetime:
    """Take a moment with its zone."""
    return parse_moment(text(value))


def maybe_moment(value: object) -> datetime | None:
    """Take a moment that need not be there."""
    return moment(value)


def state(value: object) -> UserState:
    """Take a state as the vendor's API spells it."""
    if isinstance(value, str) and value in _STATES:
        return _STATES[value]
    raise FieldProblem(f"is none of {', '.join(_STATES)}")


def kept_state(value: object) -> UserState:
    """Take a state as a backup spells it: what was set, not what follows from dates."""
    return _one_of(UserState, value)


def set_by(value: object) -> SetBy:
    """Take who set a password."""
    return _one_of(SetBy, value)


def secret(value: object) -> Secret:
    """Take a clear-text password; no problem ever quotes it."""
    if not isinstance(value, str):
        raise FieldProblem("is no text; write it in quotes")
    try:
        return Secret(value.encode())
    except UnicodeEncodeError as error:
        raise FieldProblem("holds half a character; type it anew") from error


def hash_by(is_hash: Callable[[str], bool]) -> Callable[[object], str]:
    """Return the taker of password hashes of the kind that can be checked here."""

    def parse(value: object) -> str:
        if isinstance(value, str) and is_hash(value):
            return value
        raise FieldProblem("is no Argon2id hash in PHC form ($argon2id$v=19$m=...,t=...,p=...$)")

    return parse


def history_by(is_hash: Callable[[str], bool]) -> Callable[[object], tuple[OldPassword, ...]]:
    """Return the taker of a backup's password history."""
    old_hash = hash_by(is_hash)

    def parse(value: object) -> tuple[OldPassword, ...]:
        pairs = _list(_structure(value))
        return tuple(OldPassword(old_hash(phc), moment(at)) for phc, at in map(_pair, pairs))

    return parse


def admin_lock(value: object) -> Lock | None:
    """Take a backup's lock that an administrator set."""
    return _lock(_structure(value), LockCause.BY_ADMIN)


def tally(value: object) -> Tally:
    """Take a backup's failures and the lock that they tripped."""
    kept = _members(_structure(value), {"epoch", "failures", "lock"})
    failures = map(_pair, _list(kept["failures"]))
    return Tally(
        failures=tuple(Failure(moment(at), text(source)) for at, source in failures),
        lock=None if kept["lock"] is None else _lock(kept["lock"], LockCause.THRESHOLD),
        epoch=_count(kept["epoch"]),
    )


def token(value: object) -> Token | None:
    """Take a backup's activation: the digest of the token, not the token."""
    kept = _members(_structure(value), {"sha256", "expires_at"})
    digest = kept["sha256"]
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise FieldProblem("holds no SHA-256 in hexadecimal; take it from a backup")
    return Token(bytes.fromhex(digest), moment(kept["expires_at"]))


def _lock(value: object, cause: LockCause) -> Lock:
    kept = _members(value, {"id", "since", "until", "source", "failures"})
    return Lock(
        id=account_id(kept["id"]),
        cause=cause,
        since=None if kept["since"] is None else moment(kept["since"]),
        until=None if kept["until"] is None else moment(kept["until"]),
        source=text(kept["source"]),
        failures=_count(kept["failures"]),
    )


def _one_of(kind: type[_E], value: object) -> _E:
    for member in kind:
        if member.value == value:
            return member
    raise FieldProblem(f"is none of {', '.join(str(member.value) for member in kind)}")


def _structure(value: object) -> object:
    """Return what a JSON text in a CSV cell stands for; JSON's own values as they are."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise FieldProblem("is no JSON; take it from a backup as it is") from error


def _members(value: object, names: set[str]) -> dict[str, object]:
    if isinstance(value, dict) and set(value) == names:
        return value
    raise FieldProblem(f"does not hold exactly {', '.join(sorted(names))}; take it from a backup")


def _list(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    raise FieldProblem("is no list; take it from a backup as it is")


def _pair(value: object) -> tuple[object, object]:
    if isinstance(value, list) and len(value) == 2:
        return value[0], value[1]
    raise FieldProblem("does not hold pairs; take it from a backup as it is")


def _count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MAX_COUNT:
        return value
    raise FieldProblem("does not hold a count; take it from a backup as it is")
