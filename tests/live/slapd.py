"""Real OpenLDAP servers for tests, on free loopback ports, in a folder of the test's own.

    with Slapd(folder, people=matrix(now), use_lockout=True) as slapd:
        slapd.url, slapd.tls_url, slapd.ca_file, slapd.bound("active")

What slapd itself saw is read from its log (`binds`) and from the entries (`values`).
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import ldap3

from tests.doubles.processes import end
from tests.live import people as who
from tests.live.certificates import Authority, Pair

SLAPD = "/usr/sbin/slapd"
SLAPADD = "/usr/sbin/slapadd"
SCHEMAS = Path("/etc/ldap/schema")
APT = "apt-get install --no-install-recommends slapd slapd-contrib ldap-utils"
READY_S = 20.0
TRIES = 5  # a free port may be taken between asking for it and slapd listening


@dataclass(frozen=True)
class Bind:
    """One BindRequest as slapd saw it; `dn` lower-cased."""

    connection: int
    dn: str


class Slapd:
    """One slapd process and what it holds.

    Args:
        folder: Its own; created, and rebuilt by every new Slapd.
        people: The accounts; `people.matrix(now)` or others.
        ppolicy: Load the password policy overlay.
        default_policy: Name `cn=default` in the server's configuration.
        use_lockout: Tell clients that an account is locked (ppolicy_use_lockout).
        lastbind: Record pwdLastSuccess.
        syncprov: Say what changes to whoever asks (RFC 4533).
        certificate: What it shows; one of a new authority unless given.
        ca_file: That certificate's authority; needed with `certificate`.
        read_only: Refuse every change (rc 53).
        size_limit: Entries that one search returns at most, as in slapd.conf(5).
        limits: Other limits for somebody, as in slapd.conf(5).
        access: Rules of access before all others, as in slapd.access(5).
        silent: Write no log, whose lines cost more than a bind; nothing can be read from it then.
    """

    def __init__(
        self,
        folder: Path,
        people: Iterable[who.Person] = (),
        *,
        ppolicy: bool = True,
        default_policy: bool = True,
        use_lockout: bool = True,
        lastbind: bool = True,
        syncprov: bool = True,
        certificate: Pair | None = None,
        ca_file: Path | None = None,
        read_only: bool = False,
        size_limit: int | str = 500,
        limits: str = "",
        access: str = "",
        silent: bool = False,
    ) -> None:
        demand_packages()
        self._logged = "0" if silent else "stats"
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "db").mkdir(parents=True)
        if certificate is None:
            authority = Authority(folder / "tls")
            certificate, ca_file = authority.server("server"), authority.ca_file
        assert ca_file is not None
        self.ca_file = ca_file
        self.ppolicy = ppolicy
        self.port = self.tls_port = 0
        self._process: subprocess.Popen[bytes] | None = None
        config = _config(
            folder,
            certificate,
            ca_file,
            ppolicy=ppolicy,
            default_policy=default_policy,
            use_lockout=use_lockout,
            lastbind=lastbind,
            syncprov=syncprov,
            read_only=read_only,
            size_limit=size_limit,
            limits=limits,
            access=access,
        )
        (folder / "slapd.conf").write_text(config)
        ldif = folder / "init.ldif"
        ldif.write_text("".join(who.ldif(tuple(people), ppolicy=ppolicy)))
        added = subprocess.run(
            [SLAPADD, "-f", folder / "slapd.conf", "-q", "-l", ldif],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert added.returncode == 0, added.stderr

    @property
    def url(self) -> str:
        """Return its plain URL, which also speaks StartTLS."""
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        """Return its LDAPS URL."""
        return f"ldaps://127.0.0.1:{self.tls_port}"

    @property
    def pid(self) -> int:
        """Return the process id of the running server."""
        assert self._process is not None, "slapd is not running"
        return self._process.pid

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Self:
        """Start it and return when it accepts connections; keeps its ports over a restart."""
        said = ""
        for _ in range(TRIES):
            if not self.port:
                self.port, self.tls_port = free_ports(2)
            if self._start_once():
                return self
            said = self._log_text()[-2000:]
            self.port = 0
        raise AssertionError(f"slapd does not start:\n{said}")

    def stop(self) -> None:
        """End it, by its own pid; idempotent."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGCONT)
            end(process)

    def restart(self) -> None:
        """Stop and start on the same ports: every connection to it is closed."""
        self.stop()
        self.start()

    def stall(self) -> None:
        """Let it accept (the kernel does) and never answer."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)  # until then its threads go on

    def go_on(self) -> None:
        """End a stall."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    # What it saw and holds

    def binds(self) -> list[Bind]:
        """Return every BindRequest so far; a bind is logged before it is answered."""
        return [
            Bind(int(number), dn.lower())
            for number, dn in re.findall(
                r'conn=(\d+) op=\d+ BIND dn="([^"]*)" method=128', self._log_text()
            )
        ]

    def bound(self, uid: str) -> int:
        """Return how often somebody tried to bind as that person."""
        return sum(bind.dn == self.dn(uid).lower() for bind in self.binds())

    def said(self, pattern: str) -> list[str]:
        """Return what a regular expression finds in the log."""
        return re.findall(pattern, self._log_text())

    def failures(self, uid: str) -> int:
        """Return how many failures slapd has counted for a person."""
        return len(self.values(uid, "pwdFailureTime"))

    def values(self, uid: str, attribute: str) -> list[bytes]:
        """Return the values of one attribute of a person, read as root."""
        with self.root() as connection:
            _, _, response, _ = connection.search(
                self.dn(uid), "(objectClass=*)", ldap3.BASE, attributes=[attribute]
            )
        assert response, f"no entry {self.dn(uid)}"
        return list(response[0]["raw_attributes"].get(attribute, []))

    def change(self, uid: str, changes: Mapping[str, Iterable[str]], *, relax: bool = True) -> None:
        """Replace attributes of a person as root; operational ones too."""
        edits = {name: [(ldap3.MODIFY_REPLACE, list(values))] for name, values in changes.items()}
        controls = [("1.3.6.1.4.1.4203.666.5.12", True, None)] if relax else None
        with self.root() as connection:
            done, result, _, _ = connection.modify(self.dn(uid), edits, controls=controls)
        assert done, result

    def add(self, person: who.Person, number: int = 9000) -> None:
        """Add a person to the running server as root, operational attributes too."""
        attributes: dict[str, list[str]] = {}
        for line in who.entry(person, number).strip().splitlines()[1:]:
            name, _, value = line.partition(": ")
            attributes.setdefault(name, []).append(value)
        with self.root() as connection:
            done, result, _, _ = connection.add(
                self.dn(person.uid),
                attributes=attributes,
                controls=[("1.3.6.1.4.1.4203.666.5.12", True, None)],
            )
        assert done, result

    def remove(self, uid: str) -> None:
        """Delete a person; nothing if there is none."""
        with self.root() as connection:
            connection.delete(self.dn(uid))

    def root(self) -> ldap3.Connection:
        """Return a connection of the database's root, to be used with `with`."""
        return ldap3.Connection(
            ldap3.Server(self.url, get_info=ldap3.NONE, connect_timeout=10),
            who.ROOT_DN,
            who.ROOT_PASSWORD,
            client_strategy=ldap3.SAFE_SYNC,
            receive_timeout=20,
        )

    def accepts(self, uid: str, password: str) -> bool:
        """Return whether a bind with that password succeeds; it counts as any other."""
        connection = ldap3.Connection(
            ldap3.Server(self.url, get_info=ldap3.NONE, connect_timeout=10),
            self.dn(uid),
            password,
            client_strategy=ldap3.SAFE_SYNC,
            receive_timeout=20,
        )
        try:
            return bool(connection.bind()[0])
        finally:
            connection.unbind()

    @staticmethod
    def dn(uid: str) -> str:
        """Return a person's DN; one of the services' where the uid begins with svc-."""
        return f"uid={uid},{who.SERVICES if uid.startswith('svc-') else who.PEOPLE}"

    def _start_once(self) -> bool:
        urls = f"{self.url}/ {self.tls_url}/"
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [SLAPD, "-f", self.folder / "slapd.conf", "-h", urls, "-d", self._logged],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + READY_S
        while time.monotonic() < until and self._process.poll() is None:
            if all(_answers(port) for port in (self.port, self.tls_port)):
                return True
            time.sleep(0.02)
        self.stop()
        return False

    def _log_text(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""


def demand_packages() -> None:
    """Fail, with the one line that helps, where slapd is not installed."""
    for path in (Path(SLAPD), Path(SLAPADD), SCHEMAS / "inetorgperson.schema"):
        assert path.exists(), f"{path} is missing; the live tests need it: {APT}"


def free_ports(count: int) -> list[int]:
    """Return TCP ports of 127.0.0.1 that nobody listens on now."""
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def now() -> datetime:
    """Return the time that slapd goes by."""
    return datetime.now(UTC)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _config(
    folder: Path,
    certificate: Pair,
    ca_file: Path,
    *,
    ppolicy: bool,
    default_policy: bool,
    use_lockout: bool,
    lastbind: bool,
    syncprov: bool,
    read_only: bool,
    size_limit: int | str,
    limits: str,
    access: str,
) -> str:
    policy = ""
    if ppolicy:
        policy = "\n".join(
            (
                "overlay ppolicy",
                f"ppolicy_default {who.DEFAULT_POLICY}" if default_policy else "",
                "ppolicy_use_lockout" if use_lockout else "",
            )
        )
    return f"""\
{chr(10).join(f"include {SCHEMAS}/{n}.schema" for n in ("core", "cosine", "nis", "inetorgperson"))}
modulepath /usr/lib/ldap
moduleload back_mdb
{"moduleload ppolicy" if ppolicy else ""}
moduleload syncprov
pidfile {folder}/pid
sizelimit {size_limit}
TLSCACertificateFile {ca_file}
TLSCertificateFile {certificate.cert_file}
TLSCertificateKeyFile {certificate.key_file}
database mdb
suffix {who.SUFFIX}
rootdn {who.ROOT_DN}
rootpw {who.ROOT_PASSWORD}
directory {folder}/db
maxsize 268435456
dbnosync
{"readonly on" if read_only else ""}
{f"limits {limits}" if limits else ""}
index objectClass,entryUUID,entryCSN,uid,member,memberUid eq
lastbind {"on" if lastbind else "off"}
{"overlay syncprov" if syncprov else ""}
{policy}
{access}
access to attrs=userPassword by dn={who.SVC_RW} manage by dn={who.SVC_WRITE} write by dn={who.SVC_RO} compare by self =xw by anonymous auth by * none
{_blind() if ppolicy else ""}
access to * by dn={who.SVC_RW} manage by dn={who.SVC_WRITE} write by dn={who.SVC_RO} read by dn={who.SVC_BLIND} read by self read by * none
"""


def _blind() -> str:
    hidden = (
        "pwdAccountLockedTime,pwdFailureTime,pwdReset,pwdChangedTime,pwdStartTime,pwdEndTime,"
        "pwdPolicySubentry,pwdLastSuccess,pwdGraceUseTime"
    )
    return (
        f"access to attrs={hidden} by dn={who.SVC_RW} manage by dn={who.SVC_WRITE} write"
        f" by dn={who.SVC_RO} read by * none"
    )
