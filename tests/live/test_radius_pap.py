"""PAP over UDP against the running agent before a real OpenLDAP: one law, told by Reply-Message."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from loginward.wire.radius.attributes import Attribute
from loginward.wire.radius.packet import Code
from tests.doubles.nas import SECRET, said
from tests.live import people
from tests.live.radius_site import RadiusSite, radius_site

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("radius")]

RIGHT = people.PASSWORD.encode()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RadiusSite]:
    with radius_site(tmp_path_factory.mktemp("radius")) as made:
        yield made


def test_the_right_password_is_accepted_with_a_class_of_ours(site):
    with site.nas() as nas:
        reply = nas.login("active", RIGHT)
    assert reply.code is Code.ACCESS_ACCEPT
    assert reply.attributes[0][0] == Attribute.MESSAGE_AUTHENTICATOR
    assert reply.first(Attribute.CLASS)


@pytest.mark.parametrize(
    "name", ["lockperm", "ended", "notyet", "expired", "explock", "pending", "stranger"]
)
def test_whoever_is_not_let_in_at_pam_is_rejected_here(site, name):
    with site.nas() as nas:
        assert nas.login(name, RIGHT).code is Code.ACCESS_REJECT


def test_a_locked_account_costs_no_bind_and_says_no_more_than_a_reference(site):
    before = site.slapd.bound("lockperm")
    with site.nas() as nas:
        reply = nas.login("lockperm", RIGHT)
    assert said(reply).startswith("You cannot sign in.")
    assert site.slapd.bound("lockperm") == before


def test_a_temporary_password_is_changed_inside_the_login(site):
    """New password, the same again, then the door opens; the State serves once."""
    new = b"an entirely new one 7"
    with site.nas() as nas:
        asked = nas.login("mustchange", RIGHT)
        assert (asked.code, said(asked)) == (Code.ACCESS_CHALLENGE, "New password:")
        first = asked.first(Attribute.STATE)
        again = nas.login("mustchange", new, state=first)
        assert again.code is Code.ACCESS_CHALLENGE
        opened = nas.login("mustchange", new, state=again.first(Attribute.STATE))
        assert opened.code is Code.ACCESS_ACCEPT
        assert nas.login("mustchange", new, state=first).code is Code.ACCESS_REJECT
        assert nas.login("mustchange", new).code is Code.ACCESS_ACCEPT


def test_radclient_itself_is_accepted(site):
    """The peer of the field believes our signatures."""
    asked = f'User-Name="active",User-Password="{people.PASSWORD}",Message-Authenticator=0x00\n'
    done = subprocess.run(
        ["radclient", "-x", "-r", "1", f"127.0.0.1:{site.auth}", "auth", SECRET.decode()],
        input=asked, capture_output=True, text=True, check=False, timeout=10,
    )  # fmt: skip
    assert "Received Access-Accept" in done.stdout, done.stdout + done.stderr


def test_a_retransmission_costs_no_second_failure_and_hears_the_same_octets(site):
    wrong = b"not the password"
    with site.nas() as nas:
        request = nas.request("nochanged", wrong)
        before = site.slapd.failures("nochanged")
        replies = {nas.exchange(request).raw for _ in range(10)}
    assert len(replies) == 1
    assert site.slapd.failures("nochanged") == before + 1
