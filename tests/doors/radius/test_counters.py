"""Every event is counted; a warning is one line a client and hour, with how often it happened."""

from __future__ import annotations

import logging

import pytest

from loginward.doors.radius.counters import _WARNED, WARN_EVERY_S, Counters


def lines(caplog):
    return [record.getMessage() for record in caplog.records]


def test_one_line_a_client_event_and_hour(caplog):
    counters = Counters()
    for n in range(500):
        counters.warn("wifi", "unsigned", n * 0.1)
    counters.warn("vpn", "unsigned", 60.0)
    counters.warn("wifi", "malformed", 60.0)
    assert len(lines(caplog)) == 3
    assert "RADIUS client wifi" in lines(caplog)[0]
    assert "require_message_authenticator" in lines(caplog)[0]
    assert counters.read() == {
        ("wifi", "unsigned"): 500, ("vpn", "unsigned"): 1, ("wifi", "malformed"): 1,
    }  # fmt: skip


def test_the_next_hours_line_says_how_many_there_were(caplog):
    counters = Counters()
    for n in range(41):
        counters.warn("wifi", "unsigned", float(n))
    counters.warn("wifi", "unsigned", WARN_EVERY_S - 0.1)
    assert len(lines(caplog)) == 1
    counters.warn("wifi", "unsigned", WARN_EVERY_S)
    assert len(lines(caplog)) == 2
    assert "42 times since the last warning" in lines(caplog)[1]
    counters.warn("wifi", "unsigned", 2 * WARN_EVERY_S)
    assert "times" not in lines(caplog)[2], "once is no number to speak of"


@pytest.mark.parametrize("event", sorted(_WARNED))
def test_every_warning_is_worded(event, caplog):
    with caplog.at_level(logging.WARNING):
        Counters().warn("wifi", event, 0.0)
    assert len(lines(caplog)) == 1


def test_a_stranger_is_named_once_an_hour_so_that_a_forgotten_client_is_found(caplog):
    counters = Counters()
    for n in range(100):
        counters.stranger("192.0.2.7", float(n))
    counters.stranger("192.0.2.8", 100.0)
    assert ["192.0.2.7" in lines(caplog)[0], "192.0.2.8" in lines(caplog)[1]] == [True, True]
    assert len(lines(caplog)) == 2
    assert counters.read() == {("-", "unknown-client"): 101}
    counters.stranger("192.0.2.7", WARN_EVERY_S)
    assert len(lines(caplog)) == 3


def test_strangers_fill_neither_the_log_nor_the_memory(caplog):
    counters = Counters()
    for n in range(5000):
        counters.stranger(f"10.0.{n // 256}.{n % 256}", 0.0)
    assert len(lines(caplog)) == len(counters._strangers) == 16
    counters.stranger("192.0.2.7", WARN_EVERY_S)
    assert "192.0.2.7" in lines(caplog)[16]
