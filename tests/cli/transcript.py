"""What transcripts are compared with."""

from __future__ import annotations

SERVE_HINT = (
    "loginward: hint: systemctl start loginward, or try it in the foreground: loginward serve\n"
)


def unindent(text: str) -> str:
    lines = text.strip("\n").split("\n")
    indent = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return "\n".join(line[indent:] for line in lines).rstrip() + "\n"
