"""What a rule of replies says is checked once, and leaves as it was written."""

from __future__ import annotations

import pytest

from loginward.doors.radius.configured import ConfiguredReply, encode_reply
from loginward.doors.radius.dictionaries import Dictionary, load
from loginward.errors import ConfigError
from loginward.wire.radius.attributes import vendor_values
from loginward.wire.radius.packet import decode

PATH = "doors.radius.replies[0].attributes"


def encoded(dictionary: Dictionary, **attributes: str) -> ConfiguredReply:
    """Return attributes of one value each."""
    return encode_reply({name: (value,) for name, value in attributes.items()}, dictionary, PATH)


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return load()


def test_the_example_of_the_configuration(dictionary: Dictionary) -> None:
    """RFC 3580 section 3.31: a VLAN is three tunnel attributes."""
    attributes = {
        "Tunnel-Type": "VLAN",
        "Tunnel-Medium-Type": "IEEE-802",
        "Tunnel-Private-Group-Id": "20",
    }
    assert encoded(dictionary, **attributes) == ConfiguredReply(
        bytes.fromhex("40060000000d 410600000006 51043230")
    )


def test_two_tunnels_are_told_apart_by_their_tags(dictionary: Dictionary) -> None:
    attributes = {"Tunnel-Type:1": "VLAN", "Tunnel-Type:2": "L2TP"}

    octets = encoded(dictionary, **attributes).octets
    assert octets == bytes.fromhex("40060100000d 400602000003")


def test_a_session_timeout_is_apart(dictionary: Dictionary) -> None:
    reply = encoded(dictionary, **{"Session-Timeout": "3600", "Filter-Id": "a"})

    assert reply == ConfiguredReply(b"\x0b\x03a", 3600)


def test_a_rule_may_say_nothing(dictionary: Dictionary) -> None:
    assert encode_reply({}, dictionary, PATH) == ConfiguredReply(b"", None)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("Tunel-Type", "VLAN", "in no dictionary"),
        ("Tunnel-Type", "VLN", "one of: PPTP"),
        ("Tunnel-Type:32", "VLAN", "0 to 31"),
        ("Tunnel-Type:", "VLAN", "0 to 31"),
        ("Tunnel-Type:a", "VLAN", "0 to 31"),
        ("Tunnel-Type:-1", "VLAN", "0 to 31"),
        ("Tunnel-Type:¹", "VLAN", "0 to 31"),
        ("Filter-Id:1", "a", "no tag"),
        ("Filter-Id", "a" * 254, "at most 253"),
        ("Cisco-AVPair", "a" * 248, "at most 247"),
        ("Session-Timeout", "soon", "a number"),
        ("Framed-IP-Address", "here", "IPv4"),
        ("User-Password", "x", "agent itself"),
        ("Reply-Message", "x", "agent itself"),
        ("State", "x", "agent itself"),
        ("Proxy-State", "x", "agent itself"),
        ("EAP-Message", "x", "agent itself"),
        ("Message-Authenticator", "x", "agent itself"),
        ("MS-MPPE-Send-Key", "x", "agent itself"),
        ("Tunnel-Password:1", "x", "agent itself"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_its_place(
    dictionary: Dictionary, key: str, value: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        encoded(dictionary, **{"Class": "first", key: value})

    assert caught.value.path == f"{PATH}.{key}"


def test_a_rule_leaves_room_for_what_else_a_reply_holds(dictionary: Dictionary) -> None:
    attributes = {f"Tunnel-Private-Group-Id:{tag}": "a" * 240 for tag in range(9)}
    with pytest.raises(ConfigError, match="at most 2048") as caught:
        encoded(dictionary, **attributes)

    assert caught.value.path == PATH


def test_an_attribute_may_have_several_values(dictionary: Dictionary) -> None:
    values = ("shell:priv-lvl=15", "ip:inacl#1=permit ip any any")
    octets = encode_reply({"Cisco-AVPair": values}, dictionary, PATH).octets
    packet = b"\x02\x01" + (20 + len(octets)).to_bytes(2, "big") + bytes(16) + octets

    assert vendor_values(decode(packet).all(26), 9) == [(1, value.encode()) for value in values]


@pytest.mark.parametrize(
    ("key", "values", "said"),
    [("Session-Timeout", ("1", "2"), "one value"), ("Filter-Id", (), "empty")],
)
def test_values_that_are_too_many_or_too_few(
    dictionary: Dictionary, key: str, values: tuple[str, ...], said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        encode_reply({key: values}, dictionary, PATH)

    assert caught.value.path == f"{PATH}.{key}"
