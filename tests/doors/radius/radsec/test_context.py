"""Files make a context, or the error names the key that is wrong."""

from __future__ import annotations

import ssl

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization

from loginward.doors.radius.radsec.context import server_context
from loginward.errors import ConfigError


def test_it_demands_a_certificate_and_trusts_the_clients_authority_alone(papers):
    context = server_context(papers.files)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    trusted = [dict(part[0] for part in one["subject"]) for one in context.get_ca_certs()]
    assert trusted == [{"commonName": "of clients"}]
    assert context.num_tickets == 0


@pytest.fixture(scope="module")
def spoilt(papers):
    key = serialization.load_pem_private_key(papers.server.key_file.read_bytes(), None)
    files = {
        "nothing.pem": b"",
        "broken.pem": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "encrypted.key": key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"typed by nobody"),
        ),
    }
    for name, octets in files.items():
        (papers.folder / name).write_bytes(octets)
    return papers.folder


@pytest.mark.parametrize(
    ("key", "file", "problem"),
    [
        ("cert_file", "missing.pem", "No such file"),
        ("cert_file", "nothing.pem", "no certificate"),
        ("cert_file", "broken.pem", "broken"),
        ("cert_file", "theirs/nas.pem", "not the key"),
        ("key_file", "missing.key", "No such file"),
        ("key_file", "nothing.pem", "no private key"),
        ("key_file", "encrypted.key", "encrypted"),
        ("key_file", "theirs/nas.key", "not the key"),
        ("client_ca_file", "missing.pem", "No such file"),
        ("client_ca_file", "nothing.pem", "no certificate"),
        ("client_ca_file", "ours/server.key", "no certificate"),
    ],
)
def test_what_is_wrong_is_named_by_its_key(papers, spoilt, key, file, problem):
    files = msgspec.structs.replace(papers.files, **{key: str(spoilt / file)})
    with pytest.raises(ConfigError, match=problem) as raised:
        server_context(files)
    wrong = "key_file" if problem == "not the key" else key
    assert raised.value.path == f"doors.radius.tls.{wrong}"
