"""The real module against the real login door; only the law behind it plays a part."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from loginward.core.requests import Phase
from loginward.doors.login.limits import Limits
from tests.doors.login.serving import Door, serving
from tests.native.conftest import Stack

pytestmark = pytest.mark.live


@pytest.fixture
def door(stack: Stack) -> Iterator[Door]:
    with serving(stack.folder, Limits()) as door:
        assert door.path == stack.socket
        yield door


def test_a_login_of_both_phases(stack: Stack, door: Door) -> None:
    seen = stack.run("alice", "rhost=203.0.113.7", "auth", "acct", "setcred", typed=["right"])

    assert [seen.code(action) for action in ("auth", "acct", "setcred")] == ["PAM_SUCCESS"] * 3
    assert [request.phase for request in door.service.requests] == [Phase.AUTHN, Phase.ACCT]
    assert {request.rhost for request in door.service.requests} == {"203.0.113.7"}
    assert door.service.typed == [b"right"]


def test_a_refusal_and_its_delay(stack: Stack, door: Door) -> None:
    seen = stack.run("alice", "auth", typed=["wrong"])

    assert seen.code("auth") == "PAM_AUTH_ERR"
    assert len(seen.said("delay")) == 1


def test_many_at_once(stack: Stack, door: Door) -> None:
    command = [*stack.driver, str(stack.write()), stack.service, "alice", "auth", "acct"]
    drivers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(24)
    ]
    outs = [driver.communicate(b"right\0", timeout=20)[0].decode() for driver in drivers]

    assert {tuple(out.splitlines()[-2:]) for out in outs} == {("auth: 0", "acct: 0")}
    assert door.count("results") == 48
    assert door.count("garbage") == door.count("hung_up") == door.count("faults") == 0
