"""`loginward radius new-secret`: a secret to share with one RADIUS client."""

from __future__ import annotations

import secrets
from typing import Final

import click

from loginward.cli.exits import DONE

OCTETS: Final = 32  # RFC 2865 section 3 wants 16 at least


@click.command("new-secret")
def new_secret_command() -> int:
    """Print a new secret.

    It has 256 random bits in characters that every client's page takes. It is shown once and kept nowhere: put it into
    the client and into its secret_file, mode 0600.
    """
    click.echo(secrets.token_urlsafe(OCTETS))
    return DONE
