"""The marker: whom the PAM module refuses in the account phase when the daemon cannot be asked.

One name a line, so that C can look it up without our keys: index form, tab, uid; a header first, and
last `end N` with the number of names, so that a cut file is seen.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from loginward.core.names import index_form, is_well_formed
from loginward.crypto.keys import sync_directory
from loginward.sqlite.faults import NotWritable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

MARKER: Final = "known"
HEADER: Final = "loginward-known 1"
EVERYBODY: Final = f"{HEADER} all"  # the module refuses whoever is not exempt, named or not


def render(names: Iterable[tuple[str, int]], *, everybody: bool = False) -> str:
    """Return the marker of names and their uids, sorted by index form in code point order."""
    lines = sorted({f"{index_form(name)}\t{uid}" for name, uid in names})
    return "\n".join((EVERYBODY if everybody else HEADER, *lines, f"end {len(lines)}")) + "\n"


class KnownMarker:
    """Keeps the marker file in step with the known names.

    Args:
        directory: state_dir, 0755.
        uid_of: The uid that this host gives a name (NSS); None: none, so PAM never meets it.
        exempt: Names that are never refused, in any spelling.
        everybody: Refuse all others too (`doors.login.when_down: all`).
    """

    def __init__(
        self,
        directory: Path,
        uid_of: Callable[[str], int | None],
        exempt: Iterable[str],
        *,
        everybody: bool = False,
    ) -> None:
        self._everybody = everybody
        self._path = directory / MARKER
        self._uid_of = uid_of
        self._exempt = frozenset(map(index_form, exempt))

    def update(self, names: Iterable[str]) -> bool:
        """Write the marker if it has changed; return whether it had.

        Raises:
            NotWritable: It could not be written; the old one is whole.
        """
        listed = list[tuple[str, int]]()
        for name in names:
            uid = None if index_form(name) in self._exempt else self._uid_of(name)
            if uid and is_well_formed(name):  # uid 0 is exempt under every name
                listed.append((name, uid))
        text = render(listed, everybody=self._everybody).encode()
        try:
            if self._path.is_file() and self._path.read_bytes() == text:
                return False
            self._replace(text)
        except OSError as error:
            raise NotWritable(
                f"{self._path}: {error.strerror}", "free some space, or make it writable"
            ) from error
        return True

    def _replace(self, text: bytes) -> None:
        draft = self._path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fchmod(descriptor, 0o644)  # everybody's PAM stack reads it, whatever the umask
            os.fsync(descriptor)
        draft.replace(self._path)
        sync_directory(self._path.parent)
