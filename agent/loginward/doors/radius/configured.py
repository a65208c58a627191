"""The attributes that the configuration gives to an Access-Accept, checked and encoded once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from loginward.doors.radius.dictionaries import Dictionary
from loginward.errors import ConfigError
from loginward.wire.radius.attributes import Attribute, as_integer
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
    attributes: Mapping[str, tuple[str, ...]], dictionary: Dictionary, path: str
) -> ConfiguredReply:
    """Return the attributes of one rule of `doors.radius.replies`.

    Args:
        attributes: Values by name; a tag stands behind the name, as in "Tunnel-Type:1".
        path: Dotted, of the mapping in the configuration.

    Raises:
        ConfigError: A name is unknown or not for the configuration, or a value does not fit it.
    """
    pieces: list[bytes] = []
    timeout_s: int | None = None
    for key, values in attributes.items():
        where = f"{path}.{key}"
        definition, tag = _named(key, dictionary, where)
        encoded = _encoded(definition, tag, values, where)
        if definition.vendor or definition.type != Attribute.SESSION_TIMEOUT:
            pieces += encoded
        elif len(encoded) == 1:
            timeout_s = as_integer(encoded[0][2:])
        else:
            raise ConfigError(where, "has one value")
    octets = b"".join(pieces)
    if len(octets) > MAX_OCTETS:
        raise ConfigError(path, f"has {len(octets)} octets; at most {MAX_OCTETS} fit a reply")
    return ConfiguredReply(octets, timeout_s)


def _encoded(
    definition: Definition, tag: int | None, values: tuple[str, ...], where: str
) -> list[bytes]:
    if not values:
        raise ConfigError(where, "must not be empty")
    try:
        return [encode(definition, value, tag) for value in values]
    except ValueTextError as error:
        raise ConfigError(where, str(error)) from error


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
