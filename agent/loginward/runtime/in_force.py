"""What the site has decided, as one value that a reload replaces as a whole.

Who judges a request takes the value once, when the request begins, and keeps to it to the end: no
request is judged by half of an old and half of a new configuration.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from loginward.core.facts import LockoutPolicy
from loginward.core.owner import OwnerSetting
from loginward.doors.admin.roles import Roles
from loginward.messages.texts import load_texts
from loginward.runtime.access import peers_of
from loginward.runtime.answers import Answers
from loginward.runtime.askers import rules_from
from loginward.runtime.throttle import Bounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loginward.core.clock import Clock
    from loginward.core.policy import Rules
    from loginward.doors.radius.rules import DoorRules
    from loginward.messages.texts import Texts
    from loginward.settings import Settings

_THROTTLE_S = 900  # for how long a failing account counts where failures count without an end


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The settings, and all that is made of them.

    Attributes:
        lockout: How this agent counts where it counts itself.
        radius: What the RADIUS door goes by; None: there is no such door.
        peers: By uid, the services at which a user other than root may ask for others.
    """

    settings: Settings
    rules: Rules
    owner: OwnerSetting
    lockout: LockoutPolicy
    bounds: Bounds
    texts: Texts
    answers: Answers
    peers: Mapping[int, tuple[str, ...]]
    roles: Roles
    radius: DoorRules | None = None


class Configuration:
    """Holds what is in force.

    Attributes:
        current: Replaced by one assignment; read it once, and use what was read.
    """

    def __init__(self, current: InForce) -> None:
        self.current = current


def in_force(settings: Settings, clock: Clock, radius: DoorRules | None = None) -> InForce:
    """Return all that is made of settings, but for the RADIUS door's, which come with secrets.

    Raises:
        ConfigError: The texts cannot be used.
    """
    policy, admin = settings.policy, settings.doors.admin
    lockout = policy.lockout
    texts = load_texts(
        settings.messages.language,
        settings.messages.override_file,
        contact=settings.support.contact,
    )
    return InForce(
        settings=settings,
        rules=rules_from(settings),
        owner=OwnerSetting(lockout.owner),
        lockout=LockoutPolicy(lockout.threshold, lockout.window_s, lockout.duration_s),
        bounds=Bounds(
            per_min=policy.throttle.per_source_per_min,
            window=timedelta(seconds=lockout.window_s or _THROTTLE_S),
        ),
        texts=texts,
        answers=Answers(settings, texts, clock),
        peers=peers_of(settings),
        roles=Roles(admin.roles, admin.protected_groups),
        radius=radius,
    )
