"""RADIUS over TLS against the running agent, by radsecproxy as a site would have it (RFC 6614)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from loginward.wire.radius.attributes import AcctStatus, Attribute, attribute
from loginward.wire.radius.packet import Code
from loginward.wire.radius.signing import check_request, seal_reply
from tests.doubles.nas import free_port
from tests.doubles.processes import end
from tests.doubles.radsec_peer import RADSEC, RadsecPeer, client_context
from tests.doubles.waiting import eventually
from tests.live import people
from tests.live.certificates import Authority, Pair
from tests.live.eap_server import SECRET, Bare, eapol_test
from tests.live.radius_site import RadiusSite, radius_site
from tests.live.site import open_folder

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("radius")]

RIGHT = people.PASSWORD
PROXY = "proxy.example"
DOOR = """\
    tls: {{listen: ["127.0.0.1:{port}"], cert_file: {cert}, key_file: {key}, client_ca_file: {ca}}}
    eap: {{cert_file: {cert}, key_file: {key}}}
"""
CLIENTS = (
    ", tls_name: nas.example}\n      - {name: proxy, addresses: [127.0.0.2/32], tls_name: "
    + PROXY
    + ", methods: [pap, eap-ttls-pap]"
)
RADSECPROXY = """\
ListenUDP 127.0.0.1:{port}
SourceTLS 127.0.0.2
LogLevel 5
tls default {{
    CACertificateFile {ca}
    CertificateFile {cert}
    CertificateKeyFile {key}
}}
client nas {{
    host 127.0.0.1
    type UDP
    secret "{secret}"
}}
server agent {{
    host 127.0.0.1
    port {tls_port}
    type TLS
    secret radsec
    StatusServer on
}}
realm * {{
    server agent
    accountingServer agent
}}
"""


@dataclass(frozen=True)
class TlsSite:
    """The agent by TLS, and who may come."""

    radius: RadiusSite
    ours: Authority
    theirs: Authority
    server: Pair
    port: int

    def certificate(self, name: str) -> Pair:
        return self.theirs.client(name, "n", x509.DNSName(name))

    def peer(self, ours: Authority | None = None) -> RadsecPeer:
        ca_file = (ours or self.ours).ca_file
        return RadsecPeer(self.port, client_context(ca_file, self.certificate("nas.example")))


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[TlsSite]:
    with open_folder() as folder:
        ours, theirs = Authority(folder / "ours"), Authority(folder / "theirs", "clients")
        server = ours.server("server")
        for file in (server.key_file, server.cert_file):
            file.chmod(0o600)  # root's own, as a site has it
        port = free_tcp_port()
        more = DOOR.format(
            port=port, cert=server.cert_file, key=server.key_file, ca=theirs.ca_file
        )  # fmt: skip
        secrets = tmp_path_factory.mktemp("radius")
        with radius_site(secrets, more=more, client=CLIENTS) as radius:
            yield TlsSite(radius, ours, theirs, server, port)


def free_tcp_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


@dataclass(frozen=True)
class Proxy:
    """radsecproxy, which a NAS asks by UDP."""

    port: int
    log: Path

    def asks(self, what: str, **attributes: str) -> str:
        """Return what radclient hears."""
        said = "".join(
            f'{name.replace("_", "-")}="{value}"\n' for name, value in attributes.items()
        )
        done = subprocess.run(
            ["radclient", "-x", "-r", "1", "-t", "10", f"127.0.0.1:{self.port}", what,
             SECRET.decode()],
            input=said, capture_output=True, text=True, check=False, timeout=20,
        )  # fmt: skip
        return done.stdout + done.stderr

    def login(self, name: str, password: str) -> str:
        return self.asks(
            "auth", User_Name=name, User_Password=password, Message_Authenticator="0x00"
        )


@pytest.fixture(scope="module")
def proxy(site, tmp_path_factory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("proxy")
    port, shows = free_port(), site.certificate(PROXY)
    config, log = folder / "radsecproxy.conf", folder / "log"
    config.write_text(
        RADSECPROXY.format(
            port=port, tls_port=site.port, ca=site.ours.ca_file, cert=shows.cert_file,
            key=shows.key_file, secret=SECRET.decode(),
        )
    )  # fmt: skip
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["radsecproxy", "-f", "-c", config], stdout=out, stderr=out, cwd="/"
        )
    try:
        eventually(
            lambda: "TLS connection to agent" in log.read_text(), log.read_text
        )  # fmt: skip
        yield Proxy(port, log)
    finally:
        end(process)


def test_pap_by_radsecproxy_goes_by_the_same_law(site, proxy):
    assert "Received Access-Accept" in proxy.login("active", RIGHT)
    assert "Received Access-Reject" in proxy.login("active", "a wrong one 1")
    before = site.radius.slapd.bound("lockperm")
    refused = proxy.login("lockperm", RIGHT)
    assert "Received Access-Reject" in refused
    assert "You cannot sign in." in refused
    assert site.radius.slapd.bound("lockperm") == before


def test_accounting_by_radsecproxy_is_kept(site, proxy):
    heard = proxy.asks("acct", Acct_Status_Type="Start", Acct_Session_Id="s-9", User_Name="active")
    assert "Received Accounting-Response" in heard
    rows = map(json.loads, sessions_of(site).splitlines())
    assert [row["client"] for row in rows if row.get("session") == "s-9"] == ["proxy"]


@pytest.mark.parametrize("tls_1_3", [False, True])
def test_eap_by_radsecproxy(site, proxy, tmp_path, tls_1_3):
    """A supplicant, a UDP client, radsecproxy and we, one inside the other."""

    def tries(password: str) -> bool:
        good, _ = eapol_test(
            tmp_path, proxy.port, eap=Bare("TTLS"), identity="active", anonymous_identity="x",
            phase2="auth=PAP", ca_cert=str(site.ours.ca_file), password=password,
            phase1=f"tls_disable_tlsv1_3={0 if tls_1_3 else 1}",
        )  # fmt: skip
        return good

    assert tries(RIGHT)
    assert not tries("a wrong one 2")


def test_all_that_radius_has_goes_over_one_connection(site):
    with site.peer() as peer:
        assert peer.exchange(peer.status()).code is Code.ACCESS_ACCEPT
        assert peer.exchange(peer.login("active", RIGHT.encode())).code is Code.ACCESS_ACCEPT
        started = peer.accounting(AcctStatus.START, b"s-1")
        assert peer.exchange(started).code is Code.ACCOUNTING_RESPONSE


def test_who_is_suspended_is_cut_off_over_the_connection(site):
    """RFC 5176 over RFC 6614: there is no other way to a NAS that comes by TLS alone."""
    with site.peer() as peer:
        accepted = peer.exchange(peer.login("ending", RIGHT.encode()))
        ours = attribute(Attribute.CLASS, accepted.first(Attribute.CLASS))
        peer.exchange(peer.accounting(AcctStatus.START, b"tls-1", ours))
        ordered = site.radius.agent.command("suspend", "ending")
        assert ordered.returncode == 0, ordered.stderr
        asked = peer.receive()
        check_request(asked, RADSEC)
        assert asked.code is Code.DISCONNECT_REQUEST
        assert asked.first(Attribute.ACCT_SESSION_ID) == b"tls-1"
        peer.sock.sendall(seal_reply(Code.DISCONNECT_ACK, asked, b"", RADSEC))
        eventually(lambda: '"tls-1"' not in sessions_of(site), lambda: sessions_of(site))


def sessions_of(site: TlsSite) -> str:
    return site.radius.agent.command("radius", "sessions", "--json").stdout


def test_the_daemon_has_neither_the_key_nor_a_connection(site):
    """security.md 12: both are in a process of their own, which is nobody's but the daemon's."""
    with site.peer() as peer:
        peer.exchange(peer.status())
        children = Path(f"/proc/{site.radius.agent.pid}/task").glob("*/children")
        pids = {pid for file in children for pid in file.read_text().split()}
        of = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in pids}
        [holder] = [pid for pid, argv in of.items() if "radsec_process" in argv]
        remote = peer.sock.getsockname()[1]
        found = {pid for pid in {*pids, str(site.radius.agent.pid)} if holds(pid, remote)}
        assert found == {holder}


def holds(pid: str, remote: int) -> bool:
    """Return whether a process has the connection to a port of loopback."""
    lines = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    inodes = {line[9] for line in lines if line[2] == f"0100007F:{remote:04X}"}
    names = {
        str(link.readlink())
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if os.path.lexists(link)
    }  # fmt: skip
    return any(f"socket:[{inode}]" in names for inode in inodes)


def test_a_reload_reads_the_files_and_connections_live_on(site):
    agent = site.radius.agent
    others = Authority(site.server.cert_file.parent / "others")
    with site.peer() as old:
        assert old.exchange(old.status()).code is Code.ACCESS_ACCEPT
        renewed = others.server("renewed")
        kept = [file.read_bytes() for file in (site.server.cert_file, site.server.key_file)]
        site.server.cert_file.write_bytes(renewed.cert_file.read_bytes())
        site.server.key_file.write_bytes(renewed.key_file.read_bytes())
        for file in (site.server.cert_file, site.server.key_file):
            os.chown(file, uid_of(agent.pid), -1)
        try:
            os.kill(agent.pid, signal.SIGHUP)
            eventually(lambda: is_answered(site, others), "the files are not read again")
            assert old.exchange(old.status()).code is Code.ACCESS_ACCEPT
        finally:
            site.server.cert_file.write_bytes(kept[0])
            site.server.key_file.write_bytes(kept[1])
            os.kill(agent.pid, signal.SIGHUP)
            eventually(lambda: is_answered(site, site.ours), "the files are not read again")


def uid_of(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Uid:"))


def is_answered(site: TlsSite, ours: Authority) -> bool:
    with contextlib.suppress(OSError), site.peer(ours) as peer:
        return peer.exchange(peer.status()).code is Code.ACCESS_ACCEPT
    return False
