"""A client is whom a DNS name of its certificate names, if that is for clients (security.md 11)."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from loginward.doors.radius.radsec.certificate import problem_of
from loginward.doors.radius.radsec.frames import End

CLIENT = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
SERVER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
ANY = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
BOTH = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])


def dns(*names: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.DNSName(name) for name in names])


@pytest.mark.parametrize(
    ("extensions", "problem"),
    [
        pytest.param((CLIENT, dns("nas.example")), None, id="its-name"),
        pytest.param((BOTH, dns("a.example", "NAS.Example")), None, id="one-of-them-in-capitals"),
        pytest.param((CLIENT, dns("other.example")), End.WRONG_NAME, id="another"),
        pytest.param((CLIENT, dns("nas.example.evil.org")), End.WRONG_NAME, id="longer"),
        pytest.param((CLIENT, dns("as.example")), End.WRONG_NAME, id="shorter"),
        pytest.param((CLIENT, dns("*.example")), End.WRONG_NAME, id="a-wildcard-names-nobody"),
        pytest.param((CLIENT,), End.WRONG_NAME, id="a-common-name-names-nobody"),
        pytest.param(
            (CLIENT, x509.SubjectAlternativeName([x509.RFC822Name("nas.example@nas.example")])),
            End.WRONG_NAME, id="a-mail-address",
        ),
        pytest.param((SERVER, dns("nas.example")), End.NOT_FOR_CLIENTS, id="a-server's"),
        pytest.param((dns("nas.example"),), End.NOT_FOR_CLIENTS, id="uses-not-said"),
        pytest.param((ANY, dns("nas.example")), End.NOT_FOR_CLIENTS, id="any-use"),
        pytest.param(
            (x509.UnrecognizedExtension(x509.ExtendedKeyUsage.oid, b"\0"), dns("nas.example")),
            End.NOT_FOR_CLIENTS, id="uses-that-cannot-be-read",
        ),
        pytest.param(
            (CLIENT, x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"\0")),
            End.NOT_FOR_CLIENTS, id="names-that-cannot-be-read",
        ),
    ],
)  # fmt: skip
def test_whose_it_is(papers, extensions, problem):
    pair = papers.theirs.issue("judged", "nas.example", *extensions)
    certificate = x509.load_pem_x509_certificate(pair.cert_file.read_bytes())
    assert problem_of(certificate, "nas.example") is problem
    assert problem_of(certificate, "Nas.EXAMPLE") is problem
