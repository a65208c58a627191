"""The golden table in short, for people: docs/decisions-table.md."""

from __future__ import annotations

from pathlib import Path

from tests.vectors.decisions import AXES, decided

PAGE = Path(__file__).parents[2] / "docs/decisions-table.md"
HEAD = """# Who is let in

Made by `tools/gen-decisions` from the law itself; do not edit. The whole table, every case of it, is
`tests/vectors/decisions.json`, which every door replays.

*in*: let in. *change*: the password is right and has to be changed before going on. Anything else is
a refusal, by its reason code. The directory is one that takes a change of an expired password.
"""
BASE = {
    "reading": "fresh",
    "state": "active",
    "keep_while": "none",
    "when_expired": "deny",
    "directory_takes_change": "yes",
    "at": "sshd",
    "key_logins": "deny",
}
# Title, inputs other than BASE, and the column of the golden table.
WAYS = [
    ("password", {}, "right"),
    ("password, `when_expired: change`", {"when_expired": "change"}, "right"),
    ("wrong password", {}, "wrong"),
    ("SSH key", {}, "key"),
    ("SSH key, `key_logins: warn`", {"key_logins": "warn"}, "key"),
    ("cron", {"at": "cron"}, "key"),
    ("systemd-user", {"at": "systemd-user"}, "key"),
    ("RADIUS", {"at": "radius"}, "right"),
    (
        "RADIUS with challenge, `change`",
        {"at": "radius-challenge", "when_expired": "change"},
        "right",
    ),
    ("offline", {"reading": "copy"}, "right"),
    ("offline too long", {"reading": "stale-copy"}, "right"),
    ("`keep_while: [locked]`", {"keep_while": "locked"}, "right"),
    ("`keep_while: [expired]`", {"keep_while": "expired"}, "right"),
]
OTHERS = [
    ("staged, whatever the password", {"state": "staged"}),
    ("suspended, whatever the password", {"state": "suspended"}),
    ("a name the directory does not have", {"reading": "unknown"}),
    ("directory down, name never seen here", {"reading": "never-seen"}),
    ("directory down, copy not to be trusted", {"reading": "unusable"}),
]


def text() -> str:
    """Return the page as it should be."""
    passwords = AXES["password"]
    lines = [HEAD, "## An active account", ""]
    lines += ["| how | " + " | ".join(passwords) + " |", "|---" * (len(passwords) + 1) + "|"]
    for title, inputs, column in WAYS:
        cells = [_cell({**BASE, **inputs, "password": one}, column) for one in passwords]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    lines += ["", "## Any other", "", "| what | answer |", "|---|---|"]
    for title, inputs in OTHERS:
        lines.append(f"| {title} | {_cell({**BASE, 'password': 'active', **inputs}, 'right')} |")
    return "\n".join(lines) + "\n"


def _cell(case: dict[str, str], column: str) -> str:
    decision = decided(case, column)
    if decision.verdict.value == "allow":
        return f"in, by {decision.allowed_by}" if decision.allowed_by else "in"
    if decision.verdict.value == "change":
        return f"change ({decision.reason.value})"
    return decision.reason.value
