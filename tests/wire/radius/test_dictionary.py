"""Values as an administrator writes them become octets, or are refused with what would do."""

from __future__ import annotations

import pytest

from loginward.wire.radius.dictionary import Definition, Kind, ValueTextError, encode

TUNNEL = Definition(
    name="Tunnel-Type", vendor=0, type=64, kind=Kind.INTEGER, values={"VLAN": 13}, has_tag=True
)
GROUP = Definition(name="Tunnel-Private-Group-Id", vendor=0, type=81, kind=Kind.TEXT, has_tag=True)


def of(kind: Kind, vendor: int = 0) -> Definition:
    return Definition(name="X", vendor=vendor, type=200, kind=kind, values={"Name": 5})


@pytest.mark.parametrize(
    ("kind", "value", "octets"),
    [
        (Kind.TEXT, "stäff", "stäff".encode()),
        (Kind.TEXT, "0x41", b"0x41"),
        (Kind.OCTETS, "text", b"text"),
        (Kind.OCTETS, "0x00ff", b"\0\xff"),
        (Kind.INTEGER, "Name", b"\0\0\0\5"),
        (Kind.INTEGER, "4294967295", b"\xff\xff\xff\xff"),
        (Kind.INTEGER, "0x10", b"\0\0\0\x10"),
        (Kind.DATE, "1700000000", (1700000000).to_bytes(4, "big")),
        (Kind.SIGNED, "-1", b"\xff\xff\xff\xff"),
        (Kind.SHORT, "258", b"\1\2"),
        (Kind.BYTE, "255", b"\xff"),
        (Kind.INTEGER64, "1", b"\0\0\0\0\0\0\0\1"),
        (Kind.IPV4, "192.0.2.1", b"\xc0\0\2\1"),
        (Kind.IPV6, "2001:db8::1", bytes.fromhex("20010db8000000000000000000000001")),
        (Kind.IPV6_PREFIX, "2001:db8::/32", bytes.fromhex("002020010db8")),
        (Kind.IPV6_PREFIX, "2001:db8:8000::/33", bytes.fromhex("002120010db880")),
        (Kind.IPV6_PREFIX, "::/0", b"\0\0"),
        (Kind.INTERFACE_ID, "0:0:a:1", bytes.fromhex("00000000000a0001")),
        (Kind.MAC, "00-11-22-33-44-aa", bytes.fromhex("0011223344aa")),
    ],
)
def test_a_value_becomes_octets(kind: Kind, value: str, octets: bytes) -> None:
    assert encode(of(kind), value) == bytes((200, len(octets) + 2)) + octets
    wrapped = b"\0\0\0\x09\xc8" + bytes((len(octets) + 2,)) + octets
    assert encode(of(kind, 9), value) == bytes((26, len(wrapped) + 2)) + wrapped


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (Kind.TEXT, "", "empty"),
        (Kind.TEXT, "a" * 254, "at most 253"),
        (Kind.TEXT, "\ud800", "text"),
        (Kind.OCTETS, "0x0", "hexadecimal"),
        (Kind.OCTETS, "0x", "empty"),
        (Kind.INTEGER, "Nome", "one of: Name"),
        (Kind.INTEGER, "", "one of: Name"),
        (Kind.INTEGER, "4294967296", "32 bits"),
        (Kind.INTEGER, "-1", "32 bits"),
        (Kind.SIGNED, "2147483648", "32 bits"),
        (Kind.BYTE, "256", "8 bits"),
        (Kind.IPV4, "192.0.2", "IPv4"),
        (Kind.IPV4, "2001:db8::1", "IPv4"),
        (Kind.IPV6, "192.0.2.1", "IPv6"),
        (Kind.IPV6_PREFIX, "2001:db8::1/32", "prefix"),
        (Kind.INTERFACE_ID, "0:0:0", "four groups"),
        (Kind.INTERFACE_ID, "0:0:0:+1", "four groups"),
        (Kind.MAC, "00:11:22:33:44", "six pairs"),
        (Kind.MAC, "00:11:22:33:44:5", "six pairs"),
    ],
)
def test_what_is_no_value_is_refused_with_what_would_do(kind: Kind, value: str, said: str) -> None:
    with pytest.raises(ValueTextError, match=said):
        encode(of(kind), value)


def test_a_number_without_names_asks_for_a_number() -> None:
    plain = Definition(name="X", vendor=0, type=27, kind=Kind.INTEGER)
    with pytest.raises(ValueTextError, match=r"^must be a number$"):
        encode(plain, "soon")


def test_a_vendors_value_has_six_octets_less() -> None:
    assert len(encode(of(Kind.TEXT, 9), "a" * 247)) == 255
    with pytest.raises(ValueTextError, match="at most 247"):
        encode(of(Kind.TEXT, 9), "a" * 248)


@pytest.mark.parametrize(
    ("definition", "value", "tag", "octets"),
    [
        pytest.param(TUNNEL, "VLAN", None, "40060000000d", id="number-untagged"),
        pytest.param(TUNNEL, "VLAN", 0, "40060000000d", id="number-tag-0"),
        pytest.param(TUNNEL, "VLAN", 1, "40060100000d", id="number-tag-1"),
        pytest.param(TUNNEL, "VLAN", 31, "40061f00000d", id="number-tag-31"),
        pytest.param(GROUP, "20", None, "51043230", id="text-untagged"),
        pytest.param(GROUP, "20", 0, "5105003230", id="text-tag-0"),
        pytest.param(GROUP, "20", 1, "5105013230", id="text-tag-1"),
        pytest.param(GROUP, "\x01", None, "51040001", id="text-that-would-read-as-a-tag"),
    ],
)
def test_tags_stand_where_rfc_2868_puts_them(
    definition: Definition, value: str, tag: int | None, octets: str
) -> None:
    assert encode(definition, value, tag).hex() == octets


@pytest.mark.parametrize(
    ("definition", "value", "tag", "said"),
    [
        (TUNNEL, "VLAN", 32, "0 to 31"),
        (TUNNEL, "VLAN", -1, "0 to 31"),
        (TUNNEL, "16777216", 1, "below 16777216"),
        (GROUP, "a" * 253, 1, "at most 253"),
        (GROUP, "", None, "empty"),
        (of(Kind.TEXT), "a", 1, "no tag"),
    ],
)
def test_tags_that_do_not_fit(definition: Definition, value: str, tag: int, said: str) -> None:
    with pytest.raises(ValueTextError, match=said):
        encode(definition, value, tag)
