"""The configuration of the RADIUS door as one value, checked and encoded once."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from loginward.doors.radius.clients import Clients, RadiusClient
from loginward.doors.radius.configured import ConfiguredReply, encode_reply
from loginward.errors import ConfigError
from loginward.wire.radius.signing import SharedSecret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loginward.core.secret import Secret
    from loginward.doors.radius.dictionaries import Dictionary
    from loginward.settings.radius import Client, Radius, Reply

LEAST_SECRET_OCTETS: Final = 16  # shorter ones are found by trying (RFC 2865 section 3)
NOTHING: Final = ConfiguredReply()


@dataclass(frozen=True, slots=True)
class Rule:
    """What the members of some groups are given, at some clients."""

    settings: Reply
    reply: ConfiguredReply

    def fits(self, groups: frozenset[str], client: str) -> bool:
        """Return whether the rule speaks of such a person at such a client."""
        at_client = not self.settings.clients or client in self.settings.clients
        return at_client and (
            not self.settings.groups or not groups.isdisjoint(self.settings.groups)
        )


@dataclass(frozen=True, slots=True)
class DoorRules:
    """What is in force at the door; a request keeps to the one that it began with."""

    settings: Radius
    clients: Clients
    rules: tuple[Rule, ...]

    def rule_for(self, groups: frozenset[str], client: str) -> tuple[int, ConfiguredReply]:
        """Return the first rule that fits, by its place, and its attributes; -1: none does."""
        for place, rule in enumerate(self.rules):
            if rule.fits(groups, client):
                return place, rule.reply
        return -1, NOTHING


def door_rules(
    settings: Radius,
    secrets: Mapping[str, Secret],
    dictionary: Dictionary,
    coa_secrets: Mapping[str, Secret] = MappingProxyType({}),
) -> DoorRules:
    """Return the door's configuration, ready for use.

    Args:
        secrets: By client's name.
        coa_secrets: Those that Disconnect has for itself, by client's name.

    Raises:
        ConfigError: A secret is too short, or an attribute cannot be sent.
    """
    clients = Clients(
        _client(client, secrets, coa_secrets, f"doors.radius.clients[{at}]")
        for at, client in enumerate(settings.clients)
    )
    rules = tuple(
        Rule(
            reply,
            encode_reply(reply.attributes, dictionary, f"doors.radius.replies[{at}].attributes"),
        )
        for at, reply in enumerate(settings.replies)
    )
    return DoorRules(settings, clients, rules)


def _client(
    client: Client,
    secrets: Mapping[str, Secret],
    coa_secrets: Mapping[str, Secret],
    path: str,
) -> RadiusClient:
    shared = _shared(client, secrets.get(client.name), path)
    own = _shared(client, coa_secrets.get(client.name), f"{path}.coa")
    return RadiusClient(client, shared, own or shared)


def _shared(client: Client, secret: Secret | None, path: str) -> SharedSecret | None:
    if secret is None:
        return None
    octets = secret.reveal()
    if len(octets) < LEAST_SECRET_OCTETS:
        raise ConfigError(
            f"{path}.secret_file",
            f"the secret of {client.name} has {len(octets)} octets; at least "
            f"{LEAST_SECRET_OCTETS} are needed: loginward radius new-secret",
        )
    return SharedSecret(octets)
