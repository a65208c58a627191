"""eapol_test (wpa_supplicant's own EAP) against our EAP: every method, both versions of TLS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from loginward.core.secret import Secret
from loginward.doors.radius.eap.turns import (
    Accept,
    Ask,
    EapMethod,
    Failed,
    NeedsAccount,
    NeedsPassword,
    Reject,
    Rejected,
    Why,
)
from loginward.settings.radius import Eap
from tests.live.certificates import Authority, upn
from tests.live.eap_server import Bare, EapServer, eapol_test, usual_law

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("eap")]

METHODS = {
    EapMethod.TTLS_PAP: {"eap": Bare("TTLS"), "phase2": "auth=PAP"},
    EapMethod.TTLS_GTC: {"eap": Bare("TTLS"), "phase2": "autheap=GTC"},
    EapMethod.PEAP_GTC: {"eap": Bare("PEAP"), "phase2": "auth=GTC"},
    EapMethod.TLS: {"eap": Bare("TLS")},
}
OTHER_FIRST = {
    EapMethod.TTLS_PAP: (EapMethod.TLS, EapMethod.PEAP_GTC, EapMethod.TTLS_PAP),
    EapMethod.TTLS_GTC: (EapMethod.PEAP_GTC, EapMethod.TTLS_GTC),
    EapMethod.PEAP_GTC: (EapMethod.TTLS_PAP, EapMethod.PEAP_GTC),
    EapMethod.TLS: (EapMethod.PEAP_GTC, EapMethod.TLS),
}
methods = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.value)
versions = pytest.mark.parametrize("tls", ["1.2", "1.3"])


class Site:
    """An authority, an RSA certificate as most sites have one, and the server."""

    def __init__(self, folder) -> None:
        self.authority = Authority(folder)
        server = self.authority.issue(
            "server",
            "radius.example",
            x509.SubjectAlternativeName([x509.DNSName("radius.example")]),
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
            key=rsa.generate_private_key(65537, 2048),
        )
        self.ann = self.authority.client("ann", "Ann", upn("ann@corp.example"))
        self.other = Authority(folder / "other")
        self.foreign = self.other.client("ann", "Ann", upn("ann@corp.example"))
        chain = folder / "chain.pem"
        chain.write_bytes(server.cert_file.read_bytes() + self.authority.ca_file.read_bytes())
        self.server = EapServer(
            Eap(
                cert_file=chain,
                key_file=server.key_file,
                ca_file=self.authority.ca_file,
                crl_file=self.authority.revoke("crl.pem"),
            )
        )


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("eap"))
    yield site
    site.server.close()


@pytest.fixture
def site(shared) -> Site:
    shared.server.methods = tuple(EapMethod)
    shared.server.framed_mtu = None
    shared.server.law = usual_law
    shared.server.asked.clear()
    shared.server.ends.clear()
    return shared


def network(site: Site, method: EapMethod, tls: str, **more: object) -> dict[str, object]:
    """Return what a device is told of the network."""
    said = {
        **METHODS[method],
        "ca_cert": site.authority.ca_file,
        "phase1": f"tls_disable_tlsv1_3={int(tls == '1.2')}",
        "identity": "ann",
        "anonymous_identity": "nobody@corp.example",
        "password": "right horse",
    }
    if method is EapMethod.TLS:
        said |= {"client_cert": site.ann.cert_file, "private_key": site.ann.key_file}
    return said | more


def asked(method: EapMethod, password: bytes = b"right horse") -> list:
    if method is EapMethod.TLS:
        return [NeedsAccount(method, "ann@corp.example")]
    can_ask = method is not EapMethod.TTLS_PAP
    return [NeedsPassword(method, "ann", Secret(password), can_ask)]


@versions
@methods
def test_the_right_person_is_let_in_and_again(site, tmp_path, method, tls):
    """The second login is a re-authentication: the law is asked again, nothing is resumed."""
    site.server.methods = (method,)
    good, said = eapol_test(tmp_path, site.server.port, again=1, **network(site, method, tls))
    assert good, said[-3000:]
    assert f"SSL: Using TLS version TLSv{tls}\n" in said
    assert site.server.asked == asked(method) * 2


@versions
@methods
def test_small_packets_both_ways_make_no_difference(site, tmp_path, method, tls):
    site.server.methods = (method,)
    site.server.framed_mtu = 204
    good, said = eapol_test(
        tmp_path, site.server.port, **network(site, method, tls, fragment_size=200)
    )
    assert good, said[-3000:]
    assert site.server.asked == asked(method)


@versions
@methods
def test_a_nak_leads_to_the_method_of_the_device(site, tmp_path, method, tls):
    site.server.methods = OTHER_FIRST[method]
    good, said = eapol_test(tmp_path, site.server.port, **network(site, method, tls))
    assert good, said[-3000:]
    assert "Building EAP-Nak" in said
    assert site.server.asked == asked(method)


@versions
@methods
def test_who_cannot_prove_it_hears_failure(site, tmp_path, method, tls):
    more = {"password": "wrong horse"}
    if method is EapMethod.TLS:
        more = {"client_cert": site.foreign.cert_file, "private_key": site.foreign.key_file}
    site.server.methods = (method,)
    good, said = eapol_test(tmp_path, site.server.port, **network(site, method, tls, **more))
    assert not good
    assert "EAP: Received EAP-Failure" in said
    (end,) = site.server.ends
    if method is EapMethod.TLS:
        assert isinstance(end, Failed)
        assert end.why is Why.HANDSHAKE
        assert site.server.asked == []
    else:
        assert isinstance(end, Rejected)
        assert site.server.asked == asked(method, b"wrong horse")


@versions
@methods
def test_a_device_that_distrusts_us_says_nothing_inside(site, tmp_path, method, tls):
    site.server.methods = (method,)
    good, _ = eapol_test(
        tmp_path, site.server.port, **network(site, method, tls, ca_cert=site.other.ca_file)
    )
    assert not good
    assert site.server.asked == []
    (end,) = site.server.ends
    assert isinstance(end, Failed)
    assert "unknown ca" in end.detail


@versions
@pytest.mark.parametrize("method", [EapMethod.TTLS_GTC, EapMethod.PEAP_GTC])
def test_a_device_answers_when_more_is_asked(site, tmp_path, method, tls):
    """eapol_test has one password and gives it to every question."""
    verdicts = [Ask("Code: "), Accept()]
    site.server.law = lambda _: verdicts.pop(0)
    site.server.methods = (method,)
    good, said = eapol_test(tmp_path, site.server.port, **network(site, method, tls))
    assert good, said[-3000:]
    assert site.server.asked == asked(method) * 2


@versions
def test_a_suspended_person_with_a_good_certificate_hears_failure(site, tmp_path, tls):
    site.server.law = lambda _: Reject()
    site.server.methods = (EapMethod.TLS,)
    good, said = eapol_test(tmp_path, site.server.port, **network(site, EapMethod.TLS, tls))
    assert not good
    assert "EAP: Received EAP-Failure" in said
    assert [type(end) for end in site.server.ends] == [Rejected]
