"""Which server is asked, and which is left alone for how long."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from loginward.directory.ldap.servers import (
    FAIR_WAIT_S,
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    NONE_LEFT_PAUSE_S,
    TRIAL_S,
    Servers,
)
from loginward.errors import DirectoryUnavailable
from loginward.settings.directory import Directory, Users

REFUSED = DirectoryUnavailable("connect", "Connection refused")
SLOW = DirectoryUnavailable("directory.budget_s", "bind: no answer in time")


class Hand:
    """A clock turned by hand."""

    def __init__(self) -> None:
        self.at = 100.0

    def now(self) -> datetime:
        return datetime(2026, 11, 24, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.at

    boottime = monotonic


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def servers(clock) -> Servers:
    settings = Directory(
        kind="ldap",
        servers=("ldaps://one.example", "ldaps://two.example:1636"),
        users=Users(dn_template="uid={user},dc=x"),
    )
    return Servers.configured(settings, clock)


def asked(servers: Servers) -> list[str]:
    return [server.host for server, _ in servers.usable()]


def test_the_order_is_the_configured_one(servers):
    assert [(s.host, s.port, s.is_ldaps) for s in servers.all] == [
        ("one.example", 636, True),
        ("two.example", 1636, True),
    ]
    assert [left for _, left in servers.usable()] == [2, 1]


def test_a_server_that_failed_is_left_alone_and_tried_again(servers, clock):
    one = servers.all[0]
    servers.failed(one, REFUSED, clock.at)
    assert asked(servers) == ["two.example"]
    clock.at += FIRST_PAUSE_S
    assert asked(servers) == ["one.example", "two.example"]


def test_each_pause_is_twice_the_last_up_to_a_bound(servers, clock):
    one, pauses = servers.all[0], []
    for _ in range(8):
        servers.failed(one, REFUSED, clock.at)
        began = clock.at
        while "one.example" not in asked(servers):
            clock.at += FIRST_PAUSE_S / 2
        pauses.append(clock.at - began)
    assert pauses[:3] == [FIRST_PAUSE_S, FIRST_PAUSE_S * 2, FIRST_PAUSE_S * 4]
    assert pauses[-1] == LONGEST_PAUSE_S
    servers.answered(one)
    servers.failed(one, REFUSED, clock.at)
    clock.at += FIRST_PAUSE_S
    assert "one.example" in asked(servers)


def test_where_none_answers_each_is_tried_again_soon(servers, clock):
    """A long outage is noticed to be over as soon as a short one."""
    for _ in range(8):
        servers.failed(servers.all[0], REFUSED, clock.at)
        clock.at += LONGEST_PAUSE_S
    servers.failed(servers.all[0], REFUSED, clock.at)
    assert asked(servers) == ["two.example"]
    servers.failed(servers.all[1], REFUSED, clock.at)
    clock.at += NONE_LEFT_PAUSE_S
    assert asked(servers) == ["one.example", "two.example"]


def test_many_who_saw_one_fault_are_one_pause(servers, clock):
    for _ in range(10):
        servers.failed(servers.all[0], REFUSED, clock.at)
    clock.at += FIRST_PAUSE_S
    assert "one.example" in asked(servers)


def test_a_caller_in_a_hurry_blames_nobody(servers, clock):
    servers.failed(servers.all[0], SLOW, clock.at - FAIR_WAIT_S / 2)
    assert asked(servers) == ["one.example", "two.example"]
    servers.failed(servers.all[0], SLOW, clock.at - FAIR_WAIT_S)
    assert asked(servers) == ["two.example"]


def test_after_a_pause_one_caller_at_a_time_tries(servers, clock):
    """A server that still stalls then holds up one login, not every one of that moment."""
    one = servers.all[0]
    servers.failed(one, REFUSED, clock.at)
    clock.at += FIRST_PAUSE_S
    assert asked(servers) == ["one.example", "two.example"]
    assert asked(servers) == ["two.example"]
    servers.answered(one)
    assert asked(servers) == asked(servers) == ["one.example", "two.example"]


def test_a_caller_who_never_came_back_is_not_waited_for(servers, clock):
    servers.failed(servers.all[0], REFUSED, clock.at)
    clock.at += FIRST_PAUSE_S
    asked(servers)
    clock.at += TRIAL_S
    assert "one.example" in asked(servers)


def test_where_all_failed_it_is_said_at_once_and_why(servers, clock):
    for server in servers.all:
        servers.failed(server, REFUSED, clock.at)
    with pytest.raises(DirectoryUnavailable, match="Connection refused") as raised:
        asked(servers)
    assert raised.value.stage == "connect"


def test_health_tells_what_was_last_seen(servers, clock):
    servers.answered(servers.all[1])
    servers.failed(servers.all[0], REFUSED, clock.at)
    one, two = servers.health()
    assert (one.usable, one.last_ok_at) == (False, None)
    assert "refused" in one.last_problem
    assert (two.usable, two.last_problem) == (True, "")
    assert two.last_ok_at == clock.now()
