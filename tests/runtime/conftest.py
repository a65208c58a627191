"""The agent of one host, put together as `serve` does it, and a clock that the test moves."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from loginward.config.load import load_config
from loginward.core.acts import ALL_RIGHTS
from loginward.core.requests import Door, LoginRequest, Peer, Phase
from loginward.core.secret import Secret
from loginward.directory.embedded.fields import Format
from loginward.directory.embedded.importing import Imported
from loginward.directory.ldap.directory import Secrets
from loginward.doors.admin.port import Operator
from loginward.doors.login.port import AskTurn
from loginward.runtime import agent
from loginward.runtime.administration import Administration
from loginward.runtime.beside import Beside
from loginward.runtime.service import LoginService
from loginward.store.timekeeping import Raw, TrustedTime
from loginward.wire.admin import requests
from tests.runtime.paper import CONFIG, PaperDirectory
from tests.runtime.people import RIGHT, STATES, file_of, person

NOW = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
ROOT = Peer(uid=0, real_uid=0)


@dataclass
class Hands:
    """The clock of the machine, moved by hand: wall and boot time alike."""

    raw: Raw = field(default_factory=lambda: Raw(wall=NOW, boottime=1000.0, boot_id="this"))
    running_since: float | None = None

    def __call__(self) -> Raw:
        if self.running_since is None:
            return self.raw
        passed_s = time.monotonic() - self.running_since
        return replace(
            self.raw,
            wall=self.raw.wall + timedelta(seconds=passed_s),
            boottime=self.raw.boottime + passed_s,
        )

    def runs(self, since: float) -> None:
        """Go by themselves from a moment of `time.monotonic` on."""
        self.running_since = since

    def set_wall_back(self, span: timedelta) -> None:
        self.raw = replace(self.raw, wall=self.raw.wall - span)

    def pass_by(self, span: timedelta) -> None:
        boottime = self.raw.boottime + span.total_seconds()
        self.raw = replace(self.raw, wall=self.raw.wall + span, boottime=boottime)


class Host:
    """One agent with its doors, in this process."""

    def __init__(self, folder, hands, config=""):
        folder.mkdir(exist_ok=True)
        self.folder, self.hands = folder, hands
        path = folder / "loginward.yaml"
        path.write_text(
            f"schema: 1\nstate_dir: {folder / 'state'}\nruntime_dir: {folder / 'run'}\n{config}"
        )
        self.settings = load_config(path)
        self.settings.state_dir.mkdir(exist_ok=True)
        self.parts = agent.build(self.settings, Secrets(), Beside())
        self.parts.start()
        self.service = LoginService(self.parts)
        self.admin = Administration(
            self.parts,
            str(path),
            reload=lambda: None,
            conversations=lambda: 0,
            watched_at=lambda: None,
            radius_sessions=lambda: iter(()),
        )

    def people(self, *people):
        took = self.parts.embedded.import_accounts(file_of(*people), Format.JSON, lambda _: None)
        assert isinstance(took, Imported), took

    def begin(self, name, phase=Phase.AUTHN, service="sshd", peer=ROOT, **more):
        return self.service.begin(
            LoginRequest(
                door=Door.LOGIN, phase=phase, name=name, service=service, peer=peer, **more
            )
        )

    def ask(self, name, *typed, **more):
        """Hold a conversation; return its end, or the question nobody answered."""
        turn, talk = self.begin(name, **more)
        answers = iter(typed)
        while isinstance(turn, AskTurn):
            answer = next(answers, None)
            if answer is None:
                talk.hang_up()
                return turn
            turn = talk.answer(Secret(answer))
        return turn

    def guess(self, name, times, **more):
        """Type as many different wrong passwords."""
        for n in range(times):
            self.ask(name, b"guess number %d" % n, **more)

    def acct(self, name, **more):
        return self.ask(name, phase=Phase.ACCT, **more)

    def act(self, verb, *names, password=None):
        secret = None if password is None else Secret(password)
        order = requests.ActOnUsers(verb=verb, names=names, password=secret)
        return list(self.admin.act(order, OPERATOR))

    def why(self, name, service="sshd"):
        return self.admin.why(requests.AskWhy(name=name, service=service))

    def account(self, name):
        return self.admin.account(requests.AskAccount(name=name))

    def failures(self, name):
        return self.account(name).failures

    def event(self, turn):
        """Return what the trail holds of a decision."""
        return self.parts.audit.find(turn.reference)

    def close(self):
        self.parts.close()


OPERATOR = Operator(uid=0, real_uid=0, name="root", pid=1, rights=ALL_RIGHTS)


@pytest.fixture
def hands(monkeypatch):
    hands = Hands()
    monkeypatch.setattr(agent, "trusted_time", lambda allowed_s: TrustedTime(hands, allowed_s))
    return hands


@pytest.fixture
def hosts(tmp_path, hands):
    """Return the maker of hosts; all are closed at the end."""
    made = []

    def make(config="", name="host"):
        made.append(Host(tmp_path / name, hands, config))
        return made[-1]

    yield make
    for host in made:
        host.close()


@pytest.fixture
def host(hosts):
    return hosts()


@pytest.fixture
def paper(monkeypatch):
    """Return the directory that every host of the test asks."""
    made = []

    def opened(settings, secrets, clock, admin):
        if not made:
            made.append(PaperDirectory(clock))
        made[0].clock = clock
        return made[0]

    monkeypatch.setattr(agent, "AdministeredDirectory", opened)
    return lambda: made[0]


@pytest.fixture
def site(hosts, paper):
    """Return a host whose directory is elsewhere, with two people and no lockout of its own."""
    host = hosts(CONFIG)
    host.paper = paper()
    settled = host.parts.clock.now() - timedelta(days=1)
    for name in ("ann", "bob"):
        host.paper.put(name, RIGHT, changed_at=settled)
    return host


@pytest.fixture
def everybody(host):
    host.people(*(person(f"{state}-user", state) for state in STATES))
    return host
