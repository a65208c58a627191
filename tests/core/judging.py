"""What the law says of alice, asked in one line."""

from __future__ import annotations

from loginward.core.decide import after_password, before_password
from loginward.core.policy import Asker, KeyLogins, Rules, WhenExpired
from loginward.core.readings import Copy, Fresh
from loginward.core.status import (
    PasswordStatus,
    UserState,
)
from tests.core.people import (
    DAY,
    HOUR,
    NOW,
    RIGHT,
    alice,
)

SUSPENDED = {"state": UserState.SUSPENDED}
STAGED = {"state": UserState.STAGED}
THROTTLED = {"throttled_until": NOW + HOUR}
FORBIDDEN = {"permitted": False}
KEEPS_LOCKED = {"keep_while": frozenset({PasswordStatus.LOCKED}), "resource": "mail"}
KEEPS_EXPIRED = {"keep_while": frozenset({PasswordStatus.EXPIRED}), "resource": "mail"}
CHANGE = Rules(when_expired=WhenExpired.CHANGE)
WARN_KEYS = Rules(key_logins=KeyLogins.WARN)
TAKES_CHANGE = {"can_change_expired": True}
STALE = {"read_at": NOW - 4 * DAY}


DENY, ANYBODY = Rules(), Asker()


def signed_in(reading, checked=RIGHT, asker=ANYBODY, rules=DENY):
    """Return the decision on one password, by both rules."""
    before = before_password(reading, asker, rules, NOW)
    return before or after_password(reading, checked, asker, rules, NOW)


def fresh(*known):
    return Fresh(alice(**{key: value for one in known for key, value in one.items()}))


def copy(*known):
    return Copy(fresh(*known).facts)
