"""The attributes that the configuration gives to an Access-Accept, checked and encoded once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from loginward.doors.radius.dictionaries import Dictionary
from loginward.errors import ConfigError
from loginward.wire.radius.attributes import Attribute
from loginward.wire.radius.dictionary import Definition, ValueTextError, encode

# What else a reply holds (Class, keys, an EAP packet, Proxy-States) needs the rest of 4,096.
MAX_OCTETS: Final = 2048
# The door writes these itself, by what was asked and decided.
_OURS: Final = frozenset(
    {
        Attribute.USER_PASSWORD,
        Attribute.CHAP_PASSWORD,
        Attribute.REPLY_MESSAGE,
        Attribute.STATE,
        Attribute.VENDOR_SPECIFIC,
        Attribute.PROXY_STATE,
        Attribute.CHAP_CHALLENGE,
        Attribute.ARAP_PASSWORD,
        Attribute.EAP_MESSAGE,
        Attribute.MESSAGE_AUTHENTICATOR,
    }
)


@dataclass(frozen=True, slots=True)
class ConfiguredReply:
    """Attributes as they are sent.

    Attributes:
        octets: All of them but Session-Timeout, in the order of the configuration.
        session_timeout_s: It is apart because a session never outlives the password.
    """

    octets: bytes = b""
    session_timeout_s: int | None = None


def encode_reply(
    attributes: Mapping[str, str], dictionary: Dictionary, path: str
) -> ConfiguredReply:
    """Return the attributes of one rule of `doors.radius.replies`.

    Args:
        attributes: Value by name; a tag stands behind the name, as in "Tunnel-Type:1".
        path: Dotted, of the mapping in the configuration.

    Raises:
        ConfigError: A name is unknown or not for the configuration, or a value does not fit it.
    """
    pieces = []
    timeout: int | None = None
    for key, value in attributes.items():
        where = f"{path}.{key}"
        definition, tag = _named(key, dictionary, where)
        try:
            octets = encode(definition, value, tag)
        except ValueTextError as error:
            raise ConfigError(where, str(error)) from error
        if not definition.vendor and definition.type == Attribute.SESSION_TIMEOUT:
            timeout = int.from_bytes(octets[2:], "big")
        else:
            pieces.append(octets)
    encoded = b"".join(pieces)
    if len(encoded) > MAX_OCTETS:
        raise ConfigError(path, f"has {len(encoded)} octets; at most {MAX_OCTETS} fit a reply")
    return ConfiguredReply(encoded, timeout)


def _named(key: str, dictionary: Dictionary, where: str) -> tuple[Definition, int | None]:
    name, _, tag = key.partition(":")
    definition = dictionary.find(name)
    if definition is None:
        raise ConfigError(where, "is in no dictionary; add one to doors.radius.dictionaries")
    if definition.is_hidden or (not definition.vendor and definition.type in _OURS):
        raise ConfigError(where, "is written by the agent itself")
    if ":" in key and not (tag.isascii() and tag.isdigit()):
        raise ConfigError(where, "a tag is 0 to 31")
    return definition, int(tag) if tag else None
