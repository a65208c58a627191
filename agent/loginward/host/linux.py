"""What an unlock leaves behind on a Linux host, and how it is cleared (R62).

Source: pam_faillock(8), faillock(8).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

FAILLOCK: Final = Path("/run/faillock")  # pam_faillock's own default; faillock.conf may move it


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do after an unlock.

    Attributes:
        name: Stable, such as "faillock".
        needed: Whether there is anything to clear.
        text: What it is, and what a person does where this process has not the right.
    """

    name: str
    needed: bool
    text: str


def faillock_step(name: str, folder: Path = FAILLOCK) -> Step:
    """Return whether pam_faillock keeps a tally of its own of a user, and how to reset it."""
    command = f"faillock --user {name} --reset"
    try:
        needed = (folder / name).stat().st_size > 0
    except OSError:
        return Step("faillock", needed=False, text="pam_faillock keeps no tally of this user")
    if not needed:
        return Step("faillock", needed=False, text="pam_faillock's tally is empty")
    return Step("faillock", needed=True, text=f"pam_faillock keeps a tally: {command}")
