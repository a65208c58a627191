"""The real process: what the kernel says of it, and whole logins through it (security.md 12, 25)."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import sys
import threading
from pathlib import Path

import pytest

from loginward.core.secret import Secret
from loginward.doors.radius.eap import frames
from loginward.doors.radius.eap.client import EapProcess
from loginward.doors.radius.eap.frames import Configure, Configured
from loginward.doors.radius.eap.turns import (
    LAST,
    Accept,
    Accepted,
    EapMethod,
    Failed,
    NeedsPassword,
    Send,
    Why,
)
from loginward.doors.radius.loop import Loop
from loginward.errors import ConfigError
from loginward.runtime import eap_process
from loginward.runtime.clock import SystemClock
from loginward.settings.radius import Eap
from tests.doubles.eap_peer import Peer
from tests.live.certificates import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("eap"))


@pytest.fixture(scope="module")
def settings(authority) -> Eap:
    server = authority.server("server")
    return Eap(cert_file=server.cert_file, key_file=server.key_file, ca_file=authority.ca_file)


@pytest.fixture
def child():
    made = eap_process.spawn(pwd.getpwnam("nobody") if os.geteuid() == 0 else None)
    made.link.settimeout(30)
    yield made
    made.end()


def configured(child, settings) -> Configured:
    child.link.send(frames.encode(Configure(settings)))
    report = frames.decode_report(child.link.recv(frames.MAX_OCTETS))
    assert isinstance(report, Configured)
    return report


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def test_it_holds_a_socket_and_nothing_else(child, settings):
    """Not root, not dumpable, no capability, no environment, no file but the socket and the log."""
    assert configured(child, settings) == Configured()
    pid = child.process.pid
    shown = status_of(pid)
    if os.geteuid() == 0:
        nobody = str(pwd.getpwnam("nobody").pw_uid)
        assert set(shown["Uid"].split()) == {nobody}
    assert int(shown["CapPrm"], 16) == int(shown["CapEff"], 16) == 0
    assert shown["NoNewPrivs"] == "1"
    limits = Path(f"/proc/{pid}/limits").read_text()
    assert [line.split()[2:4] for line in limits.splitlines() if "processes" in line] == [
        ["0", "0"]
    ]
    assert [line.split()[4:6] for line in limits.splitlines() if "core file" in line] == [
        ["0", "0"]
    ]
    # a process that is not dumpable belongs to root in /proc: its memory can be read by nobody else
    assert Path(f"/proc/{pid}/environ").stat().st_uid == 0
    if os.geteuid() == 0:
        assert Path(f"/proc/{pid}/environ").read_bytes() == b""
        open_files = [str(f.readlink()) for f in Path(f"/proc/{pid}/fd").iterdir()]
        sockets = [name for name in open_files if name.startswith("socket:")]
        assert len(sockets) == 1
        assert open_files.count("/dev/null") >= 2
        assert len(open_files) == 4, open_files
        argv = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        assert argv[:4] == [os.fsencode(sys.executable), b"-I", b"-m", eap_process._MODULE.encode()]


def test_it_keeps_roots_rights_only_until_its_files_are_read(child, settings, tmp_path):
    missing = Eap(cert_file=tmp_path / "x.pem", key_file=settings.key_file)
    report = configured(child, missing)
    assert (report.path, "No such file" in report.problem) == ("doors.radius.eap.cert_file", True)
    assert configured(child, settings) == Configured()
    # files that root alone may read stay in use as they were read
    assert configured(child, settings) == Configured()


def test_it_ends_when_the_daemon_does(child, settings):
    configured(child, settings)
    child.link.close()
    assert child.process.wait(10) == 0


def test_it_outlives_signals_to_the_group_so_that_logins_under_way_end_well(child, settings):
    configured(child, settings)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        child.process.send_signal(number)
    assert configured(child, settings) == Configured()


def test_what_is_no_order_ends_it(child, settings):
    configured(child, settings)
    child.link.send(b"hello")
    assert child.process.wait(10) == os.EX_SOFTWARE


def test_without_the_library_the_operator_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "loginward.doors.radius.eap.process", None)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        ours.send(b"anything")
        eap_process._serve(theirs, lambda: None)
        report = frames.decode_report(ours.recv(1000))
    assert report == Configured(
        "doors.radius.eap", "needs pyOpenSSL: install loginward with the extra eap"
    )


class Desk:
    """A loop in a thread, and one login after the other through the process."""

    def __init__(self, settings: Eap) -> None:
        clock = SystemClock()
        self.loop = Loop(clock, lambda: None)
        self.eap = EapProcess(eap_process.spawn, self.loop, clock, self._on_turn)
        self.eap.open(settings)
        self.thread = threading.Thread(target=self.loop.run)
        self.thread.start()
        self._ended = threading.Event()

    def login(self, peer: Peer):
        self._peer, self._asked, self._end = peer, [], None
        self._ended.clear()
        self.loop.post(lambda: self.eap.begin("wifi", tuple(EapMethod), None, b""))
        assert self._ended.wait(30)
        return self._asked, self._end

    def _on_turn(self, number, turn):
        if isinstance(turn, Send):
            answer = self._peer.answer(turn.eap)
            assert answer is not None
            self.eap.go_on(number, answer)
        elif isinstance(turn, LAST):
            self._end = turn
            self._peer.answer(turn.eap)
            self._ended.set()
        else:
            self._asked.append(turn)
            self.eap.resume(number, Accept())

    def close(self) -> None:
        self.loop.stop()
        self.thread.join(10)
        self.eap.close()
        self.loop.close()


@pytest.fixture
def desk(settings):
    made = Desk(settings)
    yield made
    made.close()


def test_a_login_through_the_process_gives_both_ends_one_key(desk, authority):
    peer = Peer(authority.ca_file)
    asked, end = desk.login(peer)
    assert asked == [
        NeedsPassword(EapMethod.TTLS_PAP, "ann", Secret(b"right horse"), can_ask=False)
    ]
    assert isinstance(end, Accepted)
    assert end.msk.reveal() == peer.msk
    assert peer.result == "success"


def test_a_killed_process_fails_its_sessions_and_the_next_login_works(desk, authority):
    class Murderer(Peer):
        def answer(self, request):
            answer = super().answer(request)
            if request[4:5] == b"\x15" and not killed:
                killed.append(desk.eap._child.process.pid)
                os.kill(killed[0], signal.SIGKILL)
            return answer

    killed: list[int] = []
    _, end = desk.login(Murderer(authority.ca_file))
    assert isinstance(end, Failed)
    assert end.why in {Why.GONE, Why.UNKNOWN_SESSION}
    for _ in range(200):
        _, end = desk.login(Peer(authority.ca_file))
        if isinstance(end, Accepted):
            break
        threading.Event().wait(0.05)
    assert isinstance(end, Accepted)
    assert desk.eap.restarts == 1


def test_new_files_are_used_without_losing_the_process(desk, authority, settings, tmp_path):
    other = Authority(tmp_path, "other")
    server = other.server("server")
    pid = desk.eap._child.process.pid
    with pytest.raises(ConfigError, match="cert_file"):
        desk.eap.reconfigure(Eap(cert_file=tmp_path / "no", key_file=settings.key_file))
    assert isinstance(desk.login(Peer(authority.ca_file))[1], Accepted)
    desk.eap.reconfigure(Eap(cert_file=server.cert_file, key_file=server.key_file))
    assert isinstance(desk.login(Peer(other.ca_file))[1], Accepted)
    assert isinstance(desk.login(Peer(authority.ca_file))[1], Failed)
    assert desk.eap._child.process.pid == pid
