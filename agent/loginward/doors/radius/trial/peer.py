"""A person's device: the other end of EAP-TTLS with PAP and of PEAP with GTC; no I/O.

Source: RFC 3748 section 4, RFC 5281 section 7, draft-kamath-pppext-peapv0-00 section 2, RFC 9427
sections 2 and 3. The server's certificate is looked at before anything is said inside.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from OpenSSL import SSL, crypto

from loginward.errors import ProtocolError
from loginward.wire.eap import fragments, packet, peap, ttls
from loginward.wire.eap.fragments import Fragment, Incoming, Outgoing
from loginward.wire.eap.keys import EXPORT_OCTETS, MSK_OCTETS, export_of
from loginward.wire.eap.packet import Code, Type
from loginward.wire.eap.ttls import Avp, AvpCode

if TYPE_CHECKING:
    from cryptography import x509

    from loginward.core.secret import Secret

_READ_OCTETS: Final = 65536
_PACKET_OCTETS: Final = 1200
_PAD: Final = 16  # RFC 5281 section 11.2.5: padded so that its length is not seen


class Method(enum.Enum):
    """What the device speaks."""

    TTLS_PAP = "eap-ttls-pap"
    PEAP_GTC = "peap-gtc"


_TYPES: Final = {Method.TTLS_PAP: Type.TTLS, Method.PEAP_GTC: Type.PEAP}


class Peer:
    """One login of one device.

    Args:
        authorities: Whose certificates are trusted; empty: anybody's.
        typed: Returns what is typed at a prompt; the first, without one, is the password.

    Attributes:
        chain: The server's certificates, its own first; empty until the tunnel stands.
        problem: Why there is no tunnel; empty: there is, or it is not tried yet.
        distrust: Why the server is not believed; empty: it is, or nobody looked.
    """

    def __init__(
        self,
        method: Method,
        name: bytes,
        typed: Callable[[str], Secret],
        authorities: Sequence[x509.Certificate] = (),
    ) -> None:
        self._type = _TYPES[method]
        self._name = name
        self._typed = typed
        self._authorities = authorities
        self._connection = SSL.Connection(_context(), None)
        self._connection.set_connect_state()
        self._incoming = Incoming()
        self._outgoing = Outgoing(b"", _PACKET_OCTETS)
        self._is_open = False
        self._has_spoken = False
        self.chain: tuple[x509.Certificate, ...] = ()
        self.problem = ""
        self.distrust = ""

    @property
    def outer(self) -> bytes:
        """Return what it calls itself where everybody can read it: only the realm is true."""
        realm = self._name.rpartition(b"@")
        return b"anonymous" + (b"@" + realm[2] if realm[1] else b"")

    @property
    def tls(self) -> str:
        """Return the version of TLS that is spoken."""
        return self._connection.get_protocol_version_name()

    @property
    def msk(self) -> bytes:
        """Return the key that the tunnel gives, once it stands."""
        export = export_of(self._type, tls13=self._is_tls13)
        octets = self._connection.export_keying_material(
            export.label, EXPORT_OCTETS, export.context
        )
        return octets[:MSK_OCTETS]

    def answer(self, octets: bytes) -> bytes:
        """Return the answer to a request of the server.

        Raises:
            ProtocolError: It is malformed.
        """
        request = packet.decode(octets)
        if request.code is not Code.REQUEST:
            raise ProtocolError("EAP: no request")
        if request.type == Type.IDENTITY:
            return packet.response(request.identifier, Type.IDENTITY, self.outer)
        if request.type == Type.NOTIFICATION:
            return packet.response(request.identifier, Type.NOTIFICATION)
        if request.type != self._type:
            return packet.response(request.identifier, Type.NAK, bytes((self._type,)))
        return packet.response(request.identifier, self._type, self._method(request.body))

    def _method(self, body: bytes) -> bytes:
        fragment = fragments.parse(body)
        if not self._outgoing.is_done and fragment.is_ack:
            return self._outgoing.next()
        if fragment.start:
            fragment = Fragment()
        message = self._incoming.take(fragment)
        if message is None:
            return fragments.ACK
        self._hear(message)
        self._outgoing = Outgoing(self._flushed(), _PACKET_OCTETS)
        return self._outgoing.next()

    @property
    def _is_tls13(self) -> bool:
        return self.tls == "TLSv1.3"

    def _hear(self, message: bytes) -> None:
        if message:
            self._connection.bio_write(message)
        try:
            if not self._is_open:
                self._connection.do_handshake()
                self._opened()
                if self._is_tls13:
                    return  # our Finished goes first, and the server answers it
            if not self.distrust:
                self._talk()
        except SSL.WantReadError:
            return
        except SSL.Error as error:
            self.problem = f"TLS: {_reason(error)}"

    def _opened(self) -> None:
        """Look at whom we speak with; with somebody else nothing is said."""
        self._is_open = True
        self.chain = tuple(self._connection.get_peer_cert_chain(as_cryptography=True) or ())
        if self._authorities:
            self.distrust = distrust_of(self.chain, self._authorities)
        if self.distrust:
            self._connection.shutdown()

    def _talk(self) -> None:
        said = self._said()
        if self._type == Type.TTLS:
            if not self._has_spoken:
                self._has_spoken = True
                self._say(self._pap())
        elif said:
            self._say(self._inside(said))

    def _pap(self) -> bytes:
        password = self._typed("").reveal()
        padded = password + bytes(-len(password) % _PAD)
        return ttls.render(Avp(AvpCode.USER_NAME, self._name), Avp(AvpCode.USER_PASSWORD, padded))

    def _inside(self, said: bytes) -> bytes:
        """Answer EAP inside PEAP, which has lost its header but for the result."""
        if said[0] == Code.REQUEST and said[4:5] == bytes((Type.TLV,)):
            request = packet.decode(said)
            agreed = peap.result_tlv(accepted=peap.read_result(request.body))
            return packet.response(request.identifier, Type.TLV, agreed)
        type_, body = said[0], said[1:]
        if type_ == Type.IDENTITY:
            return peap.compress(Type.IDENTITY, self._name)
        if type_ != Type.GTC:
            return peap.compress(Type.NAK, bytes((Type.GTC,)))
        prompt = body.decode("utf-8", "replace") if self._has_spoken else ""
        self._has_spoken = True
        return peap.compress(Type.GTC, self._typed(prompt).reveal())

    def _say(self, octets: bytes) -> None:
        self._connection.sendall(octets)

    def _said(self) -> bytes:
        said = b""
        while True:
            try:
                said += self._connection.recv(_READ_OCTETS)
            except SSL.WantReadError:
                return said

    def _flushed(self) -> bytes:
        octets = b""
        while True:
            try:
                octets += self._connection.bio_read(_READ_OCTETS)
            except SSL.WantReadError:
                return octets


def distrust_of(chain: Sequence[x509.Certificate], authorities: Sequence[x509.Certificate]) -> str:
    """Return why a chain does not lead to one of the authorities, now; empty: it does."""
    store = crypto.X509Store()
    for authority in authorities:
        store.add_cert(crypto.X509.from_cryptography(authority))
    certificates = [crypto.X509.from_cryptography(one) for one in chain]
    try:
        crypto.X509StoreContext(store, certificates[0], certificates[1:]).verify_certificate()
    except crypto.X509StoreContextError as error:
        return str(error)
    return ""


def _context() -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_verify(
        SSL.VERIFY_NONE
    )  # the chain is looked at afterwards, so that it can be shown
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    return context


def _reason(error: SSL.Error) -> str:
    """Return the last of OpenSSL's reasons."""
    queue = error.args[0] if error.args else None
    return str(queue[-1][-1]) if isinstance(queue, list) and queue else type(error).__name__
