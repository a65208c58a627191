"""Puts the agent together from its settings: every part once, in one place."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from loginward.crypto.gate import Gate
from loginward.crypto.keys import KeySource, load_keys
from loginward.crypto.password_hash import PasswordHasher
from loginward.crypto.tags import Tagger, keyed
from loginward.directory.embedded.opening import open_directory
from loginward.host.linux import LinuxActions
from loginward.host.sessions import Sessions
from loginward.runtime.access import uid_of
from loginward.runtime.attempting import AttemptDesk, Memory
from loginward.runtime.audit import Audit
from loginward.runtime.beside import Beside
from loginward.runtime.clock import SystemClock, trusted_time
from loginward.runtime.driver import ThreadDriver
from loginward.runtime.effects import Effects
from loginward.runtime.flights import Flights
from loginward.runtime.gather import Gatherer
from loginward.runtime.in_force import Configuration, in_force
from loginward.runtime.keepers import Keepers
from loginward.runtime.knowledge import HostKnowledge, Knowledge, NoKnowledge
from loginward.runtime.ldap_opening import AdministeredDirectory
from loginward.runtime.metrics import Metrics
from loginward.runtime.news import News
from loginward.runtime.passwords_seen import LastProven, Repeats
from loginward.runtime.radius_opening import RadiusOpening
from loginward.runtime.recorder import Recorder
from loginward.runtime.refreshing import Refreshing
from loginward.runtime.throttle import Throttle
from loginward.runtime.timed_directory import TimedDirectory, watch_of
from loginward.runtime.transactions import Transactions
from loginward.runtime.vitals import Vitals
from loginward.store.absent import AbsentNames
from loginward.store.file import DATABASE
from loginward.store.removals import Removals
from loginward.store.store import Store
from loginward.store.verifiers import Verifiers

if TYPE_CHECKING:
    from loginward.crypto.keys import Keys
    from loginward.directory.embedded.directory import EmbeddedDirectory
    from loginward.directory.ldap.directory import Secrets
    from loginward.directory.port import Directory
    from loginward.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The running agent's parts.

    Attributes:
        embedded: The embedded directory; None where accounts live in LDAP.
    """

    configuration: Configuration
    clock: SystemClock
    directory: Directory
    embedded: EmbeddedDirectory | None
    store: Store
    verifiers: Verifiers
    knowledge: Knowledge
    keepers: Keepers
    throttle: Throttle
    gatherer: Gatherer
    desk: AttemptDesk
    driver: ThreadDriver
    transactions: Transactions
    audit: Audit
    recorder: Recorder
    sessions: Sessions
    effects: Effects
    metrics: Metrics
    refresh: Refreshing
    news: News
    vitals: Vitals
    radius: RadiusOpening

    @property
    def settings(self) -> Settings:
        """Return those in force now; who judges a request keeps to what it began with."""
        return self.configuration.current.settings

    def start(self) -> None:
        """Start the threads that work behind the logins."""
        self.audit.start()
        self.verifiers.start()
        self.directory.watch(self.news.stirred)

    def close(self) -> None:
        """End them, and close what is open; each part is closed whatever the others do."""
        self.verifiers.close()
        self.directory.close()
        self.store.close()
        self.audit.stop()


def build(
    settings: Settings, secrets: Secrets, beside: Beside, radius: RadiusOpening | None = None
) -> Parts:
    """Return the parts, open and not yet started.

    Args:
        beside: The processes beside the daemon, started before it gave up root's rights.
        radius: Has read the secrets of RADIUS clients while that was allowed.

    Raises:
        ConfigError: A secret or a text file cannot be used.
        StoreFault: The store or the embedded directory cannot be used as it is.
    """
    ground = _ground(settings, radius or RadiusOpening())
    metrics = Metrics()
    embedded: EmbeddedDirectory | None = None
    directory: Directory
    if settings.directory.kind == "embedded":
        embedded = directory = open_directory(
            settings.state_dir, settings.policy, ground.clock, ground.gate
        )
    else:
        directory = AdministeredDirectory(settings, secrets, ground.clock, beside.admin)
        metrics.watch("directory_watch", "The watch over the directory now.", watch_of(directory))
    directory = TimedDirectory(directory, metrics, ground.clock)
    return _joined(ground, directory, embedded, metrics, LinuxActions(beside.root))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What every other part stands on."""

    configuration: Configuration
    clock: SystemClock
    keys: Keys
    store: Store
    gate: Gate
    radius: RadiusOpening


def _ground(settings: Settings, radius: RadiusOpening) -> _Ground:
    state_dir = settings.state_dir
    time = trusted_time(settings.policy.offline.allowed_s)
    clock = SystemClock(time.now)
    configuration = Configuration(in_force(settings, clock, radius.rules(settings)))
    keys = _keys(settings, state_dir)
    store = Store(state_dir, keys_directory(state_dir), keys, time)
    store.open()
    return _Ground(
        configuration=configuration, clock=clock, keys=keys, store=store, gate=Gate(), radius=radius
    )


def _verifiers(ground: _Ground) -> Verifiers:
    configuration = ground.configuration
    return Verifiers(
        ground.store,
        PasswordHasher(ground.gate, ground.keys.pepper),
        lambda: configuration.current.settings.policy.offline.max_users,
    )


def _audit(ground: _Ground, state_dir: Path) -> Audit:
    configuration = ground.configuration
    return Audit(
        state_dir / "events",
        ground.clock,
        lambda: configuration.current.settings.events,
        keyed(ground.keys.index, b"events"),
    )


def _vitals(
    clock: SystemClock,
    store: Store,
    verifiers: Verifiers,
    audit: Audit,
    embedded: EmbeddedDirectory | None,
) -> Vitals:
    vitals = Vitals(clock)
    vitals.watch("audit", lambda: audit.turn)
    vitals.watch("verifiers", lambda: verifiers.turn)
    vitals.watch("store", lambda: store.file.turn)
    if embedded is not None:
        vitals.watch("embedded directory", lambda: embedded.turn)
    return vitals


def _knowledge(
    store: Store, verifiers: Verifiers, directory: Directory, embedded: EmbeddedDirectory | None
) -> tuple[Knowledge, News]:
    """Return what this host remembers, and the news that it and the directory have for the watch."""
    news = News()
    if embedded is not None:
        embedded.call_when_moved(news.wake)
        return NoKnowledge(), news
    absent, removals = AbsentNames(store), Removals(store)
    known = HostKnowledge(
        store, verifiers, absent, removals, directory, _is_local, on_learnt=news.learnt
    )
    return known, news


def keys_directory(state_dir: Path) -> Path:
    """Return where the keys and the generation counter lie."""
    return state_dir / "keys"


def _is_local(name: str) -> bool:
    return uid_of(name) is not None


def _keys(settings: Settings, state_dir: Path) -> Keys:
    source = KeySource(settings.keys.source)
    folder = keys_directory(state_dir)
    if source is not KeySource.FILE:
        folder = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nonexistent"))
    return load_keys(source, folder, create=not (state_dir / DATABASE).exists())


def _joined(
    ground: _Ground,
    directory: Directory,
    embedded: EmbeddedDirectory | None,
    metrics: Metrics,
    actions: LinuxActions,
) -> Parts:
    configuration, clock, store = ground.configuration, ground.clock, ground.store
    verifiers = _verifiers(ground)
    knowledge, news = _knowledge(store, verifiers, directory, embedded)
    tagger = Tagger()
    memory = Memory(Repeats(tagger, clock), LastProven(tagger), Flights(tagger))
    throttle = Throttle(clock)
    keepers = Keepers(configuration, clock, store, embedded)
    keepers.on_lock = news.stirred
    gatherer = Gatherer(clock, directory, knowledge, keepers, throttle)
    effects = Effects(store, keepers, memory, actions)
    audit = _audit(ground, configuration.current.settings.state_dir)
    recorder = Recorder(audit, clock)
    store.watch_faults(recorder.store_fault)
    vitals = _vitals(clock, store, verifiers, audit, embedded)
    desk = AttemptDesk(keepers, memory, throttle)
    driver = ThreadDriver(
        directory,
        gatherer,
        desk,
        knowledge,
        embedded=embedded is not None,
        after_change=effects.password_changed,
    )
    return Parts(
        configuration=configuration,
        clock=clock,
        directory=directory,
        embedded=embedded,
        store=store,
        verifiers=verifiers,
        knowledge=knowledge,
        keepers=keepers,
        throttle=throttle,
        gatherer=gatherer,
        desk=desk,
        driver=driver,
        transactions=Transactions(clock),
        audit=audit,
        recorder=recorder,
        sessions=Sessions(clock),
        effects=effects,
        metrics=metrics,
        news=news,
        vitals=vitals,
        radius=ground.radius,
        refresh=Refreshing(directory, effects, clock, actions),
    )
