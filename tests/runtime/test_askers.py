"""Who asks, at which kind of service, and what the site's rules make of it."""

from __future__ import annotations

import getpass
from dataclasses import replace

import pytest

from loginward.core.policy import ServiceKind
from loginward.core.reasons import Reason
from loginward.runtime.access import peers_of, uid_of
from loginward.runtime.askers import keeps_locked, names_service, service_kind
from loginward.settings.policy import Resource
from loginward.settings.radius import Client, Radius
from tests.runtime.people import NEXT, RIGHT, WRONG, person


@pytest.mark.parametrize(
    ("service", "kind"),
    [
        ("sshd", ServiceKind.CONVERSES),
        ("gdm-password", ServiceKind.CONVERSES),
        ("sudo", ServiceKind.CONVERSES),
        ("sudoers", ServiceKind.AUTHENTICATES),
        ("imap", ServiceKind.AUTHENTICATES),
        ("cron", ServiceKind.NON_INTERACTIVE),
        ("systemd-user", ServiceKind.SESSION_MANAGER),
    ],
)
def test_a_service_is_of_the_kind_that_the_site_says(host, service, kind):
    """security.md 8 and 18: names are exact, a family only where its pattern says so."""
    assert service_kind(host.settings, service) is kind


def test_patterns_name_families_only_by_their_star():
    assert names_service(["gdm*"], "gdm-smartcard")
    assert not names_service(["su"], "sudo")
    assert not names_service([], "su")


def test_a_radius_client_keeps_the_locked_only_where_a_resource_says_so(host):
    """R53: a PAM service of the same name is another thing."""
    resources = (
        Resource(name="net", clients=("wifi",), keep_while=("locked", "expired")),
        Resource(name="old", clients=("vpn",), keep_while=("expired",)),
        Resource(name="mail", services=("imap",), keep_while=("locked",)),
    )
    clients = (
        Client(name=name, addresses=(f"10.{n}.0.0/16",), secret_file="/s", methods=("pap",))
        for n, name in enumerate(("wifi", "vpn", "x"))
    )
    settings = replace(
        host.settings,
        policy=replace(host.settings.policy, resources=resources),
        doors=replace(host.settings.doors, radius=Radius(clients=tuple(clients))),
    )
    kept = {client: keeps_locked(settings, client) for client in ("wifi", "vpn", "imap", "x")}
    assert kept == {"wifi": True, "vpn": False, "imap": False, "x": False}


def test_a_scope_lets_its_groups_alone_use_a_service(hosts):
    """security.md 20: others are not-permitted, and told so only once proven or at a seat."""
    host = hosts("doors: {login: {allow: [{services: [sshd], groups: [staff]}]}}")
    host.people(person("ann", groups=["staff"]), person("bob", groups=["guests"]))
    assert host.ask("ann", RIGHT).reason is Reason.OK
    assert host.event(host.ask("bob", RIGHT)).reason is Reason.NOT_PERMITTED
    assert host.event(host.ask("ann", RIGHT, service="imap")).reason is Reason.NOT_PERMITTED
    assert host.acct("bob").reason is Reason.NOT_PERMITTED
    assert host.failures("bob") == 0


def test_a_change_is_opened_only_where_the_account_phase_follows(host):
    """security.md 8: elsewhere a temporary password is refused with the way out."""
    host.people(person("ann", "temporary"))
    turn = host.ask("ann", RIGHT, service="imap")
    assert (turn.verdict.value, turn.reason) == ("refuse", Reason.CHANGE_REQUIRED)
    assert "Sign in where you can type a new one" in turn.infos[0].text


def test_a_resource_keeps_the_locked_and_counts_apart(hosts):
    """R53, security.md 6: a tally of its own; full, it closes; it clears nothing elsewhere."""
    host = hosts(
        "policy: {resources: [{name: mail, services: [imap], keep_while: [locked]}],"
        " lockout: {duration_s: null}}"
    )
    host.people(person("ann", "locked"))
    turn = host.ask("ann", RIGHT, service="imap")
    assert turn.reason is Reason.OK
    assert host.event(turn).allowed_by == "keep_while:mail"
    assert host.event(host.ask("ann", RIGHT)).reason is Reason.ACCOUNT_LOCKED
    host.guess("ann", 5, service="imap")
    assert host.ask("ann", RIGHT, service="imap").verdict.value == "refuse"


def test_named_peers_are_read_by_uid_and_unknown_users_left_out(hosts):
    me = getpass.getuser()
    user = "nobody" if me == "root" else me
    host = hosts(
        f"doors: {{login: {{peers: [{{user: {user}, services: [imap]}},"
        " {user: no-such-user-here, services: [imap]}]}}"
    )
    assert dict(peers_of(host.settings)) == {uid_of(user): ("imap",)}


def test_a_new_password_is_told_what_is_wrong_with_it(host):
    """The rule that refuses is named, and the question asked again."""
    from loginward.core.requests import Phase, Purpose

    host.people(person("ann"))
    asked = host.ask("ann", RIGHT, b"short", b"short", phase=Phase.CHAUTHTOK_UPDATE)
    assert asked.purpose in {Purpose.NEW, Purpose.NEW_AGAIN}
    assert "12" in asked.infos[0].text
    done = host.ask("ann", RIGHT, NEXT, NEXT, phase=Phase.CHAUTHTOK_UPDATE)
    assert done.verdict.value == "allow"


def test_who_hears_what_is_the_sites_choice(hosts):
    """Q5: `reveal: never` hides even at the seat, `always` tells even from elsewhere."""
    never, always = hosts("policy: {reveal: never}", "n"), hosts("policy: {reveal: always}", "a")
    for host in (never, always):
        host.people(person("ann", "suspended"))
    seat = never.ask("ann", WRONG, service="login", tty="tty1")
    assert seat.reason is Reason.WRONG_CREDENTIALS
    there = always.ask("ann", WRONG, rhost="203.0.113.7")
    assert there.reason is Reason.USER_SUSPENDED


def test_a_due_date_is_told_in_words(hosts, hands):
    """R28: the warning says when, and how long that is."""
    host = hosts("policy: {expiry: {max_age_d: 90}}")
    host.people(person("ann", password_date="2026-03-08T09:00:00Z"))
    turn = host.ask("ann", RIGHT)
    assert turn.reason is Reason.OK
    assert "in 4 days" in turn.infos[0].text
