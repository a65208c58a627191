"""`loginward radius test`: one login as a NAS and a person's device would make it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from loginward.cli.exits import (
    BAD_CONFIGURATION,
    DONE,
    REFUSED,
    CommandFailed,
)
from loginward.cli.options import config_option, examples, json_option
from loginward.cli.output import Output
from loginward.cli.prompt import piped, typed_hidden
from loginward.cli.radius_outcome import row_of, show
from loginward.cli.terminal import clean
from loginward.errors import ConfigError

if TYPE_CHECKING:
    from loginward.core.secret import Secret
    from loginward.runtime.radius_trial import Way
    from loginward.settings.radius import Radius


@click.command(
    "test",
    epilog=examples(
        "loginward radius test ann                            PAP, as this machine's client",
        "loginward radius test ann --method eap-ttls-pap --ca ca.pem --domain radius.example.org",
        "loginward radius test --status                       is the server there?",
        "loginward radius test ann --server 10.0.0.5 --secret-file wifi.secret",
        "loginward radius test ann --server radius.example.org --tls nas.pem nas.key --ca ca.pem",
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
    "--tls",
    nargs=2,
    metavar="CERT KEY",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Ask over TLS (RadSec), as the client that has this certificate.",
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
    tls: tuple[Path, Path] | None,
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
    if tls is not None and ca_file is None:
        raise click.UsageError("--tls believes no server without --ca")
    from loginward.runtime.radius_target import target_of, tls_target_of
    from loginward.runtime.radius_trial import try_it

    try:
        radius = _radius(config, needed=server is None or (secret_file or tls) is None)
        if tls is not None and ca_file is not None:
            target = tls_target_of(radius, server, (ca_file, *tls), domain)
        else:
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
    row = row_of(user or "", target, way, outcome)
    out = Output(as_json=as_json)
    if as_json:
        out.row(row)
    else:
        show(out, row)
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
