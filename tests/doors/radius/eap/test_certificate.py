"""Whose certificate it is: exactly one name of the kind that the configuration says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from loginward.doors.radius.eap import certificate
from loginward.doors.radius.eap.certificate import CertificateRefusedError
from tests.live.certificates import upn

EMAIL = x509.RFC822Name("ann@example.org")
UPN = upn("ann@corp.example")
OTHER = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.4"), b"\x0c\x01x")


def issued(site, name: str, *names: x509.GeneralName) -> x509.Certificate:
    return read(site.authority.client("tried", name, *names))


def read(pair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.cert_file.read_bytes())


@pytest.mark.parametrize(
    ("kind", "names", "name"),
    [
        pytest.param("san-upn", [UPN], "ann@corp.example", id="upn"),
        pytest.param("san-upn", [EMAIL, OTHER, UPN], "ann@corp.example", id="upn-among-others"),
        pytest.param("san-email", [UPN, EMAIL], "ann@example.org", id="email"),
        pytest.param("common-name", [UPN, EMAIL], "Ann Ångström", id="common-name"),
    ],
)
def test_the_one_name_of_the_kind_is_the_persons(site, kind, names, name):
    assert certificate.name_of(issued(site, "Ann Ångström", *names), kind) == name


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        pytest.param("san-upn", [], id="no-names-at-all"),
        pytest.param("san-upn", [EMAIL], id="no-upn"),
        pytest.param("san-email", [UPN], id="no-email"),
        pytest.param("san-upn", [UPN, upn("root@corp.example")], id="two"),
        pytest.param("san-upn", [UPN, UPN], id="twice-the-same"),
        pytest.param("san-email", [EMAIL, x509.RFC822Name("b@example.org")], id="two-emails"),
        pytest.param("san-upn", [upn("")], id="empty"),
        pytest.param("san-upn", [upn("a\0b")], id="nul"),
        pytest.param("san-upn", [x509.OtherName(UPN.type_id, b"\x13\x03ann")], id="no-utf8-string"),
        pytest.param(
            "san-upn", [x509.OtherName(UPN.type_id, b"\x30\x05\x0c\x03ann")], id="in-a-sequence"
        ),
        pytest.param(
            "san-upn", [UPN, x509.OtherName(UPN.type_id, b"\x05\x00")], id="one-is-broken"
        ),
    ],
)
def test_no_name_or_several_prove_nobody(site, kind, names):
    with pytest.raises(CertificateRefusedError) as refused:
        certificate.name_of(issued(site, "Ann", *names), kind)
    assert "corp.example" not in str(refused.value)


def test_two_common_names_prove_nobody(site):
    class Two:
        extensions = issued(site, "Ann").extensions
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in ("a", "b")])

    with pytest.raises(CertificateRefusedError, match="2 names"):
        certificate.name_of(Two, "common-name")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "extensions",
    [
        pytest.param([], id="for-anything"),
        pytest.param([x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])], id="servers"),
        pytest.param([x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])], id="any"),
    ],
)  # fmt: skip
def test_a_certificate_must_be_meant_for_clients(site, extensions):
    names = x509.SubjectAlternativeName([UPN])
    pair = site.authority.issue("tried", "Ann", names, *extensions)
    with pytest.raises(CertificateRefusedError, match="clientAuth"):
        certificate.name_of(read(pair), "san-upn")


def test_lists_are_read_and_the_first_that_ends_counts(site):
    day = timedelta(days=1)
    first = site.authority.revoke("one.pem", lasts=day).read_bytes()
    second = site.authority.revoke("two.pem", lasts=2 * day).read_bytes()
    crls = certificate.read_crls(b"text\n" + second + first)
    assert len(crls) == 2
    ends_at = certificate.ends_at(crls)
    assert ends_at is not None
    assert abs(ends_at - datetime.now(UTC) - day) < timedelta(minutes=1)


@pytest.mark.parametrize("pem", [b"", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----"])
def test_a_file_without_a_list_is_refused(pem):
    with pytest.raises(ValueError, match="no list"):
        certificate.read_crls(pem)
