"""`passwd --token` against a scripted daemon; at a terminal: test_terminal.py."""

from __future__ import annotations

import json

from loginward.core.changes import ChangeProblem
from loginward.core.secret import Secret
from loginward.wire.admin import rows
from loginward.wire.admin.requests import ActivateSelf
from tests.cli.conftest import Done

PIPED = b" t0ken-_x \r\nn\xe9w pass \n"
MISS = rows.ActivationRow(
    name="ann", problem=ChangeProblem.NO_ACTIVATION, why="There is none.\nAsk for\na new one."
)


def test_a_token_and_a_password_are_read_from_stdin(world) -> None:
    """R03: blanks around a copied token are nobody's; the password goes as piped."""
    world.admin.script["activate_self"] = rows.ActivationRow(name="ann")

    done = world.run("passwd", "ANN", "--token", "--password-stdin", stdin=PIPED)

    assert done == Done(0, "ann: password set; sign in with it\n", "")
    [(_, asked, _)] = world.admin.asked
    assert asked == ActivateSelf(name="ANN", token=Secret(b"t0ken-_x"), new=Secret(b"n\xe9w pass "))


def test_without_a_name_it_is_about_oneself(world) -> None:
    world.admin.script["activate_self"] = rows.ActivationRow(name="root")

    assert world.run("passwd", "--token", "--password-stdin", stdin=PIPED).code == 0
    assert world.admin.asked[0][1].name == "root"


def test_a_miss_is_an_error_and_what_to_do(world) -> None:
    world.admin.script["activate_self"] = MISS

    assert world.run("passwd", "ann", "--token", "--password-stdin", stdin=PIPED) == Done(
        1,
        "",
        "loginward: error: ann: There is none.\nloginward: hint: Ask for a new one.\n",
    )


def test_a_miss_as_json(world) -> None:
    world.admin.script["activate_self"] = MISS
    done = world.run("passwd", "ann", "--token", "--password-stdin", "--json", stdin=PIPED)

    assert (done.code, done.err) == (1, "")
    assert json.loads(done.out)["problem"] == "no-activation"


def test_one_try_too_many_is_a_refusal(world) -> None:
    world.admin.script["activate_self"] = rows.FailedRow(
        problem=rows.Problem.REFUSED, why="Too many tries from here."
    )

    assert world.run("passwd", "ann", "--token", "--password-stdin", stdin=PIPED) == Done(
        1, "", "loginward: error: Too many tries from here.\n"
    )


def test_a_token_without_a_password_asks_nothing(world) -> None:
    done = world.run("passwd", "ann", "--token", "--password-stdin", stdin=b"t0ken\n")

    assert (done.code, world.admin.asked) == (2, [])
