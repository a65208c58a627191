"""Opens the embedded directory by the site's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.core.facts import LockoutPolicy
from loginward.core.passwords import PasswordRules
from loginward.crypto.password_hash import PasswordHasher
from loginward.directory.embedded.book import Book
from loginward.directory.embedded.directory import EmbeddedDirectory
from loginward.directory.embedded.facts import SiteRules
from loginward.directory.embedded.hashing import Hashing

if TYPE_CHECKING:
    from pathlib import Path

    from loginward.core.clock import Clock
    from loginward.crypto.gate import Gate
    from loginward.settings.policy import Policy

FILE = "accounts.db"
_DAY_S = 86400


def open_directory(state_dir: Path, policy: Policy, clock: Clock, gate: Gate) -> EmbeddedDirectory:
    """Open the accounts below `state_dir`; an empty directory if there is no file yet.

    Raises:
        StoreFault: Another process has the file, or it cannot be used.
    """
    hashing = Hashing(PasswordHasher(gate, pepper=None))
    return EmbeddedDirectory(Book(state_dir / FILE, site_rules(policy), clock, hashing))


def site_rules(policy: Policy) -> SiteRules:
    """Return what the configuration says of embedded accounts; for `EmbeddedDirectory.apply`."""
    password, lockout = policy.password, policy.lockout
    passwords = PasswordRules(
        min_length=password.min_length,
        history=password.history,
        min_age_s=_seconds(password.min_age_d),
        max_age_s=_seconds(policy.expiry.max_age_d),
        update_by=password.update_by,
    )
    return SiteRules(
        passwords, LockoutPolicy(lockout.threshold, lockout.window_s, lockout.duration_s)
    )


def _seconds(days: int | None) -> int | None:
    return None if days is None else days * _DAY_S
