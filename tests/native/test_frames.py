"""The module's parser: what it reads is what Python reads, and it never reads past a frame."""

from __future__ import annotations

import random
import struct
import subprocess
from pathlib import Path

import pytest

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase, Purpose
from loginward.core.secret import Secret
from loginward.errors import ProtocolError
from loginward.wire.login import Answer, Ask, Begin, Message, Notice, Result, decode, encode
from loginward.wire.login.values import PURPOSES, REASONS, VERDICTS
from tests.native.conftest import NATIVE, compile_c

pytestmark = [pytest.mark.live, pytest.mark.fuzz]
SEED = 20261124
ROUNDS = 30_000

SEEDS: tuple[Message, ...] = (
    Ask(purpose=Purpose.NEW, prompt="New password: "),
    Ask(purpose=Purpose.CODE, prompt="Code ", shown=True),
    Ask(purpose=Purpose.PASSWORD),
    Notice("Gesperrt bis 14:32, grüß Gott"),
    Notice("locked", is_error=True),
    Result(verdict=Verdict.ALLOW, reason=Reason.OK, reference="7F3-K2Q", transaction="5eed" * 16),
    Result(verdict=Verdict.REFUSE, reason=Reason.MALFORMED, delay_ms=2_000),
    Begin(phase=Phase.AUTHN, user="alice", service="sshd"),
    Answer(Secret(b"x")),
)


def mutated(frame: bytes, chance: random.Random) -> bytes:
    octets = bytearray(frame)
    for _ in range(chance.randint(0, 3)):
        at = chance.randrange(len(octets)) if octets else 0
        match chance.randrange(5):
            case 0 if octets:
                octets[at] = chance.choice([0, 1, 2, 3, 4, 0x7F, 0xFF, chance.randrange(256)])
            case 1 if octets:
                del octets[at : at + chance.randint(1, 5)]
            case 2:
                octets[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 5)))
            case 3:
                octets += octets[chance.randrange(len(octets) + 1) :]
            case 4:
                octets = octets[: at + 1]
    if len(octets) >= 4 and chance.random() < 0.8:
        octets[2:4] = struct.pack("!H", (len(octets) - 4) & 0xFFFF)
    return bytes(octets[:8196])


def as_python_reads(frame: bytes) -> str | None:
    """Return the line that the C program should print; None where only Python refuses."""
    try:
        message = decode(frame)
    except ProtocolError as fault:
        return None if "UTF-8" in str(fault) else "refused"

    def line(*numbers: int, texts: tuple[str, str, str]) -> str:
        return " ".join([*map(str, numbers), *(f"={text.encode().hex()}" for text in texts)])

    match message:
        case Ask():
            return line(
                17,
                PURPOSES[message.purpose],
                int(message.shown),
                0,
                0,
                0,
                texts=(message.prompt, "", ""),
            )
        case Notice(text, is_error):
            return line(19 if is_error else 18, 0, 0, 0, 0, 0, texts=(text, "", ""))
        case Result():
            numbers = (VERDICTS[message.verdict], REASONS[message.reason], message.delay_ms)
            return line(20, 0, 0, *numbers, texts=("", message.reference, message.transaction))
    return "refused"  # a frame of the client


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_c(
        "read_frames.c",
        tmp_path_factory.mktemp("reader") / "read_frames",
        str(NATIVE / "lw_frame.c"),
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
    )


def test_the_module_reads_what_python_reads(reader: Path) -> None:
    chance = random.Random(SEED)
    frames = [encode(seed) for seed in SEEDS]
    frames += [mutated(encode(chance.choice(SEEDS)), chance) for _ in range(ROUNDS)]
    frames += [chance.randbytes(chance.randrange(40)) for _ in range(ROUNDS // 10)]
    stream = b"".join(struct.pack("!I", len(frame)) + frame for frame in frames)

    done = subprocess.run([str(reader)], input=stream, capture_output=True, timeout=50, check=False)

    assert done.returncode == 0, done.stderr.decode()
    printed = done.stdout.decode().splitlines()
    assert len(printed) == len(frames)
    for frame, seen in zip(frames, printed, strict=True):
        assert as_python_reads(frame) in {seen, None}, frame
    assert sum(line != "refused" for line in printed) > ROUNDS // 20, "too few were understood"
