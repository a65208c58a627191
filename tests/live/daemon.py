"""The real agent as a process, before a real OpenLDAP, for the live tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from loginward.cli.client import Client
from loginward.core.reasons import Reason
from loginward.core.requests import Phase
from loginward.wire.admin import requests
from loginward.wire.admin.rows import EventRow, HealthRow
from tests.doubles.processes import end
from tests.doubles.waiting import eventually
from tests.live import people
from tests.live.slapd import Slapd
from tests.runtime.daemon import converse

TOP = Path(__file__).resolve().parents[2]
LOGINWARD = TOP / ".venv/bin/loginward"
READY_S = 20
CONFIG = """\
schema: 1
state_dir: {folder}/state
runtime_dir: {folder}/run
directory:
  kind: ldap
  servers: ["{url}"]
  ca_file: {ca_file}
{accounts}
{more}"""
READS_ONLY = """\
  service_account: {{dn: "{service}", password_file: {folder}/service.secret}}
  users: {{base_dn: "{base}", filter: "(objectClass=inetOrgPerson)"}}
  ppolicy_dn: {policy}"""
WATCHED = "  watch: {{poll_s: 1}}\n"
READS = (
    WATCHED
    + '  admin_account: {{dn: "{admin}", password_file: {folder}/admin.secret}}\n'
    + READS_ONLY
)
READS_NOBODY = WATCHED + '  users: {{dn_template: "uid={{user}},{base}"}}'


@dataclass
class Agent:
    """A running `loginward serve`."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, *before: str) -> Self:
        """Start it and return when it is ready; what it writes goes into `log`.

        Args:
            before: A command that becomes what follows it, unshare(1) say.
        """
        with (self.folder / "log").open("ab") as log:
            written = log.tell()
            self.process = subprocess.Popen(
                [
                    *before,
                    LOGINWARD,
                    "serve",
                    "-c",
                    self.folder / "loginward.yaml",
                    "--user",
                    "nobody",
                ],
                stderr=log,
                env=os.environ | self.environment,
            )
        until = time.monotonic() + READY_S
        while b"ready" not in (said := self.log.read_bytes()[written:]):
            alive = self.process.poll() is None and time.monotonic() < until
            assert alive, f"the agent did not start:\n{said.decode()}"
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        """End it as systemd does; idempotent."""
        process, self.process = self.process, None
        if process is not None:
            end(process)

    def kill(self) -> None:
        """End it as a power cut would."""
        process, self.process = self.process, None
        assert process is not None, "the agent is not running"
        process.kill()
        process.wait(15)

    @property
    def pid(self) -> int:
        """Return the process id of the running agent."""
        assert self.process is not None, "the agent is not running"
        return self.process.pid

    @property
    def log(self) -> Path:
        """Return the file that it writes to."""
        return self.folder / "log"

    @property
    def run_dir(self) -> Path:
        """Return the folder of its sockets."""
        return self.folder / "run"

    @property
    def state_dir(self) -> Path:
        """Return the folder of its state."""
        return self.folder / "state"

    def command(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run the command line against it."""
        return subprocess.run(
            [LOGINWARD, *words],
            env=os.environ | {"LOGINWARD_RUNTIME_DIR": str(self.run_dir), "TZ": "UTC"},
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    def login(self, name: str, password: str, service: str = "login") -> str:
        """Try one login; return the reason it ended with."""
        done = self.command(
            "login", name, "--service", service, "--password-stdin", "--json", typed=f"{password}\n"
        )
        return done.stdout

    def ask(self, name: str, password: str, phase: Phase = Phase.AUTHN) -> Reason:
        """Hold one conversation over the login socket at a seat; return its reason."""
        return converse(self.run_dir, name, password.encode(), phase=phase, service="login")[
            0
        ].reason

    def health(self) -> HealthRow:
        """Return what `status` tells of the daemon."""
        return Client(self.run_dir).ask(requests.AskHealth()).one(HealthRow)

    def await_verifiers(self, count: int) -> None:
        """Wait for the verifiers that are made after the answer."""
        eventually(lambda: self.health().verifiers >= count, "no verifier was made", 20)

    def await_online(self, name: str, password: str) -> None:
        """Ask until the directory, which is there again, lets somebody in."""
        eventually(
            lambda: self.ask(name, password) is Reason.OK, "the directory is not seen again", 5
        )

    def trail(self, name: str = "") -> list[EventRow]:
        """Return the newest events, oldest first, of one account or of all."""
        asked = Client(self.run_dir).ask(requests.AskEvents(last=5000, name=name))
        return list(asked.of(EventRow))

    def transitions(self, name: str) -> list[str]:
        """Return what became of an account, as the trail tells it, oldest first."""
        return [row.verb for row in self.trail(name) if row.event == "transition"]

    def events(self, name: str) -> list[str]:
        """Return the audit lines about an account, oldest first."""
        return self.command("events", "--last", "200", "--user", name).stdout.splitlines()

    def reasons(self, name: str = "") -> list[tuple[str, str]]:
        """Return phase and reason of every login in the audit trail, of one account or of all."""
        user = ("--user", name) if name else ()
        lines = self.command("events", "--last", "5000", "--json", *user).stdout.splitlines()
        rows = [json.loads(line) for line in lines]
        return [(row["phase"], row["reason"]) for row in rows if row.get("phase")]


def configure(
    folder: Path, slapd: Slapd, more: str = "", accounts: str = READS, url: str = ""
) -> Path:
    """Write the configuration of an agent before a directory, and its secrets; return its file.

    Args:
        folder: The agent's own.
        slapd: The directory.
        more: Its configuration beyond the directory.
        accounts: READS; READS_ONLY, which writes and watches nothing; or READS_NOBODY: without a
            service account only a bind tells.
        url: Where the agent thinks that the directory is, a proxy say; empty: where it is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    for name in ("service.secret", "admin.secret"):
        (folder / name).touch(0o600)
        (folder / name).write_text(people.PASSWORD + "\n")
    shutil.copy(slapd.ca_file, folder / "ca.pem")
    (folder / "ca.pem").chmod(0o644)
    config = folder / "loginward.yaml"
    reads = accounts.format(
        folder=folder,
        service=people.SVC_RO,
        admin=people.SVC_RW,
        base=people.PEOPLE,
        policy=people.DEFAULT_POLICY,
    )
    config.write_text(
        CONFIG.format(
            folder=folder,
            url=url or slapd.tls_url,
            ca_file=folder / "ca.pem",
            accounts=reads,
            more=more,
        )
    )
    return config


@contextmanager
def agent_at(
    folder: Path, slapd: Slapd, more: str = "", accounts: str = READS, url: str = ""
) -> Iterator[Agent]:
    """Run the agent, configured by `configure`, before a directory until the end of the block."""
    configure(folder, slapd, more, accounts, url)
    agent = Agent(folder).start()
    try:
        yield agent
    finally:
        agent.stop()
