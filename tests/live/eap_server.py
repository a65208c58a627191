"""A RADIUS server that only carries EAP, for eapol_test: our codec, our process, a law of one line."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loginward.doors.radius.eap.client import EapProcess
from loginward.doors.radius.eap.turns import (
    Accept,
    Accepted,
    EapMethod,
    Failed,
    NeedsAccount,
    NeedsPassword,
    Reject,
    Rejected,
    Send,
    Turn,
    Verdict,
)
from loginward.doors.radius.loop import Loop
from loginward.runtime.clock import SystemClock
from loginward.runtime.eap_process import spawn
from loginward.settings.radius import Eap
from loginward.wire.radius import replies
from loginward.wire.radius.access import Eap as EapProof
from loginward.wire.radius.access import proof_of
from loginward.wire.radius.attributes import Attribute
from loginward.wire.radius.packet import Packet, decode
from loginward.wire.radius.password import mppe_keys
from loginward.wire.radius.signing import SharedSecret, check_request

SECRET = b"a secret of more than sixteen"
PASSWORD = b"right horse"


@dataclass
class Waiting:
    """A request that the process thinks about."""

    packet: Packet
    address: tuple[str, int]


def usual_law(turn: NeedsPassword | NeedsAccount) -> Verdict:
    """Accept who has the right password, or any certificate that is proven."""
    is_right = isinstance(turn, NeedsAccount) or turn.password.reveal() == PASSWORD
    return Accept() if is_right else Reject()


class EapServer:
    """Listens on loopback.

    Attributes:
        law: What is said of a person.
        methods: What is offered from now on.
        framed_mtu: What is taken for the client's.
        asked: What the law was asked.
        ends: How sessions ended.
    """

    def __init__(self, settings: Eap) -> None:
        self.law = usual_law
        self.methods: Sequence[EapMethod] = tuple(EapMethod)
        self.framed_mtu: int | None = None
        self.asked: list[NeedsPassword | NeedsAccount] = []
        self.ends: list[Turn] = []
        self._secret = SharedSecret(SECRET)
        self._waiting: dict[int, Waiting] = {}
        self._states: dict[bytes, int] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port = self._socket.getsockname()[1]
        self._loop = Loop(SystemClock(), lambda: None)
        self._eap = EapProcess(spawn, self._loop, SystemClock(), self._on_turn)
        self._eap.open(settings)
        self._loop.watch(self._socket, self._receive)
        self._thread = threading.Thread(target=self._loop.run)
        self._thread.start()

    def close(self) -> None:
        self._loop.stop()
        self._thread.join(10)
        self._eap.close()
        self._loop.close()
        self._socket.close()

    def _receive(self) -> None:
        datagram, address = self._socket.recvfrom(4096)
        packet = decode(datagram)
        check_request(packet, self._secret)
        proof = proof_of(packet)
        assert isinstance(proof, EapProof)
        state = packet.first(Attribute.STATE)
        if state is None:
            number = self._eap.begin("nas", self.methods, self.framed_mtu, proof.packet)
        else:
            number = self._states.pop(state)
            self._eap.go_on(number, proof.packet)
        self._waiting[number] = Waiting(packet, address)

    def _on_turn(self, number: int, turn: Turn) -> None:
        if isinstance(turn, NeedsPassword | NeedsAccount):
            self.asked.append(turn)
            self._eap.resume(number, self.law(turn))
            return
        waiting = self._waiting.pop(number)
        request = waiting.packet
        if isinstance(turn, Send):
            state = os.urandom(16)
            self._states[state] = number
            octets = replies.challenge(request, self._secret, state, eap=turn.eap)
        elif isinstance(turn, Accepted):
            keys = mppe_keys(turn.msk.reveal(), request.authenticator, self._secret, os.urandom(4))
            octets = replies.accept(request, self._secret, keys, eap=turn.eap)
        else:
            assert isinstance(turn, Rejected | Failed)
            octets = replies.reject(request, self._secret, eap=turn.eap)
        if not isinstance(turn, Send):
            self.ends.append(turn)
        self._socket.sendto(octets, waiting.address)


def eapol_test(folder: Path, port: int, again: int = 0, **network: object) -> tuple[bool, str]:
    """Run the real supplicant; return whether it was let in with good keys, and what it said."""
    lines = [f"    {key}={_value(value)}" for key, value in network.items()]
    file = folder / "network.conf"
    file.write_text("network={\n    key_mgmt=WPA-EAP\n" + "\n".join(lines) + "\n}\n")
    run = subprocess.run(
        ["eapol_test", "-c", file, "-a", "127.0.0.1", "-p", str(port), "-s", SECRET.decode(),
         "-t", "10", "-r", str(again)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    good = run.stdout.rstrip().endswith("SUCCESS")
    assert good == (run.returncode == 0)
    if good:
        assert f"MPPE keys OK: {again + 1}  mismatch: 0" in run.stdout, run.stdout[-2000:]
    return good, run.stdout


class Bare(str):
    """A word that stands in the file without quotes."""

    __slots__ = ()


def _value(value: object) -> str:
    return str(value) if isinstance(value, int | Bare) else f'"{value}"'
