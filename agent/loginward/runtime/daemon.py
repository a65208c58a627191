"""`loginward serve`: one process from its configuration to its end.

Started as root it binds its sockets and reads its secrets, then gives root's rights up for good;
under systemd it gets both and starts without them.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loginward.config.load import load_config
from loginward.doors.admin.server import AdminServer
from loginward.doors.admin.server import listen as listen_admin
from loginward.doors.login.limits import Limits
from loginward.doors.login.listen import inherited, listen
from loginward.doors.login.server import LoginServer
from loginward.errors import ConfigError, StoreFault
from loginward.runtime import hardening
from loginward.runtime.administration import Administration
from loginward.runtime.agent import build
from loginward.runtime.beside import start_beside
from loginward.runtime.events import DaemonEvent
from loginward.runtime.ldap_opening import read_secrets
from loginward.runtime.logging_setup import set_up_logging
from loginward.runtime.marker import Marker
from loginward.runtime.notify import Watchdog, notify
from loginward.runtime.radius_door import RadiusDoor
from loginward.runtime.radius_opening import RadiusOpening, listeners_of
from loginward.runtime.radsec_opening import tls_listeners_of
from loginward.runtime.reloading import Reloading
from loginward.runtime.service import LoginService
from loginward.runtime.vouching import vouched_for
from loginward.runtime.watcher import Watcher

if TYPE_CHECKING:
    from loginward.doors.radius.server import Listener
    from loginward.runtime.agent import Parts
    from loginward.settings import Settings

_log = logging.getLogger("loginward")
USER: Final = "loginward"
_TICK_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Sockets:
    """The listening sockets, bound while that was allowed."""

    login: socket.socket
    admin: socket.socket
    radius: tuple[Listener, ...] = ()
    radius_tls: tuple[socket.socket, ...] = ()


def serve(config_path: str, user: str | None) -> int:
    """Run the daemon until SIGTERM; return its exit code."""
    set_up_logging()
    for left in hardening.harden():
        _log.info("loginward: not hardened: %s", left)
    try:
        # Without root's rights only the secrets that it needs are opened, below, as credentials are.
        settings = load_config(Path(config_path), secrets=os.geteuid() == 0)
        become = hardening.user_to_become(user, USER)
        hardening.own_folder(settings.state_dir, 0o755, become)
        beside = start_beside(settings, become)
        radius = RadiusOpening()
        radius.start_eap(settings, become)  # before this process has read any secret
        radius.tls.start(settings, become)
        secrets = read_secrets(settings)
        radius.rules(settings)  # reads the secrets while root's rights last
        sockets = _sockets(settings)
        if become is not None:
            hardening.become(become)
        parts = build(settings, secrets, beside, radius)
        return _Daemon(config_path, parts, sockets).run()
    except ConfigError as error:
        for problem in str(error).splitlines():
            _log.error("loginward: error: %s", problem)
        return os.EX_CONFIG
    except StoreFault as fault:
        _log.error("loginward: error: %s", fault)
        return os.EX_UNAVAILABLE


def _sockets(settings: Settings) -> Sockets:
    hardening.own_folder(settings.runtime_dir, 0o755, None)
    login = inherited("login", os.environ) or listen(settings.runtime_dir / "login.sock")
    admin = inherited("admin", os.environ)
    try:
        admin = admin or listen_admin(settings.runtime_dir / "admin.sock")
    except OSError as error:
        raise ConfigError("runtime_dir", f"admin.sock: {error.strerror or error}") from error
    radius = settings.doors.radius
    return Sockets(login, admin, listeners_of(radius), tls_listeners_of(radius))


class Signals:
    """The signals that came, waited for by the main thread.

    The interpreter itself writes each number into a pipe, in the C handler: a handler in Python runs
    only once the main thread comes back to Python, and one that waits in select(2) may not, be it
    that another thread got the signal or that it came on the way into the call.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)

    def take(self) -> None:
        """Take SIGTERM, SIGINT and SIGHUP from now on."""
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _heard)

    def wait(self, seconds: float) -> frozenset[signal.Signals]:
        """Return what came, as soon as something does; SIGINT counts as SIGTERM."""
        if not select.select([self._reader], [], [], seconds)[0]:
            return frozenset()
        came = {signal.Signals(number) for number in os.read(self._reader, 512)}
        return frozenset(signal.SIGTERM if one is signal.SIGINT else one for one in came)


def _heard(number: int, frame: object) -> None:
    """Do nothing: the pipe has it, but the default action must not be taken."""
    del number, frame


class _Daemon:
    """The running daemon."""

    def __init__(self, config_path: str, parts: Parts, sockets: Sockets) -> None:
        self._signals = Signals()
        self._parts = parts
        self._marker = Marker(self._parts)
        self._radius = RadiusDoor(self._parts, sockets.radius, sockets.radius_tls)
        self._watcher = Watcher(self._parts, self._radius.barred)
        self._reloading = Reloading(config_path, self._parts, self._follow)
        configuration = self._parts.configuration
        self._login = LoginServer(
            LoginService(self._parts),
            sockets.login,
            Limits(),
            self._parts.clock,
            lambda: configuration.current.peers,
        )
        self._ticking: object | None = None  # tells this tick from the next
        self._parts.vitals.watch("login door", lambda: self._login.turn)
        self._parts.vitals.watch("watcher", lambda: self._watcher.turn)
        self._parts.vitals.watch("housekeeping", lambda: self._ticking)
        self._serving = threading.Thread(target=self._login.run, name="login-door", daemon=True)
        service = Administration(
            self._parts,
            config_path,
            reload=self._reloading.reload,
            conversations=lambda: self._login.gauges()["connections"],
            watched_at=lambda: self._watcher.watched_at,
            radius_sessions=self._radius.rows,
        )
        self._admin = AdminServer(
            sockets.admin, service, lambda: configuration.current.roles, self._parts.clock
        )
        self._parts.metrics.watch("login_door", "The login door now.", self._login.gauges)

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT."""
        self._signals.take()
        self._parts.start()
        self._serving.start()
        self._radius.start()
        self._admin.start()
        self._marker.update()
        self._watcher.start()
        watchdog = Watchdog(self._is_well)
        watchdog.start()
        self._record("started")
        notify("READY=1")
        _log.info("loginward: ready: %s", self._parts.settings.runtime_dir / "login.sock")
        ended: list[str] = []
        while not ended and signal.SIGTERM not in (came := self._signals.wait(_TICK_S)):
            self._ticking = object()
            self._on_tick(reload=signal.SIGHUP in came)
            self._ticking = None
            ended = self._ended()
        if ended:
            _log.critical("loginward: ended by a fault: %s; stopping", ", ".join(ended))
        notify("STOPPING=1")
        watchdog.stop()
        self._stop()
        return os.EX_SOFTWARE if ended else 0

    def _is_well(self) -> bool:
        hanging = self._parts.vitals.hanging()  # looked at each time, whatever else is wrong
        return not self._ended() and not hanging

    def _ended(self) -> list[str]:
        """Return which parts have ended by themselves; whoever supervises us starts all anew."""
        parts = self._parts
        well = {
            "login door": self._serving.is_alive() and self._login.is_well,
            "RADIUS door": self._radius.is_well,
            "admin socket": self._admin.is_well,
            "watcher": self._watcher.is_well,
            "audit": parts.audit.is_well,
            "verifiers": parts.verifiers.are_well,
        }
        return [name for name, is_well in well.items() if not is_well]

    def _on_tick(self, *, reload: bool) -> None:
        if reload:
            notify("RELOADING=1")
            with contextlib.suppress(ConfigError, StoreFault):  # it has been logged
                self._reloading.reload()
            notify("READY=1")
        self._confirm_time()
        self._parts.store.tick()
        self._marker.update()

    def _confirm_time(self) -> None:
        """Believe the wall clock where a directory has just answered over verified TLS."""
        parts = self._parts
        health, now = parts.directory.health(), parts.clock.now()
        if not vouched_for(parts.settings.directory, health, now, within_s=_TICK_S):
            return
        corrected = parts.store.time.confirm()
        if corrected is not None:
            _log.warning("loginward: clock corrected: %s -> %s", corrected.before, corrected.after)
            self._record("clock-corrected")

    def _stop(self) -> None:
        """Take nothing new, let what is under way end, write what is waiting."""
        self._login.stop()
        self._radius.stop()
        self._serving.join(timeout=10)
        self._admin.close()
        self._watcher.stop()
        self._record("stopped")
        self._parts.close()

    def _follow(self) -> None:
        """Let what acts by itself see another configuration now, not at its next turn."""
        self._marker.update()
        self._watcher.look_now()

    def _record(self, what: str) -> None:
        self._parts.audit.record(DaemonEvent(at=self._parts.clock.now(), what=what))
