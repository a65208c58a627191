"""A supplicant that is not ours: TLS by pyOpenSSL's client side, EAP written anew, by hand.

It keeps what it derived, so that both halves of the key can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from OpenSSL import SSL

TLS, TTLS, PEAP = 13, 21, 25
VERSIONS = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
LABELS = {
    TLS: b"client EAP encryption",
    TTLS: b"ttls keying material",
    PEAP: b"client EAP encryption",
}


@dataclass
class Peer:
    """One person's device.

    Attributes:
        type: Of the method that it wants; it answers anything else with a NAK.
        inner: What it says inside: pap, gtc, or nothing.
        fragment: Octets of TLS that it puts into a packet.
        names: What it calls itself inside, one after the other.
    """

    ca_file: Path
    type: int = TTLS
    inner: str = "pap"
    tls: str = "1.3"
    names: tuple[bytes, ...] = (b"ann",)
    password: bytes = b"right horse"
    cert_file: Path | None = None
    key_file: Path | None = None
    fragment: int = 1300
    outer: bytes = b"anonymous@corp.example"
    agrees: bool = True
    earlier: Peer | None = None  # whose session it would take up again
    asked: list[bytes] = field(default_factory=list)
    result: str = ""

    def __post_init__(self) -> None:
        self.context = self.earlier.context if self.earlier else self._new_context()
        self.connection = SSL.Connection(self.context, None)
        self.connection.set_connect_state()
        if self.earlier:
            session = self.earlier.connection.get_session()
            assert session is not None
            self.connection.set_session(session)
        self.is_open = False
        self.out = b""
        self.incoming = b""
        self.broken = False
        self.spoke = False

    def _new_context(self) -> SSL.Context:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(VERSIONS[self.tls])
        context.set_max_proto_version(VERSIONS[self.tls])
        context.load_verify_locations(str(self.ca_file))
        context.set_verify(SSL.VERIFY_PEER)
        if self.cert_file:
            context.use_certificate_chain_file(str(self.cert_file))
            context.use_privatekey_file(str(self.key_file))
        return context

    @property
    def resumed(self) -> bool:
        """Return whether the handshake took an earlier session up."""
        return bool(SSL._lib.SSL_session_reused(self.connection._ssl))  # type: ignore[attr-defined]

    @property
    def msk(self) -> bytes:
        """Return what this end derived, by the RFCs' labels."""
        if self.tls == "1.3":
            label, context = b"EXPORTER_EAP_TLS_Key_Material", bytes((self.type,))
            return self.connection.export_keying_material(label, 128, context)[:64]
        return self.connection.export_keying_material(LABELS[self.type], 128)[:64]

    def answer(self, request: bytes) -> bytes | None:
        """Return the answer to an EAP packet; None: it was the last."""
        code, identifier, size = request[0], request[1], int.from_bytes(request[2:4], "big")
        assert size == len(request)
        if code in (3, 4):
            self.result = "success" if code == 3 else "failure"
            return None
        assert code == 1
        type_, body = request[4], request[5:]
        if type_ == 1:
            return _response(identifier, 1, self.outer)
        if type_ != self.type:
            return _response(identifier, 3, bytes((self.type,)))
        return _response(identifier, self.type, self._method(body))

    def _method(self, body: bytes) -> bytes:
        flags, body = body[0], body[1:]
        if flags & 0x80:
            body = body[4:]
        if self.out:  # our pieces go on
            assert not body
            return self._piece()
        self.incoming += body
        if flags & 0x40:
            return b"\0"
        if flags & 0x20:
            assert not body
        whole, self.incoming = self.incoming, b""
        self._hear(whole)
        return self._piece()

    def _piece(self) -> bytes:
        piece, self.out = self.out[: self.fragment], self.out[self.fragment :]
        flags, length = 0x40 if self.out else 0, b""
        if self.out and not self.started:
            flags, length = flags | 0x80, (len(piece) + len(self.out)).to_bytes(4, "big")
        self.started = bool(self.out)
        return bytes((flags,)) + length + piece

    started = False

    def _hear(self, octets: bytes) -> None:
        if octets:
            self.connection.bio_write(octets)
        try:
            if not self.is_open:
                self.connection.do_handshake()
                self.is_open = True
                self._begin()
            else:
                self._inside(self._read())
        except SSL.WantReadError:
            pass
        except SSL.Error:
            self.broken = True
        self._flush()

    def _begin(self) -> None:
        if self.type == TTLS and self.tls == "1.2":
            self._speak_first()

    def _inside(self, said: bytes) -> None:
        if self.type == TTLS:
            if not self.spoke:
                self._speak_first()
            elif said:
                self._answer_inner(said[8 : int.from_bytes(said[5:8], "big")])
        elif self.type == PEAP and said:
            self._answer_peap(said)
        elif self.type == TLS:
            self.asked += [said] if said else []

    def _speak_first(self) -> None:
        self.spoke = True
        if self.inner == "pap":
            padded = self.password + bytes(-len(self.password) % 16)
            self.say(b"".join([avp(1, name) for name in self.names] + [avp(2, padded)]))
        elif self.inner == "gtc":
            self.say(avp(79, _response(0, 1, self.names[0])))

    def _answer_inner(self, eap: bytes) -> None:
        assert (eap[0], eap[4]) == (1, 6)
        self.asked.append(eap[5:])
        name = avp(1, self.names[1]) if len(self.names) > 1 else b""
        self.say(name + avp(79, _response(eap[1], 6, self.password)))

    def _answer_peap(self, said: bytes) -> None:
        if said == b"\x01":
            self.say(b"\x01" + self.names[0])
        elif said[0] == 6:
            self.asked.append(said[1:])
            second = len(self.names) > 1
            self.say(b"\x01" + self.names[1] if second else b"\x06" + self.password)
        else:
            assert said[:1] + said[4:10] == b"\x01\x21\x80\x03\x00\x02\x00"
            status = said[10:] if self.agrees else b"\x02"
            self.asked.append(b"result " + said[10:].hex().encode())
            self.say(_response(said[1], 33, b"\x80\x03\0\x02\0" + status))

    def say(self, octets: bytes) -> None:
        """Say something inside."""
        self.connection.sendall(octets)

    def _read(self) -> bytes:
        said = b""
        while True:
            try:
                said += self.connection.recv(16384)
            except SSL.WantReadError:
                return said

    def _flush(self) -> None:
        while True:
            try:
                self.out += self.connection.bio_read(65536)
            except SSL.WantReadError:
                return


def avp(code: int, value: bytes) -> bytes:
    """Return a mandatory attribute of EAP-TTLS."""
    return (
        code.to_bytes(4, "big")
        + b"\x40"
        + (8 + len(value)).to_bytes(3, "big")
        + value
        + bytes(-len(value) % 4)
    )


def _response(identifier: int, type_: int, body: bytes) -> bytes:
    return bytes((2, identifier)) + (5 + len(body)).to_bytes(2, "big") + bytes((type_,)) + body
