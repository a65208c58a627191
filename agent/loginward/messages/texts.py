"""Texts for people by id: what comes with the package, and what a site says instead."""

from __future__ import annotations

import difflib
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml

from loginward.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LINES: Final = 3
MAX_OCTETS: Final = 500
MAX_FACT: Final = 120  # characters; a longer fact is cut

_OVERRIDE: Final = "messages.override_file"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_BRACES: Final = re.compile(r"[{}]")
_MAX_FILE: Final = 1 << 20
# A site may leave these out of a text of its own; the others carry what a person needs to know.
_OPTIONAL: Final = frozenset({"contact", "url", "user", "seen"})

_FOLDER: Final = resources.files("loginward.messages")
# With the code: once root's rights are given up, the folder of both may be out of reach.
_ENGLISH: Final = (_FOLDER / "en.yaml").read_bytes()


class Texts:
    """The texts of one language, with those that a site has overridden."""

    def __init__(self, texts: Mapping[str, str], *, contact: str | None = None) -> None:
        self._texts = texts
        self._always = {"contact": contact or texts["support.contact"]}

    def says_the_same(self, other: Texts) -> bool:
        """Return whether every text is worded as there; the contact apart."""
        return self._texts == other._texts

    def text(self, text_id: str, **facts: object) -> str:
        """Return a text with its facts, at most three lines and 500 octets.

        An id without a text of its own has that of the id above it: "a.b.c", then "a.b". A line
        that needs a fact which is None, empty or not given is left out.

        Raises:
            KeyError: Neither the id nor one above it has a text; a bug.
        """
        template = self._template(text_id)
        known = self._always | {
            name: clean(str(fact)) for name, fact in facts.items() if fact not in {None, ""}
        }
        lines = [
            _PLACEHOLDER.sub(lambda found: known[found[1]], line)
            for line in template.split("\n")
            if all(name in known for name in _PLACEHOLDER.findall(line))
        ]
        return _cut("\n".join(lines[:MAX_LINES]))

    def _template(self, text_id: str) -> str:
        above = text_id
        while above not in self._texts:
            above, _, rest = above.rpartition(".")
            if not rest:
                raise KeyError(text_id)
        return self._texts[above]


def load_texts(
    language: str = "en", override_file: Path | None = None, *, contact: str | None = None
) -> Texts:
    """Return the texts of a language, overridden by those of a site's file.

    Args:
        contact: Whom to ask for help (`support.contact`); None: "your administrator".

    Raises:
        ConfigError: There is no such language, or the site's file cannot be used.
    """
    texts = dict(_packaged("en"))
    if language != "en":
        texts |= _packaged(language)
    if override_file is not None:
        texts |= _overrides(override_file, texts)
    return Texts(texts, contact=contact)


def clean(fact: str) -> str:
    """Return a fact without anything that moves a cursor, hides or reorders text, and not long."""
    shown = "".join(c if c.isprintable() else "?" for c in fact)
    return shown if len(shown) <= MAX_FACT else shown[: MAX_FACT - 1] + "…"


def placeholders_of(template: str) -> frozenset[str]:
    """Return the names of the facts that a text uses."""
    return frozenset(_PLACEHOLDER.findall(template))


def _packaged(language: str) -> dict[str, str]:
    octets = _ENGLISH
    if language != "en":
        file = _FOLDER / f"{language}.yaml"
        if not file.is_file():
            raise ConfigError(
                "messages.language", f"there are no texts in {language!r}; known is en"
            )
        octets = file.read_bytes()
    loaded = yaml.load(octets, _LOADER)  # noqa: S506  a safe loader
    return {text_id: text.removesuffix("\n") for text_id, text in loaded.items()}


def _overrides(file: Path, known: Mapping[str, str]) -> dict[str, str]:
    try:
        with file.open("rb") as opened:
            octets = opened.read(_MAX_FILE + 1)
        loaded = yaml.load(octets.decode(), _LOADER)  # noqa: S506  a safe loader
    except OSError as error:
        raise ConfigError(_OVERRIDE, f"{file} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(_OVERRIDE, f"{file} is not valid YAML") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ConfigError(_OVERRIDE, f"{file} must hold ids with their texts")
    overrides = {}
    for text_id, text in loaded.items():
        problem = _problem_of(text_id, text, known)
        if problem:
            raise ConfigError(_OVERRIDE, f"{file}: {clean(str(text_id))}: {problem}")
        overrides[text_id] = text.removesuffix("\n") + _trailing_space(known[text_id])
    return overrides


def _problem_of(text_id: object, text: object, known: Mapping[str, str]) -> str:
    """Return what is wrong with a site's own text; empty: nothing."""
    if not isinstance(text_id, str) or text_id not in known:
        close = difflib.get_close_matches(str(text_id), known, n=1)
        return f"is no text's id{f'; did you mean {close[0]}?' if close else ''}"
    if not isinstance(text, str) or not text.strip():
        return "must be a text; quote it if YAML takes it for something else"
    stripped = text.removesuffix("\n")
    if stripped.count("\n") >= MAX_LINES or len(stripped.encode()) > MAX_OCTETS:
        return f"must be at most {MAX_LINES} lines and {MAX_OCTETS} octets"
    if any(clean(line) != line for line in _short_pieces(stripped)):
        return "must hold no control characters"
    used, allowed = placeholders_of(text), placeholders_of(known[text_id])
    if _BRACES.search(_PLACEHOLDER.sub("", text)) or used - allowed:
        return f"may use only {_named(allowed)}"
    missing = allowed - used - _OPTIONAL
    return f"must keep {_named(missing)}" if missing else ""


def _short_pieces(text: str) -> list[str]:
    return [
        line[at : at + MAX_FACT]
        for line in text.split("\n")
        for at in range(0, len(line), MAX_FACT)
    ]


def _trailing_space(template: str) -> str:
    """Prompts end in a blank, which a site's file easily loses."""
    return " " if template.endswith(" ") else ""


def _named(names: frozenset[str]) -> str:
    return " ".join(f"{{{name}}}" for name in sorted(names)) or "no facts"


def _cut(text: str) -> str:
    octets = text.encode()
    if len(octets) <= MAX_OCTETS:
        return text
    return octets[: MAX_OCTETS - len("…".encode())].decode(errors="ignore") + "…"
