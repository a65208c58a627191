"""Tests stand where the code stands: tests/core/test_x.py proves loginward/core/x.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mirror import PROVEN_BY, VALUES

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "agent/loginward"
# Folders of tests that prove more than one package, or no Python at all.
ACROSS = {"live", "bench", "vectors", "native", "doubles", "fuzz", "soak", "packaging", "tools"}
# Packages so central that every test file names its module, and every module has its test file.
STRICT = ("core", "settings", "config", "messages")
LONG = 40  # lines of a module that is worth a test file


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


def own_tests(module: str) -> list[Path]:
    folder, stem = TESTS / Path(module).parent, Path(module).name
    return sorted(folder.glob(f"test_{stem}*.py"))


def modules() -> dict[str, int]:
    """Return the lines of every module, by its name below the package."""
    return {
        str(path.relative_to(PACKAGE).with_suffix("")): path.read_text().count("\n")
        for path in PACKAGE.rglob("*.py")
        if path.stem not in {"__init__", "__main__"}
    }


def test_a_module_has_its_test_file_or_a_reason_why_not() -> None:
    missing = [
        f"tests/{Path(module).parent}/test_{Path(module).name}.py"
        for module, lines in sorted(modules().items())
        if (lines > LONG or module.split("/")[0] in STRICT)
        and module not in VALUES
        and module not in PROVEN_BY
        and not own_tests(module)
    ]
    assert not missing, f"missing, or a line in tests/mirror.py: {missing}"


def test_no_reason_outlives_what_it_was_given_for() -> None:
    """A module that is gone, or has its test file by now, needs none; a named test must be there."""
    known = modules()
    assert not [module for module in VALUES | PROVEN_BY.keys() if module not in known]
    assert not [module for module in PROVEN_BY if own_tests(module)]
    assert not VALUES & PROVEN_BY.keys()
    gone = {tests for tests in PROVEN_BY.values() if not list(TESTS.glob(tests))}
    assert not gone, f"no such tests: {gone}"
