"""The golden table of decisions: what the law says of every account, everywhere, in every weather.

`decisions.json` holds it; every door replays it: `rows` gives each case by the names of its inputs,
`reading_of`, `asker_of` and `rules_of` turn names into the law's own values.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from loginward.core import decide
from loginward.core.evidence import Checked, NoVerdict, Proof, Proven, Wrong
from loginward.core.facts import AccountFacts
from loginward.core.policy import Asker, KeyLogins, Rules, ServiceKind, WhenExpired
from loginward.core.readings import Copy, Fresh, NeverSeen, Reading, Unknown, Unusable
from loginward.core.requests import Door
from loginward.core.status import DueDate, ExpiryCause, Lock, LockCause, PasswordStatus, UserState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from loginward.core.decide import Decision

GOLDEN = Path(__file__).with_name("decisions.json")
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
ANY = "*"

AXES: dict[str, tuple[str, ...]] = {
    "reading": ("fresh", "copy", "stale-copy", "unknown", "never-seen", "unusable"),
    "state": ("active", "staged", "suspended"),
    "password": (
        *("active", "temporary", "expired", "expired+temporary", "locked", "locked+temporary"),
        *("locked+expired", "locked+expired+temporary", "pending", "pending+locked"),
    ),
    "keep_while": ("none", "locked", "expired", "locked+expired"),
    "when_expired": ("deny", "change"),
    "directory_takes_change": ("yes", "no"),
    "at": (
        *("sshd", "imap", "cron", "systemd-user", "passwd"),
        *("radius", "radius-challenge", "radius-certificate", "gate"),
    ),
    "key_logins": ("deny", "warn"),
}
# A password at authenticate; then the account phase alone (a key), and after a proven password.
COLUMNS = ("right", "wrong", "silent", "key", "after-password")

_AT = {
    "sshd": Asker(service=ServiceKind.CONVERSES),
    "imap": Asker(service=ServiceKind.AUTHENTICATES),
    "cron": Asker(service=ServiceKind.NON_INTERACTIVE),
    "systemd-user": Asker(service=ServiceKind.SESSION_MANAGER),
    "passwd": Asker(service=ServiceKind.CONVERSES, changing=True),
    "radius": Asker(door=Door.RADIUS, service=ServiceKind.AUTHENTICATES),
    "radius-challenge": Asker(
        door=Door.RADIUS, service=ServiceKind.AUTHENTICATES, inline_change=True
    ),
    "radius-certificate": Asker(
        door=Door.RADIUS, service=ServiceKind.AUTHENTICATES, by_certificate=True
    ),
    "gate": Asker(door=Door.GATE, service=ServiceKind.CONVERSES),
}


@dataclass(frozen=True)
class Row:
    """One line of the table: for each axis one value, several joined by "|", or "*" for all."""

    inputs: tuple[str, ...]
    results: tuple[str, ...]

    def cases(self) -> Iterator[dict[str, str]]:
        """Return every case that the line speaks of, by the names of its inputs."""
        choices = [
            values if said == ANY else tuple(said.split("|"))
            for said, values in zip(self.inputs, AXES.values(), strict=True)
        ]
        for case in itertools.product(*choices):
            yield dict(zip(AXES, case, strict=True))


def load() -> list[Row]:
    """Return the lines of the golden file."""
    golden = json.loads(GOLDEN.read_text())
    width = len(AXES)
    return [Row(tuple(row[:width]), tuple(row[width:])) for row in golden["rows"]]


def reading_of(case: Mapping[str, str]) -> Reading:
    """Return what looking the account up gives."""
    words = case["password"].split("+")
    locked = Lock(id="lock-1", cause=LockCause.THRESHOLD, until=NOW + timedelta(hours=1))
    facts = AccountFacts(
        account_id="id-1",
        name="alice",
        read_at=NOW,
        state=UserState(case["state"]),
        has_password="pending" not in words,
        due=(DueDate(NOW, ExpiryCause.AGING),) if "expired" in words else (),
        must_change="temporary" in words,
        locks=(locked,) if "locked" in words else (),
        can_change_expired=case["directory_takes_change"] == "yes",
    )
    return {
        "fresh": Fresh(facts),
        "copy": Copy(facts),
        "stale-copy": Copy(replace(facts, read_at=NOW - timedelta(days=4))),
        "unknown": Unknown(),
        "never-seen": NeverSeen(),
        "unusable": Unusable("store"),
    }[case["reading"]]


def asker_of(case: Mapping[str, str], *, proven: bool = False) -> Asker:
    """Return who asks; `proven`: the account phase of a transaction that proved the password."""
    words = [] if case["keep_while"] == "none" else case["keep_while"].split("+")
    keep = frozenset(PasswordStatus(word) for word in words)
    return replace(_AT[case["at"]], keep_while=keep, resource="mail", proven=proven)


def rules_of(case: Mapping[str, str]) -> Rules:
    """Return the site's rules."""
    return Rules(
        when_expired=WhenExpired(case["when_expired"]), key_logins=KeyLogins(case["key_logins"])
    )


def checked_of(column: str, case: Mapping[str, str]) -> Checked:
    """Return what checking the password shows."""
    if column == "right":
        return Proven(proof=Proof.BIND if case["reading"] == "fresh" else Proof.VERIFIER)
    return Wrong() if column == "wrong" else NoVerdict("connect")


def decided(case: Mapping[str, str], column: str) -> Decision:
    """Return what the law says today."""
    reading, rules = reading_of(case), rules_of(case)
    if column in {"key", "after-password"}:
        asker = asker_of(case, proven=column == "after-password")
        return decide.account(reading, asker, rules, NOW)
    asker = asker_of(case)
    before = decide.before_password(reading, asker, rules, NOW)
    if before is not None:
        return before
    assert isinstance(reading, Fresh | Copy)
    return decide.after_password(reading, checked_of(column, case), asker, rules, NOW)


def shown(decision: Decision) -> str:
    """Return verdict, message (the reason up to its dot), and the rule that let somebody in."""
    return f"{decision.verdict.value} {decision.message} {decision.allowed_by}".rstrip()


def table() -> list[Row]:
    """Return the whole table as the law has it today, cases that are decided alike in one line."""
    return [Row(*line) for line in _lines({})]


def text() -> str:
    """Return the golden file as it should be."""
    head = json.dumps({"axes": AXES, "columns": COLUMNS}, indent=1)[:-2]
    rows = ",\n".join(json.dumps([*row.inputs, *row.results]) for row in table())
    return f'{head},\n "rows": [\n{rows}\n]}}\n'


_Lines = tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


def _lines(case: dict[str, str]) -> _Lines:
    """Return the lines below a case of which the first axes are given."""
    if len(case) == len(AXES):
        return (((), tuple(shown(decided(case, column)) for column in COLUMNS)),)
    axis = list(AXES)[len(case)]
    if case.get("reading") in {"unknown", "never-seen", "unusable"}:
        alike = {_lines(case | {axis: AXES[axis][0]}): list(AXES[axis])}
    else:
        alike = {}
        for value in AXES[axis]:
            alike.setdefault(_lines(case | {axis: value}), []).append(value)
    return tuple(
        ((ANY if len(values) == len(AXES[axis]) else "|".join(values), *inputs), results)
        for lines, values in alike.items()
        for inputs, results in lines
    )
