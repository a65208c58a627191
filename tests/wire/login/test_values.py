"""Both sides of the login socket use the numbers of one C header."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loginward.wire.login import values

HEADER = Path(__file__).parents[3] / "agent/native/lw_protocol.h"


def defined() -> dict[str, int]:
    return {
        name: int(number)
        for name, number in re.findall(r"^#define LW_(\w+) (\d+)", HEADER.read_text(), re.MULTILINE)
    }


def group(prefix: str) -> dict[str, int]:
    return {
        name.removeprefix(prefix): number
        for name, number in defined().items()
        if name.startswith(prefix) and name != "REASON_LAST"
    }


@pytest.mark.parametrize(
    ("prefix", "numbers"),
    [
        ("TYPE_", {member.name: member.value for member in values.FrameType}),
        ("TAG_", {member.name: member.value for member in values.Tag}),
        ("FLAG_", {member.name: member.value for member in values.Flag}),
        ("PHASE_", {member.name: number for member, number in values.PHASES.items()}),
        ("PURPOSE_", {member.name: number for member, number in values.PURPOSES.items()}),
        ("VERDICT_", {member.name: number for member, number in values.VERDICTS.items()}),
        ("REASON_", {member.name: number for member, number in values.REASONS.items()}),
    ],
)
def test_header_and_python_number_the_same_things(prefix: str, numbers: dict[str, int]) -> None:
    assert group(prefix) == numbers


def test_the_limits_are_the_same() -> None:
    limits = {
        name: number
        for name, number in defined().items()
        if name.startswith("MAX_") or name in {"VERSION", "HEADER_OCTETS", "FIELD_OCTETS"}
    }

    assert len(limits) == 8
    assert limits == {name: getattr(values, name) for name in limits}


def test_the_last_reason_is_the_last() -> None:
    assert defined()["REASON_LAST"] == max(values.REASONS.values())
