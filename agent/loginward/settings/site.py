"""The whole configuration, and the sections that are one or two keys."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from loginward.settings.directory import Directory, check_absolute
from loginward.settings.doors import Doors
from loginward.settings.keys import InvalidSettingError, Key, Section
from loginward.settings.policy import Policy

SCHEMA = 1
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Support(Section):
    """Where people are sent for help."""

    contact: Annotated[
        str | None, Key("Whom to ask", null="the administrator", example='"+49 30 1234"')
    ] = None
    url: Annotated[
        str | None,
        Key("Where to help oneself", null="no link", example="https://help.example.org"),
    ] = None

    def check(self) -> None:
        for key in ("contact", "url"):
            value = getattr(self, key)
            if value is not None and (_CONTROLS.search(value) or not 1 <= len(value) <= 200):
                raise InvalidSettingError(key, "must be one line of at most 200 characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages(Section):
    """Texts for people."""

    language: Annotated[str, Key("Language of the texts", example="en")] = "en"
    override_file: Annotated[
        Path | None,
        Key("YAML file with the site's own texts by id", null="the texts that come with it"),
    ] = None

    def check(self) -> None:
        if not _LANGUAGE.fullmatch(self.language):
            raise InvalidSettingError("language", "must be a language tag such as en")
        if self.override_file is not None:
            check_absolute("override_file", self.override_file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Events(Section):
    """The audit trail."""

    keep_d: Annotated[int, Key("Days that events are kept", at_least=1, at_most=3650)] = 90
    unknown_names: Annotated[
        Literal["hash", "plain"],
        Key(
            "How names that nobody has are written; people type passwords there",
            needs_restart=True,
        ),
    ] = "hash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys(Section):
    """Where the keys of the local store come from."""

    source: Annotated[
        Literal["file", "credential", "tpm2"],
        Key(
            "file: in state_dir; credential: given by systemd; tpm2: sealed by this machine",
            needs_restart=True,
        ),
    ] = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Section):
    """The whole configuration of one agent."""

    schema: Annotated[int, Key("Version of this file's form", at_least=1)] = SCHEMA
    state_dir: Annotated[Path, Key("What must survive a restart", needs_restart=True)] = Path(
        "/var/lib/loginward"
    )
    runtime_dir: Annotated[Path, Key("Sockets", needs_restart=True)] = Path("/run/loginward")
    directory: Annotated[Directory, Key("Where accounts live")] = field(default_factory=Directory)
    policy: Annotated[Policy, Key("The site's rules")] = field(default_factory=Policy)
    support: Annotated[Support, Key("Where people are sent for help")] = field(
        default_factory=Support
    )
    messages: Annotated[Messages, Key("Texts for people")] = field(default_factory=Messages)
    events: Annotated[Events, Key("The audit trail")] = field(default_factory=Events)
    keys: Annotated[Keys, Key("Keys of the local store")] = field(default_factory=Keys)
    doors: Annotated[Doors, Key("Where logins come in")] = field(default_factory=Doors)

    def check(self) -> None:
        if self.schema != SCHEMA:
            raise InvalidSettingError("schema", f"must be {SCHEMA}, the form this version reads")
        check_absolute("state_dir", self.state_dir)
        check_absolute("runtime_dir", self.runtime_dir)
        if self.state_dir == self.runtime_dir:
            raise InvalidSettingError("runtime_dir", "must not be the state_dir")
        self._check_clients()
        self._check_protected()

    def _check_protected(self) -> None:
        """Refuse a protection that would protect nobody: whose groups are not read is in none."""
        directory = self.directory
        if not self.doors.admin.protected_groups or directory.kind != "ldap":
            return
        needed = {
            "service_account": directory.service_account,
            "groups.base_dn": directory.groups.base_dn,
        }
        for key, value in needed.items():
            if value is None:
                raise InvalidSettingError(
                    "doors.admin.protected_groups",
                    f"needs directory.{key}, without which nobody's groups are known",
                )

    def _check_clients(self) -> None:
        radius = self.doors.radius
        known = {client.name for client in radius.clients} if radius is not None else set()
        for at, resource in enumerate(self.policy.resources):
            for name in resource.clients:
                if name not in known:
                    raise InvalidSettingError(
                        f"policy.resources[{at}].clients",
                        f"{name!r} is no client of doors.radius.clients",
                    )
