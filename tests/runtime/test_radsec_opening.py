"""RADIUS over TLS in the runtime: bound while root, one process that holds the key (security.md 12)."""

from __future__ import annotations

import os
import pwd
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509

from loginward.doors.radius.radsec import frames
from loginward.doors.radius.radsec.frames import Configured
from loginward.errors import ConfigError
from loginward.runtime import radsec_opening
from loginward.runtime.radsec_opening import RadsecOpening, tls_listeners_of
from loginward.runtime.radsec_process import spawn
from tests.doors.radius.radsec.conftest import NAME, Papers
from tests.doubles.nas import free_port
from tests.live.certificates import Authority


@pytest.fixture(scope="module")
def papers(tmp_path_factory) -> Papers:
    folder = tmp_path_factory.mktemp("radsec")
    ours, theirs = Authority(folder / "ours"), Authority(folder / "theirs")
    nas = theirs.client("nas", "n", x509.DNSName(NAME))
    return Papers(folder, ours, theirs, ours.server("server"), nas)


def radius(*listen: str):
    return SimpleNamespace(tls=SimpleNamespace(listen=listen))


def test_it_listens_at_every_address_of_either_family():
    v4, v6 = f"127.0.0.1:{free_port()}", f"[::1]:{free_port('::1')}"
    bound = tls_listeners_of(radius(v4, v6))
    for sock, host in zip(bound, ("127.0.0.1", "::1"), strict=True):
        with sock, socket.create_connection((host, sock.getsockname()[1]), 5):
            pass


def test_an_address_that_is_taken_is_an_error_and_nothing_stays_bound():
    first = f"127.0.0.1:{free_port()}"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        second = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigError, match="Address already in use") as raised:
            tls_listeners_of(radius(first, second))
    assert raised.value.path == "doors.radius.tls.listen"
    tls_listeners_of(radius(first))[0].close()


def test_without_tls_there_is_nothing_to_bind_or_start():
    assert tls_listeners_of(None) == ()
    assert tls_listeners_of(SimpleNamespace(tls=None)) == ()
    opening = RadsecOpening()
    opening.start(SimpleNamespace(doors=SimpleNamespace(radius=None)), None)
    assert opening._started is None


def test_no_process_is_an_error_of_the_start(monkeypatch):
    def failing(_become):
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(radsec_opening, "spawn", failing)
    settings = SimpleNamespace(doors=SimpleNamespace(radius=radius("127.0.0.1:2083")))
    with pytest.raises(ConfigError, match="no process can be had"):
        RadsecOpening().start(settings, None)


def test_it_reads_its_key_as_root_and_is_nobody_then(papers):
    """Nothing is left of root's rights, and no descriptor but its socket, its loop's, the log's."""
    papers.server.key_file.chmod(0o600)
    child = spawn(pwd.getpwnam("nobody") if os.geteuid() == 0 else None)
    try:
        child.link.settimeout(30)
        child.link.send(frames.encode(papers.files))
        assert frames.decode_report(child.link.recv(frames.MAX_OCTETS)) == Configured()
        pid = child.process.pid
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        shown = {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
        assert int(shown["CapPrm"], 16) == int(shown["CapEff"], 16) == 0
        assert shown["NoNewPrivs"] == "1"
        assert Path(f"/proc/{pid}/environ").stat().st_uid == 0
        if os.geteuid() == 0:
            assert set(shown["Uid"].split()) == {str(pwd.getpwnam("nobody").pw_uid)}
            assert Path(f"/proc/{pid}/environ").read_bytes() == b""
            names = [str(one.readlink()) for one in Path(f"/proc/{pid}/fd").iterdir()]
            kinds = sorted(name.partition(":")[0] for name in names if not name.startswith("/"))
            assert [kind for kind in kinds if kind != "pipe"] == [
                "anon_inode", "socket", "socket", "socket"
            ]  # fmt: skip
            # its files are root's: what it has read stays, and what it has not is an error
            child.link.send(frames.encode(papers.files))
            assert frames.decode_report(child.link.recv(frames.MAX_OCTETS)) == Configured()
            other = frames.Configure(
                str(papers.nas.cert_file), str(papers.nas.key_file), str(papers.theirs.ca_file)
            )
            child.link.send(frames.encode(other))
            report = frames.decode_report(child.link.recv(frames.MAX_OCTETS))
            assert "Permission denied" in report.problem
    finally:
        child.end()
