"""Asking over UDP: the same octets again, replies believed only if they are signed."""

from __future__ import annotations

import socket
import threading

import pytest

from loginward.doors.radius.trial.exchanges import Exchanges, NoAnswerError
from loginward.runtime.clock import SystemClock
from loginward.wire.radius import replies
from loginward.wire.radius.packet import Code, decode
from loginward.wire.radius.signing import SharedSecret

SECRET = SharedSecret(b"a secret of the tests, long enough")


class Server:
    """Answers the n-th datagram with what the script says."""

    def __init__(self, *script) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.settimeout(10)
        self.heard: list[bytes] = []
        self._script = script
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        for answers in self._script:
            datagram, address = self.sock.recvfrom(4096)
            self.heard.append(datagram)
            for answer in answers:
                self.sock.sendto(answer(decode(datagram)), address)

    def ask(self, patience_s: float):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(self.sock.getsockname())
            exchanges = Exchanges(sock, SECRET, SystemClock(), patience_s)
            try:
                return exchanges.ask(Code.STATUS_SERVER, lambda _: b"")[1]
            finally:
                self._thread.join(10)
                self.sock.close()


def good(request) -> bytes:
    return replies.status_answer(request, SECRET)


def forged(request) -> bytes:
    return replies.status_answer(request, SharedSecret(b"another one, as long as it may be"))


def test_a_request_is_sent_again_as_it_was(monkeypatch) -> None:
    monkeypatch.setattr("loginward.doors.radius.trial.exchanges.AGAIN_S", 0.1)
    server = Server([], [], [good])
    assert server.ask(5).code is Code.ACCESS_ACCEPT
    assert len(set(server.heard)) == 1
    assert len(server.heard) == 3


def test_what_another_secret_signed_is_passed_over() -> None:
    server = Server([lambda _: b"no packet", forged, good])
    assert server.ask(5).code is Code.ACCESS_ACCEPT


def test_where_only_others_answer_that_is_said() -> None:
    with pytest.raises(NoAnswerError, match="not signed by this secret"):
        Server([forged]).ask(0.3)


def test_where_nothing_comes_back_that_is_said() -> None:
    with pytest.raises(NoAnswerError, match="nothing came back"):
        Server([]).ask(0.2)


def test_where_nobody_listens_that_is_said() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", port))
        exchanges = Exchanges(sock, SECRET, SystemClock(), 5)
        with pytest.raises(NoAnswerError, match="nothing listens there"):
            exchanges.ask(Code.STATUS_SERVER, lambda _: b"")
