"""What an administrator can do, and the rights that roles are made of (security.md 16)."""

from __future__ import annotations

import enum


class Verb(enum.Enum):
    """What an administrator may do to an account."""

    UNLOCK = "unlock"
    LOCK = "lock"
    RESET_PASSWORD = "reset-password"  # noqa: S105  a verb
    SET_TEMPORARY = "set-temporary"
    SET_FIRST_PASSWORD = "set-first-password"  # noqa: S105  a verb
    EXPIRE = "expire"
    SUSPEND = "suspend"
    ACTIVATE = "activate"
    RESEND_ACTIVATION = "resend-activation"

    @property
    def sets_password(self) -> bool:
        """Whether the verb brings a password that an administrator chose."""
        return self in {Verb.RESET_PASSWORD, Verb.SET_TEMPORARY, Verb.SET_FIRST_PASSWORD}


class Right(enum.Enum):
    """What a role may be given in `doors.admin.roles`; verbs are rights of the same name."""

    VIEW = "view"  # status, why, lists, events, doctor; changes nothing
    UNLOCK = "unlock"
    LOCK = "lock"
    RESET_PASSWORD = "reset-password"  # noqa: S105  a right
    SET_TEMPORARY = "set-temporary"
    SET_FIRST_PASSWORD = "set-first-password"  # noqa: S105  a right
    EXPIRE = "expire"
    SUSPEND = "suspend"
    ACTIVATE = "activate"
    RESEND_ACTIVATION = "resend-activation"
    ADD = "add"
    REMOVE = "remove"
    IMPORT = "import"
    EXPORT = "export"  # without hashes: those need every right
    CACHE = "cache"
    REFRESH = "refresh"
    RELOAD = "reload"
    CLOCK = "clock"
    ACTIVATE_SELF = "activate-self"  # nobody has to be given it


ALL_RIGHTS = frozenset(Right)
OF_EVERYBODY = frozenset({Right.ACTIVATE_SELF})
