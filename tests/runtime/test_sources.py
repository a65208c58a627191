"""Where a request comes from: by whose word, and how wide (security.md 5, 6, 10)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.requests import Door, LoginRequest, Peer, Phase
from loginward.runtime.sources import Sources, sources_of


def request(*, uid=0, real_uid=None, named=False, service="sshd", rhost="", tty="", **more):
    return LoginRequest(
        door=more.pop("door", Door.LOGIN), phase=Phase.AUTHN, name="ann", service=service,
        rhost=rhost, tty=tty, ruser=more.pop("ruser", ""),
        peer=Peer(uid=uid, real_uid=uid if real_uid is None else real_uid, named=named),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param(
            request(rhost="203.0.113.7", tty="ssh"),
            Sources(("address 203.0.113.7",), "sshd 203.0.113.7"),
            id="roots-word-on-rhost-stands",
        ),
        pytest.param(
            request(rhost="2001:db8:0:1:aaaa::7"),
            Sources(("address 2001:db8:0:1::/64",), "sshd 2001:db8:0:1:aaaa::7"),
            id="ipv6-by-64",
        ),
        pytest.param(
            request(rhost="fe80::7%eth0"),
            Sources(("address fe80::/64",), "sshd fe80::7%eth0"),
            id="ipv6-with-zone",
        ),
        pytest.param(
            request(rhost="::ffff:203.0.113.7"),
            Sources(("address 203.0.113.7",), "sshd ::ffff:203.0.113.7"),
            id="mapped-ipv4-is-ipv4",
        ),
        pytest.param(
            request(rhost="Host.Example"),
            Sources(("address host.example",), "sshd Host.Example"),
            id="a-name-as-it-is",
        ),
        pytest.param(
            request(uid=1000, rhost="203.0.113.7", tty="pts/1", ruser="root"),
            Sources(("uid 1000",), "sshd uid 1000"),
            id="claims-are-used-for-nothing",
        ),
        pytest.param(
            request(real_uid=1000, service="su", tty="pts/1"),
            Sources(("uid 1000",), "su uid 1000"),
            id="setuid-programs-are-their-callers",
        ),
        pytest.param(
            request(real_uid=1000, service="sudo", rhost="203.0.113.7"),
            Sources(("address 203.0.113.7", "uid 1000"), "sudo 203.0.113.7 uid 1000"),
            id="a-caller-with-rhost-has-two-sources",
        ),
        pytest.param(
            request(service="login", tty="tty1"), Sources((), "login tty1"), id="root-is-nobody"
        ),
        pytest.param(
            request(uid=97, named=True, service="dovecot", rhost="203.0.113.7"),
            Sources(("address 203.0.113.7", "client uid 97"), "dovecot 203.0.113.7 uid 97"),
            id="a-named-peer-is-a-client",
        ),
        pytest.param(
            request(door=Door.RADIUS, service="wifi", rhost="AA-BB-CC-DD-EE-0F:corp"),
            Sources(("device aabbccddee0f", "client wifi"), "wifi AA-BB-CC-DD-EE-0F:corp"),
            id="a-station-is-a-device",
        ),
        pytest.param(
            request(door=Door.RADIUS, service="wifi"),
            Sources(("client wifi",), "wifi"),
            id="a-client-that-names-no-station-is-a-source-with-a-wider-bound",
        ),
        pytest.param(
            request(service="a\nb", rhost="\x1b[31m"),
            Sources(("address [31m",), "ab [31m"),
            id="no-control-characters",
        ),
    ],
)
def test_sources(asked, expected):
    assert sources_of(asked) == expected


@given(st.text(max_size=600), st.text(max_size=600), st.sampled_from(Door))
def test_whatever_is_said_there_is_one_short_line(service, rhost, door):
    found = sources_of(request(service=service, rhost=rhost, door=door))
    assert len(found.line) < 600
    assert all(c.isprintable() for c in found.line)
    assert all(len(key) < 300 for key in found.keys)


@given(st.text(), st.text(), st.integers(min_value=1, max_value=2**31))
def test_nothing_that_a_stranger_says_moves_its_source(rhost, ruser, uid):
    found = sources_of(request(uid=uid, rhost=rhost, ruser=ruser))
    assert found.keys == (f"uid {uid}",)
