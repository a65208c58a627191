"""The RADIUS door of a daemon: its thread, its sessions, its numbers, its end."""

from __future__ import annotations

import pytest

from loginward.runtime.radius_door import NO_DOOR, RadiusDoor
from loginward.wire.admin.rows import FailedRow
from loginward.wire.radius.attributes import AcctStatus, Attribute, attribute
from loginward.wire.radius.packet import Code, decode
from tests.doubles.waiting import eventually
from tests.runtime.conftest import NOW
from tests.runtime.people import RIGHT, WRONG, person
from tests.runtime.radius import config, served


@pytest.fixture
def host(hosts, tmp_path):
    host = hosts(config(tmp_path))
    host.people(person("ann"))
    return host


@pytest.fixture
def door(host):
    with served(host) as door:
        yield door


def start_session(door, name="ann"):
    with door.nas() as nas, door.accountant() as accountant:
        class_ = nas.login(name, RIGHT).first(Attribute.CLASS)
        ours = attribute(Attribute.CLASS, class_)
        accountant.exchange(accountant.accounting(AcctStatus.START, b"s-1", ours))
        accountant.exchange(accountant.accounting(AcctStatus.START, b"s-2"))


def test_it_is_well_while_it_serves_and_says_so_when_it_has_ended(host):
    with served(host) as door:
        assert door.door.is_well
        with door.nas() as nas:
            assert nas.login("ann", RIGHT).code is Code.ACCESS_ACCEPT
    assert not door.door.is_well


def test_at_its_end_a_login_in_flight_is_answered(host, monkeypatch):
    embedded = type(host.parts.embedded)
    check = embedded.check
    with served(host) as door, door.nas() as nas:
        began = []

        def slow(self, account, password, deadline):
            began.append(1)
            eventually(lambda: not door.door._serving.is_alive() or stopping, "never stopped")
            return check(self, account, password, deadline)

        stopping = []
        monkeypatch.setattr(embedded, "check", slow)
        nas.sock.send(nas.request("ann", RIGHT))
        eventually(lambda: began, "never checked")
        stopping.append(1)
        door.door.stop()
        assert decode(nas.sock.recv(4096)).code is Code.ACCESS_ACCEPT


def test_sessions_are_shown_ours_and_others(door):
    start_session(door)
    ours, foreign = door.door.rows()
    assert (ours.name, ours.client, ours.session, ours.is_ours) == ("ann", "vpn", "s-1", True)
    assert (ours.station, ours.address) == ("00-11-22-33-44-55", "127.0.0.1")
    assert (foreign.session, foreign.is_ours) == ("s-2", False)
    assert ours.since == NOW


def test_without_a_door_there_are_none_and_nothing_goes_wrong(hosts):
    host = hosts("", "another")
    door = RadiusDoor(host.parts, ())
    door.start()
    assert door.is_well
    (row,) = door.rows()
    assert isinstance(row, FailedRow)
    assert row.why == NO_DOOR
    door.stop()


def test_its_numbers_are_in_the_metrics_by_client(door):
    with door.nas() as nas:
        nas.login("ann", RIGHT)
        nas.login("ann", WRONG)
        nas.sock.send(b"nonsense")
        nas.exchange(nas.status())
    text = door.host.parts.metrics.render()
    for line in ("access-request", "status-server", "malformed"):
        assert any("vpn" in one and line in one for one in text.splitlines()), text
    assert "radius_door" in text


def test_a_fault_in_judging_lets_nobody_in_and_the_next_one_is_judged(door, monkeypatch, caplog):
    def broken(self, account, password, deadline):
        raise RuntimeError("ours")

    with door.nas() as nas:
        with monkeypatch.context() as patch:
            patch.setattr(type(door.host.parts.embedded), "check", broken)
            assert nas.login("ann", RIGHT).code is Code.ACCESS_REJECT
        assert nas.login("ann", RIGHT).code is Code.ACCESS_ACCEPT
    assert door.host.failures("ann") == 0
    assert "could not be judged" in caplog.text
    assert RIGHT.decode() not in caplog.text


def test_two_hundred_at_once_are_all_answered(door):
    """Every login of a burst, in any order, each by its own Identifier."""
    with door.nas() as nas:
        sent = {}
        for n in range(200):
            request = nas.request("ann", RIGHT if n % 2 else b"guess %d" % (n % 6))
            sent[request[1]] = n
            nas.sock.send(request)
        came = [decode(nas.sock.recv(4096)) for _ in range(200)]
    assert {one.identifier for one in came} == set(sent)
    accepted = [sent[one.identifier] for one in came if one.code is Code.ACCESS_ACCEPT]
    assert all(n % 2 for n in accepted)
    assert len(accepted) == 100
