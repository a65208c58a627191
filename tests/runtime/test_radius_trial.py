"""What the built-in client does without, and what it makes of a reply's attributes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from loginward.core.secret import Secret
from loginward.errors import ConfigError
from loginward.runtime.radius_target import Target
from loginward.runtime.radius_trial import attributes_of, names_of, try_it
from loginward.wire.radius.attributes import Attribute, attribute, integer, vendor_attribute
from loginward.wire.radius.packet import decode
from loginward.wire.radius.signing import SharedSecret
from tests.wire.radius.stage import unsigned

NOWHERE = Target("127.0.0.1", 9, SharedSecret(b"0123456789abcdef"))


def typed(_: str) -> Secret:
    raise AssertionError("nothing may be typed")


@pytest.mark.parametrize("way", ["eap-ttls-pap", "peap-gtc"])
def test_a_tunnel_without_its_extra_says_what_to_install(monkeypatch, way) -> None:
    monkeypatch.setitem(sys.modules, "OpenSSL", None)
    monkeypatch.delitem(sys.modules, "loginward.doors.radius.trial.peer", raising=False)
    with pytest.raises(ConfigError, match="make install EXTRAS=eap"):
        try_it(NOWHERE, way, b"ann", typed, patience_s=0.1)


def test_an_authority_that_is_none_is_refused_before_anything_is_sent(tmp_path) -> None:
    for content, said in ((b"no certificate", "no certificate in PEM"), (None, "No such file")):
        file = tmp_path / f"{content is None}.pem"
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(ConfigError, match=said):
            try_it(NOWHERE, "peap-gtc", b"ann", typed, patience_s=0.1, ca_file=file)


REPLY = decode(
    unsigned(
        attribute(Attribute.REPLY_MESSAGE, b"hello")
        + attribute(Attribute.STATE, b"s")
        + integer(Attribute.SESSION_TIMEOUT, 600)
        + vendor_attribute(14988, 3, b"full")
        + vendor_attribute(311, 16, b"secret octets")
        + vendor_attribute(99999, 7, b"\x01")
        + attribute(240, b"odd")
    )
)


def test_attributes_are_shown_by_name_and_hidden_ones_not_at_all() -> None:
    assert attributes_of(REPLY, names_of(())) == (
        ("Session-Timeout", "600"),
        ("Mikrotik-Group", "full"),
        ("MS-MPPE-Send-Key", "(hidden by the shared secret)"),
        ("Vendor-99999-7", "0x01"),
        ("Attr-240", "0x6f6464"),
    )


def test_without_dictionaries_there_are_numbers(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyrad", None)
    names = names_of((Path("/nonexistent"),))
    assert names == {}
    assert attributes_of(REPLY, names)[0] == ("Attr-27", "0x00000258")
