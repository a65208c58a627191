"""What is made from the types is current."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from loginward.settings import fields_of
from tests.settings.every import every_section

TOP = Path(__file__).parents[2]


def test_the_generated_files_are_current() -> None:
    done = subprocess.run(
        [sys.executable, TOP / "tools/generate.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_reference_names_every_key() -> None:
    reference = (TOP / "docs/configuration.md").read_text()
    for section in every_section():
        for field in fields_of(section):
            assert f"| `{field.name}` |" in reference
