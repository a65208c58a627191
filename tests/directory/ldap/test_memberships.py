"""Which groups an account is in, read for one and for everybody alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from loginward.directory.ldap.entry import Entry
from loginward.directory.ldap.memberships import Memberships
from loginward.settings.directory import Account, Directory, Groups, Users
from loginward.wire.ldap.search import equals, present

BASE = "ou=groups,dc=x"
ANN = Entry("uid=Ann,ou=People,dc=x", {"uid": (b"Ann",)})


def group(name: str, attribute: str, *members: str) -> Entry:
    values = {"cn": (name.encode(),), attribute.lower(): tuple(m.encode() for m in members)}
    return Entry(f"cn={name},{BASE}", values)


class Server:
    """Gives what it was given, and notes what it was asked."""

    def __init__(self, *groups: Entry, cut: str = "") -> None:
        self.groups, self.cut = groups, cut
        self.asked: list[tuple[object, ...]] = []

    def search(self, base, wanted, attributes, _deadline):
        self.asked.append((base, wanted, attributes))
        return self.groups

    def pages(self, base, wanted, attributes, _deadline):
        self.asked.append((base, wanted, attributes))
        return self.groups, self.cut


def memberships(server: Server, attribute: str = "member", base: str | None = BASE) -> Memberships:
    settings = Directory(
        kind="ldap",
        servers=("ldaps://one.example",),
        service_account=Account(dn="cn=a,dc=x", password_file=Path("/etc/loginward/bind.secret")),
        users=Users(base_dn="dc=x"),
        groups=Groups(base_dn=base, member_attribute=attribute),
    )
    return Memberships(settings, server)


@pytest.mark.parametrize(
    ("attribute", "member", "spelt"),
    [
        pytest.param("member", ANN.dn, "UID=ann,OU=people,DC=x", id="a-dn-in-any-case"),
        pytest.param("memberUid", "Ann", "Ann", id="a-name"),
    ],
)
def test_one_and_everybody_are_asked_for_the_same(attribute, member, spelt):
    server = Server(group("staff", attribute, spelt), group("vpn", attribute, "other", spelt))
    read = memberships(server, attribute)
    assert read.of(ANN, None) == {"staff", "vpn"}
    groups, is_cut = read.of_all(None)
    assert groups[read.key(ANN)] == {"staff", "vpn"}
    assert not is_cut
    assert server.asked == [
        (BASE, equals(attribute, member), ("cn",)),
        (BASE, present(attribute), ("cn", attribute)),
    ]


def test_a_list_that_was_cut_is_said_to_be():
    server = Server(group("staff", "member", ANN.dn), cut="the server's size limit")
    assert memberships(server).of_all(None) == ({ANN.dn.lower(): {"staff"}}, True)


def test_without_a_base_nobody_is_in_any_and_nothing_is_asked():
    server = Server()
    assert memberships(server, base=None).of(ANN, None) == frozenset()
    assert memberships(server, base=None).of_all(None) == ({}, False)
    assert server.asked == []
