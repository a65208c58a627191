"""Where accounts live, and how the directory is reached."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from loginward.settings.keys import InvalidSettingError, Key, Section

Kind = Literal["embedded", "ldap"]
Flavour = Literal["auto", "openldap", "389ds", "active-directory", "freeipa", "generic"]

USER_PLACEHOLDER = "{user}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Section):
    """An account of the agent itself in the directory."""

    dn: Annotated[str, Key("Distinguished name to bind as", example="cn=agent,dc=example,dc=org")]
    password_file: Annotated[Path, Key("File with its password, mode 0600")]

    def check(self) -> None:
        if "=" not in self.dn:
            raise InvalidSettingError("dn", "must be a distinguished name such as cn=agent,dc=x")
        check_absolute("password_file", self.password_file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Users(Section):
    """How a name becomes an entry."""

    base_dn: Annotated[
        str | None, Key("Below which people are searched", example="ou=people,dc=example,dc=org")
    ] = None
    login_attribute: Annotated[str, Key("Attribute that holds the name people type")] = "uid"
    filter: Annotated[str, Key("LDAP filter that every person's entry matches")] = (
        "(objectClass=person)"
    )
    dn_template: Annotated[
        str | None,
        Key(
            "Name to DN where no service account may search",
            example="uid={user},ou=people,dc=example,dc=org",
        ),
    ] = None

    def check(self) -> None:
        if not self.login_attribute.replace("-", "").replace(";", "").isalnum():
            raise InvalidSettingError("login_attribute", "must be the name of an attribute")
        if not (self.filter.startswith("(") and self.filter.endswith(")")):
            raise InvalidSettingError("filter", "must be an LDAP filter in parentheses")
        if self.dn_template is not None and self.dn_template.count(USER_PLACEHOLDER) != 1:
            raise InvalidSettingError("dn_template", f"must hold {USER_PLACEHOLDER} exactly once")


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups(Section):
    """How groups are found."""

    base_dn: Annotated[str | None, Key("Below which groups are searched", null="no groups")] = None
    member_attribute: Annotated[str, Key("Attribute of a group that names its members")] = "member"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch(Section):
    """How changes made in the directory are noticed."""

    mode: Annotated[
        Literal["auto", "poll"],
        Key("How to watch: auto takes the best the server offers", needs_restart=True),
    ] = "auto"
    poll_s: Annotated[
        int, Key("Seconds between two looks at the accounts known here", at_least=1, at_most=86400)
    ] = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory(Section):
    """Where accounts live. All keys but `kind` belong to LDAP alone."""

    kind: Annotated[
        Kind, Key("embedded: accounts kept by this agent; ldap: on a server", needs_restart=True)
    ] = "embedded"
    servers: Annotated[
        tuple[str, ...],
        Key(
            "Servers in the order of preference, health-checked",
            at_most=16,
            needs_restart=True,
            example="[ldaps://ldap1.example.org, ldaps://ldap2.example.org]",
        ),
    ] = ()
    start_tls: Annotated[
        bool,
        Key(
            "Start TLS on ldap:// servers; without it they must be on loopback", needs_restart=True
        ),
    ] = False
    ca_file: Annotated[
        Path | None,
        Key("PEM file of the authorities to trust", null="the system's own", needs_restart=True),
    ] = None
    flavour: Annotated[Flavour, Key("What kind of server it is", needs_restart=True)] = "auto"
    service_account: Annotated[
        Account | None,
        Key(
            "Account that reads entries",
            null="nothing is read; users.dn_template is needed",
            needs_restart=True,
            example='{dn: "cn=agent,dc=example,dc=org", password_file: /etc/loginward/bind.secret}',
        ),
    ] = None
    admin_account: Annotated[
        Account | None,
        Key(
            "Account that may unlock, reset and suspend",
            null="this agent changes nobody",
            needs_restart=True,
        ),
    ] = None
    users: Annotated[Users, Key("How a name becomes an entry", needs_restart=True)] = field(
        default_factory=Users
    )
    groups: Annotated[Groups, Key("How groups are found", needs_restart=True)] = field(
        default_factory=Groups
    )
    ppolicy_dn: Annotated[
        str | None,
        Key(
            "OpenLDAP: entry of the default password policy",
            null="only pwdPolicySubentry",
            needs_restart=True,
        ),
    ] = None
    budget_s: Annotated[
        float,
        Key(
            "Seconds for one phase of one login, all servers and retries together",
            at_least=0.1,
            at_most=2.8,
        ),
    ] = 2.5
    watch: Annotated[Watch, Key("How changes are noticed")] = field(default_factory=Watch)

    def check(self) -> None:
        if self.ca_file is not None:
            check_absolute("ca_file", self.ca_file)
        for at, server in enumerate(self.servers):
            self._check_server(f"servers[{at}]", server)
        if self.kind == "embedded":
            self._check_embedded()
        else:
            self._check_ldap()

    def _check_server(self, key: str, server: str) -> None:
        url = parse_server(key, server)
        if url.scheme == "ldaps":
            if self.start_tls:
                raise InvalidSettingError(key, "start_tls is for ldap:// servers, not ldaps://")
        elif not self.start_tls and not is_loopback(url.hostname or ""):
            raise InvalidSettingError(
                key, "plain LDAP is for loopback only; use ldaps:// or start_tls: true"
            )

    def _check_embedded(self) -> None:
        if self.servers:
            raise InvalidSettingError("servers", "belongs to kind: ldap; say kind: ldap to use it")
        for key in ("service_account", "admin_account"):
            if getattr(self, key) is not None:
                raise InvalidSettingError(key, "belongs to kind: ldap; say kind: ldap to use it")

    def _check_ldap(self) -> None:
        if not self.servers:
            raise InvalidSettingError("servers", "kind: ldap needs at least one server")
        if len(set(self.servers)) != len(self.servers):
            raise InvalidSettingError("servers", "names the same server twice")
        if self.service_account is None:
            if self.users.dn_template is None:
                raise InvalidSettingError(
                    "users.dn_template",
                    "is needed where there is no service_account to search with",
                )
        elif self.users.base_dn is None:
            raise InvalidSettingError(
                "users.base_dn", "is needed for the service_account to search below"
            )


def parse_server(key: str, server: str) -> SplitResult:
    """Return the parts of a server's URL.

    Raises:
        InvalidSettingError: It is not scheme, host and optional port alone.
    """
    problem = f"must look like ldaps://ldap1.example.org, not {server!r}"
    try:
        url = urlsplit(server)
        port = url.port
    except ValueError as error:
        raise InvalidSettingError(key, problem) from error
    bare = not (url.path.strip("/") or url.query or url.fragment or "@" in url.netloc)
    if url.scheme not in {"ldap", "ldaps"} or not url.hostname or not bare or port == 0:
        raise InvalidSettingError(key, problem)
    return url


def is_loopback(host: str) -> bool:
    """Return whether a host, without asking anybody, is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_absolute(key: str, path: Path) -> None:
    """Refuse a path that depends on where the daemon was started."""
    if not path.is_absolute() or "\0" in str(path):
        raise InvalidSettingError(key, "must be an absolute path")
