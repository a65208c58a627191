"""Where a request comes from, on whose word that is known (security.md 5 and 10)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from loginward.core.requests import Door

if TYPE_CHECKING:
    from loginward.core.requests import LoginRequest

CLIENT: Final = "client"  # many people's requests come through it
_MOST_CHARACTERS: Final = 255
_DEVICE: Final = re.compile(r"(?:[0-9a-f]{2}[:.-]?){6}", re.IGNORECASE)
_PLAIN_DEVICE: Final = re.compile(r"[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}")


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of one request.

    Attributes:
        keys: What bounds apply to, each by itself, such as "uid 1000", "address 2001:db8::/64".
        line: One line for locks and events, such as "sshd 203.0.113.7".
    """

    keys: tuple[str, ...]
    line: str


def sources_of(request: LoginRequest) -> Sources:
    """Return the sources of a request.

    Root's word on rhost stands, and that of a named peer, which is itself the way by which many
    people come and has a wider bound; so does a RADIUS client. What others say is a claim, recorded elsewhere and used for
    nothing: their source is the real uid that the kernel shows. Uid 0 is nobody's source.
    """
    peer = request.peer
    rhost = _printable(request.rhost)
    is_believed = peer.uid == 0 or peer.named
    keys, words = [], [_printable(request.service) or "-"]
    if is_believed and rhost:
        keys.append(_place(request.door, rhost))
        words.append(rhost)
    if request.door is Door.RADIUS:
        keys.append(f"{CLIENT} {_printable(request.service)}")
    elif peer.real_uid != 0:
        keys.append(f"{CLIENT} uid {peer.real_uid}" if peer.named else f"uid {peer.real_uid}")
        words.append(f"uid {peer.real_uid}")
    elif peer.uid == 0 and not rhost and request.tty:
        words.append(_printable(request.tty))
    return Sources(tuple(keys), " ".join(words))


def sources_of_user(real_uid: int) -> Sources:
    """Return the sources of who asks on this host for no login; uid 0 is nobody's source."""
    line = f"uid {real_uid}"
    return Sources((line,) if real_uid != 0 else (), line)


@lru_cache(maxsize=4096)
def _place(door: Door, rhost: str) -> str:
    """Return an address by its bound (IPv6 by /64), a device by its octets, a name as it is."""
    if door is Door.RADIUS and _PLAIN_DEVICE.fullmatch(rhost):  # nearly always, and no address
        return _device(rhost)
    try:
        address = ipaddress.ip_address(rhost.partition("%")[0])
    except ValueError:
        if door is Door.RADIUS and _DEVICE.match(rhost):
            return _device(rhost)
        return f"address {rhost.casefold()}"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return f"address {address.ipv4_mapped}"
        return f"address {ipaddress.ip_network((int(address), 64), strict=False)}"
    return f"address {address}"


def _device(rhost: str) -> str:
    return "device " + re.sub(r"[:.-]", "", rhost[:17]).casefold()


def _printable(text: str) -> str:
    if len(text) <= _MOST_CHARACTERS and text.isprintable():
        return text.strip()
    return "".join(c for c in text[:_MOST_CHARACTERS] if c.isprintable()).strip()
