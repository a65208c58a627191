"""Many at the login door at once, and who each of them is."""

from __future__ import annotations

import contextlib
import errno
import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from loginward.core.reasons import Reason
from loginward.core.requests import Phase
from loginward.doors.login.limits import Limits
from loginward.doors.login.listen import listen
from loginward.doors.login.server import LoginServer
from loginward.wire.login import (
    Begin,
    Result,
    decode,
    encode,
)
from tests.doors.login.serving import (
    NOBODY,
    PATIENCE_S,
    Door,
    Service,
    as_user,
    serving,
)
from tests.doubles.clock import FixedWall


class TestCrowds:
    """Slow and hostile clients leave a good login under a second."""

    def test_a_thousand_idle_connections(self, tmp_path: Path) -> None:
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(4096, hard)), hard))
        with serving(tmp_path, Limits()) as door:
            crowd = []
            try:
                for n in range(1000):
                    sock = socket.socket(socket.AF_UNIX)
                    sock.connect(str(door.path))
                    if n % 2:
                        sock.send(b"\x01")
                    crowd.append(sock)
                begin = time.monotonic()
                assert isinstance(door.login(), Result)
                assert time.monotonic() - begin < 1
                assert door.server.gauges()["connections"] <= Limits().connections
                assert door.count("evicted") >= 1000 - Limits().connections - 10
            finally:
                for sock in crowd:
                    sock.close()

    def test_a_users_idle_connections_push_only_each_other_aside(self, door: Door) -> None:
        held = Limits().per_uid_connections
        out = as_user(
            door,
            """
socks = []
for n in range(100):
    sock = socket.socket(socket.AF_UNIX); sock.connect("login.sock"); socks.append(sock)
time.sleep(0.5)
open_now = 0
for sock in socks:
    sock.setblocking(False)
    try:
        open_now += sock.recv(1) != b""
    except BlockingIOError:
        open_now += 1
    except ConnectionError:
        pass
print(open_now)
""",
        )
        assert int(out) == held
        assert isinstance(door.login(), Result)

    def test_a_users_open_conversations_are_bounded_and_not_pushed_aside(self, door: Door) -> None:
        out = as_user(
            door, "kept = [asks(BEGIN) for n in range(20)]; print([len(c) > 0 for _, c in kept])"
        )

        assert json.loads(out.lower()) == [True] * 16 + [False] * 4
        assert door.count("refused") == 4
        assert door.count("evicted") == 0

    def test_where_no_descriptor_is_left_the_oldest_idle_one_pays(self, tmp_path: Path) -> None:
        class Scarce(socket.socket):
            left = 1

            def accept(self) -> tuple[socket.socket, object]:
                if self.left == 0:
                    raise OSError(errno.EMFILE, "none left")
                self.left -= 1
                return super().accept()

        path = tmp_path / "run/login.sock"
        listener = listen(path)
        scarce = Scarce(fileno=listener.detach())
        service = Service()
        server = LoginServer(service, scarce, Limits(workers=2), FixedWall(), dict)
        thread = threading.Thread(target=server.run)
        thread.start()
        door = Door(path, service, server, {})
        try:
            with door.client() as idle:
                door.wait_until(lambda: door.count("accepted") == 1)
                with door.client() as late:
                    assert idle.is_closed
                    assert door.count("evicted") == 1
                    scarce.left = 1
                    late.say(Begin(phase=Phase.ACCT, user="alice", service="cron"))
                    assert isinstance(late.hear(), Result)
        finally:
            server.stop()
            thread.join(PATIENCE_S)

    def test_a_process_that_has_ended_is_not_heard(self, door: Door) -> None:
        code = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
        path = str(door.path)
        with contextlib.ExitStack() as stack:
            for _ in range(40):  # the door has to be slower than a process ends
                stack.enter_context(door.client())
            subprocess.run([sys.executable, "-I", "-S", "-c", code, path], check=True)
        door.wait_until(lambda: door.server.gauges()["connections"] == 0)
        assert door.count("refused") + door.count("hung_up") == 41

    def test_a_user_has_four_checks_in_flight_and_root_is_served(self, tmp_path: Path) -> None:
        with serving(tmp_path, Limits(workers=8)) as door:
            door.service.gate.clear()
            spy = threading.Thread(
                target=as_user,
                args=(
                    door,
                    """
threads = [threading.Thread(target=asks, args=(BEGIN, ANSWER)) for n in range(12)]
[t.start() for t in threads]; [t.join() for t in threads]
""",
                ),
            )
            spy.start()
            for _ in range(4):
                assert door.service.at_gate.acquire(timeout=PATIENCE_S)
            assert not door.service.at_gate.acquire(timeout=0.5), "a fifth is judged"
            root = threading.Thread(target=door.login)
            root.start()
            assert door.service.at_gate.acquire(timeout=PATIENCE_S), "root waits for a user"
            door.service.gate.set()
            spy.join(PATIENCE_S)
            root.join(PATIENCE_S)
            assert door.service.busiest == 5

    def test_a_user_cannot_ask_without_end(self, tmp_path: Path) -> None:
        limits = Limits(workers=4, questions=10, questions_per_s=0.1)
        with serving(tmp_path, limits) as door:
            out = as_user(door, "print(json.dumps([len(asks(BEGIN)[1]) > 0 for n in range(15)]))")

            assert json.loads(out) == [True] * 10 + [False] * 5
            assert door.count("rate_limited") == 5
            assert isinstance(door.login(), Result)

    def test_senseless_octets_cost_what_a_question_does(self, tmp_path: Path) -> None:
        """Else a flood of them holds up everybody: each was looked up in /proc."""
        limits = Limits(workers=4, questions=10, questions_per_s=0.1)
        with serving(tmp_path, limits) as door:
            as_user(door, "[asks(b'GET / HTTP/1.0') for n in range(15)]; print('done')")

            assert (door.count("garbage"), door.count("rate_limited")) == (10, 5)
            assert isinstance(door.login(), Result)

    @pytest.mark.parametrize("end", ["sock.close()", "kept.append(sock)"])
    def test_so_does_a_connection_that_asks_nothing(self, tmp_path: Path, end: str) -> None:
        """Hung up, or pushed aside by the next of the same user."""
        limits = Limits(workers=4, questions=30, questions_per_s=0.1)
        with serving(tmp_path, limits) as door:
            as_user(
                door,
                f"""
kept = []
for _ in range(50):
    sock = socket.socket(socket.AF_UNIX); sock.connect({door.path.name!r}); {end}
last = socket.socket(socket.AF_UNIX); last.connect({door.path.name!r})
last.recv(1)  # closed: this process is looked at with each that it opened, and must still be there
""",
            )

            door.wait_until(lambda: door.count("accepted") + door.count("rate_limited") == 51)
            assert door.count("accepted") == 30
            assert isinstance(door.login(), Result)


class TestPeers:
    """The kernel's word on who asks, and what follows from it."""

    def test_a_user_is_who_the_kernel_says_and_not_named(self, door: Door) -> None:
        as_user(door, "asks(BEGIN)")

        [request] = door.service.requests
        assert (request.peer.uid, request.peer.real_uid) == (NOBODY, NOBODY)
        assert not request.peer.named

    def test_a_listed_user_is_named_at_its_service(self, tmp_path: Path) -> None:
        with serving(tmp_path, Limits(workers=2), uid65534=("i3lock",)) as door:
            as_user(door, "asks(BEGIN)")
            assert door.service.requests[0].peer.named
            door.peers.clear()
            as_user(door, "asks(BEGIN)")
            assert not door.service.requests[1].peer.named

    def test_a_setuid_program_is_root_and_yet_its_users(self, door: Door) -> None:
        """`su` and `sudo`: effective uid 0, real uid the person's."""
        code = f"""
import os, socket
os.setresuid({NOBODY}, 0, 0)
sock = socket.socket(socket.AF_UNIX); sock.connect({str(door.path)!r})
sock.sendall(bytes.fromhex({encode(Begin(phase=Phase.ACCT, user="a", service="su")).hex()!r}))
sock.recv(4096)
"""
        subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, timeout=20)

        [request] = door.service.requests
        assert (request.peer.uid, request.peer.real_uid) == (0, NOBODY)
        assert request.peer.named, "rights follow the effective uid"

    def test_a_users_refusal_is_held_here_and_costs_no_worker(self, door: Door) -> None:
        """A client of root waits by itself (pam_fail_delay); nobody else is trusted to."""
        out = as_user(
            door,
            """
begin = time.monotonic()
sock, came = asks(BEGIN, ANSWER)
print(json.dumps([time.monotonic() - begin, came.hex()]))
""",
        )
        took, came = json.loads(out)

        assert 0.55 <= took < 1.5
        result = decode(bytes.fromhex(came))
        assert isinstance(result, Result)
        assert (result.reason, result.delay_ms) == (Reason.WRONG_CREDENTIALS, 0)
        assert door.server.gauges()["in_flight"] == 0
