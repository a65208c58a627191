"""From settings to what the law wants to know of who asks."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from loginward.core.policy import Asker, KeyLogins, Rules, ServiceKind, WhenExpired
from loginward.core.requests import Door, Phase
from loginward.core.status import PasswordStatus

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from loginward.core.facts import AccountFacts
    from loginward.core.requests import LoginRequest
    from loginward.runtime.transactions import Transaction
    from loginward.settings import Settings

_SESSION_MANAGER = "systemd-user"
_DAY_S = 86400


def keeps_verifiers(settings: Settings, door: Door) -> bool:
    """Return whether people of a door are checked against sealed verifiers while offline."""
    radius = settings.doors.radius
    if door is Door.RADIUS and radius is not None and radius.offline_verifiers:
        return True
    return door.value in settings.policy.offline.verifiers


def rules_from(settings: Settings) -> Rules:
    """Return the site's rules in the law's own terms."""
    expiry = settings.policy.expiry
    return Rules(
        when_expired=WhenExpired(expiry.when_expired),
        key_logins=KeyLogins(expiry.key_logins),
        warn_s=None if expiry.warn_d is None else expiry.warn_d * _DAY_S,
        offline_allowed_s=settings.policy.offline.allowed_s,
    )


def names_service(patterns: Iterable[str], service: str) -> bool:
    """Return whether a service is one of those named; `gdm*` names a family."""
    return any(fnmatchcase(service, pattern) for pattern in patterns)


def service_kind(settings: Settings, service: str) -> ServiceKind:
    """Return how much a PAM service can converse (design: `policy.services`)."""
    if service == _SESSION_MANAGER:
        return ServiceKind.SESSION_MANAGER
    services = settings.policy.services
    if names_service(services.non_interactive, service):
        return ServiceKind.NON_INTERACTIVE
    if names_service(services.asks_account, service):
        return ServiceKind.CONVERSES
    return ServiceKind.AUTHENTICATES


def is_local(settings: Settings, request: LoginRequest) -> bool:
    """Return whether the person sits at this machine, so that their own status may be told."""
    if request.door is Door.RADIUS or request.rhost:
        return False
    return names_service(settings.policy.services.local, request.service)


def asker_of(
    settings: Settings,
    request: LoginRequest,
    account: AccountFacts | None,
    *,
    throttled_until: datetime | None,
    proof: Transaction | None,
) -> Asker:
    """Return who asks; `account` None: nothing is known about the name."""
    keep_while, resource = _kept_at(settings, request.door, request.service)
    at_radius = request.door is Door.RADIUS
    proven = proof is not None and account is not None and proof.account_id == account.account_id
    return Asker(
        door=request.door,
        service=_kind(settings, request),
        keep_while=keep_while,
        resource=resource,
        permitted=account is None or _permitted(settings, request, account),
        throttled_until=throttled_until,
        proven=proven,
        earlier=proof.checked if proven and proof is not None else None,
        changing=request.phase in {Phase.CHAUTHTOK_PRELIM, Phase.CHAUTHTOK_UPDATE},
        inline_change=request.inline_change,
        by_certificate=at_radius and request.phase is Phase.ACCT,
    )


def keeps_locked(settings: Settings, client: str) -> bool:
    """Return whether a RADIUS client's people keep access while they are locked (R53)."""
    return PasswordStatus.LOCKED in _kept_at(settings, Door.RADIUS, client)[0]


def _kind(settings: Settings, request: LoginRequest) -> ServiceKind:
    """Return how much can be asked for on this way in beside the password."""
    match request.door:
        case Door.LOGIN:
            return service_kind(settings, request.service)
        case Door.RADIUS:
            return ServiceKind.AUTHENTICATES  # a challenge belongs to the request
        case Door.GATE:
            return ServiceKind.CONVERSES


def _kept_at(settings: Settings, door: Door, service: str) -> tuple[frozenset[PasswordStatus], str]:
    for resource in settings.policy.resources:
        if service in (resource.clients if door is Door.RADIUS else resource.services):
            return frozenset(PasswordStatus(s) for s in resource.keep_while), resource.name
    return frozenset(), ""


def _permitted(settings: Settings, request: LoginRequest, account: AccountFacts) -> bool:
    """Return whether the account is in scope: of the RADIUS client, or of `doors.login.allow`.

    Where no rule speaks of it, anybody is.
    """
    if request.door is Door.RADIUS:
        groups = _groups_of_client(settings, request.service)
        return not groups or not account.groups.isdisjoint(groups)
    rules = settings.doors.login.allow
    return not rules or any(
        names_service(rule.services, request.service) and account.groups.intersection(rule.groups)
        for rule in rules
    )


def _groups_of_client(settings: Settings, name: str) -> tuple[str, ...]:
    radius = settings.doors.radius
    clients = () if radius is None else radius.clients
    return next((client.groups for client in clients if client.name == name), ())
