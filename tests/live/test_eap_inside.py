"""What is said inside a tunnel, to the running agent: passwords changed, names changed, nothing resumed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loginward.wire.radius.packet import Code
from tests.doubles.eap_peer import PEAP, TLS, TTLS
from tests.live import people
from tests.live.eap_site import EapSite, eap_site
from tests.live.slapd import now

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("eap-inside")]

ACCEPT, REJECT = Code.ACCESS_ACCEPT, Code.ACCESS_REJECT
RIGHT, NEW = people.PASSWORD.encode(), b"an entirely new one 7"
GTC = {
    "eap-ttls-gtc": {"type": TTLS, "inner": "gtc"},
    "peap-gtc": {"type": PEAP, "inner": "gtc"},
}
METHODS = GTC | {"eap-ttls-pap": {"type": TTLS, "inner": "pap"}}
versions = pytest.mark.parametrize("tls", ["1.2", "1.3"])
asking = pytest.mark.parametrize("method", GTC)


def uid(what: str, method: str, tls: str) -> str:
    return f"{what}-{method}-{tls}".replace(".", "")


def crowd() -> Iterator[people.Person]:
    known = {person.uid: person for person in people.matrix(now())}
    for method in METHODS:
        for tls in ("1.2", "1.3"):
            for what, like in (("new", "mustchange"), ("old", "grace"), ("again", "active")):
                yield people.Person(uid(what, method, tls), known[like].lines)
    for name in ("clumsy", "stubborn", "gone", "wrong"):
        yield people.Person(name, known["mustchange"].lines)
    for name in ("active", "other"):
        yield people.Person(name, known["active"].lines)


@pytest.fixture(scope="module")
def site() -> Iterator[EapSite]:
    with eap_site(tuple(crowd()), when_expired="change") as made:
        yield made


def asked(session) -> list[str]:
    return [octets.decode() for octets in session.peer.asked if not octets.startswith(b"result ")]


def reasons(site: EapSite, name: str) -> list[str]:
    return [row.reason for row in site.agent.trail(name) if row.event == "decision"]


@versions
@asking
@pytest.mark.parametrize("what", ["new", "old"])
def test_a_password_that_is_temporary_or_expired_is_changed_inside(site, method, tls, what):
    """New password, the same again, the directory's change, then the door opens."""
    name = uid(what, method, tls)
    session = site.login(
        method, **GTC[method], tls=tls, names=(name.encode(),), typed=(RIGHT, NEW, NEW)
    )
    with session.nas:
        assert session.finish() is ACCEPT
    assert len(asked(session)) == 3
    assert asked(session)[0] == "Password: "
    assert "New password:" in asked(session)[1]
    assert site.slapd.accepts(name, NEW.decode())
    assert not site.slapd.accepts(name, people.PASSWORD)
    assert reasons(site, name)[-1] == "ok"
    assert (
        site.enter(method, **GTC[method], tls=tls, names=(name.encode(),), password=NEW) is ACCEPT
    )


@versions
def test_where_nothing_can_be_asked_the_password_stays_and_nobody_gets_in(site, tls):
    name = uid("new", "eap-ttls-pap", tls)
    assert site.enter("eap-ttls-pap", tls=tls, names=(name.encode(),), password=RIGHT) is REJECT
    assert reasons(site, name) == ["change-required"]
    assert site.slapd.accepts(name, people.PASSWORD)


def test_two_that_differ_are_asked_for_again(site):
    session = site.login(
        "peap-gtc", **GTC["peap-gtc"], names=(b"clumsy",),
        typed=(RIGHT, NEW, b"another one entirely 8", NEW, NEW),
    )  # fmt: skip
    with session.nas:
        assert session.finish() is ACCEPT
    assert len(asked(session)) == 5
    assert site.slapd.accepts("clumsy", NEW.decode())


@asking
def test_three_that_are_refused_end_it_and_change_nothing(site, method):
    session = site.login(method, **GTC[method], names=(b"stubborn",), password=RIGHT)
    with session.nas:
        assert session.finish() is REJECT
    assert site.slapd.accepts("stubborn", people.PASSWORD)
    assert "ok" not in reasons(site, "stubborn")


@asking
def test_a_wrong_password_is_asked_for_no_new_one(site, method):
    session = site.login(
        method, **GTC[method], names=(b"wrong",), typed=(b"a wrong horse 9", NEW, NEW)
    )
    with session.nas:
        assert session.finish() is REJECT
    assert len(asked(session)) == 1
    assert not site.slapd.accepts("wrong", NEW.decode())


@asking
def test_who_goes_away_in_the_middle_changes_nothing(site, method):
    session = site.login(method, **GTC[method], names=(b"gone",), typed=(RIGHT, NEW))
    with session.nas:
        while len(asked(session)) < 3:
            session.step()
    assert site.slapd.accepts("gone", people.PASSWORD)


@versions
@pytest.mark.parametrize("method", METHODS)
def test_a_name_that_changes_inside_is_a_reject_and_costs_neither(site, method, tls):
    before = [(site.slapd.bound(name), reasons(site, name)) for name in ("active", "other")]
    end = site.enter(
        method, **METHODS[method], tls=tls, names=(b"active", b"other"), password=RIGHT
    )
    assert end is REJECT
    after = [(site.slapd.bound(name), reasons(site, name)) for name in ("active", "other")]
    assert after == before


@versions
@pytest.mark.parametrize("method", METHODS)
def test_a_session_that_a_device_takes_up_again_proves_nothing(site, method, tls):
    """RFC 9427 3.1: the law is asked about the second login as about the first."""
    name = uid("again", method, tls)
    how = dict(METHODS[method], tls=tls, names=(name.encode(),))
    with (first := site.login(method, **how, password=RIGHT)).nas:
        assert first.finish() is ACCEPT
    with (again := site.login(method, **how, password=b"wrong", earlier=first.peer)).nas:
        assert again.finish() is REJECT
    assert not again.peer.resumed
    assert reasons(site, name) == ["ok", "wrong-credentials"]


@versions
@pytest.mark.parametrize("client", ["eap-ttls-pap", "eap-ttls-gtc"])
def test_who_says_nothing_inside_is_never_let_in(site, client, tls):
    how = {**METHODS[client], "tls": tls, "names": (b"active",)}
    with (first := site.login(client, **how, password=RIGHT)).nas:
        assert first.finish() is ACCEPT
    seen = len(reasons(site, "active"))
    with (mute := site.login(client, **(how | {"inner": "nothing"}), earlier=first.peer)).nas:
        while mute.next is not None:
            assert mute.step().code is not ACCEPT
    assert len(reasons(site, "active")) == seen


@versions
def test_a_certificate_is_asked_for_again(site, tls):
    """RFC 9190 2.1.2."""
    pair = site.papers.person("active")
    how = {"type": TLS, "tls": tls, "cert_file": pair.cert_file, "key_file": pair.key_file}
    with (first := site.login("eap-tls", **how)).nas:
        assert first.finish() is ACCEPT
    seen = len(reasons(site, "active"))
    with (again := site.login("eap-tls", **how, earlier=first.peer)).nas:
        assert again.finish() is ACCEPT
    assert not again.peer.resumed
    assert reasons(site, "active")[seen:] == ["ok"]
