"""Login names: one index form for the many spellings of one name."""

from __future__ import annotations

import re
import unicodedata

MAX_CHARACTERS = 256
_BLANKS = re.compile(r"\s+")
_SENDABLE = re.compile(r"[A-Za-z0-9._@-]+")
_PLAIN = re.compile(r"[A-Za-z0-9._@+-]+")


def index_form(name: str) -> str:
    """Return the form under which a name is looked up, counted and remembered.

    NFKC, casefolded, trimmed, runs of blanks folded to one space. Idempotent.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return _BLANKS.sub(" ", folded).strip()


def is_well_formed(name: str) -> bool:
    """Return whether a typed name may be asked about at all.

    Refuses the empty, the over-long, control characters, and what PAM and passwd(5) cannot
    carry: a leading hyphen, a colon, a slash; also where these come of folding a look-alike.
    """
    if len(name) > MAX_CHARACTERS:
        return False
    folded = index_form(name)
    if not folded or name.startswith("-") or folded.startswith("-"):
        return False
    if _PLAIN.fullmatch(name) and _PLAIN.fullmatch(folded):  # nearly always
        return True
    return not any(
        unicodedata.category(c) in {"Cc", "Cs", "Cn", "Co"} or c in ":/" for c in name + folded
    )


def is_sendable_unread(name: str) -> bool:
    """Return whether a name may go into a DN template without a readable entry."""
    return _SENDABLE.fullmatch(name) is not None
