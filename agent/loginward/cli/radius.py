"""`loginward radius`: what an operator of the RADIUS door needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from loginward.cli.lazy import LazyGroup
from loginward.cli.options import examples

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMANDS: Final[Mapping[str, str]] = {
    "test": "radius_test",
    "explain": "radius_explain",
    "sessions": "radius_sessions",
    "make-cert": "radius_make_cert",
    "new-secret": "radius_new_secret",
}


@click.group(
    "radius",
    cls=LazyGroup,
    modules=COMMANDS,
    epilog=examples(
        "loginward radius test ann",
        "loginward radius explain ann --client wifi",
        "loginward radius sessions",
        "(umask 077; loginward radius new-secret > /etc/loginward/wifi.secret)",
    ),
)
def radius_command() -> None:
    """Look after VPN and Wi-Fi."""
