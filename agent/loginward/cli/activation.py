"""`loginward passwd --token`: a first password, by an activation token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loginward.cli.exits import DONE, REFUSED
from loginward.cli.output import complain
from loginward.cli.prompt import piped, typed_hidden, typed_twice
from loginward.core.secret import Secret
from loginward.wire.admin.requests import ActivateSelf
from loginward.wire.admin.rows import ActivationRow

if TYPE_CHECKING:
    from loginward.cli.options import Asking

TRIES: Final = 3  # of a new password at a terminal, as inside a login


def activate(asking: Asking, name: str, *, from_stdin: bool) -> int:
    """Ask for the token and a new password, set it, and return the exit code.

    A new password that is not good enough is asked for again; the token is still good.
    """
    token = piped() if from_stdin else typed_hidden(f"activation token of {name}")
    token = Secret(token.reveal().strip())  # as it was copied from a mail or a terminal
    for left in reversed(range(1 if from_stdin else TRIES)):
        new = piped() if from_stdin else typed_twice(f"new password for {name}")
        order = ActivateSelf(name=name, token=token, new=new)
        row = asking.client.ask(order).one(ActivationRow)
        if asking.out.as_json:
            asking.out.row(row)
        elif row.problem is None:
            asking.out.line(f"{row.name}: password set; sign in with it")
        else:
            error, _, hint = row.why.partition("\n")
            complain(f"{name}: {error}", hint.replace("\n", " "))
        if row.problem is None:
            return DONE
        if not (left and row.problem.another_try_helps):
            break
    return REFUSED
