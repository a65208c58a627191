"""The process of the tunnels killed, its files changed, its table full: who is right still gets in."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator

import pytest

from loginward.wire.radius.packet import Code, decode
from tests.doubles.eap_peer import PEAP, TLS, TTLS
from tests.doubles.waiting import eventually
from tests.live import people
from tests.live.certificates import Authority
from tests.live.eap_site import SERVES, EapSite, eap_site

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("eap-faults")]

ACCEPT, REJECT, CHALLENGE = Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE
RIGHT, NEW = people.PASSWORD.encode(), b"an entirely new one 7"
PAP = {"type": TTLS, "names": (b"active",), "password": RIGHT}
BACK_S = 2.0  # after which a login works again
ROUNDS = 6  # of EAP-TTLS/PAP: its name, the handshake, the password


@pytest.fixture(scope="module")
def running() -> Iterator[EapSite]:
    with eap_site() as made:
        yield made


@pytest.fixture
def site(running: EapSite) -> Iterator[EapSite]:
    """Return the site with the certificate that it began with."""
    yield running
    running.papers.install(running.papers.authority)
    running.reload()


def await_login(site: EapSite) -> float:
    """Return how long it takes until somebody gets in; nobody with a wrong password does."""
    began = time.monotonic()
    while site.enter("eap-ttls-pap", **PAP) is not ACCEPT:
        assert time.monotonic() - began < 10, site.agent.log.read_text()[-2000:]
        time.sleep(0.05)
    return time.monotonic() - began


class TestKilled:
    @pytest.mark.parametrize("after", [1, 3, ROUNDS - 2])
    def test_in_the_middle_of_a_session_it_ends_in_a_reject_and_the_next_one_works(
        self, site, after
    ):
        with (session := site.login("eap-ttls-pap", **PAP)).nas:
            for _ in range(after):
                assert session.step().code is CHALLENGE
            before = site.tunnels()
            os.kill(before, signal.SIGKILL)
            assert session.step().code is REJECT
        assert await_login(site) < BACK_S
        assert site.tunnels() != before

    def test_while_nothing_is_under_way(self, site):
        os.kill(site.tunnels(), signal.SIGKILL)
        assert await_login(site) < BACK_S

    def test_a_password_that_the_law_judges_meanwhile_lets_nobody_in(self, site):
        """The verdict finds nobody to tell it to; the directory was asked once."""
        bound = site.slapd.bound("active")
        with (session := site.login("eap-ttls-pap", **PAP)).nas:
            while not session.peer.spoke:
                session.step()
            site.slapd.stall()
            try:
                session.send()
                time.sleep(0.1)  # nothing announces that the law has been asked
                os.kill(site.tunnels(), signal.SIGKILL)
            finally:
                site.slapd.go_on()
            assert session.take(session.nas.sock.recv(4096)).code is REJECT
        assert site.slapd.bound("active") <= bound + 1
        assert await_login(site) < BACK_S


class TestReload:
    def test_who_is_under_way_ends_well_and_who_begins_sees_the_new_certificate(
        self, site, tmp_path
    ):
        other = Authority(tmp_path, "another authority of servers")
        sessions = [site.login("eap-ttls-pap", **PAP) for _ in range(1, ROUNDS - 1)]
        for steps, session in enumerate(sessions, 1):
            for _ in range(steps):
                assert session.step().code is CHALLENGE
        with (answered := site.login("eap-ttls-pap", **PAP)).nas:
            assert answered.finish() is ACCEPT
            before = site.tunnels()
            site.papers.install(other)
            assert " reloaded: " in site.reload()
            assert [session.finish() for session in sessions] == [ACCEPT] * len(sessions)
            answered.nas.sock.send(answered.request)
            assert answered.nas.sock.recv(4096) == answered.reply.raw, "duplicates survive"
        assert site.tunnels() == before
        assert site.enter("eap-ttls-pap", ca_file=other.ca_file, **PAP) is ACCEPT
        assert site.enter("eap-ttls-pap", **PAP) is REJECT, "it trusts another authority"
        for session in sessions:
            session.nas.sock.close()

    def test_a_question_survives_it(self, site, tmp_path):
        peer = {"type": PEAP, "inner": "gtc", "names": (b"mustchange",)}
        with (session := site.login("peap-gtc", **peer, typed=(RIGHT, NEW, NEW))).nas:
            while len(session.peer.asked) < 2:
                session.step()
            site.papers.install(Authority(tmp_path, "another authority of servers"))
            site.reload()
            assert session.finish() is ACCEPT
        assert site.slapd.accepts("mustchange", NEW.decode())

    def test_a_certificate_revoked_by_a_new_list_counts_at_once_without_a_reload(self, site):
        pair = site.papers.person("active")
        how = {"type": TLS, "cert_file": pair.cert_file, "key_file": pair.key_file}
        assert site.enter("eap-tls", **how) is ACCEPT
        revoked, site.papers.revoked = site.papers.revoked, pair
        site.papers.revoke()
        assert site.enter("eap-tls", **how) is REJECT
        site.papers.revoked = revoked
        site.papers.revoke()
        assert site.enter("eap-tls", **how) is ACCEPT

    def test_a_key_that_cannot_be_used_refuses_it_and_changes_nothing(self, site):
        (site.papers.folder / "server.key").write_text("no key\n")
        said = site.reload()
        assert "the running configuration stays" in said
        assert "doors.radius.eap.key_file" in said
        assert site.enter("eap-ttls-pap", **PAP) is ACCEPT

    def test_a_key_that_cannot_be_read_leaves_the_certificates_as_they_were(self, site, tmp_path):
        """As of a daemon that was root once: the rest of the file is taken."""
        site.papers.install(Authority(tmp_path, "another authority of servers"))
        shutil.chown(site.papers.folder / "server.key", "root")
        said = site.reload()
        assert "only root may read their key" in said
        assert " reloaded: " in said
        assert site.enter("eap-ttls-pap", **PAP) is ACCEPT

    def test_a_process_that_finds_its_key_unreadable_lets_nobody_in_until_a_reload_mends_it(
        self, site
    ):
        key = site.papers.folder / "server.key"
        shutil.chown(key, "root")
        os.kill(site.tunnels(), signal.SIGKILL)
        eventually(
            lambda: "EAP cannot be used: doors.radius.eap.key_file" in site.agent.log.read_text(),
            lambda: site.agent.log.read_text()[-2000:],
        )
        with (session := site.login("eap-ttls-pap", **PAP)).nas:
            session.nas.sock.settimeout(0.3)
            with pytest.raises(TimeoutError):
                session.step()
        shutil.chown(key, SERVES)
        assert " reloaded: " in site.reload()
        assert await_login(site) < BACK_S


def test_a_rejected_request_that_is_sent_again_hears_the_same(site):
    with (session := site.login("eap-ttls-pap", **(PAP | {"password": b"wrong 1"}))).nas:
        assert session.finish() is REJECT
        assert session.reply is not None
        for _ in range(3):
            session.nas.sock.send(session.request)
            assert decode(session.nas.sock.recv(4096)).raw == session.reply.raw
    assert site.slapd.failures("active") == 1
    assert site.enter("eap-ttls-pap", **PAP) is ACCEPT
