"""What an Access-Request asks, in the law's terms; nothing is decided here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loginward.core.requests import Door, LoginRequest, Peer, Phase
from loginward.wire.radius.attributes import Attribute

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loginward.doors.radius.clients import RadiusClient
    from loginward.wire.radius.packet import Packet

_CLIENT: Final = Peer(uid=0, real_uid=0, named=True)  # its secret vouches for it, as root does


def request_of(
    packet: Packet,
    client: RadiusClient,
    name: str,
    *,
    phase: Phase = Phase.AUTHN,
    inline_change: bool = False,
) -> LoginRequest:
    """Return the request of a person at a client.

    Args:
        name: The one that proves itself, without a realm that is to be cut off.
        inline_change: A new password can be asked for on this way.
    """
    return LoginRequest(
        door=Door.RADIUS,
        phase=phase,
        name=name,
        service=client.name,
        peer=_CLIENT,
        tty=text_of(packet.first(Attribute.NAS_PORT_ID)),
        rhost=text_of(packet.first(Attribute.CALLING_STATION_ID)),
        inline_change=inline_change,
    )


def name_of(octets: bytes | None, strip_realms: Iterable[str]) -> str:
    r"""Return the login name that a User-Name spells; what is no UTF-8 names nobody.

    A realm is cut off only where the client's settings name it, in front ("REALM\name") or behind
    ("name@realm").
    """
    try:
        name = (octets or b"").decode()
    except UnicodeDecodeError:
        return ""
    realms = {realm.casefold() for realm in strip_realms}
    front, separator, rest = name.rpartition("@")
    if separator and rest.casefold() in realms:
        return front
    front, separator, rest = name.partition("\\")
    if separator and front.casefold() in realms:
        return rest
    return name


def text_of(octets: bytes | None) -> str:
    """Return an attribute's text, to be shown; empty where there is none."""
    return (octets or b"").decode(errors="replace")
