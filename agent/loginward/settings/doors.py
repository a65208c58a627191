"""The doors: who may ask, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Literal

from loginward.core.acts import ALL_RIGHTS, OF_EVERYBODY
from loginward.settings.keys import InvalidSettingError, Key, Section
from loginward.settings.policy import check_services
from loginward.settings.radius import Radius

ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginPeer(Section):
    """A user other than root who may ask for others, at some services only."""

    user: Annotated[str, Key("Local user that the program runs as", example="dovecot")]
    services: Annotated[
        tuple[str, ...], Key("Services it may name", at_least=1, example="[dovecot]")
    ]

    def check(self) -> None:
        check_services("services", self.services)
        if not self.user or self.user == "root":
            raise InvalidSettingError("user", "must be a local user other than root")


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow(Section):
    """Which groups may use which services."""

    services: Annotated[tuple[str, ...], Key("Services", at_least=1, example="[sshd]")]
    groups: Annotated[
        tuple[str, ...], Key("Groups whose members may", at_least=1, example="[staff]")
    ]

    def check(self) -> None:
        check_services("services", self.services)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginDoor(Section):
    """The login socket: PAM, and programs that check passwords."""

    peers: Annotated[
        tuple[LoginPeer, ...],
        Key(
            "Users other than root who may ask for others",
            example="[{user: dovecot, services: [dovecot]}]",
        ),
    ] = ()
    allow: Annotated[
        tuple[Allow, ...],
        Key(
            "Scope: empty lets every account use every service, else only what is listed",
            example="[{services: [sshd], groups: [staff]}]",
        ),
    ] = ()
    when_down: Annotated[
        Literal["known", "all"],
        Key("Whom the account phase refuses while the daemon is down: those it knows, or all"),
    ] = "known"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminDoor(Section):
    """The admin socket: who may administer, and whom nobody may."""

    roles: Annotated[
        Mapping[str, tuple[str, ...]],
        Key("Rights by local group; all stands for every right, which exporting hashes needs"),
    ] = field(
        default_factory=lambda: MappingProxyType(
            {"loginward-helpdesk": ("view", "unlock"), "loginward-admin": (ALL,)}
        )
    )
    protected_groups: Annotated[
        tuple[str, ...],
        Key(
            "Directory groups whose members are refused to every verb; all people are while one is"
            " hidden from us"
        ),
    ] = ()

    def check(self) -> None:
        known = {right.value for right in ALL_RIGHTS - OF_EVERYBODY} | {ALL}
        for group, rights in self.roles.items():
            strange = [right for right in rights if right not in known]
            if strange:
                raise InvalidSettingError(
                    f"roles.{group}",
                    f"{strange[0]!r} is no right; known are {', '.join(sorted(known))}",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginWindow(Section):
    """The gate at the macOS login window."""

    fail: Annotated[
        Literal["closed", "open"], Key("What the gate does while the daemon is down")
    ] = "closed"
    lock_mode: Annotated[Literal["gate", "disable"], Key("How a locked account is kept out")] = (
        "gate"
    )
    auto_refresh: Annotated[bool, Key("Refresh what an unlock leaves stale without asking")] = True
    refresh_with_background_sessions: Annotated[
        bool, Key("Refresh even where the person has other sessions")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors(Section):
    """Where logins come in."""

    login: Annotated[LoginDoor, Key("PAM and programs")] = field(default_factory=LoginDoor)
    admin: Annotated[AdminDoor, Key("Administration")] = field(default_factory=AdminDoor)
    login_window: Annotated[LoginWindow, Key("The macOS login window")] = field(
        default_factory=LoginWindow
    )
    radius: Annotated[Radius | None, Key("VPN and Wi-Fi", null="no RADIUS", opens=True)] = None
