"""Distinguished names, as far as they are compared here.

Source: RFC 4514.
"""

from __future__ import annotations

import re


def is_below(dn: str, above: str) -> bool:
    """Return whether a DN is another one, or below it, by their text: case and blanks aside."""
    low, high = _plain(dn), _plain(above)
    return low == high or low.endswith(f",{high}")


def _plain(dn: str) -> str:
    return re.sub(r"\s*([,=+])\s*", r"\1", dn.strip().lower())
