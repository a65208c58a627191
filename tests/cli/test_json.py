"""`--json` is a contract: the keys of every row are those of the golden file.

After an addition that is meant: .venv/bin/python tests/cli/test_json.py > tests/vectors/json-keys.json
"""

from __future__ import annotations

import json
import typing
from pathlib import Path

import msgspec
import pytest

from loginward.cli.config import ProblemRow
from loginward.cli.logins import LoginRow
from loginward.cli.radius_make_cert import MadeRow
from loginward.cli.radius_outcome import RadiusTestRow
from loginward.core.secret import Secret
from loginward.wire.admin import rows

GOLDEN = Path(__file__).parents[1] / "vectors" / "json-keys.json"
PRINTED = [
    *(kind for kind in typing.get_args(rows.AnyRow)
      if kind not in {rows.BeganRow, rows.EndRow, rows.FailedRow, rows.ProgressRow, rows.PieceRow,
                      rows.MetricsRow}),
    LoginRow,
    ProblemRow,
    MadeRow,
    RadiusTestRow,
]  # fmt: skip


def keys() -> dict[str, object]:
    return {msgspec.inspect.type_info(kind).tag: _keys(kind) for kind in PRINTED}


def _keys(kind: type) -> dict[str, str]:
    info = msgspec.inspect.type_info(kind)
    return {field.encode_name: _shape(field.type) for field in info.fields}


def _shape(info: msgspec.inspect.Type) -> object:
    match info:
        case msgspec.inspect.UnionType(types=kinds):
            return [_shape(kind) for kind in kinds]
        case msgspec.inspect.EnumType(cls=cls):
            return "|".join(sorted(member.value for member in cls))
        case msgspec.inspect.VarTupleType(item_type=item):
            return {"each": _shape(item)}
        case msgspec.inspect.StructType(cls=cls):
            return _keys(cls)
        case msgspec.inspect.CustomType(cls=cls) if cls is Secret:
            return "str"
    return type(info).__name__.removesuffix("Type").lower()


def test_the_keys_are_those_that_programs_rely_on() -> None:
    assert keys() == json.loads(GOLDEN.read_text())


@pytest.mark.parametrize(
    ("argv", "method", "said"),
    [
        (["status"], "health", "HEALTH"),
        (["status", "bob"], "account", "ACCOUNT"),
        (["why", "frank"], "why", "WHY_FRANK"),
        (["users"], "users", "USERS"),
        (["cache", "list"], "copies", "COPIES"),
        (["radius", "sessions"], "radius_sessions", "RADIUS_SESSIONS"),
        (["refresh"], "refresh", "STEPS"),
        (["events"], "events", "EVENTS"),
        (["doctor"], "findings", "FINDINGS"),
        (["unlock", "ann"], "act", [rows.ActRow(name="ann", problem=rows.Problem.REFUSED, why="no")]),
        (["users", "lock", "ann"], "act", [rows.ActRow(name="ann")]),
        (["users", "add", "ann"], "add_user", rows.ActRow(name="ann")),
        (["users", "remove", "a", "--yes"], "remove_users", [rows.ActRow(name="a")]),
        (["users", "import", "/dev/null", "--format", "csv"], "import_users",
         [rows.ProgressRow(step="x", done=1, total=1), rows.LineProblemRow(line=1, why="x")]),
        (["cache", "forget", "a"], "forget", [rows.ForgottenRow(name="a", was_kept=True)]),
        (["cache", "clear", "--yes"], "clear_copies", rows.ClearedRow(copies=1)),
        (["config", "reload"], "reload", rows.ReloadedRow()),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and value and isinstance(value[0], str) else "",
)  # fmt: skip
def test_every_command_prints_whole_rows_and_nothing_else(world, argv, method, said) -> None:
    from tests.cli import samples

    world.admin.script[method] = getattr(samples, said) if isinstance(said, str) else said
    done = world.run(*argv, "--json")

    assert done.err == ""
    golden = json.loads(GOLDEN.read_text())
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert lines
    for line in lines:
        assert set(line) == {"type", *golden[line["type"]]}


if __name__ == "__main__":
    print(json.dumps(keys(), indent=1))
