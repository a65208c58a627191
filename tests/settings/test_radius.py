"""The rules between the keys of `doors.radius`."""

from __future__ import annotations

from pathlib import Path

import pytest

from loginward.settings import Client, Eap, InvalidSettingError, Radius, RadiusTls

WIFI = Client(
    name="wifi", addresses=("10.20.0.0/16",), secret_file=Path("/etc/s"), methods=("pap",)
)
EAP = Eap(cert_file=Path("/c"), key_file=Path("/k"))


def client(**keys: object) -> Client:
    return Client(
        **{
            "name": "a",
            "addresses": ("10.0.0.1",),
            "secret_file": Path("/s"),
            "methods": ("pap",),
            **keys,
        }
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "keys",
    [
        {"addresses": ("10.20.0.1/16",)},
        {"addresses": ("wifi",)},
        {"addresses": ("::ffff:10.20.0.0/112",)},
        {"addresses": ()},
        {"name": ""},
        {"secret_file": None},
        {"methods": ()},
    ],
)
def test_a_client_that_is_refused(keys: dict[str, object]) -> None:
    with pytest.raises(InvalidSettingError):
        client(**keys)


@pytest.mark.parametrize("address", ["0.0.0.0", "host:1812", "[::]", "0.0.0.0:0", "1.2.3.4:99999"])
def test_a_listen_address_is_an_address_with_a_port(address: str) -> None:
    with pytest.raises(InvalidSettingError, match="must look like"):
        Radius(clients=(WIFI,), listen=(address,))


def test_names_are_used_once() -> None:
    with pytest.raises(InvalidSettingError, match="twice"):
        Radius(clients=(WIFI, WIFI))


def test_eap_tls_needs_an_authority() -> None:
    """security.md 11."""
    with pytest.raises(InvalidSettingError, match=r"eap\.ca_file"):
        Radius(clients=(client(methods=("eap-tls",)),), eap=EAP)
    with pytest.raises(InvalidSettingError, match=r"doors\.radius\.eap"):
        Radius(clients=(client(methods=("eap-ttls-pap",)),))


def test_people_are_no_radius_clients() -> None:
    """security.md 11: one authority for both is refused."""
    tls = RadiusTls(
        listen=("[::]:2083",),
        cert_file=Path("/c"),
        key_file=Path("/k"),
        client_ca_file=Path("/ca"),
    )
    eap = Eap(cert_file=Path("/c"), key_file=Path("/k"), ca_file=Path("/ca"))
    with pytest.raises(InvalidSettingError, match="people are no RADIUS clients"):
        Radius(clients=(WIFI,), tls=tls, eap=eap)


def test_a_tls_name_needs_tls() -> None:
    with pytest.raises(InvalidSettingError, match=r"needs doors\.radius\.tls"):
        Radius(clients=(client(tls_name="nas.example"),))


def test_tls_versions_are_in_order() -> None:
    with pytest.raises(InvalidSettingError):
        Eap(cert_file=Path("/c"), key_file=Path("/k"), tls_min="1.3", tls_max="1.2")
