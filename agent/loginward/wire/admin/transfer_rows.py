"""What is answered while a file of accounts is taken or given."""

import enum

from loginward.core.secret import Secret
from loginward.wire.admin.row import Row


class FileFormat(enum.Enum):
    """How a file of accounts is written."""

    CSV = "csv"
    JSON = "json"


class ProgressRow(Row, frozen=True, kw_only=True):
    """How far a long order is; `per_s` 0.0 until that can be said."""

    step: str
    done: int
    total: int
    per_s: float = 0.0


class ImportedRow(Row, frozen=True, kw_only=True):
    """Every account of the file is in the directory now."""

    accounts: int
    pending: int
    hashed: int


class LineProblemRow(Row, frozen=True, kw_only=True):
    """Something is wrong at a place of the file; then nothing of it was taken."""

    line: int
    why: str
    field: str = ""
    column: int = 0


class PieceRow(Row, frozen=True, kw_only=True):
    """A piece of a file of accounts, either way; it may hold hashes or passwords."""

    octets: Secret
