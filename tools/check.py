"""Everything that is checked without running the program: `make check`.

Each step prints its name and, if it fails, why; all run, and the exit code is 1 if any failed.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
MAX_LINES = 600
MAX_FUNCTION = 40  # lines without the docstring
# The composition root is a list of parts in the order in which they need each other.
LISTS_OF_PARTS = {"agent/loginward/runtime/agent.py"}

# Paths of one machine, hosts that a lock file or script must leave to the machine's own set-up, and
# unfinished business. The + keeps this file from holding what it looks for.
FORBIDDEN = [
    re.compile(pattern.replace("+", ""), re.IGNORECASE)
    for pattern in (
        r"/wo+rk/(main|shared)",
        r"/ro+ot/\.py+env",
        r"/ho+me/[a-z]",
        r"files\.python+hosted",
        r"\bpy+pi\.",
        r"deb\.deb+ian\.org",
        r"registry\.np+mjs",
        r"\bTO+DO\b",
        r"\bFIX+ME\b",
    )
]


def main() -> int:
    """Run every step and return the exit code."""
    files = tracked_files()
    steps = {
        "ruff check": lambda: run(BIN / "ruff", "check", "--quiet", "."),
        "ruff format": lambda: run(BIN / "ruff", "format", "--quiet", "--check", "--diff", "."),
        "mypy": lambda: run(BIN / "mypy", "--no-error-summary"),
        "layers": lambda: run(
            sys.executable, "-m", "pytest", "-q", "tests/test_layering.py", "tests/test_mirror.py"
        ),
        "core": core_branches,
        "lines": lambda: long_files(files),
        "functions": lambda: long_functions(files),
        "words": lambda: forbidden_words(files),
        "generated": lambda: run(sys.executable, "tools/generate.py", "--check"),
        "C": c_warnings,
        "shell": lambda: shell_scripts(files),
    }
    failed = []
    for name, step in steps.items():
        problem = step()
        print(f"{name:12} {'FAILED' if problem else 'ok'}", flush=True)
        if problem:
            print(problem.rstrip(), flush=True)
            failed.append(name)
    if failed:
        print(f"make check: failed: {', '.join(failed)}")
    return 1 if failed else 0


def run(*command: str | Path) -> str:
    """Return what a command said if it failed; empty if it did not."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=TOP,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout or f"ended with {done.returncode}"


def core_branches() -> str:
    """Name the branches of core/ that no test of tests/core takes, seeded to say the same again."""
    coverage = ("--cov", "--cov-config=tools/core-coverage.ini", "--cov-fail-under=100")
    report = "--cov-report=term-missing:skip-covered"
    command = (sys.executable, "-m", "pytest", "-q", "-n", "2", "--hypothesis-seed=0", "tests/core")
    (TOP / "build").mkdir(exist_ok=True)
    return run(*command, *coverage, report)


def tracked_files() -> list[Path]:
    """Return what git keeps, or everything outside dot folders and build where there is no git."""
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=TOP, capture_output=True, text=True, check=False
    )
    if done.returncode == 0 and done.stdout:
        names = done.stdout.removesuffix("\0").split("\0")
    else:
        found = (path.relative_to(TOP) for path in TOP.rglob("*") if path.is_file())
        names = [
            str(path)
            for path in found
            if path.parts[0] not in {"build", ".venv", ".git"} and "__pycache__" not in path.parts
        ]
    return [TOP / name for name in names if (TOP / name).is_file()]


def text_of(path: Path) -> str | None:
    """Return a file's text; None for what is none."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return None


def long_files(files: list[Path]) -> str:
    """Name files of code that are longer than one idea needs."""
    said = []
    for path in files:
        if path.suffix in {".py", ".c", ".h"} or path.parent.name == "tools":
            lines = (text_of(path) or "").count("\n")
            if lines > MAX_LINES and path.suffix != ".txt":
                said.append(f"{path.relative_to(TOP)}: {lines} lines; at most {MAX_LINES}")
    return "\n".join(said)


def long_functions(files: list[Path]) -> str:
    """Name functions of the package that do more than can be seen at once."""
    said = []
    for path in files:
        name = str(path.relative_to(TOP))
        if path.suffix != ".py" or not name.startswith("agent/") or name in LISTS_OF_PARTS:
            continue
        for node in ast.walk(ast.parse(text_of(path) or "")):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                begin = node.lineno if ast.get_docstring(node) is None else node.body[0].end_lineno
                lines = (node.end_lineno or 0) - (begin or 0) + 1
                if lines > MAX_FUNCTION:
                    said.append(f"{name}:{node.lineno}: {node.name} has {lines} lines")
    return "\n".join(said)


def forbidden_words(files: list[Path]) -> str:
    """Name lines that hold a path of one machine, a download host, or unfinished business."""
    said = []
    for path in files:
        for number, line in enumerate((text_of(path) or "").splitlines(), 1):
            said += [
                f"{path.relative_to(TOP)}:{number}: must not hold {found[0]!r}"
                for pattern in FORBIDDEN
                if (found := pattern.search(line))
            ]
    return "\n".join(said)


def c_warnings() -> str:
    """Compile the native parts anew, warnings being errors."""
    native = TOP / "agent/native"
    if not (native / "Makefile").is_file():
        return "agent/native/Makefile is missing"
    return run("make", "-s", "-B", "-C", native, f"OUT={TOP / 'build/check'}")


def shell_scripts(files: list[Path]) -> str:
    """Let the shell read every script without running it."""
    said = []
    for path in files:
        text = text_of(path)
        if text and text.startswith(("#!/bin/sh", "#!/usr/bin/env bash", "#!/bin/bash")):
            shell = "sh" if text.startswith("#!/bin/sh") else "bash"
            said.append(run(shell, "-n", path))
    return "\n".join(line for line in said if line)


if __name__ == "__main__":
    sys.exit(main())
