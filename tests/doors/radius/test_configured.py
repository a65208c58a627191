"""What a rule of replies says is checked once, and leaves as it was written."""

from __future__ import annotations

import pytest

from loginward.doors.radius.configured import ConfiguredReply, encode_reply
from loginward.doors.radius.dictionaries import Dictionary, load
from loginward.errors import ConfigError

PATH = "doors.radius.replies[0].attributes"


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
    assert encode_reply(attributes, dictionary, PATH) == ConfiguredReply(
        bytes.fromhex("40060000000d 410600000006 51043230")
    )


def test_two_tunnels_are_told_apart_by_their_tags(dictionary: Dictionary) -> None:
    attributes = {"Tunnel-Type:1": "VLAN", "Tunnel-Type:2": "L2TP"}

    octets = encode_reply(attributes, dictionary, PATH).octets
    assert octets == bytes.fromhex("40060100000d 400602000003")


def test_a_session_timeout_is_apart(dictionary: Dictionary) -> None:
    reply = encode_reply({"Session-Timeout": "3600", "Filter-Id": "a"}, dictionary, PATH)

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
        encode_reply({"Class": "first", key: value}, dictionary, PATH)

    assert caught.value.path == f"{PATH}.{key}"


def test_a_rule_leaves_room_for_what_else_a_reply_holds(dictionary: Dictionary) -> None:
    attributes = {f"Tunnel-Private-Group-Id:{tag}": "a" * 240 for tag in range(9)}
    with pytest.raises(ConfigError, match="at most 2048") as caught:
        encode_reply(attributes, dictionary, PATH)

    assert caught.value.path == PATH
