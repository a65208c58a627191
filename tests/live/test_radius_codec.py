"""FreeRADIUS' own client and dictionaries understand what our codec and dictionary write."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loginward.core.secret import Secret
from loginward.doors.radius.configured import encode_reply
from loginward.doors.radius.dictionaries import load
from loginward.errors import ConfigError
from loginward.wire.radius import replies
from loginward.wire.radius.attributes import Attribute, integer
from loginward.wire.radius.packet import Code, Packet, decode
from loginward.wire.radius.password import mppe_keys, unhide
from loginward.wire.radius.signing import SharedSecret, check_request, sign_reply

pytestmark = pytest.mark.live

OCTETS = b"a secret of 24 octets ..."
SECRET = SharedSecret(OCTETS)
THEIRS = Path("/usr/share/freeradius")
PASSWORD = "a long password of 41 octets: 0123456789ä"
MSK = bytes(range(64))
CONFIGURED = {
    "Tunnel-Type": "VLAN",
    "Tunnel-Medium-Type:1": "IEEE-802",
    "Tunnel-Private-Group-Id": "20",
    "Tunnel-Private-Group-ID:1": "21",
    "Filter-Id": "staff",
    "Class": "0x0102",
    "Service-Type": "Administrative-User",
    "Framed-IP-Address": "192.0.2.1",
    "Framed-IPv6-Prefix": "2001:db8::/32",
    "Framed-Interface-Id": "0:0:0:1",
    "Cisco-AVPair": "shell:priv-lvl=15",
    "Mikrotik-Group": "full",
    "Fortinet-Group-Name": "vpn",
    "WISPr-Bandwidth-Max-Down": "1000000",
    "Airespace-Interface-Name": "lan",
    "Aruba-User-Vlan": "20",
    "MS-MPPE-Encryption-Policy": "Encryption-Required",
}
PRINTED = [
    "Tunnel-Type:0 = VLAN",
    "Tunnel-Medium-Type:1 = IEEE-802",
    'Tunnel-Private-Group-Id:0 = "20"',
    'Tunnel-Private-Group-Id:1 = "21"',
    'Filter-Id = "staff"',
    "Class = 0x0102",
    "Service-Type = Administrative-User",
    "Framed-IP-Address = 192.0.2.1",
    "Framed-IPv6-Prefix = 2001:db8::/32",
    "Framed-Interface-Id = 0:0:0:1",
    'Cisco-AVPair = "shell:priv-lvl=15"',
    'Mikrotik-Group = "full"',
    'Fortinet-Group-Name = "vpn"',
    "WISPr-Bandwidth-Max-Down = 1000000",
    'Airespace-Interface-Name = "lan"',
    "Aruba-User-Vlan = 20",
    "MS-MPPE-Encryption-Policy = Encryption-Required",
]

Answer = Callable[[Packet], bytes]


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(20)
        yield sock


def radclient(
    server: socket.socket, kind: str, attributes: str, answer: Answer
) -> tuple[Packet, list[str]]:
    """Answer one request of radclient; return it, and the attributes that radclient read."""
    asked: list[Packet] = []

    def serve() -> None:
        datagram, peer = server.recvfrom(4096)
        packet = decode(datagram)
        check_request(packet, SECRET)
        asked.append(packet)
        server.sendto(answer(packet), peer)

    thread = threading.Thread(target=serve)
    thread.start()
    port = server.getsockname()[1]
    command = ("radclient", "-x", "-r", "1", "-t", "10", f"127.0.0.1:{port}", kind, OCTETS.decode())
    done = subprocess.run(
        command, input=attributes, text=True, capture_output=True, check=False, timeout=30
    )
    thread.join()
    assert done.returncode == 0, done.stdout + done.stderr
    received = done.stdout.partition("Received ")[2].splitlines()
    return asked[0], [line.strip() for line in received[1:] if line.strip()]


def test_an_accept_is_read_by_freeradius_as_it_was_configured(server: socket.socket) -> None:
    """Both halves of the MSK too: its client reveals them with the secret."""
    attributes = {name: (value,) for name, value in CONFIGURED.items()}
    configured = encode_reply(attributes, load(), "doors.radius.replies[0].attributes").octets

    def answer(packet: Packet) -> bytes:
        keys = mppe_keys(MSK, packet.authenticator, SECRET, os.urandom(4))
        return replies.accept(packet, SECRET, configured + keys, message="Welcome")

    asked, printed = radclient(
        server,
        "auth",
        f'User-Name = "alice"\nUser-Password = "{PASSWORD}"\nMessage-Authenticator = 0x00\n'
        "Proxy-State = 0x0102\nProxy-State = 0x03\n",
        answer,
    )
    hidden = asked.first(Attribute.USER_PASSWORD)
    assert hidden is not None
    assert unhide(hidden, asked.authenticator, SECRET) == Secret(PASSWORD.encode())
    assert printed[0].startswith("Message-Authenticator = 0x")
    assert printed[1:] == [
        'Reply-Message = "Welcome"',
        *PRINTED,
        f"MS-MPPE-Recv-Key = 0x{MSK[:32].hex()}",
        f"MS-MPPE-Send-Key = 0x{MSK[32:].hex()}",
        "Proxy-State = 0x0102",
        "Proxy-State = 0x03",
    ]


@pytest.mark.parametrize(
    ("kind", "attributes", "answer"),
    [
        ("status", "Message-Authenticator = 0x00", lambda p: replies.status_answer(p, SECRET)),
        ("acct", "Acct-Status-Type = Start", lambda p: replies.accounting_response(p, SECRET)),
        (
            "disconnect",
            "Acct-Session-Id = s",
            lambda p: sign_reply(Code.DISCONNECT_ACK, p, b"", SECRET),
        ),
        (
            "coa",
            "Acct-Session-Id = s\nMessage-Authenticator = 0x00",
            lambda p: sign_reply(Code.COA_ACK, p, integer(Attribute.ERROR_CAUSE, 201), SECRET),
        ),
    ],
)
def test_what_else_is_asked_is_understood_both_ways(
    server: socket.socket, kind: str, attributes: str, answer: Answer
) -> None:
    radclient(server, kind, attributes + "\n", answer)


def test_our_dictionary_says_what_theirs_says() -> None:
    vendors = ("airespace", "aruba", "cisco", "fortinet", "microsoft", "mikrotik", "wispr")
    numbers = (2865, 2866, 2868, 2869, 3162, 3576, 3580, 4372, 4675, 4818, 4849, 5176, 6911)
    files = [THEIRS / f"dictionary.{name}" for name in (*vendors, *(f"rfc{n}" for n in numbers))]
    spelled = {word for file in files for word in file.read_text().split()}
    ours, theirs = load(), load(files)
    for name in ours.names():
        own, other = ours.find(name), theirs.find(name)
        assert own is not None
        assert other is not None
        assert name in spelled
        assert (own.vendor, own.type, own.kind) == (other.vendor, other.type, other.kind), name
        assert (own.has_tag, own.is_hidden) == (other.has_tag, other.is_hidden), name
        if name != "MS-MPPE-Encryption-Types":  # theirs are no bits; RFC 2548 section 2.4.5 is
            assert own.values.items() <= other.values.items(), name


def test_nearly_every_dictionary_of_freeradius_can_be_named() -> None:
    """Those that rest on attributes of RFC 6929, or that pyrad cannot read, are refused."""
    files = sorted(THEIRS.glob("dictionary.[a-z]*"))
    refused = set()
    for file in files:
        try:
            load([file])
        except ConfigError:
            refused.add(file.name)
    assert len(files) > 200
    assert len(refused) < 10, refused
