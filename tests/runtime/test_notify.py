"""sd_notify(3) over a real socket, and a watchdog that stops with what it watches."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from loginward.runtime.notify import Watchdog, notify


@pytest.fixture(params=["path", "abstract"])
def listener(request, tmp_path):
    name = str(tmp_path / "notify") if request.param == "path" else f"@loginward-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0" + name[1:] if name.startswith("@") else name)
        sock.settimeout(5)
        yield sock, {"NOTIFY_SOCKET": name}


def test_each_state_is_one_datagram(listener):
    sock, environ = listener
    for state in ("READY=1", "RELOADING=1", "STOPPING=1"):
        assert notify(state, environ)
        assert sock.recv(100) == state.encode()


def test_without_a_listener_nothing_happens(tmp_path):
    assert not notify("READY=1", {})
    assert not notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    assert not notify("READY=1", {"NOTIFY_SOCKET": "/" + "x" * 300})


def test_the_watchdog_speaks_while_all_is_well_and_then_no_more(listener):
    sock, environ = listener
    well = threading.Event()
    asked = threading.Semaphore(0)

    def is_well():
        asked.release()
        return well.is_set()

    watchdog = Watchdog(is_well, {**environ, "WATCHDOG_USEC": "20000"})
    watchdog.start()
    for _ in range(3):
        assert asked.acquire(timeout=5)
    sock.settimeout(0)
    with pytest.raises(BlockingIOError):
        sock.recv(100)
    sock.settimeout(5)
    well.set()
    assert sock.recv(100) == b"WATCHDOG=1"
    watchdog.stop()


def test_a_health_check_that_fails_is_not_well(listener):
    sock, environ = listener
    asked = threading.Semaphore(0)

    def is_well():
        asked.release()
        raise RuntimeError("fault")

    watchdog = Watchdog(is_well, {**environ, "WATCHDOG_USEC": "20000"})
    watchdog.start()
    for _ in range(3):
        assert asked.acquire(timeout=5), "it goes on asking"
    watchdog.stop()
    sock.settimeout(0)
    with pytest.raises(BlockingIOError):
        sock.recv(100)


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({}, id="not-asked-for"),
        pytest.param({"WATCHDOG_USEC": "0"}, id="zero"),
        pytest.param({"WATCHDOG_USEC": "soon"}, id="nonsense"),
        pytest.param({"WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"}, id="for-another-process"),
    ],
)
def test_nothing_is_said_where_nobody_asks_and_it_is_looked_all_the_same(
    listener, asked, monkeypatch
):
    """What hangs is told by `status` on every host."""
    sock, environ = listener
    monkeypatch.setattr("loginward.runtime.notify._UNASKED_S", 0.01)
    looked = threading.Semaphore(0)

    def is_well():
        looked.release()
        return True

    watchdog = Watchdog(is_well, environ | asked)
    watchdog.start()
    for _ in range(3):
        assert looked.acquire(timeout=5)
    watchdog.stop()
    sock.settimeout(0)
    with pytest.raises(BlockingIOError):
        sock.recv(100)
