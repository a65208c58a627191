"""A device before a server that says anything at all: it answers, or says that this is no EAP."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loginward.core.secret import Secret
from loginward.doors.radius.trial.peer import Method, Peer
from loginward.errors import ProtocolError
from loginward.wire.eap import packet
from loginward.wire.eap.packet import Code, Type


def peer(method: Method = Method.TTLS_PAP, name: bytes = b"ann") -> Peer:
    def typed(prompt: str) -> Secret:
        raise AssertionError(f"nobody may be asked: {prompt}")

    return Peer(method, name, typed)


@pytest.mark.parametrize(
    ("name", "outer"),
    [(b"ann", b"anonymous"), (b"ann@corp.example", b"anonymous@corp.example")],
)
def test_outside_only_the_realm_is_true(name, outer) -> None:
    told = packet.decode(peer(name=name).answer(packet.request(7, Type.IDENTITY)))
    assert (told.code, told.identifier, told.body) == (Code.RESPONSE, 7, outer)


def test_another_method_is_answered_with_the_one_that_is_wanted() -> None:
    told = packet.decode(peer(Method.PEAP_GTC).answer(packet.request(8, Type.TTLS, b"\x20")))
    assert packet.wanted_types(told) == (Type.PEAP,)


def test_a_notification_is_acknowledged() -> None:
    told = packet.decode(peer().answer(packet.request(9, Type.NOTIFICATION, b"hello")))
    assert (told.type, told.body) == (Type.NOTIFICATION, b"")


_REQUESTS = st.one_of(
    st.binary(max_size=64),
    st.builds(
        packet.request,
        st.integers(0, 255),
        st.sampled_from([Type.TTLS, Type.PEAP, Type.IDENTITY, Type.GTC]),
        st.binary(max_size=200) | st.builds(lambda octets: b"\0" + octets, st.binary(max_size=200)),
    ),
)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(Method), st.lists(_REQUESTS, max_size=5))
def test_whatever_comes_is_answered_or_is_no_eap_and_no_password_is_said(method, requests) -> None:
    device = peer(method)
    device.answer(packet.request(1, Type.TTLS if method is Method.TTLS_PAP else Type.PEAP, b"\x20"))
    for request in requests:
        try:
            told = packet.decode(device.answer(request))
        except ProtocolError:
            continue
        assert told.code is Code.RESPONSE
