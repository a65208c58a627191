"""`why` at the doors: what is asked there, and what that door makes of the answer."""

from __future__ import annotations

import pytest

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Door, LoginRequest, Peer, Phase, Purpose
from loginward.core.secret import Secret
from loginward.doors.login.port import AskTurn
from loginward.doors.radius.port import ResultTurn as Turn
from loginward.doors.radius.verdicts import answer_to
from loginward.wire.admin.requests import AskReference, AskWhy
from loginward.wire.admin.rows import FailedRow, Problem
from tests.doubles.waiting import eventually
from tests.runtime.people import RIGHT, person

CHANGES = "expiry: {when_expired: change}"


def doors(folder, *clients, policy=CHANGES, more="", eap=True):
    """Return a configuration with these RADIUS clients, each as "name: methods; more"."""
    secret = folder / "radius.secret"
    secret.write_text("a-shared-secret-of-32-octets-000")
    secret.chmod(0o600)
    for name in ("cert.pem", "key.pem", "ca.pem"):
        (folder / name).write_text("")
        (folder / name).chmod(0o600)
    files = f"cert_file: {folder}/cert.pem, key_file: {folder}/key.pem, ca_file: {folder}/ca.pem"
    listed = ", ".join(
        f"{{addresses: [192.0.2.{at}/32], secret_file: {secret}, {client}}}"
        for at, client in enumerate(clients)
    )
    eap_section = f"eap: {{{files}}}, " if eap else ""
    return (
        f"policy: {{{policy}}}\n"
        f"doors: {{{more}radius: {{{eap_section}when_unavailable: silent, clients: [{listed}]}}}}\n"
    )


VPN = "name: vpn, methods: [pap]"
WIFI = "name: wifi, methods: [eap-ttls-pap, eap-tls], groups: [staff]"
ALL = "name: all"


@pytest.fixture
def at(hosts, tmp_path):
    """Return a maker of hosts with RADIUS clients; each answers `why` at a door."""

    def make(*clients, **more):
        host = hosts(doors(tmp_path, *clients, **more))

        def why(name, door=Door.RADIUS, service=""):
            return host.admin.why(AskWhy(name=name, door=door, service=service))

        return host, why

    return make


@pytest.mark.parametrize("state", ["temporary", "expired"])
def test_a_change_is_challenged_only_by_a_method_that_can_ask(at, state):
    """R40, R26: VPN by PAP asks for the new password, Wi-Fi by TTLS/PAP cannot."""
    host, why = at(VPN, WIFI, ALL)
    host.people(person("ann", state, groups=["staff"]))
    vpn, wifi, both = (
        why("ann", service="vpn"),
        why("ann", service="wifi"),
        why("ann", service="all"),
    )
    assert (vpn.verdict, vpn.radius, vpn.notes) == (Verdict.CHANGE, "Access-Challenge", ())
    assert (wifi.verdict, wifi.radius) == (Verdict.REFUSE, "Access-Reject")
    assert wifi.reason is vpn.reason
    (note,) = wifi.notes
    assert "no new password can be asked for" in note
    assert (both.verdict, both.radius) == (Verdict.CHANGE, "Access-Challenge")
    (note,) = both.notes
    assert "by eap-ttls-pap" in note


def test_expired_under_deny_is_rejected_and_no_door_is_blamed(at):
    host, why = at(VPN, policy="expiry: {when_expired: deny}")
    host.people(person("ann", "expired"))
    row = why("ann")
    assert (row.reason, row.radius, row.notes) == (Reason.PASSWORD_EXPIRED, "Access-Reject", ())


def test_a_pending_password_refuses_no_certificate_only_where_certificates_are_taken(at):
    host, why = at(VPN, WIFI)
    host.people(person("ann", "temporary", groups=["staff"]))
    assert why("ann", service="vpn").radius_certificate == ""
    assert why("ann", service="wifi").radius_certificate == "Access-Reject"
    host.people(person("bob", groups=["staff"]))
    row = why("bob", service="wifi")
    assert (row.radius, row.radius_certificate) == ("Access-Accept", "Access-Accept")
    assert (row.pam_authn, row.pam_acct) == ("", "")


def test_the_groups_of_a_client_govern_and_those_of_pam_do_not(at):
    """security.md 20, and the way out names the client's groups."""
    allow = "login: {allow: [{services: [sshd], groups: [guests]}]}, "
    host, why = at(VPN, WIFI, more=allow)
    host.people(person("ann", groups=["guests"]))
    assert why("ann", service="vpn").reason is Reason.OK
    row = why("ann", service="wifi")
    assert (row.reason, row.radius) == (Reason.NOT_PERMITTED, "Access-Reject")
    assert "doors.radius.clients" in row.setting
    assert "doors.radius.clients" in row.clears[0]
    assert why("ann", Door.LOGIN, "imap").setting == "doors.login.allow"


def test_a_resource_keeps_the_locked_at_its_client_and_nowhere_else(at):
    """R53: the client's name is no PAM service."""
    keeps = "resources: [{name: net, services: [imap], clients: [vpn], keep_while: [locked]}]"
    host, why = at(VPN, ALL, policy=keeps)
    host.people(person("ann", "locked"))
    row = why("ann", service="vpn")
    assert (row.radius, row.allowed_by) == ("Access-Accept", "keep_while:net")
    assert why("ann", service="all").reason is Reason.ACCOUNT_LOCKED
    assert why("ann", Door.LOGIN, "vpn").reason is Reason.ACCOUNT_LOCKED


def test_why_names_the_clients_where_it_is_not_said_which(at):
    _, why = at(VPN, ALL)
    for service in ("", "wlan"):
        row = why("ann", service=service)
        assert isinstance(row, FailedRow)
        assert row.problem is Problem.USAGE
        assert row.hint == "there are: vpn, all"


def test_why_says_that_there_is_no_radius_door(host):
    row = host.admin.why(AskWhy(name="ann", door=Door.RADIUS))
    assert (row.problem, row.why) == (
        Problem.USAGE,
        "there is no RADIUS door: doors.radius is null",
    )


@pytest.mark.parametrize("state", ["active", "temporary", "locked", "suspended"])
def test_what_why_says_of_radius_is_what_a_login_there_meets(at, state):
    """The law behind the door decides the same, and the door's own table answers so."""
    host, why = at(VPN, WIFI)
    host.people(person("ann", state, groups=["staff"]))
    for client in ("vpn", "wifi"):
        foretold = why("ann", service=client)
        turn = at_radius(host, "ann", client, inline_change=client == "vpn")
        if isinstance(turn, AskTurn):
            assert (turn.purpose, foretold.radius) == (Purpose.NEW, "Access-Challenge")
        else:
            told = host.event(turn)
            assert (foretold.verdict, foretold.reason) == (told.verdict, told.reason)
            answer = answer_to(Turn(verdict=told.verdict, reason=told.reason), "silent")
            assert foretold.radius == f"Access-{answer.value.title()}"


def at_radius(host, name, client, **more):
    """Type the right password at a client; return the end, or the question that follows."""
    peer = Peer(uid=0, real_uid=0, named=True)
    request = LoginRequest(
        door=Door.RADIUS, phase=Phase.AUTHN, name=name, service=client, peer=peer, **more
    )
    turn, talk = host.service.begin(request)
    return talk.answer(Secret(RIGHT)) if isinstance(turn, AskTurn) else turn


def test_the_gate_changes_passwords_and_says_that_it_is_of_a_mac(host, monkeypatch):
    host.people(person("ann", "temporary"))
    ask = AskWhy(name="ann", door=Door.GATE)
    row = host.admin.why(ask)
    assert (row.door, row.service) == (Door.GATE, "loginwindow")
    assert (row.verdict, row.reason) == (Verdict.CHANGE, Reason.CHANGE_REQUIRED)
    assert (row.pam_authn, row.radius) == ("", "")
    assert "login window of a Mac" in row.notes[0]
    monkeypatch.setattr("sys.platform", "darwin")
    assert host.admin.why(ask).notes == ()


def test_offline_nobody_is_foretold_to_get_in_by_a_door_that_keeps_no_verifiers(site):
    """R24: `policy.offline.verifiers` is [login] here, and bob never signed in at all."""
    assert site.ask("ann", RIGHT).reason is Reason.OK
    eventually(lambda: site.account("ann").can_sign_in_offline, "no verifier was made")
    assert site.why("bob").reason is Reason.OK  # now there is a copy of bob too
    site.paper.down = True
    assert site.why("ann").reason is Reason.OK
    for row in (site.admin.why(AskWhy(name="ann", door=Door.GATE)), site.why("bob")):
        assert row.reason is Reason.DIRECTORY_UNAVAILABLE
        assert any("nothing is kept here" in note for note in row.notes)
    assert site.event(site.ask("bob", RIGHT)).reason is Reason.DIRECTORY_UNAVAILABLE


def test_a_refusal_at_a_client_is_explained_by_its_reference_as_that_clients(at):
    """R50: the rule is the client's, and whether it still stands is judged there, not at PAM."""
    host, why = at(VPN, WIFI)
    host.people(person("ann", groups=["guests"]))
    foretold = why("ann", service="wifi")
    refused = host.event(at_radius(host, "ann", "wifi"))
    assert refused.reason is Reason.NOT_PERMITTED
    row = host.admin.why_reference(AskReference(reference=refused.reference))
    assert (row.door, row.service, row.pam_authn) == (Door.RADIUS, "wifi", "")
    assert (row.reason, row.setting) == (Reason.NOT_PERMITTED, foretold.setting)
