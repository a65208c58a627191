"""Completion: the files that are installed are those the tool writes, and they work."""

from __future__ import annotations

import subprocess
import sys

from tests.cli.conftest import RUN, TOP, environment

FOLDER = TOP / "packaging" / "completion"


def test_the_files_are_current(tmp_path) -> None:
    subprocess.run(
        [sys.executable, TOP / "tools" / "make-completion", tmp_path], env=environment(), check=True
    )
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}

    assert written == {path.name: path.read_text() for path in FOLDER.iterdir()}


def test_bash_completes_commands_options_and_choices(tmp_path) -> None:
    command = tmp_path / "loginward"
    command.write_text(f"#!/bin/sh\nexec {RUN[0]} {RUN[1]} '{RUN[2]}' \"$@\"\n")
    command.chmod(0o755)
    script = f"""
        . {FOLDER}/loginward.bash
        try() {{ COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
                _loginward_completion {command} 2>&1; echo "${{COMPREPLY[*]}}"; }}
        try loginward un
        try loginward users --status lo
        try loginward users im
        try loginward why --se
    """
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, env=environment(), check=True, text=True
    )

    assert done.stdout.splitlines() == ["unlock", "locked", "import", "--service"]


def test_files_are_completed_by_the_shell() -> None:
    """What is a file is left to the shell, which knows them."""
    for typed in ("loginward config check /e", "loginward users import /e", "loginward why -c /e"):
        env = environment(
            _LOGINWARD_COMPLETE="bash_complete",
            COMP_WORDS=typed,
            COMP_CWORD=str(len(typed.split()) - 1),
        )
        done = subprocess.run(RUN, capture_output=True, env=env, check=True, text=True)

        assert done.stdout.splitlines() == ["file,/e"]


def test_zsh_and_fish_are_answered() -> None:
    for shell in ("zsh", "fish"):
        env = environment(
            _LOGINWARD_COMPLETE=f"{shell}_complete", COMP_WORDS="loginward unl", COMP_CWORD="1"
        ) | ({"COMP_CWORD": "unl"} if shell == "fish" else {})
        done = subprocess.run(RUN, capture_output=True, env=env, check=True, text=True)

        assert "unlock" in done.stdout
        assert "Unlock accounts." in done.stdout
