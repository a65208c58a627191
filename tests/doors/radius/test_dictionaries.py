"""Dictionaries of the site stand beside ours, and what is wrong in one is said by file and line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from loginward.doors.radius.dictionaries import Dictionary, load
from loginward.errors import ConfigError
from loginward.wire.radius.dictionary import Kind, encode


@pytest.fixture(scope="module")
def ours() -> Dictionary:
    return load()


@pytest.mark.parametrize(
    ("name", "value", "octets"),
    [
        ("Tunnel-Type", "VLAN", "40060000000d"),
        ("Tunnel-Medium-Type", "IEEE-802", "410600000006"),
        ("Filter-Id", "staff", "0b077374616666"),
        ("Session-Timeout", "3600", "1b0600000e10"),
        ("Framed-IPv6-Prefix", "2001:db8::/32", "61080020" + "20010db8"),
        ("Cisco-AVPair", "shell:priv-lvl=15", "1a1900000009" + "0113" + b"shell:priv-lvl=15".hex()),
        ("Mikrotik-Group", "full", "1a0c00003a8c" + "0306" + b"full".hex()),
        ("Fortinet-Group-Name", "vpn", "1a0b00003044" + "0105" + b"vpn".hex()),
        ("WISPr-Bandwidth-Max-Down", "1000000", "1a0c0000372a" + "0806000f4240"),
        ("Airespace-Interface-Name", "lan", "1a0b00003763" + "0505" + b"lan".hex()),
        ("MS-Primary-DNS-Server", "192.0.2.53", "1a0c00000137" + "1c06c0000235"),
    ],
)
def test_our_own_dictionary_knows_what_sites_send(
    ours: Dictionary, name: str, value: str, octets: str
) -> None:
    definition = ours.find(name)

    assert definition is not None
    assert encode(definition, value).hex() == octets


def test_names_are_found_however_they_are_spelled(ours: Dictionary) -> None:
    """RFC 2868 says Tunnel-Private-Group-ID, FreeRADIUS Tunnel-Private-Group-Id."""
    assert ours.find("Tunnel-Private-Group-ID") is ours.find("tunnel-private-group-id") is not None
    assert ours.find("Tunnel-Privat-Group-Id") is None
    assert "Tunnel-Private-Group-Id" in ours.names()


def test_what_the_secret_hides_is_marked(ours: Dictionary) -> None:
    hidden = {name for name in ours.names() if (found := ours.find(name)) and found.is_hidden}

    assert hidden == {"User-Password", "Tunnel-Password", "MS-MPPE-Send-Key", "MS-MPPE-Recv-Key"}


def test_a_site_adds_vendors_values_and_files_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "more").write_text("ATTRIBUTE Acme-Level 2 signed\nVALUE Acme-Level Low -1\n")
    main = tmp_path / "acme"
    main.write_text(
        "VENDOR Acme 99999\nBEGIN-VENDOR Acme\nATTRIBUTE Acme-Role 1 string\n$INCLUDE more\n"
        "END-VENDOR Acme\nVALUE Service-Type Acme-User 900\n"
    )
    known = load([main])

    role, level, service = map(known.find, ("Acme-Role", "Acme-Level", "Service-Type"))
    assert role is not None
    assert (role.vendor, role.type, role.kind) == (99999, 1, Kind.TEXT)
    assert level is not None
    assert dict(level.values) == {"Low": -1}
    assert service is not None
    assert service.values["Acme-User"] == 900
    assert service.values["Login-User"] == 1


def test_a_later_file_replaces_what_an_earlier_one_said(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("ATTRIBUTE Local-Thing 250 string\n")
    (tmp_path / "two").write_text("ATTRIBUTE Local-Thing 251 integer\n")
    known = load([tmp_path / "one", tmp_path / "two"]).find("Local-Thing")

    assert known is not None
    assert (known.type, known.kind) == (251, Kind.INTEGER)


def test_what_no_reply_can_carry_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "freeradius"
    file.write_text(
        "ATTRIBUTE Internal-Thing 1045 string\n"
        "ATTRIBUTE Zero 0 string\n"
        "ATTRIBUTE Tree 241 tlv\n"
        "ATTRIBUTE Leaf 241.1 string\n"
        "ATTRIBUTE Extended 242 extended\n"
        "ATTRIBUTE Filter 243 abinary\n"
        "ATTRIBUTE Good 244 string\n"
        "VENDOR Wide 16777216\n"
        "ATTRIBUTE Wide-Thing 1 string Wide\n"
    )
    known = load([file])

    assert known.find("Good") is not None
    for name in ("Internal-Thing", "Zero", "Tree", "Leaf", "Extended", "Filter", "Wide-Thing"):
        assert known.find(name) is None, name


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("\nATTRIBUTE Short 1\n", 2, id="cut-attribute"),
        pytest.param("ATTRIBUTE A 200 strng\n", 1, id="unknown-type"),
        pytest.param("# fine\n\nVALUE Service-Type X many\n", 3, id="value-no-number"),
        pytest.param("BEGIN-VENDOR Nobody\n", 1, id="unknown-vendor"),
        pytest.param("ATTRIBUTE A 200 string\n$INCLUDE acme\n", 2, id="includes-itself"),
    ],
)
def test_what_is_wrong_is_said_by_file_and_line(tmp_path: Path, text: str, line: int) -> None:
    good, bad = tmp_path / "good", tmp_path / "acme"
    good.write_text("")
    bad.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load([good, bad])

    assert caught.value.path == "doors.radius.dictionaries[1]"
    assert caught.value.problem.startswith(f"{bad}:{line}: ")


def test_what_is_wrong_in_an_included_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "inner").write_text("\n\nATTRIBUTE\n")
    (tmp_path / "outer").write_text("$INCLUDE inner\n")
    with pytest.raises(ConfigError) as caught:
        load([tmp_path / "outer"])

    assert caught.value.problem.startswith(f"{tmp_path / 'inner'}:3: ")


@pytest.mark.parametrize("octets", [b"ATTRIBUTE caf\xe9 1 string\n", b"VENDOR Acme 1 format\n"])
def test_what_is_no_dictionary_at_all_is_refused_by_name(tmp_path: Path, octets: bytes) -> None:
    """pyrad lets out what happens to it; nothing but a ConfigError leaves here."""
    file = tmp_path / "odd"
    file.write_bytes(octets)
    with pytest.raises(ConfigError, match="not a dictionary") as caught:
        load([file])

    assert str(file) in caught.value.problem


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"dictionaries\[0\]") as caught:
        load([tmp_path / name])

    assert str(tmp_path) in caught.value.problem


def test_without_pyrad_the_door_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyrad", None)
    with pytest.raises(ConfigError, match="pyrad"):
        load()
