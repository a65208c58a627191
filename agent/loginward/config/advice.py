"""What is allowed in a configuration but probably not meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loginward.settings import Settings

_MANY_GUESSES: Final = 50
_DAY_S: Final = 86400
_LONG_OFFLINE_D: Final = 30


def warnings_of(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield dotted paths with what a site should know about them."""
    yield from _of_resources(settings)
    policy = settings.policy
    if policy.lockout.threshold > _MANY_GUESSES:
        yield (
            "policy.lockout.threshold",
            f"{policy.lockout.threshold} wrong passwords in a row are a lot of guesses",
        )
    if policy.offline.allowed_s > _LONG_OFFLINE_D * _DAY_S:
        days = policy.offline.allowed_s // _DAY_S
        yield (
            "policy.offline.allowed_s",
            f"a suspension may take {days} days to reach a machine without network",
        )
    if policy.reveal == "always":
        yield "policy.reveal", "strangers on the network can learn which accounts are locked"
    directory = settings.directory
    if directory.kind == "ldap" and directory.service_account is None:
        yield (
            "directory.service_account",
            "without one no status can be read: a lock shows as wrong-credentials",
        )
    if directory.flavour not in {"auto", "openldap"}:
        yield "directory.flavour", "only openldap is proven in this version"
    if settings.doors.radius is not None:
        yield "doors.radius", "is checked but not opened by this version"


def _of_resources(settings: Settings) -> Iterator[tuple[str, str]]:
    """R53: a directory refuses a locked user's password itself, whatever we would allow."""
    for at, resource in enumerate(settings.policy.resources):
        path = f"policy.resources[{at}].keep_while"
        if not resource.keep_while:
            yield path, "is empty, so that the resource changes nothing"
        if "locked" in resource.keep_while and settings.directory.kind == "ldap":
            yield (
                path,
                "the LDAP server itself refuses a locked account's password: only keys get in",
            )
