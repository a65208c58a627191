"""`loginward users import` and `export`: whole files of accounts."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from loginward.cli.exits import DONE, REFUSED, USAGE, CommandFailed
from loginward.cli.options import Asking, asks_daemon, examples
from loginward.cli.output import complain
from loginward.cli.progress import Bar
from loginward.wire.admin.requests import MAX_FILE_OCTETS, ExportUsers, ImportUsers
from loginward.wire.admin.rows import (
    FileFormat,
    ImportedRow,
    LineProblemRow,
    PieceRow,
    ProgressRow,
)

if TYPE_CHECKING:
    from loginward.cli.client import Answer

IMPORT_S = 600.0  # between two rows: hashing clear text shows its progress, writing takes a while
FORMATS = click.Choice([form.value for form in FileFormat])


@click.command(
    "import",
    epilog=examples(
        "loginward users import people.csv",
        "loginward users import backup.json",
        "pass show import | loginward users import - --format csv",
    ),
)
@click.argument("file", metavar="FILE", type=click.Path())
@click.option("--format", "form", type=FORMATS, help="Default: by the name of the file.")
@asks_daemon
def import_command(asking: Asking, file: str, form: str | None) -> int:
    """Add the accounts of a FILE.

    CSV or JSON; - is stdin. Either all of them are added or none. The first line of a CSV names the fields, as in an
    export; `username` is needed. Passwords may be Argon2id hashes (`password_hash`), clear text
    (`password`), or left out: then the account waits for its activation.
    """
    octets = _read(file)
    order = ImportUsers(form=_format(form, file), octets=len(octets))
    return _report(asking, asking.client.ask(order, octets, wait_s=IMPORT_S), file)


def _report(asking: Asking, answer: Answer, file: str) -> int:
    code = DONE
    with Bar() as bar:
        for row in answer.of(ProgressRow, ImportedRow, LineProblemRow):
            if isinstance(row, ProgressRow):
                bar.show(row)
                continue
            bar.clear()
            if asking.out.as_json:
                asking.out.row(row)
            elif isinstance(row, ImportedRow):
                pending = f", {row.pending} without a password yet" if row.pending else ""
                hashed = f", {row.hashed} passwords hashed" if row.hashed else ""
                asking.out.line(f"{row.accounts} accounts added{pending}{hashed}")
            elif isinstance(row, LineProblemRow):
                complain(": ".join(part for part in (file, _place(row), row.why) if part))
            if isinstance(row, LineProblemRow):
                code = REFUSED
    if code and not asking.out.as_json:
        complain("nothing was imported")
    return code


def _place(row: LineProblemRow) -> str:
    if not row.line:  # it is not about a place of the file
        return ""
    column = f", column {row.column}" if row.column else ""
    return f"line {row.line}{column}" + (f", {row.field}" if row.field else "")


@click.command(
    "export",
    epilog=examples(
        "loginward users export                                     CSV to stdout",
        "loginward users export people.json",
        "loginward users export --with-hashes backup.json           the backup",
    ),
)
@click.argument("file", metavar="FILE", default="-", type=click.Path())
@click.option("--format", "form", type=FORMATS, help="Default: by the name of the file, or CSV.")
@click.option(
    "--with-hashes",
    is_flag=True,
    help="Also password hashes, locks and counters: a backup, readable by its owner alone. Needs"
    " the right all, and root where doors.admin.protected_groups is set.",
)
@asks_daemon
def export_command(asking: Asking, file: str, form: str | None, with_hashes: bool) -> int:
    """Write all accounts into a FILE.

    CSV or JSON, by default to stdout. A file is written whole or not at all.
    """
    if with_hashes and file == "-" and sys.stdout.isatty():
        raise CommandFailed("hashes are not shown on a terminal", "name a file", USAGE)
    answer = asking.client.ask(
        ExportUsers(form=_format(form, file, FileFormat.CSV), with_hashes=with_hashes)
    )
    if file == "-":
        _write(answer, sys.stdout.buffer)
        return DONE
    _save(answer, Path(file))
    return DONE


def _save(answer: Answer, path: Path) -> None:
    """Write a file that is whole or not there; 0600, as addresses and hashes are in it."""
    new = path.with_name(path.name + ".new")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                _write(answer, stream)
                stream.flush()
                os.fsync(stream.fileno())
            new.replace(path)
        except BaseException:
            new.unlink()
            raise
    except OSError as error:
        why = f"{error.filename or path}: {os.strerror(error.errno or 0)}"
        raise CommandFailed(why, "nothing was written") from error


def _write(answer: Answer, stream: BinaryIO) -> None:
    stream.writelines(row.octets.reveal() for row in answer.of(PieceRow))
    stream.flush()


def _read(file: str) -> bytes:
    try:
        if file == "-":
            octets = sys.stdin.buffer.read(MAX_FILE_OCTETS + 1)
        else:
            with Path(file).open("rb") as stream:
                octets = stream.read(MAX_FILE_OCTETS + 1)
    except OSError as error:
        raise CommandFailed(f"{file}: {os.strerror(error.errno or 0)}", code=USAGE) from error
    if len(octets) > MAX_FILE_OCTETS:
        why = f"{file}: larger than {MAX_FILE_OCTETS // 1024**2} MiB"
        raise CommandFailed(why, "split it", USAGE)
    return octets


def _format(given: str | None, file: str, otherwise: FileFormat | None = None) -> FileFormat:
    if given is not None:
        return FileFormat(given)
    ending = Path(file).suffix.lower().removeprefix(".")
    for form in FileFormat:
        if form.value == ending:
            return form
    if otherwise is None:
        raise click.UsageError("is the file csv or json? say --format")
    return otherwise
