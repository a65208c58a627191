"""The site's rules: lockout, expiry, passwords, offline, services."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from loginward.settings.keys import InvalidSettingError, Key, Section

_DAY_S = 86400
_SERVICE = re.compile(r"[A-Za-z0-9._@-]+\*?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lockout(Section):
    """When wrong passwords lock an account, where this agent counts them."""

    owner: Annotated[
        Literal["auto", "directory", "agent"],
        Key("Who counts; auto: the directory if its policy does, else this agent"),
    ] = "auto"
    threshold: Annotated[int, Key("The counted failure that locks", at_least=1, at_most=1000)] = 5
    window_s: Annotated[
        int | None,
        Key(
            "Seconds for which a failure counts",
            at_least=1,
            at_most=365 * _DAY_S,
            null="until a login succeeds",
        ),
    ] = 900
    duration_s: Annotated[
        int | None,
        Key(
            "Seconds that a lock lasts",
            at_least=1,
            at_most=365 * _DAY_S,
            null="until an administrator unlocks",
        ),
    ] = 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry(Section):
    """When passwords expire, and what an expired one meets."""

    max_age_d: Annotated[
        int | None,
        Key("Days that a password lasts", at_least=1, at_most=36500, null="for ever"),
    ] = None
    warn_d: Annotated[
        int | None,
        Key("Days before the due date from which to warn", at_least=1, at_most=365, null="never"),
    ] = 14
    when_expired: Annotated[
        Literal["deny", "change"],
        Key("deny: refused with the way out; change: changed inside the login"),
    ] = "deny"
    key_logins: Annotated[
        Literal["deny", "warn"], Key("What a key login with an expired password meets")
    ] = "deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class Password(Section):
    """What a new password must be in the embedded directory; LDAP servers have their own rules."""

    min_length: Annotated[int, Key("Shortest, in characters", at_least=1, at_most=1024)] = 12
    history: Annotated[
        int,
        # Each is one more Argon2id of 150 ms, and the change has 3 s (docs/decisions).
        Key("Old passwords that may not come back", at_least=0, at_most=12),
    ] = 5
    min_age_d: Annotated[
        int | None,
        Key("Days to keep a password before changing it", at_least=1, at_most=365, null="none"),
    ] = None
    update_by: Annotated[
        datetime | None,
        Key(
            "From when passwords set under weaker rules are expired",
            null="never for that cause",
            example="2027-03-31",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offline(Section):
    """Who gets in while the directory cannot be reached."""

    allowed_s: Annotated[
        int,
        Key(
            "Seconds since the last reading for which a copy lets in",
            at_least=60,
            at_most=365 * _DAY_S,
        ),
    ] = 259200
    max_users: Annotated[
        int, Key("People, the most recent ones, who keep a verifier", at_least=1, at_most=10000)
    ] = 25
    verifiers: Annotated[
        tuple[Literal["login", "radius", "gate"], ...],
        Key("Doors whose users keep one; none: nobody gets in offline"),
    ] = ("login",)
    max_failures: Annotated[
        int,
        Key(
            "Wrong guesses since the last online proof that the verifier survives",
            at_least=1,
            at_most=1000,
        ),
    ] = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle(Section):
    """Bounds for one source, against spraying."""

    per_source_per_min: Annotated[
        int | None,
        Key("Checks a minute from one source", at_least=1, at_most=100000, null="no bound"),
    ] = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Services(Section):
    """What PAM services can do. Names are exact; only a last `*` stands for a family."""

    local: Annotated[
        tuple[str, ...], Key("Where a person sits at this machine and is told their own status")
    ] = (
        "login",
        "gdm*",
        "lightdm",
        "sddm",
        "sudo",
        "sudo-i",
        "su",
        "su-l",
        "polkit-1",
        "screensaver",
    )
    asks_account: Annotated[
        tuple[str, ...], Key("Where the account phase follows, so that a change can be opened")
    ] = (
        "sshd",
        "login",
        "gdm*",
        "lightdm",
        "sddm",
        "su",
        "su-l",
        "sudo",
        "sudo-i",
        "polkit-1",
        "passwd",
    )
    non_interactive: Annotated[tuple[str, ...], Key("Where nobody is there to answer")] = (
        "cron",
        "crond",
        "atd",
        "systemd-user",
    )

    def check(self) -> None:
        for key in ("local", "asks_account", "non_interactive"):
            check_services(key, getattr(self, key))
        both = set(self.asks_account) & set(self.non_interactive)
        if both:
            raise InvalidSettingError(
                "non_interactive", f"{min(both)} is named under asks_account too"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource(Section):
    """Something whose users stay in at a status that refuses them elsewhere (R53)."""

    name: Annotated[str, Key("What to call it", example="mail")]
    services: Annotated[tuple[str, ...], Key("PAM services", example="[dovecot]")] = ()
    clients: Annotated[tuple[str, ...], Key("Names of RADIUS clients", example="[wifi]")] = ()
    keep_while: Annotated[
        tuple[Literal["locked", "expired"], ...], Key("Statuses that do not refuse here")
    ] = ()

    def check(self) -> None:
        check_services("services", self.services)
        if not self.name:
            raise InvalidSettingError("name", "must not be empty")
        if not (self.services or self.clients):
            raise InvalidSettingError("services", "a resource needs services or clients")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Section):
    """The site's rules."""

    lockout: Annotated[Lockout, Key("When wrong passwords lock an account")] = field(
        default_factory=Lockout
    )
    expiry: Annotated[Expiry, Key("When passwords expire")] = field(default_factory=Expiry)
    password: Annotated[Password, Key("What a new password must be")] = field(
        default_factory=Password
    )
    offline: Annotated[Offline, Key("Who gets in while the directory is away")] = field(
        default_factory=Offline
    )
    throttle: Annotated[Throttle, Key("Bounds for one source")] = field(default_factory=Throttle)
    services: Annotated[Services, Key("What PAM services can do")] = field(default_factory=Services)
    reveal: Annotated[
        Literal["never", "local", "always"],
        Key("Where a person hears why before the password is proven"),
    ] = "local"
    exempt_users: Annotated[
        tuple[str, ...], Key("Break-glass names that PAM and gate leave alone")
    ] = ("root",)
    resources: Annotated[
        tuple[Resource, ...],
        Key(
            "What stays usable at a status that refuses elsewhere",
            example="[{name: mail, services: [dovecot], clients: [], keep_while: [locked]}]",
        ),
    ] = ()

    def check(self) -> None:
        names = [resource.name for resource in self.resources]
        taken: set[str] = set()
        for at, resource in enumerate(self.resources):
            if names.count(resource.name) > 1:
                raise InvalidSettingError(f"resources[{at}].name", "is used twice")
            if taken & set(resource.services):
                raise InvalidSettingError(
                    f"resources[{at}].services", "a service belongs to one resource"
                )
            taken |= set(resource.services)
        if "root" not in self.exempt_users:
            raise InvalidSettingError("exempt_users", "must name root: the PAM module always does")


def check_services(key: str, services: tuple[str, ...]) -> None:
    """Refuse what cannot be the name of a PAM service, or one with a `*` inside."""
    for service in services:
        if not _SERVICE.fullmatch(service):
            raise InvalidSettingError(
                key, f"{service!r} is no service name; a * may only stand last, as in gdm*"
            )
