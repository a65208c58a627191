"""What is said of a server's certificate: Apple's published list, each line broken once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from loginward.crypto.certificates import described, matches, problems

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
DAY = timedelta(days=1)
NAME = "radius.example.org"
SERVER = ExtendedKeyUsageOID.SERVER_AUTH


def certificate(
    *, names=(NAME,), usage=(SERVER,), begins=NOW - DAY, lasts=825 * DAY, key=None, digest=None
) -> x509.Certificate:
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + lasts)
    )
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternative, critical=False)
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
    return builder.sign(key, digest or hashes.SHA256())


def test_a_good_one_has_no_problems_and_is_described() -> None:
    good = certificate()
    assert problems(good, NOW, NAME) == ()
    told = described(good)
    assert (told.names, told.issuer, told.key) == ((NAME,), "an authority", "ECDSA secp256r1")
    assert told.ends_at == NOW - DAY + 825 * DAY


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"lasts": 826 * DAY}, "it lasts 826 days"),
        ({"begins": NOW + DAY}, "it is not valid before 2026-11-25"),
        ({"begins": NOW - 9 * DAY, "lasts": DAY}, "it ended on 2026-11-16"),
        ({"names": ()}, "it has no DNS name"),
        ({"names": ("other.example.org",)}, "it is for other.example.org, not for"),
        ({"usage": ()}, "its extended key usage does not say serverAuth"),
        ({"usage": (ExtendedKeyUsageOID.CLIENT_AUTH,)}, "its extended key usage does not say"),
    ],
    ids=str,
)
def test_each_line_broken_is_the_one_problem(made, said) -> None:
    (problem,) = problems(certificate(**made), NOW, NAME)
    assert problem.startswith(said)


def test_a_weak_key_is_a_problem() -> None:
    weak = rsa.generate_private_key(65537, 1024)
    assert problems(certificate(key=weak), NOW) == (
        "its RSA key has 1024 bits; 2048 are the least",
    )
    assert described(certificate(key=weak)).key == "RSA 1024"


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("radius.example.org", True),
        ("RADIUS.Example.ORG", True),
        ("a.wild.example.org", True),
        ("wild.example.org", False),
        ("b.a.wild.example.org", False),
        ("example.org", False),
        ("", False),
    ],
)
def test_names_match_whole_or_by_one_label(name, good) -> None:
    assert matches(("radius.example.org", "*.wild.example.org"), name) is good
