"""`loginward why`: every fact behind a decision, the rule that decides, and what clears it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from loginward.cli.exits import DONE, REFUSED
from loginward.cli.options import Asking, asks_daemon, examples
from loginward.cli.times import ago, localise, moment, since
from loginward.cli.words import LOCK_CAUSES
from loginward.core.acts import Verb
from loginward.core.decision import Warn
from loginward.core.reasons import Verdict
from loginward.core.requests import Door
from loginward.wire.admin.requests import AskReference, AskWhy
from loginward.wire.admin.rows import ExplanationRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from loginward.cli.output import Output
    from loginward.wire.admin.rows import EndedLockPart, FactPart, RefusalPart

VERDICTS = {
    Verdict.ALLOW: ("allowed", "green"),
    Verdict.REFUSE: ("refused", "red"),
    Verdict.CHANGE: ("must change the password first", "yellow"),
    Verdict.CODE: ("needs a one-time code", "yellow"),
}
REFERENCE_LENGTH = 6
WARNINGS = {
    Warn.EXPIRES_SOON.value: "the password expires soon, and the person is told so",
    Warn.EXPIRED_KEY_LOGIN.value: "the password has expired; keys still work, and the person is told so",
    Warn.GRACE_LEFT.value: "the password has expired; the directory still lets a few logins pass",
    Warn.OFFLINE.value: "judged from the local copy, and the person is told so",
}


@click.command(
    "why",
    epilog=examples(
        "loginward why ann                     with the right password, would ann get in?",
        "loginward why ann --service sshd      the same through sshd",
        "loginward why --ref 7F3-K2Q           why was the login with this reference refused?",
    ),
)
@click.argument("user", required=False)
@click.option(
    "--door",
    type=click.Choice([door.value for door in Door]),
    default=Door.LOGIN.value,
    show_default=True,
    help="Where the login comes in.",
)
@click.option(
    "--service",
    default="",
    metavar="S",
    help="The PAM service, such as sshd or sudo, or the name of the RADIUS client.",
)
@click.option(
    "--ref", "--reference", "reference", metavar="ID", help="The reference that a person was given."
)
@click.option("-v", "--verbose", is_flag=True, help="Also show each fact as its source spelt it.")
@asks_daemon
def why_command(
    asking: Asking, user: str | None, door: str, service: str, reference: str | None, verbose: bool
) -> int:
    """Explain what decides a login.

    Every fact with its source and age, the rule that decides, and what clears it. Nothing is tried and nothing is counted. Ends with 0 if USER would be let in, with 1 if not or if nobody can tell.
    """
    if (user is None) == (reference is None):
        raise click.UsageError("name a user, or a reference with --ref")
    if reference is not None:
        answer = asking.client.ask(AskReference(reference=_spelt(reference)))
    else:
        assert user is not None
        answer = asking.client.ask(AskWhy(name=user, door=Door(door), service=service))
    explanation = answer.one(ExplanationRow)
    if asking.out.as_json:
        asking.out.row(explanation)
    else:
        show(asking.out, explanation, answer.now, verbose=verbose)
    is_refused = explanation.verdict is Verdict.REFUSE or explanation.unknown
    return REFUSED if is_refused else DONE


def _spelt(reference: str) -> str:
    """Return a reference as it is kept, however a person wrote it down."""
    spelt = "".join(c for c in reference.upper() if c not in "- ")
    if not (spelt.isascii() and spelt.isalnum() and len(spelt) == REFERENCE_LENGTH):
        raise click.UsageError("a reference is six letters and digits, such as 7F3-K2Q")
    return spelt


def shown_reference(reference: str) -> str:
    """Return a reference in two halves, easier to read out."""
    half = REFERENCE_LENGTH // 2
    return f"{reference[:half]}-{reference[half:]}" if reference else ""


def show(out: Output, row: ExplanationRow, now: datetime, *, verbose: bool = False) -> None:
    """Print an explanation for a person."""
    word, colour = VERDICTS[row.verdict]
    said = f"{word}: {row.reason.value}"
    if row.unknown:
        said, colour = f"not known: {row.unknown}", "yellow"
    reference = row.reference or _known_reference(row)
    out.headline(
        said,
        colour,
        f"reference {shown_reference(reference)}" if reference else "",
    )
    out.facts(_lines(row, now, verbose=verbose))


def _way_in(row: ExplanationRow) -> str:
    """Return service and source; the source of a login begins with the service."""
    if not row.source or row.source.partition(" ")[0] == row.service:
        return row.source or row.service
    return f"{row.service}, from {row.source}"


def _known_reference(row: ExplanationRow) -> str:
    """Return the reference that the person may have read, if it was refused for the same reason."""
    last = row.last_refusal
    return last.reference if last is not None and last.reason is row.reason else ""


def _lines(row: ExplanationRow, now: datetime, *, verbose: bool) -> Iterator[tuple[str, str]]:
    if row.decided_at is not None:
        yield "decided", f"{moment(row.decided_at, now)}, {_way_in(row)}"
    columns = max((len(fact.value) for fact in row.facts), default=0)
    before = ""
    for fact in row.facts:
        where = _where(fact)
        detail = localise(fact.detail, now)
        if fact.fact == "lock" and row.ended_lock is not None and not detail:
            detail = _ended(row.ended_lock, now)
        told = [detail, where if where != before else ""]
        before = where
        yield fact.fact, f"{fact.value:{columns}}  {'; '.join(part for part in told if part)}"
        if verbose and fact.evidence:
            yield "", f"{'':{columns}}  {fact.evidence}"
    yield "rule", localise(row.rule, now) + (f" ({row.setting})" if row.setting else "")
    if row.allowed_by:
        yield "allowed by", row.allowed_by
    for warning in row.warnings:
        yield "warning", WARNINGS.get(warning, warning)
    for note in row.notes:
        yield "note", note
    if row.last_refusal is not None:
        yield "refusal", _refused(row.last_refusal, now)
    if row.radius:
        certificate = (
            f"; of a certificate {row.radius_certificate}" if row.radius_certificate else ""
        )
        yield "RADIUS", f"{row.radius}, client {row.service}{certificate}"
    if row.pam_authn and verbose:
        yield "PAM", f"authenticate {row.pam_authn}, account {row.pam_acct}"
    if row.clears:
        yield "clears", ", or ".join(localise(one, now) for one in row.clears)


def _ended(ended: EndedLockPart, now: datetime) -> str:
    """Return who ended the last lock and what it was: "unlocked by root 4 s ago, was: ..."."""
    if ended.by:
        verb = "unlocked" if ended.verb == Verb.UNLOCK.value else f"ended by {ended.verb}"
        how = f"{verb} by {ended.by} {_past(ended.ended_at, now)}"
    elif ended.lock.until is not None and ended.lock.until <= ended.ended_at:
        how = f"ended by itself {_past(ended.ended_at, now)}"
    else:
        how = f"unlocked elsewhere, seen {_past(ended.ended_at, now)}"
    parts = [LOCK_CAUSES[ended.lock.cause]]
    if ended.lock.failures:
        parts = [f"{ended.lock.failures} {parts[0]}"]
    parts += [ended.lock.source] if ended.lock.source else []
    parts += [f"since {moment(ended.lock.since, now)}"] if ended.lock.since is not None else []
    return f"{how}, was: {', '.join(parts)}"


def _past(at: datetime, now: datetime) -> str:
    told = since(at, now)
    return "just now" if told == "now" else told


def _refused(last: RefusalPart, now: datetime) -> str:
    """Return the last refusal, with the reference that looks it up."""
    told = f"{last.reason.value}, {_past(last.at, now)}, {last.source or last.service}"
    return f"the last: {told}; loginward why --ref {shown_reference(last.reference)}"


def _where(fact: FactPart) -> str:
    if fact.age_s is None:
        return fact.source
    return f"{fact.source}, read {ago(fact.age_s)}" if fact.source else f"read {ago(fact.age_s)}"
