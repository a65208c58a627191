"""Import and export of the whole directory."""

from __future__ import annotations

import sqlite3
import uuid
from typing import TYPE_CHECKING, Final

from loginward.directory.embedded import importing, rows
from loginward.directory.embedded.drafts import Draft, Terms
from loginward.directory.embedded.exporting import export_lines
from loginward.directory.embedded.hashing import is_hash
from loginward.directory.embedded.importing import Imported, Meter, NotImported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loginward.directory.embedded.book import Book
    from loginward.directory.embedded.fields import Format
    from loginward.directory.embedded.importing import OnProgress
    from loginward.directory.embedded.record import Record

AT_ONCE: Final = 500  # accounts between two signs of progress


def import_accounts(
    book: Book, octets: bytes, form: Format, on_progress: OnProgress
) -> Imported | NotImported:
    """Import a file in one transaction, or say everything that is wrong with it.

    Raises:
        StoreFault: The file of accounts cannot be written; nothing was imported.
        DirectoryUnavailable: It cannot be read.
    """
    terms = Terms(
        now=book.clock.now(),
        rules=book.site.passwords,
        outdates_before=book.outdates_before(),
        is_hash=is_hash,
        new_id=lambda: str(uuid.uuid4()),
    )
    lines = Meter("reading", octets.count(b"\n"), book.clock, on_progress)
    drafts, problems = importing.drafts_of(octets, form, terms, lines)
    names, ids = book.read(rows.names_and_ids)
    problems += importing.taken_twice(drafts, names, ids)
    if problems:
        return NotImported(tuple(sorted(problems, key=lambda problem: problem.line)))
    records = _hashed(book, drafts, on_progress)
    return _written(book, drafts, records, on_progress)


def export_accounts(book: Book, form: Format, *, with_hashes: bool) -> Iterator[str]:
    """Yield the accounts as a file, piece by piece, as they are now."""
    now, site = book.clock.now(), book.site
    with book.snapshot() as connection:
        records = map(book.counter.with_unsaved, rows.in_order(connection))
        yield from export_lines(records, form, site=site, now=now, with_hashes=with_hashes)


def _hashed(book: Book, drafts: list[Draft], on_progress: OnProgress) -> list[Record]:
    """Return the accounts; clear-text passwords are hashed one after the other."""
    clear = sum(draft.clear is not None for draft in drafts)
    meter = Meter("hashing", clear, book.clock, on_progress)
    records = []
    for draft in drafts:
        records.append(importing.hashed(draft, book.hashing.imported))
        if draft.clear is not None:
            meter.advance()
    return records


def _written(
    book: Book, drafts: list[Draft], records: list[Record], on_progress: OnProgress
) -> Imported | NotImported:
    meter = Meter("writing", len(records), book.clock, on_progress)
    in_order = sorted(records, key=lambda record: record.id)  # fills the pages one after the other
    starts = range(0, len(in_order), AT_ONCE)
    chunks = [rows.rows_of(in_order[start : start + AT_ONCE]) for start in starts]

    def step(connection: sqlite3.Connection) -> None:
        with rows.large_cache(connection):
            for chunk in chunks:
                rows.insert(connection, chunk)
                meter.advance(len(chunk.accounts))

    try:
        book.write(step)
    except sqlite3.IntegrityError:  # somebody was added since the file was judged
        return NotImported(tuple(importing.taken_twice(drafts, *book.read(rows.names_and_ids))))
    return Imported(
        accounts=len(records),
        pending=sum(record.password is None for record in records),
        hashed=sum(draft.clear is not None for draft in drafts),
    )
