"""The examples for RADIUS peers: each loads strictly, and the door opens with it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from loginward.config import check_config
from loginward.doors.radius.eap.contexts import TlsContexts
from loginward.runtime.clock import SystemClock
from loginward.runtime.radius_opening import RadiusOpening
from tests.cli.conftest import RUN, environment

TOP = Path(__file__).parents[2]
EXAMPLES = sorted((TOP / "config/examples").glob("radius-*.yaml"))
PEERS = {"openvpn", "strongswan", "unifi", "mikrotik", "cisco", "fortigate", "hostapd"}


def test_there_is_one_for_each_peer() -> None:
    assert {path.stem.removeprefix("radius-") for path in EXAMPLES} == PEERS


@pytest.fixture(scope="module")
def etc(tmp_path_factory) -> Path:
    """Return what /etc/loginward holds after the commands that the examples name."""
    folder = tmp_path_factory.mktemp("etc")
    made = subprocess.run(
        [*RUN, "radius", "make-cert", "--name", "radius.example.org", "--user", "ann",
         "--out", folder / "eap"],
        env=environment(), capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    for peer in PEERS:
        secret = folder / f"{peer}.secret"
        secret.write_text("0123456789abcdef0123456789abcdef\n")
        secret.chmod(0o600)
    return folder


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_door_opens_with_it(path: Path, etc: Path, tmp_path: Path) -> None:
    """Strictly: every key, every attribute by the dictionary, and the certificates of make-cert."""
    file = tmp_path / "loginward.yaml"
    file.write_text(path.read_text().replace("/etc/loginward", str(etc)))
    settings, problems = check_config(file)
    assert settings is not None, problems
    assert [str(one) for one in problems if not one.is_warning] == []
    rules = RadiusOpening().rules(settings)
    radius = settings.doors.radius
    assert radius is not None
    assert len(rules.rules) == len(radius.replies) > 0
    if radius.eap is not None:
        assert TlsContexts(radius.eap, SystemClock()).for_passwords()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_peers_own_lines_stand_beside_it(path: Path) -> None:
    """The address of the peer that asks is in the client's networks; both sides share one secret."""
    text = path.read_text()
    comment = "\n".join(line for line in text.splitlines() if line.startswith("#"))
    assert "10.0.0.5" in comment
    assert re.search(r"THE.SECRET", comment)
    assert len(comment.splitlines()) > 10
    assert json.dumps(text).isascii()
