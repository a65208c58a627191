"""The module as a file: small, hardened, and showing libpam its six entry points alone."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.native.conftest import NATIVE

pytestmark = pytest.mark.live


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def module(built: Path) -> str:
    return str(built / "pam_loginward.so")


def test_it_stays_under_700_lines_of_code() -> None:
    lines = 0
    for path in NATIVE.glob("*.c"):
        code = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
        lines += sum(bool(line.strip()) for line in code.splitlines())

    assert 0 < lines < 700


def test_it_exports_the_six_entry_points_and_nothing_else(module: str) -> None:
    symbols = {
        line.split()[-1] for line in output("nm", "-D", "--defined-only", module).splitlines()
    }

    assert symbols == {
        f"pam_sm_{name}"
        for name in (
            "authenticate", "setcred", "acct_mgmt", "chauthtok", "open_session", "close_session",
        )
    }  # fmt: skip


def test_it_needs_libpam_and_libc_alone(module: str) -> None:
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-d", module))

    assert sorted(needed) == ["libc.so.6", "libpam.so.0"]


def test_it_is_hardened(module: str) -> None:
    dynamic = output("readelf", "-d", module)
    headers = output("readelf", "-lW", module)
    symbols = output("nm", "-D", module)

    assert "BIND_NOW" in dynamic
    assert "GNU_RELRO" in headers
    assert "TEXTREL" not in dynamic
    assert re.search(r"GNU_STACK.*RW ", headers), "no executable stack"
    assert "__stack_chk_fail" in symbols
    assert re.search(r"__\w+_chk", symbols), "fortified"
    assert "explicit_bzero" in symbols
    for unwanted in ("exit", "abort", "system", "setlocale", "signal", "fork", "printf"):
        assert not re.search(rf"\bU {unwanted}(@|$)", symbols, re.MULTILINE)


def test_it_keeps_no_state_of_its_own(module: str) -> None:
    """Re-entrant: no variable that is written outlives a call."""
    zeroed = {
        line.split()[-1] for line in output("nm", module).splitlines() if " b " in line.lower()
    }
    sections = dict(re.findall(r"^(\.\S+)\s+(\d+)", output("size", "-A", module), re.MULTILINE))

    assert {name.partition(".")[0] for name in zeroed} <= {"completed"}, "the C library's own"
    assert int(sections[".data"]) <= 8, "the C library's own"
