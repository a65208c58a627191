"""The login socket served for real, by a service that plays its part."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from pathlib import Path

import pytest

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase, Purpose
from loginward.core.secret import Secret
from loginward.doors.login.limits import Limits
from loginward.doors.login.port import AskTurn, Info
from loginward.errors import ProtocolError
from loginward.wire.login import (
    Answer,
    Ask,
    Begin,
    Notice,
    Result,
    encode,
)
from tests.doors.login.serving import (
    PATIENCE_S,
    Door,
    Talk,
    serving,
)


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
