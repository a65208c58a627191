"""A single word of the file to a value of the type that its key has.

Every type is read by its own strict rule, so that what YAML 1.1 makes of `no`, `010` or `1:30`
(https://yaml.org/type/) never reaches a setting: where a reader could take it for something else,
quotes are asked for.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loginward.config.document import Scalar

_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?")
_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false"})
# What some YAML 1.1 reader takes for a number (octal, hexadecimal, base 60 too) or a date.
_LIKE_NUMBER: Final = re.compile(
    r"[-+]?([0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(e[-+]?[0-9]+)?"
    r"|[-+]?0[box][0-9a-f_]+|[-+]?[0-9][0-9_]*(:[0-9]{1,2})+(\.[0-9_]*)?|[-+]?\.inf|\.nan",
    re.IGNORECASE,
)
_LIKE_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class ExpectedError(Exception):
    """A word is not what its key needs; the text says what is expected."""


def is_null(scalar: Scalar) -> bool:
    """Return whether a word means null."""
    return scalar.plain and scalar.text in _NULL


def read_text(scalar: Scalar) -> str:
    """Return a text as it stands.

    Raises:
        ExpectedError: It could be taken for something else, or holds control characters.
    """
    if _CONTROLS.search(scalar.text):
        raise ExpectedError("must hold no control characters")
    if scalar.plain and is_ambiguous(scalar.text):
        raise ExpectedError(f'expected a text; quote it: "{scalar.text}"')
    return scalar.text


def read_whole(scalar: Scalar) -> int:
    """Return a whole number in decimal.

    Raises:
        ExpectedError: It is anything else.
    """
    if scalar.plain and _WHOLE.fullmatch(scalar.text):
        return int(scalar.text)
    raise ExpectedError(_expected_number("a whole number such as 10", scalar))


def read_number(scalar: Scalar) -> float:
    """Return a decimal number.

    Raises:
        ExpectedError: It is anything else.
    """
    if scalar.plain and _DECIMAL.fullmatch(scalar.text):
        return float(scalar.text)
    raise ExpectedError(_expected_number("a number such as 2.5", scalar))


def read_bool(scalar: Scalar) -> bool:
    """Return true or false.

    Raises:
        ExpectedError: It is anything else; YAML's yes, no, on and off too.
    """
    if scalar.plain and scalar.text in {"true", "false"}:
        return scalar.text == "true"
    raise ExpectedError(f"expected true or false, not {_shown(scalar)}")


def read_choice(scalar: Scalar, choices: Sequence[str]) -> str:
    """Return one of a few words; as they are known, none of them needs quotes.

    Raises:
        ExpectedError: It is none of them.
    """
    if scalar.text in choices:
        return scalar.text
    raise ExpectedError(f"expected {' or '.join(choices)}, not {_shown(scalar)}")


def read_moment(scalar: Scalar) -> datetime:
    """Return a date (its midnight, UTC) or an RFC 3339 time, as aware UTC.

    Raises:
        ExpectedError: It is anything else, or a time without its zone.
    """
    try:
        moment = datetime.fromisoformat(scalar.text)
        if moment.tzinfo is None and len(scalar.text) > len("2027-03-31"):
            raise ExpectedError("expected a zone too, as in 2027-03-31T18:00:00Z")
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        expected = "expected a date such as 2027-03-31 or 2027-03-31T18:00:00Z"
        raise ExpectedError(f"{expected}, not {_shown(scalar)}") from error


def _expected_number(what: str, scalar: Scalar) -> str:
    said = f"expected {what}, not {_shown(scalar)}"
    if not scalar.plain and _DECIMAL.fullmatch(scalar.text):
        return f"{said}: leave out the quotes"
    if re.fullmatch(r"0[0-9]+", scalar.text):
        return f"{said}: YAML reads a leading 0 as octal"
    if re.fullmatch(r"[0-9]+(:[0-9]+)+", scalar.text):
        return f"{said}: YAML reads this in base 60"
    return said


def is_ambiguous(text: str) -> bool:
    """Return whether some reader of YAML takes a text for something else, unless it is quoted."""
    return (
        text in _NULL
        or text.lower() in _BOOLS
        or _LIKE_NUMBER.fullmatch(text) is not None
        or _LIKE_DATE.fullmatch(text) is not None
    )


def _shown(scalar: Scalar) -> str:
    text = _CONTROLS.sub("?", scalar.text)
    text = text if len(text) <= 40 else text[:39] + "…"
    return f'"{text}"' if not scalar.plain or not text else text
