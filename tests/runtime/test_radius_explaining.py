"""`radius explain` foretells: what it says an Accept carries is what the next Accept carries."""

from __future__ import annotations

import pytest

from loginward.core.reasons import Reason, Verdict
from loginward.runtime.radius_trial import attributes_of, names_of
from loginward.wire.admin.requests import ExplainRadius
from loginward.wire.admin.rows import FailedRow
from loginward.wire.radius.packet import Code
from tests.runtime.people import RIGHT, person
from tests.runtime.radius import config, served

VPN = "{name: vpn, addresses: [127.0.0.0/8], secret_file: SECRET_FILE, methods: [pap]}"
WIFI = (
    "{name: wifi, addresses: [192.0.2.0/24, '2001:db8::/32'], secret_file: SECRET_FILE, "
    "methods: [pap], groups: [staff]}"
)
REPLIES = """\
replies:
  - {groups: [guests], clients: [wifi], attributes: {Filter-Id: at-wifi}}
  - {groups: [guests], attributes: {Filter-Id: guests, Session-Timeout: "600"}}
  - groups: [staff]
    attributes: {"Tunnel-Type:1": VLAN, Filter-Id: [one, two], Session-Timeout: "31536000"}
"""


@pytest.fixture
def host(hosts, tmp_path):
    policy = "{throttle: {per_source_per_min: null}, expiry: {max_age_d: 90, when_expired: change}}"
    host = hosts(config(tmp_path, VPN, WIFI, policy=policy, more=REPLIES))
    host.people(
        person("ann", groups=["staff", "guests"], password_date="2026-11-01T00:00:00Z"),
        person("bob", groups=["staff"], password_date="2026-11-01T00:00:00Z"),
        person("dan", password_date="2026-11-01T00:00:00Z"),
        person("eve", "locked", groups=["staff"]),
    )
    return host


def explain(host, name, client="vpn"):
    return host.admin.explain_radius(ExplainRadius(name=name, client=client))


@pytest.mark.parametrize(("name", "rule"), [("ann", 1), ("bob", 2), ("dan", None)])
def test_what_is_foretold_is_what_is_sent(host, name, rule):
    """The first rule that fits, its attributes by name, and a session within the password's life."""
    row = explain(host, name)
    assert (row.rule, row.why.verdict, row.why.radius) == (rule, Verdict.ALLOW, "Access-Accept")
    with served(host) as door, door.nas() as nas:
        reply = nas.login(name, RIGHT)
    assert reply.code is Code.ACCESS_ACCEPT
    sent = dict(attributes_of(reply, names_of(())))
    foretold = {one.name.partition(":")[0]: one.value for one in row.attributes}
    assert sent.keys() == foretold.keys()
    assert sent.pop("Class").startswith("0x6c77313a")
    assert foretold.pop("Class") == "lw1: and 16 random octets"
    if rule == 2:
        assert (sent.pop("Tunnel-Type"), foretold.pop("Tunnel-Type")) == ("1:VLAN", "VLAN")
        seconds, said = int(sent.pop("Session-Timeout")), int(foretold.pop("Session-Timeout"))
        assert 0 <= said - seconds <= 5
        assert seconds < row.session_timeout_s == 31536000
        assert row.due_at is not None
    assert sent == foretold


def test_a_rule_for_a_client_fits_there_alone(host):
    row = explain(host, "ann", "wifi")
    assert (row.rule, row.rule_groups, row.rule_clients) == (0, ("guests",), ("wifi",))
    assert (row.scope, row.networks) == (("staff",), ("192.0.2.0/24", "2001:db8::/32"))


def test_who_is_out_of_scope_or_locked_is_foretold_to_be_rejected(host):
    assert explain(host, "dan", "wifi").why.reason is Reason.NOT_PERMITTED
    row = explain(host, "eve")
    assert (row.why.reason, row.why.radius, row.rule) == (
        Reason.ACCOUNT_LOCKED, "Access-Reject", 2,
    )  # fmt: skip


def test_of_a_name_that_nobody_has_nothing_would_be_sent(host):
    row = explain(host, "mallory")
    assert (row.why.reason, row.rule, row.attributes) == (Reason.USER_UNKNOWN, None, ())


def test_a_client_that_is_not_there_is_no_client(host):
    row = explain(host, "ann", "lan")
    assert isinstance(row, FailedRow)
    assert (row.why, row.hint) == ("there is no RADIUS client lan", "there are: vpn, wifi")


def test_explaining_counts_nothing_and_tells_nobody(host):
    before = host.parts.audit.last(100, "")
    explain(host, "ann")
    assert host.parts.audit.last(100, "") == before
