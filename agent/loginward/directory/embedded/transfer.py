"""Import and export of the whole directory."""

from __future__ import annotations

import sqlite3
import uuid
from typing import TYPE_CHECKING, Final

from loginward.directory.embedded import batches, importing, rows
from loginward.directory.embedded.drafts import Draft, Terms
from loginward.directory.embedded.exporting import export_lines
from loginward.directory.embedded.hashing import is_hash
from loginward.directory.embedded.importing import Imported, Meter, NotImported
from loginward.directory.embedded.reading import LineProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loginward.directory.embedded.book import Book
    from loginward.directory.embedded.codec import Rows
    from loginward.directory.embedded.fields import Format
    from loginward.directory.embedded.importing import OnProgress

_ONE_AT_A_TIME: Final = "another file is being imported; try again when that one is done"


def import_accounts(
    book: Book, octets: bytes, form: Format, on_progress: OnProgress, barred: frozenset[str]
) -> Imported | NotImported:
    """Import a file whole, seen by nobody before all of it is there, or say what is wrong with it.

    `barred`: groups, in index form, that no account of the file may be in.

    Raises:
        StoreFault: The file of accounts cannot be written; nothing was imported.
        DirectoryUnavailable: It cannot be read.
    """
    if not book.importing.acquire(blocking=False):
        return NotImported((LineProblem(0, "", _ONE_AT_A_TIME),))
    try:
        batches.drop_unfinished(book)
        return _imported(book, octets, form, on_progress, barred)
    finally:
        book.importing.release()


def _imported(
    book: Book, octets: bytes, form: Format, on_progress: OnProgress, barred: frozenset[str]
) -> Imported | NotImported:
    terms = Terms(
        now=book.clock.now(),
        rules=book.site.passwords,
        outdates_before=book.outdates_before(),
        is_hash=is_hash,
        new_id=lambda: str(uuid.uuid4()),
        barred=barred,
    )
    lines = Meter("reading", octets.count(b"\n"), book.clock, on_progress)
    drafts, problems = importing.drafts_of(octets, form, terms, lines)
    names, ids = book.read(rows.names_and_ids)
    problems += importing.taken_twice(drafts, names, ids)
    if problems:
        return NotImported(tuple(sorted(problems, key=lambda problem: problem.line)))
    return _written(book, drafts, _hashed(book, drafts, on_progress), on_progress)


def export_accounts(book: Book, form: Format, *, with_hashes: bool) -> Iterator[str]:
    """Yield the accounts as a file, piece by piece, as they are now."""
    now, site = book.clock.now(), book.site
    with book.snapshot() as connection:
        records = map(book.counter.with_unsaved, rows.in_order(connection))
        yield from export_lines(records, form, site=site, now=now, with_hashes=with_hashes)


def _hashed(book: Book, drafts: list[Draft], on_progress: OnProgress) -> list[Rows]:
    """Return the accounts; clear-text passwords are hashed one after the other."""
    clear = sum(draft.clear is not None for draft in drafts)
    meter = Meter("hashing", clear, book.clock, on_progress)
    accounts = []
    for draft in drafts:
        accounts.append(importing.hashed(draft, book.hashing.imported))
        if draft.clear is not None:
            meter.advance()
    return accounts


def _written(
    book: Book, drafts: list[Draft], accounts: list[Rows], on_progress: OnProgress
) -> Imported | NotImported:
    meter = Meter("writing", len(accounts), book.clock, on_progress)
    accounts.sort(key=lambda of: of[0][0])  # by id: fills the pages one after the other
    try:
        batches.write(book, str(uuid.uuid4()), accounts, meter.advance)
    except sqlite3.IntegrityError:  # somebody was added since the file was judged
        batches.drop_unfinished(book)
        return NotImported(tuple(importing.taken_twice(drafts, *book.read(rows.names_and_ids))))
    return Imported(
        accounts=len(accounts),
        pending=sum(draft.is_pending for draft in drafts),
        hashed=sum(draft.clear is not None for draft in drafts),
    )
