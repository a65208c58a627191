"""Whom `radius test` asks, and as whom: of the configuration, or named."""

from __future__ import annotations

import pytest

from loginward.errors import ConfigError
from loginward.runtime.radius_target import target_of, tls_target_of
from loginward.settings.radius import Client, Radius, RadiusTls

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def radius(tmp_path) -> Radius:
    for name in ("here", "wifi"):
        (tmp_path / f"{name}.secret").write_text(SECRET + "\n")
        (tmp_path / f"{name}.secret").chmod(0o600)
    return Radius(
        listen=("0.0.0.0:11812", "[::]:11812"),
        tls=RadiusTls(
            listen=("[::]:12083",), cert_file=tmp_path, key_file=tmp_path,
            client_ca_file=tmp_path,
        ),
        clients=(
            Client(name="here", addresses=("127.0.0.1/32",), secret_file=tmp_path / "here.secret", methods=("pap",)),
            Client(name="wifi", addresses=("10.0.0.0/8",), secret_file=tmp_path / "wifi.secret", methods=("pap",)),
            Client(name="ap", addresses=("10.9.0.0/16",), tls_name="ap.example.org", methods=("pap",)),
        ),
    )  # fmt: skip


def test_by_default_it_asks_where_we_listen_as_the_client_that_we_are(radius) -> None:
    target = target_of(radius, None, None, None)
    assert (target.shown, target.client, target.seen_as) == ("127.0.0.1:11812", "here", "here")
    assert "does the daemon run" in target.why_silent()


def test_the_secret_of_another_client_is_said_to_be_of_no_use(radius) -> None:
    target = target_of(radius, None, "wifi", None)
    assert (target.client, target.seen_as) == ("wifi", "here")
    assert "comes as client here, not wifi" in target.why_silent()


@pytest.mark.parametrize(
    ("server", "shown"),
    [
        ("127.0.0.1", "127.0.0.1:1812"),
        ("127.0.0.1:99", "127.0.0.1:99"),
        ("::1", "[::1]:1812"),
        ("[::1]:99", "[::1]:99"),
        ("0.0.0.0", "127.0.0.1:1812"),
    ],
)
def test_a_server_as_one_writes_it(radius, tmp_path, server, shown) -> None:
    target = target_of(radius, server, None, tmp_path / "wifi.secret")
    assert (target.shown, target.client) == (shown, "")


@pytest.mark.parametrize(
    ("server", "client", "said"),
    [
        (None, "lan", "there is no RADIUS client lan; there are: here, wifi, ap"),
        (None, "ap", "comes by TLS alone"),
        ("::1", None, "no client has the address"),
        ("127.0.0.1:x", None, "HOST:PORT"),
        ("no.such.host.invalid", None, "no.such.host.invalid"),
    ],
)
def test_what_cannot_be_asked_says_why(radius, server, client, said) -> None:
    with pytest.raises(ConfigError, match=said):
        target_of(radius, server, client, None)


def test_without_a_door_a_server_must_be_named(tmp_path) -> None:
    with pytest.raises(ConfigError, match="name a --server"):
        target_of(None, None, None, tmp_path / "x")


def test_over_tls_the_servers_name_is_needed(radius, tmp_path) -> None:
    papers = (tmp_path, tmp_path, tmp_path)
    target = tls_target_of(radius, None, papers, "radius.example.org")
    assert (target.shown, target.papers.name) == ("[::1]:12083", "radius.example.org")
    assert tls_target_of(radius, "localhost", papers, "").papers.name == "localhost"
    assert "tls_name" in target.why_silent()
    with pytest.raises(ConfigError, match="--domain"):
        tls_target_of(radius, None, papers, "")
