"""The login socket served for real, by a service that plays its part."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase, Purpose
from loginward.core.secret import Secret
from loginward.doors.login.limits import Limits
from loginward.doors.login.listen import listen
from loginward.doors.login.port import AskTurn, Info
from loginward.doors.login.server import LoginServer
from loginward.errors import ProtocolError
from loginward.wire.login import (
    Answer,
    Ask,
    Begin,
    Notice,
    Result,
    decode,
    encode,
)
from tests.doors.login.serving import (
    NOBODY,
    PATIENCE_S,
    Door,
    Service,
    Talk,
    as_user,
    serving,
)
from tests.doubles.clock import FixedWall


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with serving(tmp_path, Limits(workers=4)) as door:
        yield door


class TestConversations:
    """One question, its prompts, its result."""

    def test_a_right_password_gets_in_and_a_wrong_one_does_not(self, door: Door) -> None:
        ok = door.login()
        wrong = door.login(b"wrong")

        assert ok == Result(verdict=Verdict.ALLOW, reason=Reason.OK, reference="OKOKOK")
        assert isinstance(wrong, Result)
        assert (wrong.reason, wrong.delay_ms) == (Reason.WRONG_CREDENTIALS, 600)
        assert door.service.typed == [b"right", b"wrong"]
        door.wait_until(lambda: door.server.gauges()["connections"] == 0)
        assert door.count("questions") == door.count("results") == 2

    def test_the_account_phase_ends_at_once(self, door: Door) -> None:
        with door.client() as client:
            client.say(Begin(phase=Phase.ACCT, user="alice", service="cron"))
            assert isinstance(client.hear(), Result)
            assert client.is_closed

    def test_the_service_is_told_what_the_kernel_shows(self, door: Door) -> None:
        door.login()

        [request] = door.service.requests
        assert (request.peer.uid, request.peer.real_uid) == (os.geteuid(), os.getuid())
        assert request.peer.pid == os.getpid()
        assert request.peer.named

    def test_lines_come_before_what_is_owed(self, door: Door) -> None:
        talk = Talk(door.service)
        turn = AskTurn(purpose=Purpose.CODE, prompt="Code: ", shown=True, infos=(Info("Hello."),))
        door.service.begin = lambda _: (turn, talk)  # type: ignore[method-assign]
        with door.client() as client:
            client.say(Begin(phase=Phase.AUTHN, user="alice", service="sshd"))

            assert client.hear() == Notice("Hello.")
            assert client.hear() == Ask(purpose=Purpose.CODE, prompt="Code: ", shown=True)


class TestRules:
    """Whoever breaks the protocol is closed without an answer, and counted."""

    @pytest.mark.parametrize(
        "octets",
        [
            pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="another-protocol"),
            pytest.param(b"\x01\x01\xff\xff", id="too-long"),
            pytest.param(encode(Answer(Secret(b"x"))), id="answer-to-nothing"),
            pytest.param(encode(Ask(purpose=Purpose.CODE)), id="a-frame-of-the-daemon"),
            pytest.param(
                encode(Begin(phase=Phase.ACCT, user="a", service="s")) * 2, id="two-questions"
            ),
            pytest.param(
                encode(Begin(phase=Phase.ACCT, user="a", service="s")) + b"\x01", id="spare-octet"
            ),
        ],
    )
    def test_garbage(self, door: Door, octets: bytes) -> None:
        with door.client() as client:
            client.sock.sendall(octets)
            assert client.is_closed

        door.wait_until(lambda: door.count("garbage") == 1)
        assert door.service.requests == []

    def test_an_answer_while_a_check_is_in_flight_is_refused(self, door: Door) -> None:
        door.service.gate.clear()
        with door.client() as client:
            client.say(Begin(phase=Phase.AUTHN, user="alice", service="sshd"))
            client.hear()
            client.say(Answer(Secret(b"right")))
            assert door.service.at_gate.acquire(timeout=PATIENCE_S)
            client.say(Answer(Secret(b"another")))
            door.service.gate.set()
            assert client.is_closed

        assert door.service.typed == [b"right"], "settled once"
        assert door.count("garbage") == 1
        assert door.count("results") == 0

    def test_a_client_that_hangs_up_ends_no_check(self, door: Door) -> None:
        door.service.gate.clear()
        with door.client() as client:
            client.say(Begin(phase=Phase.AUTHN, user="alice", service="sshd"))
            client.hear()
            client.say(Answer(Secret(b"right")))
            assert door.service.at_gate.acquire(timeout=PATIENCE_S)
        assert door.service.settled == 0
        door.service.gate.set()

        door.wait_until(lambda: door.count("hung_up") == 1)
        assert door.service.settled == 1
        door.wait_until(lambda: door.service.hung_up == 1)

    def test_a_client_that_hangs_up_while_typing_frees_its_conversation(self, door: Door) -> None:
        with door.client() as client:
            client.say(Begin(phase=Phase.AUTHN, user="alice", service="sshd"))
            client.hear()

        door.wait_until(lambda: door.service.hung_up == 1)
        assert door.server.gauges()["connections"] == 0

    @pytest.mark.parametrize("fault", [RuntimeError("a bug"), OSError("a bug"), ProtocolError("x")])
    def test_faults_of_ours_let_nobody_in_and_the_door_stays_open(
        self, door: Door, caplog: pytest.LogCaptureFixture, fault: Exception
    ) -> None:
        door.service.fault = fault
        faults = 2 * Limits().workers  # each would end a thread that does not survive it
        for _ in range(faults):
            with caplog.at_level(logging.ERROR), door.client() as client:
                client.say(Begin(phase=Phase.AUTHN, user="alice", service="sshd"))
                assert client.is_closed
        door.service.fault = None

        assert isinstance(door.login(), Result)
        door.wait_until(lambda: door.count("faults") == faults)  # noted after the line is cut
        assert type(fault).__name__ in caplog.text

    def test_a_fault_outside_the_service_ends_no_thread(
        self, door: Door, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise KeyError("a bug")

        with monkeypatch.context() as patched:
            patched.setattr("loginward.doors.login.connection.Connection.next_answer", broken)
            for _ in range(2 * Limits().workers):
                with door.client() as client, contextlib.suppress(ConnectionError):
                    client.say(Begin(phase=Phase.AUTHN, user="alice", service="sshd"))
                    client.hear()
                    assert client.is_closed

        assert isinstance(door.login(), Result)

    def test_random_octets_never_break_the_door(self, door: Door) -> None:
        import random

        chance = random.Random(20261124)
        for _ in range(200):
            with door.client() as client, contextlib.suppress(ProtocolError, ConnectionError):
                client.sock.sendall(chance.randbytes(chance.randrange(1, 60)))
        assert isinstance(door.login(), Result)


class TestTime:
    """Nobody holds a connection for longer than a client needs."""

    LIMITS = Limits(workers=2, begin_s=0.3, frame_s=0.3, conversation_s=0.8)

    def test_a_client_that_asks_nothing_is_closed(self, tmp_path: Path) -> None:
        with serving(tmp_path, self.LIMITS) as door, door.client() as client:
            begin = time.monotonic()
            assert client.is_closed
            assert 0.2 < time.monotonic() - begin < 2
            assert door.count("timed_out") == 1

    def test_one_octet_at_a_time_wins_no_time(self, tmp_path: Path) -> None:
        frame = encode(Begin(phase=Phase.ACCT, user="alice", service="sshd"))
        with serving(tmp_path, self.LIMITS) as door, door.client() as client:
            begin = time.monotonic()
            with contextlib.suppress(ConnectionError):
                for octet in frame + frame:
                    client.sock.sendall(bytes([octet]))
                    time.sleep(0.05)
                raise AssertionError("it was heard to the end")
            assert time.monotonic() - begin < 1.5
            assert door.service.requests == []

    def test_an_answer_begun_must_be_ended(self, tmp_path: Path) -> None:
        limits = Limits(workers=2, frame_s=0.3)
        with serving(tmp_path, limits) as door, door.client() as client:
            client.say(Begin(phase=Phase.AUTHN, user="alice", service="sshd"))
            client.hear()
            client.sock.sendall(b"\x01")
            begin = time.monotonic()
            assert client.is_closed
            assert time.monotonic() - begin < 3
            door.wait_until(lambda: door.service.hung_up == 1)

    def test_a_conversation_lives_its_time_and_no_longer(self, tmp_path: Path) -> None:
        with serving(tmp_path, self.LIMITS) as door, door.client() as client:
            client.say(Begin(phase=Phase.AUTHN, user="alice", service="sshd"))
            client.hear()
            time.sleep(0.5)  # a person types; longer than any frame may take
            client.say(Answer(Secret(b"right")))
            assert isinstance(client.hear(), Result)
        with serving(tmp_path, self.LIMITS) as door, door.client() as client:
            client.say(Begin(phase=Phase.AUTHN, user="alice", service="sshd"))
            client.hear()
            assert client.is_closed
            assert door.count("timed_out") == 1


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


class TestStop:
    """A stop answers what is in flight and takes nothing new."""

    def test_it_drains(self, tmp_path: Path) -> None:
        with serving(tmp_path, Limits(workers=2)) as door:
            door.service.gate.clear()
            with door.client() as judged, door.client() as typing:
                for client in (judged, typing):
                    client.say(Begin(phase=Phase.AUTHN, user="alice", service="sshd"))
                    client.hear()
                judged.say(Answer(Secret(b"right")))
                assert door.service.at_gate.acquire(timeout=PATIENCE_S)
                stopper = threading.Thread(target=door.server.stop)
                stopper.start()
                assert typing.is_closed
                with pytest.raises(ConnectionError), door.client():
                    pass
                door.service.gate.set()
                result = judged.hear()
                assert isinstance(result, Result)
                assert result.verdict is Verdict.ALLOW
                stopper.join(PATIENCE_S)
            assert door.service.hung_up == 2
