"""`loginward doctor`: every check of the installation, with a daemon and without one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loginward.config.advice import warnings_of
from loginward.crypto.keys import PEPPER, SEALING
from loginward.directory.ldap.tls import trust
from loginward.errors import ConfigError, DirectoryUnavailable
from loginward.runtime import doctor_host as host
from loginward.runtime.beside import ROOT_SOCKET, WRITER_SOCKET
from loginward.runtime.doctor_host import problem, warning
from loginward.runtime.doctor_pam import lint
from loginward.runtime.protection import REMEDY
from loginward.wire.admin.rows import FindingRow, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from loginward.runtime.agent import Parts
    from loginward.settings import Settings

ETC: Final = Path("/etc")
_READABLE: Final = "see that it is there and can be read, then run this again"
UNSEEN: Final = "-unseen"  # ends the name of a check that this process had no right to

Check = tuple[str, str, "Callable[[], Iterable[FindingRow]]"]


def run(settings: Settings) -> Iterator[FindingRow]:
    """Check what can be checked while no daemon answers."""
    yield problem("daemon", "the daemon does not answer", "systemctl start loginward")
    yield from _all(_of_host(settings))


def findings(
    settings: Settings, parts: Parts, hidden_groups: Callable[[], tuple[str, ...]]
) -> Iterator[FindingRow]:
    """Check everything, from within the daemon.

    Args:
        hidden_groups: Returns a sentence for each protected group that cannot be seen.
    """
    owners = frozenset({0, os.geteuid()})
    checks: list[Check] = [
        *_of_host(settings),
        ("sockets", "theirs who serve", lambda: host.sockets(settings.runtime_dir, owners)),
        (
            "helpers",
            "can be reached",
            lambda: host.helpers(os.environ.get(name) for name in (ROOT_SOCKET, WRITER_SOCKET)),
        ),
        ("directory", "answers", lambda: _directory(parts)),
        ("protection", "protected groups can be seen", lambda: _protection(hidden_groups)),
        ("store", "as it was written", lambda: _store(parts)),
        ("events", "are written", lambda: _events(parts)),
        ("clock", "is believed", lambda: _clock(parts)),
    ]
    yield from _all(checks)


def again(check: str, settings: Settings) -> Iterator[FindingRow]:
    """Do one check of the host again, by its name, with the rights of this process."""
    yield from _all(one for one in _of_host(settings) if one[0] == check.removesuffix(UNSEEN))


def _of_host(settings: Settings) -> list[Check]:
    exempt = frozenset(settings.policy.exempt_users)
    return [
        ("break-glass", "somebody gets in when all else fails",
         lambda: host.break_glass(exempt, ETC, Path("/"))),
        ("pam", "asks loginward first", lambda: lint(ETC / "pam.d", exempt)),
        ("sshd", "asks PAM", lambda: host.sshd(ETC / "ssh/sshd_config")),
        ("marker", "names whom to refuse while the daemon is down",
         lambda: host.marker(settings.state_dir)),
        ("state", "is closed to others", lambda: host.state_files(settings.state_dir)),
        ("secrets", "are closed to others", lambda: host.secrets(_secret_files(settings))),
        ("ca-file", "holds certificates", lambda: _authorities(settings)),
        ("keys", "", lambda: _keys(settings)),
        ("lockout", "has one owner", lambda: _lockout(settings)),
        ("configuration", "asks for nothing strange", lambda: _advice(settings)),
    ]  # fmt: skip


def _all(checks: Iterable[Check]) -> Iterator[FindingRow]:
    """Yield what each check found, or that it found nothing."""
    for name, fine, check in checks:
        try:
            found = list(check())
        except PermissionError as error:
            text = f"not looked at: {error.filename} is closed to this user"
            hint = "loginward doctor as root looks there"
            yield FindingRow(check=f"{name}{UNSEEN}", level=Level.OK, text=text, hint=hint)
            continue
        except OSError as error:
            yield warning(name, f"{error.filename}: {error.strerror}", _READABLE)
            continue
        yield from found or [FindingRow(check=name, level=Level.OK, text=fine)]


def _secret_files(settings: Settings) -> list[Path]:
    accounts = (settings.directory.service_account, settings.directory.admin_account)
    return [one.password_file for one in accounts if one is not None]


def _authorities(settings: Settings) -> Iterator[FindingRow]:
    if settings.directory.kind == "ldap":
        try:
            trust(settings.directory.ca_file)
        except ConfigError as error:
            yield problem("ca-file", str(error), "correct directory.ca_file")


def _keys(settings: Settings) -> Iterator[FindingRow]:
    """Say what a disk that is read elsewhere yields; find keys that were left on it."""
    left = [settings.state_dir / "keys" / name for name in (SEALING, PEPPER)]
    if settings.keys.source != "file":
        for path in filter(Path.exists, left):
            text = f"{path} still lies beside what it seals: a stolen disk yields it"
            hint = f"keep a copy elsewhere, then: shred -u {path}"
            yield problem("keys", text, hint)
    told = {
        "file": "lie beside what they seal: a stolen disk yields both, and verifiers to guess at",
        "credential": "come from systemd: a stolen disk yields them only with its credential key",
        "tpm2": "are sealed by this machine: a stolen disk alone yields nothing",
    }
    yield FindingRow(check="keys", level=Level.OK, text=told[settings.keys.source])


def _lockout(settings: Settings) -> Iterator[FindingRow]:
    if settings.directory.kind == "ldap" and settings.policy.lockout.owner == "agent":
        yield warning(
            "lockout",
            "policy.lockout.owner is agent: a directory that counts too would lock people twice",
            "set it to auto, or switch the directory's lockout off",
        )


def _advice(settings: Settings) -> Iterator[FindingRow]:
    for path, text in warnings_of(settings):
        yield warning(
            "configuration", f"{path}: {text}", f"if that is not meant, change {path} and reload"
        )


def _directory(parts: Parts) -> Iterator[FindingRow]:
    for server in parts.directory.health():
        if not server.usable:
            why = server.last_problem or "does not answer"
            yield problem("directory", f"{server.name}: {why}", "loginward status")
    watched = parts.directory.watched()
    if watched is not None and watched.why:
        yield warning(
            "directory",
            f"changes are polled, and accounts read at each login: {watched.why}",
            "docs/pam.md (have it say what changes), or directory.watch.mode: poll if that is meant",
        )


def _protection(hidden_groups: Callable[[], tuple[str, ...]]) -> Iterator[FindingRow]:
    try:
        for told in hidden_groups():
            yield problem("protection", told, REMEDY)
    except DirectoryUnavailable:
        yield warning("protection", "protected groups could not be looked at", "loginward status")


def _store(parts: Parts) -> Iterator[FindingRow]:
    for fault in parts.store.faults():
        about = f"{fault.account}: " if fault.account else ""
        yield problem("store", f"{about}{fault.problem}", fault.remedy or "loginward status")


def _events(parts: Parts) -> Iterator[FindingRow]:
    fault = parts.audit.health().fault
    if fault:
        yield problem("events", fault, "free some space; nothing is recorded meanwhile")


def _clock(parts: Parts) -> Iterator[FindingRow]:
    if not parts.store.time.serves_allowance:
        yield problem(
            "clock",
            "it jumped while nobody could vouch for it: no copy lets anybody in",
            "set it right, then: loginward doctor --accept-clock",
        )
