"""`loginward radius test`: one login as a NAS and a person's device would make it."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click
import msgspec

from loginward.cli.exits import (
    BAD_CONFIGURATION,
    DONE,
    REFUSED,
    CommandFailed,
)
from loginward.cli.options import config_option, examples, json_option
from loginward.cli.output import Output
from loginward.cli.prompt import piped, typed_hidden
from loginward.cli.terminal import clean
from loginward.errors import ConfigError
from loginward.wire.admin.radius_rows import AttributePart
from loginward.wire.radius.packet import Code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loginward.core.secret import Secret
    from loginward.runtime.radius_trial import Outcome, Target, Way
    from loginward.settings.radius import Radius

METHODS: Final = {
    "pap": "PAP",
    "eap-ttls-pap": "EAP-TTLS/PAP",
    "peap-gtc": "PEAP-GTC",
    "status": "Status-Server",
}
TRUST: Final = {
    True: "would believe it",
    False: "would not believe it",
    None: "not asked: name the authority that it is given with --ca",
}


class CertificatePart(msgspec.Struct, frozen=True, kw_only=True):
    """The certificate that the server showed.

    Attributes:
        is_trusted: None: no authority was named by --ca.
        problems: Why a phone would not believe it.
    """

    names: tuple[str, ...]
    issuer: str
    key: str
    ends_at: datetime
    is_trusted: bool | None
    problems: tuple[str, ...]


class RadiusTestRow(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="radius-test"):
    """What came of it, for `--json`."""

    name: str
    server: str
    client: str
    method: str
    answer: Literal["accepted", "rejected"]
    message: str
    attributes: tuple[AttributePart, ...]
    took_ms: int
    rounds: int
    tls: str
    keys_agree: bool | None
    certificate: CertificatePart | None


@click.command(
    "test",
    epilog=examples(
        "loginward radius test ann                            PAP, as this machine's client",
        "loginward radius test ann --method eap-ttls-pap --ca ca.pem --domain radius.example.org",
        "loginward radius test --status                       is the server there?",
        "loginward radius test ann --server 10.0.0.5 --secret-file wifi.secret",
    ),
)
@click.argument("user", required=False)
@click.option(
    "--client",
    metavar="C",
    help="Use the secret of this client. Default: the one that has this machine's address.",
)
@click.option(
    "--method",
    type=click.Choice(["pap", "eap-ttls-pap", "peap-gtc"]),
    default="pap",
    show_default=True,
    help="How to prove the password.",
)
@click.option("--status", is_flag=True, help="Ask whether the server is there, for nobody.")
@click.option("--server", metavar="HOST[:PORT]", help="Default: where the configuration listens.")
@click.option(
    "--secret-file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The shared secret, for a client that is not in the configuration here.",
)
@click.option(
    "--ca",
    "ca_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The authority that devices are given; nothing is said to a server of another one.",
)
@click.option(
    "--domain", metavar="NAME", default="", help="The server's name as devices expect it."
)
@click.option(
    "--password-stdin", is_flag=True, help="Read the password, and further answers, from stdin."
)
@click.option(
    "--timeout-s",
    type=click.FloatRange(0.1, 60),
    default=6.0,
    show_default=True,
    help="How long to wait for each answer.",
)
@config_option
@json_option
def test_command(
    user: str | None,
    client: str | None,
    method: Way,
    status: bool,
    server: str | None,
    secret_file: Path | None,
    ca_file: Path | None,
    domain: str,
    password_stdin: bool,
    timeout_s: float,
    config: str | None,
    as_json: bool,
) -> int:
    """Try one login over RADIUS.

    A wrong password counts, as any does. Shows the answer, what a person would read, the attributes by name and, for EAP, the server's certificate with what a phone would not like about it. Ends with 0 if USER is accepted, with 69 if nothing answers.
    """
    if (user is None) != status:
        raise click.UsageError("name a user, or ask with --status")
    way: Way = "status" if status else method
    from loginward.runtime.radius_trial import target_of, try_it

    try:
        radius = _radius(config, needed=server is None or secret_file is None)
        target = target_of(radius, server, client, secret_file)
        outcome = try_it(
            target,
            way,
            os.fsencode(user or ""),
            _piped if password_stdin else _typed,
            patience_s=timeout_s,
            ca_file=ca_file,
            domain=domain,
            dictionaries=() if radius is None else radius.dictionaries,
        )
    except ConfigError as error:
        raise CommandFailed(str(error), code=BAD_CONFIGURATION) from None
    row = _row(user or "", target, way, outcome)
    out = Output(as_json=as_json)
    if as_json:
        out.row(row)
    else:
        _show(out, row)
    return DONE if row.answer == "accepted" else REFUSED


def _radius(config: str | None, *, needed: bool) -> Radius | None:
    """Return the door as the configuration has it; secrets are looked at when one is read.

    Raises:
        CommandFailed: It is needed and cannot be used.
    """
    if not needed and config is None:
        return None
    from loginward.cli.config import settings_of

    return settings_of(config, secrets=False).doors.radius


def _typed(prompt: str) -> Secret:
    return typed_hidden(clean(prompt) or "password")


def _piped(prompt: str) -> Secret:
    """Return the next line of stdin.

    Raises:
        CommandFailed: There is none.
    """
    try:
        return piped()
    except CommandFailed as error:
        if not prompt:
            raise
        why = f"asked for more: {prompt}"
        raise CommandFailed(why, "give the answer as the next line of stdin", REFUSED) from error


def _row(name: str, target: Target, way: Way, outcome: Outcome) -> RadiusTestRow:
    certificate = outcome.certificate
    accepted = outcome.reply.code is Code.ACCESS_ACCEPT and not outcome.distrust
    return RadiusTestRow(
        name=name,
        server=target.shown,
        client=target.client,
        method=way,
        answer="accepted" if accepted else "rejected",
        message=outcome.message,
        attributes=tuple(AttributePart(name=n, value=v) for n, v in outcome.attributes),
        took_ms=round(outcome.took_s * 1000),
        rounds=outcome.rounds,
        tls=outcome.tls,
        keys_agree=outcome.keys_agree,
        certificate=None
        if certificate is None
        else CertificatePart(
            names=certificate.names,
            issuer=certificate.issuer,
            key=certificate.key,
            ends_at=certificate.ends_at,
            is_trusted=outcome.is_trusted,
            problems=tuple(filter(None, (outcome.distrust, *outcome.doubts))),
        ),
    )


def _show(out: Output, row: RadiusTestRow) -> None:
    good = row.answer == "accepted"
    client = f", client {row.client}" if row.client else ""
    rounds = f", {row.rounds} rounds" if row.rounds > 1 else ""
    beside = f"{row.server}{client}, {METHODS[row.method]}, {row.took_ms} ms{rounds}"
    word = "there" if row.method == "status" and good else row.answer
    out.headline(word, "green" if good else "red", beside)
    facts = [("message", row.message)] if row.message else []
    out.facts([*facts, *((one.name, one.value) for one in row.attributes), *_of_tunnel(row)])


def _of_tunnel(row: RadiusTestRow) -> Iterator[tuple[str, str]]:
    """Return what there is to say of a tunnel, and whether a phone would have made it."""
    if row.certificate is None:
        return
    shown = row.certificate
    names = ", ".join(shown.names) or "no name"
    until = shown.ends_at.date().isoformat()
    yield "certificate", f"{names}; {shown.key}, by {shown.issuer}, until {until}; {row.tls}"
    yield "a phone", "; ".join(shown.problems) or TRUST[shown.is_trusted]
    if row.keys_agree is not None:
        yield "keys", "as the device has them" if row.keys_agree else "NOT those of the device"
