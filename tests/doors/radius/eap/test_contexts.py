"""What an operator hears of files that cannot be used, and a list that changes while we run."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from OpenSSL import SSL

from loginward.doors.radius.eap.contexts import RevocationUnknownError
from loginward.errors import ConfigError
from tests.live.certificates import Authority


@pytest.fixture
def file(tmp_path, site):
    key = load_pem_private_key(site.server.key_file.read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    pem = Encoding.PEM, PrivateFormat.PKCS8
    agreeing = x25519.X25519PrivateKey.generate().private_bytes(*pem, NoEncryption())
    contents = {
        "text": b"hello",
        "broken": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "locked": locked,
        "agreeing": agreeing,
    }

    def made(name: str):
        path = tmp_path / name
        if name in contents:
            path.write_bytes(contents[name])
        return path

    return made


@pytest.mark.parametrize(
    ("key", "name", "problem"),
    [
        ("cert_file", "missing", "No such file"),
        ("cert_file", "text", "no certificate in PEM"),
        ("cert_file", "broken", "no certificate in PEM"),
        ("key_file", "missing", "No such file"),
        ("key_file", "text", "no private key in PEM"),
        ("key_file", "locked", "is encrypted"),
        ("key_file", "agreeing", "signs nothing"),
        ("ca_file", "missing", "No such file"),
        ("ca_file", "text", "no certificate in PEM"),
        ("crl_file", "missing", "No such file"),
        ("crl_file", "text", "no list of revoked certificates"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(changed, file, key, name, problem):
    with pytest.raises(ConfigError) as error:
        changed(**{key: file(name)})
    assert error.value.path == f"doors.radius.eap.{key}"
    assert problem in error.value.problem
    assert name in error.value.problem


def test_the_key_of_another_certificate_is_refused(changed, site):
    with pytest.raises(ConfigError, match="not the key of the first certificate") as error:
        changed(key_file=site.ann.key_file)
    assert error.value.path == "doors.radius.eap.key_file"


def test_a_key_too_weak_for_the_library_is_refused_by_its_name(changed, site):
    weak = rsa.generate_private_key(65537, 1024)
    pair = site.authority.issue("weak", "radius.example", key=weak)
    with pytest.raises(ConfigError, match="too small") as error:
        changed(cert_file=pair.cert_file, key_file=pair.key_file)
    assert error.value.path == "doors.radius.eap.cert_file"


def test_without_an_authority_no_certificate_proves_anybody(changed):
    with pytest.raises(RevocationUnknownError):
        changed(ca_file=None, crl_file=None).for_certificates()


def test_the_list_is_read_anew_only_when_it_changes(changed, site, tmp_path):
    path = tmp_path / "crl.pem"
    os.link(site.authority.revoke("list.pem"), path)
    contexts = changed(crl_file=path)
    first = contexts.for_certificates()
    assert contexts.for_certificates() is first

    site.authority.revoke("list2.pem", site.ann).replace(path)
    second = contexts.for_certificates()
    assert second is not first
    assert contexts.for_certificates() is second


@pytest.mark.parametrize("fault", ["gone", "broken", "stale", "endless"])
def test_a_list_that_goes_bad_refuses_until_it_is_good_again(changed, site, tmp_path, fault):
    path = tmp_path / "crl.pem"
    good = site.authority.revoke("list.pem").read_bytes()
    path.write_bytes(good)
    contexts = changed(crl_file=path)
    contexts.for_certificates()

    if fault == "gone":
        path.unlink()
    elif fault == "broken":
        path.write_bytes(good[:200])
    elif fault == "stale":
        path.write_bytes(
            site.authority.revoke("stale.pem", lasts=-timedelta(seconds=1)).read_bytes()
        )
    else:
        path.write_bytes(good + site.authority.revoke("s.pem", lasts=-timedelta(1)).read_bytes())
    for _ in range(2):
        with pytest.raises(
            RevocationUnknownError, match="stale" if fault in {"stale", "endless"} else "read"
        ):
            contexts.for_certificates()
    assert isinstance(contexts.for_passwords(), SSL.Context)

    path.write_bytes(good)
    contexts.for_certificates()


def test_a_chain_is_sent_whole(changed, site, tmp_path):
    chain = tmp_path / "chain.pem"
    other = Authority(tmp_path / "other").ca_file
    chain.write_bytes(site.server.cert_file.read_bytes() + other.read_bytes())
    changed(cert_file=chain)
