"""The real agent as a process, before a real OpenLDAP, for the live tests."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.live import people
from tests.live.slapd import Slapd

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
  watch: {{poll_s: 1}}
{accounts}
{more}"""
READS = """\
  service_account: {{dn: "{service}", password_file: {folder}/service.secret}}
  admin_account: {{dn: "{admin}", password_file: {folder}/admin.secret}}
  users: {{base_dn: "{base}", filter: "(objectClass=inetOrgPerson)"}}
  ppolicy_dn: {policy}"""
READS_NOBODY = """\
  users: {{dn_template: "uid={{user}},{base}"}}"""


@dataclass
class Agent:
    """A running `loginward serve`."""

    folder: Path
    process: subprocess.Popen[str]

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

    def events(self, name: str) -> list[str]:
        """Return the audit lines about an account, oldest first."""
        return self.command("events", "--last", "200", "--user", name).stdout.splitlines()

    def reasons(self, name: str = "") -> list[tuple[str, str]]:
        """Return phase and reason of every login in the audit trail, of one account or of all."""
        user = ("--user", name) if name else ()
        lines = self.command("events", "--last", "5000", "--json", *user).stdout.splitlines()
        rows = [json.loads(line) for line in lines]
        return [(row["phase"], row["reason"]) for row in rows if row.get("phase")]


@contextmanager
def agent_at(folder: Path, slapd: Slapd, more: str = "", accounts: str = READS) -> Iterator[Agent]:
    """Run the agent before a directory until the end of the block.

    Args:
        folder: Its own.
        slapd: The directory.
        more: Its configuration beyond the directory.
        accounts: READS, or READS_NOBODY: without a service account only a bind tells.
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
            url=slapd.tls_url,
            ca_file=folder / "ca.pem",
            accounts=reads,
            more=more,
        )
    )
    with subprocess.Popen(
        [LOGINWARD, "serve", "-c", config, "--user", "nobody"], stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            _await_ready(process)
            yield Agent(folder, process)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def _await_ready(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    until, said = time.monotonic() + READY_S, ""
    while "ready" not in said:
        ready, _, _ = select.select([process.stderr], [], [], max(0, until - time.monotonic()))
        line = process.stderr.readline() if ready else ""
        assert line, f"the agent did not start:\n{said}"
        said += line
