"""What a packet asks, in the law's terms: who, where, from which device."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.requests import Door, Phase
from loginward.doors.radius.asked import name_of, request_of, text_of
from loginward.doors.radius.clients import RadiusClient
from loginward.wire.radius.attributes import Attribute, attribute
from loginward.wire.radius.packet import decode
from tests.doors.radius.stage import client
from tests.doubles.nas import Nas

VPN = RadiusClient(client("vpn"), None)
CUT = ("corp.example", "CORP")


def packet_of(*more):
    with Nas(1) as nas:
        return decode(nas.request("ann", b"password", *more))


def test_a_request_says_who_and_where():
    port = attribute(Attribute.NAS_PORT_ID, b"ge-0/0/7")
    request = request_of(packet_of(port), VPN, "ann", inline_change=True)
    assert (request.door, request.phase) == (Door.RADIUS, Phase.AUTHN)
    assert (request.name, request.service, request.tty) == ("ann", "vpn", "ge-0/0/7")
    assert request.rhost == "00-11-22-33-44-55"
    assert request.inline_change
    assert request.peer.uid == 0, "its secret vouches for the client, as root's word does"


def test_what_is_not_said_is_empty_and_nothing_is_asked_for_that_cannot_be():
    with Nas(1) as nas:
        packet = decode(nas.request("ann", None))
    request = request_of(packet, VPN, "ann")
    assert (request.tty, request.inline_change) == ("", False)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (b"ann", "ann"),
        (b"ann@corp.example", "ann"),
        (b"ann@CORP.Example", "ann"),
        (b"CORP\\ann", "ann"),
        (b"corp\\ann", "ann"),
        (b"ann@corp", "ann"),
        (b"ann@other.example", "ann@other.example"),
        (b"ann@notcorp.example", "ann@notcorp.example"),
        (b"other\\ann", "other\\ann"),
        (b"ann@corp.example@corp.example", "ann@corp.example"),
        (b"corp.example", "corp.example"),
        ("änn@corp.example".encode(), "änn"),
        (b"ann\xff", ""),
        (None, ""),
    ],
)
def test_a_realm_is_cut_off_once_and_only_where_the_site_names_it(written, name):
    assert name_of(written, CUT) == name


def test_without_strip_realms_a_name_is_what_was_written():
    assert name_of(b"ann@corp.example", ()) == "ann@corp.example"


@pytest.mark.parametrize("spelled", ["STRASSE", "straße", "Strasse"])
def test_a_realm_that_folds_to_another_length_takes_nothing_of_the_name(spelled):
    for written in (f"bob@{spelled}", f"{spelled}\\bob"):
        assert name_of(written.encode(), ("straße",)) == "bob"
        assert name_of(written.encode(), ("strasse",)) == "bob"


@given(st.binary(max_size=253))
def test_any_octets_are_a_name_or_nobodys(octets):
    name = name_of(octets, CUT)
    assert name in octets.decode(errors="replace")
    assert isinstance(text_of(octets), str)
