"""Opens the LDAP directory by the site's configuration, its secrets read from their files.

A credential of systemd with the name of a secret's file stands for that file, which root alone may
then read (systemd.exec(5) LoadCredential=).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from loginward.config.secrets import as_given, read_secret
from loginward.directory.ldap.directory import LdapDirectory, Secrets

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.clock import Clock, Deadline
    from loginward.core.facts import AccountFacts
    from loginward.core.secret import Secret
    from loginward.directory.port import Act, Done, HiddenGroup, NotDone
    from loginward.runtime.admin_process import AdminProcess
    from loginward.settings import Settings
    from loginward.settings.directory import Account


def read_secrets(settings: Settings) -> Secrets:
    """Read what only root may read, while this process still has root's rights.

    The admin account's password is none of it: only its own process ever holds that.

    Raises:
        ConfigError: A file cannot be used.
    """
    return Secrets(service=_secret(settings.directory.service_account, "service_account"))


def opening_of_admin(settings: Settings, clock: Clock) -> Callable[[], LdapDirectory] | None:
    """Return what opens the directory with the admin account; None: none is configured.

    Raises:
        ConfigError: The password's file cannot be used.
    """
    directory = settings.directory
    if directory.kind != "ldap" or directory.admin_account is None:
        return None
    secrets = Secrets(
        service=_secret(directory.service_account, "service_account"),
        admin=_secret(directory.admin_account, "admin_account"),
    )
    protected = frozenset(settings.doors.admin.protected_groups)
    return lambda: LdapDirectory(directory, secrets, clock, protected)


class AdministeredDirectory(LdapDirectory):
    """The directory whose administrators' acts are carried out by another process."""

    def __init__(
        self, settings: Settings, secrets: Secrets, clock: Clock, admin: AdminProcess | None
    ) -> None:
        super().__init__(replace(settings.directory, admin_account=None), secrets, clock)
        self._process = admin

    def act(self, account: AccountFacts, act: Act, deadline: Deadline) -> Done | NotDone:
        """Have an administrator's act carried out."""
        if self._process is None:
            return super().act(account, act, deadline)
        try:
            return self._process.act(account, act, deadline)
        finally:
            self.spoil(account)

    def hidden_groups(self, names: frozenset[str], deadline: Deadline) -> tuple[HiddenGroup, ...]:
        """Return what the service account cannot see, and what the other process's has to."""
        hidden = super().hidden_groups(names, deadline)
        if self._process is None:
            return hidden
        return (*hidden, *self._process.hidden_groups(deadline))

    def close(self) -> None:
        """Close every connection and end the other process."""
        super().close()
        if self._process is not None:
            self._process.close()


def _secret(account: Account | None, key: str) -> Secret | None:
    if account is None:
        return None
    return read_secret(as_given(account.password_file), f"directory.{key}.password_file")
