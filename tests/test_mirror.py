"""Tests stand where the code stands: tests/core/test_x.py proves loginward/core/x.py."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "agent/loginward"
# Folders of tests that prove more than one package, or no Python at all.
ACROSS = {"live", "bench", "vectors", "native", "doubles", "fuzz", "soak", "packaging", "tools"}
# Packages so central that every test file names its module, and every module has its test file.
STRICT = ("core", "settings", "config", "messages")
# Values without a branch of their own; they are proven by whoever computes with them.
VALUES = {
    "core/acts",
    "core/attempts",
    "core/commands",
    "core/evidence",
    "core/policy",
    "core/readings",
    "core/reasons",
    "core/requests",
    "core/clock",
    "core/changes",
    "config/problems",
    "config/hints",
    "config/decode",
    "config/opening",
    "config/files",
    "config/advice",
}


def test_every_folder_of_tests_mirrors_a_package() -> None:
    strange = [
        str(path.relative_to(TESTS))
        for path in TESTS.rglob("test_*.py")
        if path.parent != TESTS
        and path.relative_to(TESTS).parts[0] not in ACROSS
        and not (PACKAGE / path.parent.relative_to(TESTS)).is_dir()
    ]
    assert not strange, f"no such package: {strange}"


@pytest.mark.parametrize("package", STRICT)
def test_a_test_file_names_its_module(package: str) -> None:
    modules = {path.stem for path in (PACKAGE / package).glob("*.py")} | {package}
    tests = {path.stem.removeprefix("test_") for path in (TESTS / package).glob("test_*.py")}
    strange = {name for name in tests if not any(name.startswith(module) for module in modules)}
    assert not strange, f"tests/{package}/test_{{{','.join(sorted(strange))}}}.py prove no module"


@pytest.mark.parametrize("package", STRICT)
def test_a_module_has_its_test_file(package: str) -> None:
    tests = {path.stem.removeprefix("test_") for path in (TESTS / package).glob("test_*.py")}
    missing = [
        f"tests/{package}/test_{path.stem}.py"
        for path in sorted((PACKAGE / package).glob("*.py"))
        if path.stem != "__init__"
        and f"{package}/{path.stem}" not in VALUES
        and not any(name.startswith(path.stem) for name in tests)
    ]
    assert not missing, f"missing: {missing}"
