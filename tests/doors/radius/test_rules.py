"""The configuration as one value: the first rule that fits, secrets that are long enough."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.errors import ConfigError
from loginward.wire.radius.signing import SharedSecret
from tests.doors.radius.stage import client, reply, rules

STAFF = reply("staff", Filter_Id="staff")
GUESTS = reply("guests", Filter_Id="guests")
STAFF_AT_VPN = reply("staff", clients=("vpn",), Filter_Id="tunnel")
ANYBODY = reply(Filter_Id="anybody")
CLIENTS = (client("vpn", "10.0.0.0/8"), client("wifi", "10.1.0.0/16"))


def given_to(rules_, groups, at="wifi"):
    place, given = rules_.rule_for(frozenset(groups), at)
    return place, given.octets[2:].decode()


@pytest.mark.parametrize("in_order", [(STAFF, GUESTS), (GUESTS, STAFF)])
def test_of_conflicting_groups_the_first_rule_counts_not_the_newest_group(in_order):
    known = rules(*CLIENTS, replies=in_order)
    (first,) = in_order[0].attributes["Filter-Id"]
    for groups in (["staff", "guests"], ["guests", "staff", "more"]):
        assert given_to(known, groups) == (0, first)


def test_a_rule_speaks_of_its_groups_at_its_clients():
    known = rules(*CLIENTS, replies=(STAFF_AT_VPN, STAFF, ANYBODY))
    assert given_to(known, ["staff"], "vpn") == (0, "tunnel")
    assert given_to(known, ["staff"], "wifi") == (1, "staff")
    assert given_to(known, [], "vpn") == (2, "anybody")


def test_where_none_fits_nothing_is_given():
    known = rules(*CLIENTS, replies=(STAFF,))
    assert given_to(known, ["guests"]) == (-1, "")


@given(
    st.lists(st.tuples(st.sets(st.sampled_from("abc")), st.sets(st.sampled_from(["vpn", "wifi"])))),
    st.frozensets(st.sampled_from("abc")),
    st.sampled_from(["vpn", "wifi"]),
)
def test_it_is_the_first_of_those_that_fit(written, groups, at):
    known = rules(
        *CLIENTS,
        replies=tuple(reply(*g, clients=tuple(c)) for g, c in written),
    )
    fitting = [
        n for n, (g, c) in enumerate(written) if (not g or groups & g) and (not c or at in c)
    ]
    assert known.rule_for(groups, at)[0] == (fitting[0] if fitting else -1)


def test_each_client_has_its_own_secret():
    known = rules(*CLIENTS, secrets={"vpn": b"v" * 16, "wifi": b"w" * 16})
    vpn, wifi = known.clients.find("10.2.0.1"), known.clients.find("10.1.0.1")
    assert (vpn.name, wifi.name) == ("vpn", "wifi")
    assert vpn.secret.digest_before(b"") != wifi.secret.digest_before(b"")


@pytest.mark.parametrize("octets", [b"", b"x", b"x" * 15])
def test_a_secret_under_16_octets_is_refused_by_its_place(octets):
    with pytest.raises(ConfigError) as error:
        rules(*CLIENTS, secrets={"wifi": octets})
    assert error.value.path == "doors.radius.clients[1].secret_file"
    assert str(len(octets)) in error.value.problem


def test_a_secret_of_disconnect_alone_is_used_there_alone_and_held_to_the_same():
    known = rules(*CLIENTS, coa_secrets={"wifi": b"c" * 16})
    vpn, wifi = known.clients.find("10.2.0.1"), known.clients.find("10.1.0.1")
    assert vpn.coa_secret is vpn.secret
    assert wifi.coa_secret.digest_before(b"") == SharedSecret(b"c" * 16).digest_before(b"")
    assert wifi.secret.digest_before(b"") == vpn.secret.digest_before(b"")
    with pytest.raises(ConfigError) as error:
        rules(*CLIENTS, coa_secrets={"wifi": b"c" * 15})
    assert error.value.path == "doors.radius.clients[1].coa.secret_file"


def test_an_attribute_that_cannot_be_sent_is_refused_by_its_place():
    with pytest.raises(ConfigError, match=r"replies\[1\]\.attributes\.Filter-Idd"):
        rules(*CLIENTS, replies=(STAFF, reply(Filter_Idd="x")))
