"""`radius explain` as typed and shown."""

from __future__ import annotations

import json

import msgspec

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Door
from loginward.wire.admin import requests as ask
from loginward.wire.admin import rows
from tests.cli import samples
from tests.cli.conftest import Done
from tests.cli.transcript import unindent

WHY = rows.ExplanationRow(
    name="ann",
    door=Door.RADIUS,
    service="wifi",
    verdict=Verdict.ALLOW,
    reason=Reason.OK,
    facts=(rows.FactPart(fact="state", value="active", source="directory", age_s=0.2),),
    rule="nothing refuses it",
    radius="Access-Accept",
)
ANN = rows.RadiusExplanationRow(
    client="wifi",
    networks=("10.20.0.0/16",),
    comes_by_tls=True,
    methods=("pap", "eap-ttls-pap"),
    scope=("staff",),
    rule=2,
    rule_groups=("staff", "guests"),
    rule_clients=("wifi",),
    attributes=(
        rows.AttributePart(name="Filter-Id", value="staff"),
        rows.AttributePart(name="Class", value="lw1: and 16 random octets"),
        rows.AttributePart(name="Session-Timeout", value="3600"),
    ),
    session_timeout_s=28800,
    due_at=samples.after(hours=1),
    why=WHY,
)


def test_client_rule_attributes_and_what_caps_the_session(world) -> None:
    world.admin.script["explain_radius"] = ANN

    assert world.run("radius", "explain", "ann", "--client", "wifi") == Done(0, unindent("""
        allowed: ok
          state   active  directory, read now
          rule    nothing refuses it
          RADIUS  Access-Accept, client wifi
          client  wifi, from 10.20.0.0/16, RADIUS over TLS; pap, eap-ttls-pap
          scope   members of staff (doors.radius.clients[].groups)
          accept  would carry, by doors.radius.replies[2] (members of staff or guests, at wifi)
                  Filter-Id = staff
                  Class = lw1: and 16 random octets
                  Session-Timeout = 3600 instead of 28800: the password falls due 10:30
    """), "")  # fmt: skip
    assert world.admin.asked == [
        ("explain_radius", ask.ExplainRadius(name="ann", client="wifi"), "")
    ]


def test_who_is_refused_is_told_apart_by_the_exit_code(world) -> None:
    refused = msgspec.structs.replace(
        WHY, verdict=Verdict.REFUSE, reason=Reason.USER_UNKNOWN, radius="Access-Reject"
    )
    world.admin.script["explain_radius"] = msgspec.structs.replace(
        ANN, why=refused, rule=None, attributes=(), scope=(), comes_by_tls=False
    )
    done = world.run("radius", "explain", "ann")

    assert done.code == 1
    assert "accept" not in done.out
    assert "client  wifi, from 10.20.0.0/16; pap, eap-ttls-pap\n" in done.out


def test_json_is_one_row_with_the_explanation_of_why_inside(world) -> None:
    world.admin.script["explain_radius"] = ANN
    row = json.loads(world.run("radius", "explain", "ann", "--json").out)

    assert (row["type"], row["why"]["type"]) == ("radius-explanation", "explanation")
    assert row["attributes"][0] == {"name": "Filter-Id", "value": "staff"}


def test_a_daemon_that_is_away_is_said_so(away) -> None:
    done = away.run("radius", "explain", "ann")
    assert (done.code, done.out) == (69, "")
    assert done.err.startswith("loginward: error: the daemon does not answer")
