"""Argon2id: its published vector, its pepper, its bounds, its memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from hypothesis import given
from hypothesis import strategies as st

from loginward.crypto.gate import Gate
from loginward.crypto.password_hash import Cost, PasswordHasher, cost_of

CHEAP = Cost(memory_kib=64, passes=1)
ROOT = Path(__file__).resolve().parents[2]


def hasher(pepper: bytes | None = b"pepper", cost: Cost = CHEAP) -> PasswordHasher:
    return PasswordHasher(Gate(), pepper, cost)


def test_the_library_computes_the_vector_of_rfc_9106_section_5_3() -> None:
    kdf = Argon2id(
        salt=b"\x02" * 16,
        length=32,
        iterations=3,
        lanes=4,
        memory_cost=32,
        ad=b"\x04" * 12,
        secret=b"\x03" * 8,
    )
    expected = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"

    assert kdf.derive(b"\x01" * 32).hex() == expected


def test_by_default_it_costs_what_the_design_asks() -> None:
    assert Cost() == Cost(memory_kib=65536, passes=3, lanes=1)
    phc = PasswordHasher(Gate(), b"pepper").hash(b"right", "tests")
    assert phc.startswith("$argon2id$v=19$m=65536,t=3,p=1$")


def test_only_the_password_under_its_pepper_verifies() -> None:
    phc = hasher().hash(b"right", "tests")

    assert hasher().verify(phc, b"right", "tests")
    assert not hasher().verify(phc, b"wrong", "tests")
    assert not hasher(b"another").verify(phc, b"right", "tests")
    assert not hasher(None).verify(phc, b"right", "tests")
    assert hasher().hash(b"right", "tests") != phc


def test_without_a_pepper_hashes_of_elsewhere_verify() -> None:
    # argon2 1.3: echo -n password | argon2 somesalt -id -t 2 -k 64 -p 1 -e
    kdf = Argon2id(salt=b"somesalt", length=32, iterations=2, lanes=1, memory_cost=64)
    assert hasher(None).verify(kdf.derive_phc_encoded(b"password"), b"password", "import")


def test_each_hash_carries_its_own_cost() -> None:
    phc = hasher(cost=Cost(128, 2)).hash(b"right", "tests")

    assert cost_of(phc) == Cost(128, 2, 1)
    assert hasher().verify(phc, b"right", "tests")
    assert hasher().needs_rehash(phc)
    assert not hasher(cost=Cost(128, 2)).needs_rehash(phc)


@pytest.mark.parametrize(
    "phc",
    [
        "",
        "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$YWFhYWFhYWFhYWFhYWFhYQ",
        "$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$YWFhYWFhYWFhYWFhYWFhYQ",
        "$argon2id$v=19$m=9999999,t=1,p=1$c29tZXNhbHQ$YWFhYWFhYWFhYWFhYWFhYQ",
        "$argon2id$v=19$m=262144,t=99,p=1$c29tZXNhbHQ$YWFhYWFhYWFhYWFhYWFhYQ",
        "$argon2id$v=19$m=8,t=1,p=2$c29tZXNhbHQ$YWFhYWFhYWFhYWFhYWFhYQ",
        "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$YWFhYWFhYWFhYWFhYWFhYQ\n",
        "$6$salt$hash",
    ],
)
def test_a_hash_that_is_not_ours_or_costs_too_much_is_refused(phc: str) -> None:
    with pytest.raises(ValueError, match=r"argon2id|Argon2id"):
        hasher().verify(phc, b"right", "tests")


@pytest.mark.fuzz
@given(st.text(), st.integers(0, 200), st.integers(0, 200))
def test_a_damaged_hash_proves_nothing(noise: str, start: int, length: int) -> None:
    """A changed string is refused, is the same hash, or verifies nothing; nothing else happens."""
    whole = hasher().hash(b"right", "tests")
    damaged = whole[:start] + noise + whole[start + length :]
    try:
        cost = cost_of(damaged)
    except ValueError:
        return
    if cost == CHEAP:
        try:
            assert not hasher().verify(damaged, b"right", "tests") or damaged == whole
        except ValueError:
            assert damaged != whole


def test_its_working_memory_returns_to_the_system() -> None:
    script = """
import threading
from loginward.crypto.gate import Gate
from loginward.crypto.password_hash import PasswordHasher
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 >> 20
hasher = PasswordHasher(Gate(), b"pepper")
phc = hasher.hash(b"x", "warm")
before = resident()
threads = [threading.Thread(target=hasher.verify, args=(phc, b"y", str(n))) for n in range(6)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
peak = next(int(l.split()[1]) >> 10 for l in open("/proc/self/status") if l.startswith("VmHWM"))
print(before, peak, resident())
"""
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT / "agent")},
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    before, peak, after = map(int, run.stdout.split())

    assert peak >= before + 60  # the memory was really used
    assert peak < before + 160  # by two at once, never six
    assert after <= before + 8
