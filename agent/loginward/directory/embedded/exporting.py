"""Accounts as CSV or JSON, with everything that follows from them at one moment (R11)."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from loginward.core.lockout import Tally
from loginward.core.status import PasswordStatus
from loginward.directory.embedded import fields
from loginward.directory.embedded.facts import status_of
from loginward.directory.embedded.fields import Format, render_moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from loginward.core.status import Lock
    from loginward.directory.embedded.facts import SiteRules
    from loginward.directory.embedded.record import Record

# A spreadsheet runs a cell that starts like this; a quote before it keeps it text. Those that
# have quotes before them already get one more, so that reading takes exactly one away.
FORMULA: Final = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")

Value = str | bool | int | Sequence[object] | Mapping[str, object] | None


def export_lines(
    records: Iterable[Record],
    form: Format,
    *,
    site: SiteRules,
    now: datetime,
    with_hashes: bool,
) -> Iterator[str]:
    """Yield the file piece by piece; what follows from the accounts is computed at `now`.

    `with_hashes` adds what a backup needs: hashes, history, locks, counters, digests of tokens.
    """
    names = (*fields.KNOWN, *fields.DERIVED, *(fields.BACKUP if with_hashes else ()))
    told = (
        _known(record) | _derived(record, site, now) | (_kept(record) if with_hashes else {})
        for record in records
    )
    yield from _as_csv(told, names) if form is Format.CSV else _as_json(told, names)


def _as_csv(told: Iterable[Mapping[str, Value]], names: tuple[str, ...]) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="\n")
    writer.writerow(names)
    for account in told:
        writer.writerow([_cell(account[name]) for name in names])
        yield line.getvalue()
        line.seek(0)
        line.truncate()
    yield line.getvalue()


def _as_json(told: Iterable[Mapping[str, Value]], names: tuple[str, ...]) -> Iterator[str]:
    before = "[\n"
    for account in told:
        ordered = {name: account[name] for name in names}
        yield before + json.dumps(ordered, ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _cell(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return f"'{value}" if FORMULA.match(value) else value
        case int():
            return str(value)
    return json.dumps(value, ensure_ascii=False)


def _known(record: Record) -> dict[str, Value]:
    password = record.password
    return {
        "id": record.id,
        "username": record.name,
        "displayname": record.display_name,
        "email": record.mail,
        "recovery_email": record.recovery,
        "groups": sorted(record.groups),
        "created": render_moment(record.created_at),
        "state_since": render_moment(record.state_since),
        "starts_at": render_moment(record.starts_at),
        "ends_at": render_moment(record.ends_at),
        "password_date": None if password is None else render_moment(password.changed_at),
        "password_must_change": password is not None and password.must_change,
    }


def _derived(record: Record, site: SiteRules, now: datetime) -> dict[str, Value]:
    status = status_of(record, site, now)
    lock = status.lock
    state = fields.STATES[status.state]
    return {
        "state": state,
        "activated": record.password is not None,
        "suspended": state == "SUSPENDED",
        "password_expired": PasswordStatus.EXPIRED in status.statuses,
        "password_expiration_date": None if status.due is None else render_moment(status.due.at),
        "password_never_expires": status.due is None,
        "account_locked": lock is not None,
        "account_locked_date": None if lock is None else render_moment(lock.since),
        "account_locked_until": None if lock is None else render_moment(lock.until),
        "account_locked_source": None if lock is None else lock.source,
        "badLoginAttempts": len(record.tally.failures),
        "totp_enabled": False,  # one-time codes are not kept here yet
        "totp_status": "disabled" if lock is None else "locked",  # R08, R55: follows the lock
    }


def _kept(record: Record) -> dict[str, Value]:
    password, token = record.password, record.token
    return {
        "state_set": record.state.value,
        "password_hash": None if password is None else password.phc,
        "password_set_by": None if password is None else password.set_by.value,
        "password_forced_date": None if password is None else render_moment(password.forced_at),
        "password_outdated": password is not None and password.outdated,
        "password_history": []
        if password is None
        else [[old.phc, render_moment(old.changed_at)] for old in password.history],
        "admin_lock": None if record.admin_lock is None else _lock(record.admin_lock),
        "tally": _tally(record.tally),
        "activation": None
        if token is None
        else {"sha256": token.digest.hex(), "expires_at": render_moment(token.expires_at)},
    }


def _tally(tally: Tally) -> dict[str, object] | None:
    """Return a tally without the attempts in flight: they end with this process."""
    if replace(tally, pending=()) == Tally():
        return None
    return {
        "epoch": tally.epoch,
        "failures": [[render_moment(f.at), f.source] for f in tally.failures],
        "lock": None if tally.lock is None else _lock(tally.lock),
    }


def _lock(lock: Lock) -> dict[str, object]:
    return {
        "id": lock.id,
        "since": render_moment(lock.since),
        "until": render_moment(lock.until),
        "source": lock.source,
        "failures": lock.failures,
    }
