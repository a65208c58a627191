"""Who may import whom: the table of docs/architecture.md, kept true."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
PACKAGE = TOP / "agent/loginward"

LEAVES = {"crypto", "sqlite", "messages"}
ALL = {"*"}
# What a package may import of ours, beside itself; `errors` and the version are open to all.
MAY_IMPORT: dict[str, set[str]] = {
    "core": set(),
    "wire": {"core"},
    "settings": {"core"},
    "crypto": set(),
    "sqlite": set(),
    "messages": set(),
    "directory": {"core", "wire", "settings", *LEAVES},
    "store": {"core", "settings", *LEAVES},
    "host": {"core", "settings"},
    "doors": {"core", "wire", "settings", *LEAVES},
    "runtime": ALL,
    "config": {"core", "settings"},
    "cli": {"core", "settings", "config", "wire", *LEAVES},
}
MAY_NOT_NAME_ERRORS = {"core", "settings"}
# Only these commands reach the composition root (design: `serve`, `demo`, `doctor` when down); the
# two of RADIUS are tools that need no daemon, see docs/decisions/0120-the-built-in-radius-client.md.
CLI_REACHES_RUNTIME = {
    "serve",
    "demo",
    "doctor",
    "radius_test",
    "radius_outcome",
    "radius_make_cert",
}
WHY = {
    "core": "the law is pure: it knows nobody",
    "wire": "octets to values and back: no settings, no I/O",
    "directory": "directory, store and host never know each other; the runtime brings them together",
    "store": "directory, store and host never know each other; the runtime brings them together",
    "host": "directory, store and host never know each other; the runtime brings them together",
    "doors": "doors translate, never decide: they reach the runtime through their port alone",
    "cli": "commands speak to the daemon over its sockets",
}
IMPURE = {
    *("socket", "sqlite3", "threading", "logging", "random", "secrets", "os", "subprocess", "time"),
    *("ssl", "select", "selectors", "asyncio", "multiprocessing", "signal", "pathlib", "tempfile"),
}
# Libraries with one home each, so that they can be swapped and audited in one place.
HOMES = {
    "ldap3": "directory/ldap",
    "pyrad": "doors/radius",
    "OpenSSL": "doors/radius",
    "click": "cli",
    "rich": "cli",
}
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def imports_of(path: Path) -> list[tuple[int, str, int]]:
    """Return line, dotted name and level of every import, those for types alone included."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name, 0) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.lineno, node.module or "", node.level))
            if node.module == "loginward":
                found += [(node.lineno, f"loginward.{a.name}", 0) for a in node.names]
    return found


def layer_of(path: Path) -> str:
    """Return a module's package, or its own name at the top."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def named(path: Path, line: int) -> str:
    return f"{path.relative_to(TOP)}:{line}"


def may_import(path: Path, target: str) -> bool:
    layer = layer_of(path)
    if target in {layer, ""} or target.isupper():  # the version is everybody's
        return True
    if target == "errors":
        return layer not in MAY_NOT_NAME_ERRORS
    if layer == "cli" and target == "runtime":
        return path.relative_to(PACKAGE / "cli").parts[0].removesuffix(".py") in CLI_REACHES_RUNTIME
    allowed = MAY_IMPORT.get(layer, set())
    return allowed == ALL or target in allowed


@pytest.mark.parametrize("layer", sorted({layer_of(path) for path in MODULES}))
def test_a_package_imports_only_what_its_row_allows(layer: str) -> None:
    said = []
    for path in MODULES:
        if layer_of(path) != layer:
            continue
        for line, name, level in imports_of(path):
            if level:
                said.append(f"{named(path, line)}: relative import; imports are absolute here")
            if name.split(".")[0] != "loginward":
                continue
            target = ([*name.split("."), ""])[1]
            if not may_import(path, target):
                why = WHY.get(layer, "see docs/architecture.md")
                said.append(f"{named(path, line)}: {layer} must not import {name}: {why}")
    assert not said, "\n" + "\n".join(said)


def test_every_package_has_a_row() -> None:
    packages = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert packages <= MAY_IMPORT.keys(), "a new package needs a row in this table and the docs"


@pytest.mark.parametrize("layer", ["core", "wire", "settings"])
def test_the_pure_packages_touch_nothing_outside(layer: str) -> None:
    said = []
    for path in (PACKAGE / layer).rglob("*.py"):
        for line, name, _ in imports_of(path):
            pure_path = layer == "settings" and name == "pathlib"  # names of files, never opened
            if name.split(".")[0] in IMPURE and not pure_path:
                said.append(f"{named(path, line)}: {layer} is pure and must not import {name}")
    assert not said, "\n" + "\n".join(said)


@pytest.mark.parametrize("library", HOMES)
def test_a_library_is_used_in_its_home_alone(library: str) -> None:
    said = [
        f"{named(path, line)}: {library} belongs in {HOMES[library]}"
        for path in MODULES
        for line, name, _ in imports_of(path)
        if name.split(".")[0] == library
        and not str(path.relative_to(PACKAGE)).startswith(HOMES[library])
    ]
    assert not said, "\n" + "\n".join(said)


def test_only_the_clock_asks_what_time_it_is() -> None:
    """A suppression of the banned calls (TID251) stands nowhere but in the clock."""
    said = [
        named(path, number)
        for path in MODULES
        if path != PACKAGE / "runtime/clock.py"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"noqa:.*TID251", line)
    ]
    assert not said, said


def test_what_fails_is_seen(tmp_path: Path) -> None:
    """The walk sees imports at the top, inside functions, for types alone and relative ones."""
    path = tmp_path / "x.py"
    path.write_text(
        "import loginward.store\nfrom loginward import host\n"
        "def f():\n    from loginward.runtime.agent import X\nfrom . import y\n"
    )
    assert {(name, level) for _, name, level in imports_of(path)} == {
        ("loginward.store", 0),
        ("loginward", 0),
        ("loginward.host", 0),
        ("loginward.runtime.agent", 0),
        ("", 1),
    }
