"""The RADIUS door's sockets and secrets, as `serve` opens them and a reload reads them again."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from loginward.config.load import load_config
from loginward.errors import ConfigError
from loginward.runtime import radius_opening
from loginward.runtime.radius_opening import RadiusOpening, listeners_of
from loginward.settings import Settings
from loginward.wire.radius.packet import decode
from loginward.wire.radius.signing import NotAuthenticError, SharedSecret, check_request
from tests.doubles.nas import SECRET, Nas, free_port
from tests.runtime.radius import config

NEW = b"a secret of the next year"


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "loginward.yaml"
    path.write_text(f"schema: 1\nstate_dir: {tmp_path}\n{config(tmp_path)}")
    return load_config(path)


@pytest.fixture
def secret_file(tmp_path, settings):
    return tmp_path / "radius.secret"


def believed(rules, secret):
    """Return whether the door believes what a secret has signed."""
    with Nas(1, secret=secret) as nas:
        packet = decode(nas.request("ann", b"x"))
    try:
        check_request(packet, rules.clients.find("127.0.0.1").secret)
    except NotAuthenticError:
        return False
    return True


def test_without_a_door_there_are_no_rules_and_no_sockets():
    assert RadiusOpening().rules(Settings()) is None
    assert listeners_of(None) == ()


def test_a_secret_is_what_its_file_holds_now(settings, secret_file):
    opening = RadiusOpening()
    assert believed(opening.rules(settings), SECRET)
    secret_file.write_bytes(NEW + b"\n")
    rules = opening.rules(settings)
    assert believed(rules, NEW)
    assert not believed(rules, SECRET)


def test_what_only_root_may_read_stays_as_it_was_at_the_start(settings, secret_file, monkeypatch):
    """After the daemon has given up root, a reload finds a file that it cannot open."""
    opening = RadiusOpening()
    opening.rules(settings)
    secret_file.write_bytes(NEW)
    monkeypatch.setattr(radius_opening, "read_secret", refused)
    monkeypatch.setattr(radius_opening, "_can_be_read", lambda _: False)
    assert believed(opening.rules(settings), SECRET)
    with pytest.raises(ConfigError):
        RadiusOpening().rules(settings)


def test_a_file_that_can_be_read_and_is_wrong_refuses_the_reload(settings, secret_file):
    opening = RadiusOpening()
    opening.rules(settings)
    secret_file.chmod(0o644)
    with pytest.raises(ConfigError) as error:
        opening.rules(settings)
    assert error.value.path == "doors.radius.clients[0].secret_file"


def test_a_file_that_is_gone_is_told_by_its_place(settings, secret_file):
    secret_file.unlink()
    with pytest.raises(ConfigError) as error:
        RadiusOpening().rules(settings)
    assert error.value.path == "doors.radius.clients[0].secret_file"


def test_a_short_secret_is_refused_and_not_shown(settings, secret_file):
    secret_file.write_bytes(b"hunter2hunter22\n")
    with pytest.raises(ConfigError) as error:
        RadiusOpening().rules(settings)
    assert "15 octets" in str(error.value)
    assert "hunter" not in str(error.value)


def refused(file, path):
    raise ConfigError(path, "cannot be read")


def opened(settings, **ports):
    return listeners_of(replace(settings.doors.radius, **ports))


def closed(listeners):
    for listener in listeners:
        listener.sock.close()


def test_every_address_has_its_socket_with_room_for_a_burst(settings):
    auth, both, acct = free_port(), free_port("::1"), free_port()
    listeners = opened(
        settings,
        listen=(f"127.0.0.1:{auth}", f"[::1]:{both}"),
        accounting=(f"127.0.0.1:{acct}",),
    )
    try:
        seen = [(one.sock.getsockname()[:2], one.accounting) for one in listeners]
        assert seen == [
            (("127.0.0.1", auth), False), (("::1", both), False), (("127.0.0.1", acct), True),
        ]  # fmt: skip
        most = int(Path("/proc/sys/net/core/rmem_max").read_text())
        sizes = {one.sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) for one in listeners}
        assert min(sizes) >= min(most, 4 * 1024 * 1024)
        assert all(not os.get_inheritable(one.sock.fileno()) for one in listeners)
    finally:
        closed(listeners)


def test_both_families_share_a_port(settings):
    """Each has a socket of its own, so that IPv4 peers are seen as what they are."""
    port = free_port()
    listeners = opened(settings, listen=(f"0.0.0.0:{port}", f"[::]:{port}"), accounting=())
    closed(listeners)
    assert len(listeners) == 2


def test_an_address_that_cannot_be_had_is_told_and_nothing_stays_open(settings):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        mine, theirs = free_port(), taken.getsockname()[1]
        with pytest.raises(ConfigError) as error:
            opened(settings, listen=(f"127.0.0.1:{mine}",), accounting=(f"127.0.0.1:{theirs}",))
        assert error.value.path == "doors.radius.accounting"
        assert f"127.0.0.1:{theirs}" in str(error.value)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
            again.bind(("127.0.0.1", mine))


def test_a_shared_secret_hides_itself(settings):
    rules = RadiusOpening().rules(settings)
    assert SECRET.decode() not in repr(rules)
    assert isinstance(rules.clients.find("127.0.0.1").secret, SharedSecret)


def test_a_secret_comes_as_a_credential_where_systemd_gives_one(
    settings, secret_file, tmp_path, monkeypatch
):
    """The file itself is root's, as the units of `make install` want it."""
    given = tmp_path / "credentials"
    given.mkdir()
    (given / secret_file.name).write_bytes(NEW + b"\n")
    (given / secret_file.name).chmod(0o600)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    secret_file.unlink()
    assert believed(RadiusOpening().rules(settings), NEW)
