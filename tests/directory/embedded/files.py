"""Files of accounts taken and given, for the tests of both."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

from loginward.directory.embedded.fields import Format
from loginward.directory.embedded.importing import NotImported

RIGHT = b"right-horse-battery"

PHC = (
    "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$DXrhvFW0cyRwqwdVKqqP5wO6jGAYXSCwLPdFqMtHSrY"
)

NOW = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)


def load(world, text, form=Format.CSV, seen=None):
    octets = text if isinstance(text, bytes) else text.encode()
    return world.directory.import_accounts(octets, form, (seen if seen is not None else []).append)


def problems(result):
    assert isinstance(result, NotImported)
    return [str(problem) for problem in result.problems]


def exported(world, form=Format.JSON, *, with_hashes=False):
    text = "".join(world.directory.export_accounts(form, with_hashes=with_hashes))
    if form is Format.JSON:
        return {account["username"]: account for account in json.loads(text)}
    return {row["username"]: row for row in csv.DictReader(io.StringIO(text))}
