"""A real OpenLDAP server of a test's own, on free ports of loopback.

Source: slapd(8), slapd.conf(5), slapo-ppolicy(5).
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import ldap3

from tests.live import slapd_data as data
from tests.live.authority import Authority

SLAPD, SLAPADD = "/usr/sbin/slapd", "/usr/sbin/slapadd"
ROOT, ROOT_PASSWORD = f"cn=root,{data.SUFFIX}", "rootpw"
READER = f"uid=svc-ro,ou=svc,{data.SUFFIX}"
WRITER = f"uid=svc-rw,ou=svc,{data.SUFFIX}"

_CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile {folder}/pid
TLSCACertificateFile {ca}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
database mdb
suffix {suffix}
rootdn {root}
rootpw {root_password}
directory {folder}/db
maxsize 104857600
dbnosync
index objectClass,entryUUID,uid,member eq
lastbind on
overlay ppolicy
ppolicy_default {policy}
{use_lockout}
access to attrs=userPassword by dn={writer} manage by dn={reader} {right} by self =xw by anonymous auth by * none
access to * by dn={writer} manage by dn={reader} read by self read by * none
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Slapd:
    """One server; `folder` holds its files.

    Attributes:
        hides_locks: Without ppolicy_use_lockout a lock looks like a wrong password on the wire.
        reader_right: What the reading account may do with userPassword.
    """

    folder: Path
    hides_locks: bool = False
    bulk: int = 0
    reader_right: str = "search"
    host: str = "127.0.0.1"

    def __post_init__(self) -> None:
        (self.folder / "db").mkdir(parents=True)
        self.authority = Authority(self.folder / "tls")
        self.certificate, self.key = self.authority.issue("server", "localhost", "127.0.0.1")
        self.port, self.tls_port = free_port(), free_port()
        self.log = self.folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._config = self.folder / "slapd.conf"
        self._config.write_text(
            _CONFIG.format(
                folder=self.folder,
                ca=self.authority.ca,
                certificate=self.certificate,
                key=self.key,
                suffix=data.SUFFIX,
                root=ROOT,
                root_password=ROOT_PASSWORD,
                policy=data.DEFAULT_POLICY,
                use_lockout="" if self.hides_locks else "ppolicy_use_lockout",
                writer=WRITER,
                reader=READER,
                right=self.reader_right,
            )
        )
        content = self.folder / "init.ldif"
        content.write_text(data.ldif(self.bulk))
        subprocess.run(
            [SLAPADD, "-f", str(self._config), "-q", "-l", str(content)],
            check=True,
            capture_output=True,
        )

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        return f"ldaps://127.0.0.1:{self.tls_port}"

    def start(self) -> None:
        """Start, and return when it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [SLAPD, "-f", str(self._config), "-h", f"{self.url}/ {self.tls_url}/", "-d256"],
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + 20
        while time.monotonic() < until and self._process.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.tls_port), 1).close()
                return
            time.sleep(0.01)
        raise RuntimeError(self.log.read_text()[-2000:])

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def connection(self) -> ldap3.Connection:
        """Return a connection of the server's own root."""
        server = ldap3.Server("127.0.0.1", self.port, get_info=ldap3.NONE)
        connection = ldap3.Connection(server, ROOT, ROOT_PASSWORD)
        connection.bind()
        return connection

    def values(self, name: str, attribute: str) -> list[str]:
        """Return the values of one person's attribute, operational ones too."""
        with self.connection() as connection:
            connection.search(dn_of(name), "(objectClass=*)", ldap3.BASE, attributes=[attribute])
            raw = connection.response[0]["raw_attributes"]
            return [value.decode() for value in raw.get(attribute, [])]

    def write(self, name: str, attribute: str, *values: str) -> None:
        """Replace one person's attribute, even one that only the server writes."""
        with self.connection() as connection:
            connection.modify(
                dn_of(name),
                {attribute: [(ldap3.MODIFY_REPLACE, list(values))]},
                controls=[("1.3.6.1.4.1.4203.666.5.12", True, None)],
            )
            assert connection.result["result"] == 0, connection.result

    def binds(self, name: str) -> int:
        """Return how many binds as that person the server has logged."""
        return self.log.read_text(errors="replace").count(f'BIND dn="{dn_of(name)}" method=128')

    def nameless_binds(self) -> int:
        """Return how many binds without a name, or with a name but no password, were logged."""
        return self.log.read_text(errors="replace").count('BIND dn="" method=128')


def dn_of(name: str) -> str:
    return f"uid={name},{data.PEOPLE}"
