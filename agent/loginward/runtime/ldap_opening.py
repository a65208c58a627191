"""Opens the LDAP directory by the site's configuration, its secrets read from their files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loginward.config.secrets import read_secret
from loginward.errors import ConfigError

if TYPE_CHECKING:
    from loginward.core.clock import Clock
    from loginward.core.secret import Secret
    from loginward.directory.port import Directory
    from loginward.settings import Settings
    from loginward.settings.directory import Directory as DirectorySettings


@dataclass(frozen=True, slots=True)
class DirectorySecrets:
    """Passwords of the agent's own accounts; None: there is no such account."""

    service: Secret | None = None


def read_secrets(settings: Settings) -> DirectorySecrets:
    """Read what only root may read, while this process still has root's rights.

    Raises:
        ConfigError: A file cannot be used.
    """
    account = settings.directory.service_account
    if account is None:
        return DirectorySecrets()
    key = "directory.service_account.password_file"
    return DirectorySecrets(read_secret(account.password_file, key))


def open_ldap(settings: DirectorySettings, secrets: DirectorySecrets, clock: Clock) -> Directory:
    """Return the directory; nothing is connected yet."""
    del settings, secrets, clock
    raise ConfigError("directory.kind", "ldap is not there yet")
