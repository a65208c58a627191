"""No certificate, a wrong name, an expired or a foreign certificate: refused, said, never clear."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from loginward.core.evidence import NoVerdict, Proven
from loginward.core.facts import AccountFacts
from loginward.directory.ldap.directory import LdapDirectory, Secrets
from loginward.errors import ConfigError, DirectoryUnavailable
from loginward.settings.directory import Directory
from loginward.settings.keys import InvalidSettingError
from tests.live import people as who
from tests.live.agent import CLOCK, PASSWORD, reached, settings, soon
from tests.live.certificates import Authority
from tests.live.slapd import Slapd

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@contextmanager
def server_with(tmp_path: Path, authority: Authority, **certificate) -> Iterator[Slapd]:
    pair = authority.server("server", **certificate)
    with Slapd(
        tmp_path / "slapd", (who.Person("active"),), certificate=pair, ca_file=authority.ca_file
    ) as slapd:
        yield slapd


def refused(site: Directory, caplog) -> tuple[DirectoryUnavailable, str]:
    """Return how reading and checking failed, and what the log says."""
    with reached(site) as directory:
        with pytest.raises(DirectoryUnavailable) as caught:
            directory.find("active", soon(3))
        account = reading_of("active")
        assert isinstance(directory.check(account, PASSWORD, soon(3)), NoVerdict)
        (health,) = directory.health()
    assert not health.usable
    return caught.value, caplog.text


def reading_of(name: str):
    return AccountFacts(account_id=name, name=name, ref=Slapd.dn(name), read_at=CLOCK.now())


CERTIFICATES = {
    "wrong-name": ({"names": ("ldap.elsewhere.example", "192.0.2.1")}, "mismatch"),
    "expired": ({"lasts": timedelta(days=-2)}, "expired"),
}


@pytest.mark.parametrize("case", CERTIFICATES)
@pytest.mark.parametrize("start_tls", [False, True], ids=["ldaps", "starttls"])
def test_a_certificate_that_does_not_hold(tmp_path, authority, caplog, case: str, start_tls: bool):
    certificate, why = CERTIFICATES[case]
    with server_with(tmp_path, authority, **certificate) as slapd:
        url = slapd.url if start_tls else slapd.tls_url
        problem, logged = refused(settings(slapd.ca_file, url, start_tls=start_tls), caplog)

        assert problem.stage == "tls"
        assert why in problem.detail
        assert url in logged
        assert why in logged
        assert slapd.binds() == []


@pytest.mark.parametrize("start_tls", [False, True], ids=["ldaps", "starttls"])
def test_a_certificate_of_another_authority(tmp_path, authority, caplog, start_tls: bool):
    stranger = Authority(tmp_path / "stranger", "somebody else")
    with server_with(tmp_path, authority) as slapd:
        url = slapd.url if start_tls else slapd.tls_url
        problem, logged = refused(settings(stranger.ca_file, url, start_tls=start_tls), caplog)

        assert problem.stage == "tls"
        assert "self-signed certificate in certificate chain" in problem.detail
        assert url in logged
        assert slapd.binds() == []


def test_the_systems_own_authorities_do_not_know_it(tmp_path, authority, caplog):
    with server_with(tmp_path, authority) as slapd:
        problem, _ = refused(settings(None, slapd.tls_url), caplog)

        assert problem.stage == "tls"
        assert slapd.binds() == []


def test_no_certificate_at_all(slapd_on, caplog):
    """LDAPS towards a port that speaks no TLS: nothing goes out in the clear."""
    before = len(slapd_on.binds())
    problem, _ = refused(settings(slapd_on.ca_file, f"ldaps://127.0.0.1:{slapd_on.port}"), caplog)

    assert problem.stage == "tls"
    assert len(slapd_on.binds()) == before


def test_start_tls_that_the_server_refuses_is_the_end(slapd_on, caplog):
    """It must not go on in the clear (RFC 4513 section 3.1.2): asked twice, slapd refuses."""
    with answering_start_tls(2) as (port, received):
        url = f"ldap://127.0.0.1:{port}"
        problem, logged = refused(settings(slapd_on.ca_file, url, start_tls=True), caplog)

    assert problem.stage == "starttls"
    assert "result 2" in problem.detail
    assert url in logged
    assert all(b"1.3.6.1.4.1.1466.20037" in request for request in received)


def test_octets_before_the_handshake_are_no_answer(slapd_on, caplog):
    """A man in the middle may put answers in front of TLS, to be believed inside it."""
    with answering_start_tls(
        0, extra=b"\x30\x0c\x02\x01\x02\x61\x07\x0a\x01\x00\x04\x00\x04\x00"
    ) as (
        port,
        received,
    ):
        url = f"ldap://127.0.0.1:{port}"
        problem, _ = refused(settings(slapd_on.ca_file, url, start_tls=True), caplog)

    assert problem.stage == "starttls"
    assert all(b"1.3.6.1.4.1.1466.20037" in request for request in received)


@contextmanager
def answering_start_tls(code: int, extra: bytes = b"") -> Iterator[tuple[int, list[bytes]]]:
    """Serve a TCP port that answers StartTLS with a result and goes on in the clear."""
    received: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.settimeout(5)
                while octets := client.recv(4096):
                    received.append(octets)
                    answer = octets[2:5] + bytes([0x78, 7, 0x0A, 1, code, 4, 0, 4, 0])
                    client.sendall(bytes([0x30, len(answer)]) + answer + extra)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1], received
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_tls_older_than_1_2_is_refused(tmp_path, authority):
    pair = authority.server("old")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert_file, pair.key_file)
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        client, _ = listener.accept()
        with client, pytest.raises(OSError):
            context.wrap_socket(client, server_side=True)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    url = f"ldaps://127.0.0.1:{listener.getsockname()[1]}"
    site = settings(authority.ca_file, url)
    with reached(site) as directory, pytest.raises(DirectoryUnavailable) as caught:
        directory.find("active", soon(3))
    thread.join(5)
    listener.close()

    assert caught.value.stage == "tls"


@pytest.mark.parametrize("how", ["ldaps", "starttls", "plain-on-loopback"])
def test_ways_that_are_good(slapd_on, how: str):
    url = slapd_on.tls_url if how == "ldaps" else slapd_on.url
    site = settings(slapd_on.ca_file, url, start_tls=how == "starttls")
    before = len(slapd_on.said("TLS established"))
    with reached(site) as directory:
        facts = directory.find("active", soon())
        assert facts is not None
        assert isinstance(directory.check(facts, PASSWORD, soon()), Proven)

    encrypted = len(slapd_on.said("TLS established")) - before
    assert encrypted == (0 if how == "plain-on-loopback" else 2)


def test_by_name_and_by_address(slapd_on):
    for host in ("localhost", "127.0.0.1"):
        site = settings(slapd_on.ca_file, f"ldaps://{host}:{slapd_on.tls_port}")
        with reached(site) as directory:
            assert directory.find("active", soon()) is not None


def test_clear_text_over_a_network_is_no_setting(slapd_on):
    with pytest.raises(InvalidSettingError, match="loopback"):
        settings(slapd_on.ca_file, "ldap://ldap.example.org")


@pytest.mark.parametrize(
    "holds", [None, b"", b"not a certificate"], ids=["absent", "empty", "other"]
)
def test_a_file_of_authorities_that_cannot_be_used(slapd_on, tmp_path, holds: bytes | None):
    path = tmp_path / "ca.pem"
    if holds is not None:
        path.write_bytes(holds)
    with pytest.raises(ConfigError) as caught:
        LdapDirectory(
            settings(path, slapd_on.tls_url), Secrets(service=PASSWORD, admin=PASSWORD), CLOCK
        )

    assert caught.value.path == "directory.ca_file"
    assert str(path) in caught.value.problem


@pytest.mark.parametrize("flavour", ["389ds", "active-directory", "freeipa"])
def test_flavours_that_are_not_there_yet_say_so(slapd_on, flavour: str):
    """Their statuses are not read yet: better no start than a lock that nobody sees."""
    site = settings(slapd_on.ca_file, slapd_on.tls_url, flavour=flavour)
    with pytest.raises(ConfigError) as caught:
        LdapDirectory(site, Secrets(service=PASSWORD, admin=PASSWORD), CLOCK)

    assert caught.value.path == "directory.flavour"
    assert flavour in caught.value.problem
