"""Attempts at the desk: what is not reserved before is counted after, and what cannot be counted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loginward.core.attempts import Granted, Outcome
from loginward.core.changes import Changed
from loginward.core.clock import Deadline
from loginward.core.evidence import Proof, Proven, Wrong
from loginward.core.facts import LockoutPolicy
from loginward.core.reasons import Reason
from loginward.core.requests import Peer, Phase
from loginward.directory.embedded.directory import EmbeddedDirectory
from loginward.errors import StoreFault
from loginward.runtime import agent
from loginward.runtime.flights import Flights
from loginward.store.attempts import DurableAttempts
from tests.runtime.paper import CONFIG, PaperDirectory
from tests.runtime.people import NEXT, RIGHT, WRONG, person

FIVE = LockoutPolicy(threshold=5, window_s=900, duration_s=1800)


@pytest.fixture
def proven(host, monkeypatch):
    """Somebody whose last proven password the directory takes no longer, at the same change time."""
    host.people(person("ann"))
    assert host.ask("ann", RIGHT).reason is Reason.OK
    monkeypatch.setattr(EmbeddedDirectory, "check", lambda *_: Wrong(said="embedded hash"))
    return host


def in_flight(host, count):
    embedded = host.parts.embedded
    ann = embedded.find("ann", Deadline.after(10, host.parts.clock))
    taken = [embedded.reserve(ann, "sshd 203.0.113.7", FIVE) for _ in range(count)]
    assert all(isinstance(one, Granted) for one in taken)
    return ann, taken


def test_a_last_proven_match_that_fails_counts(proven):
    """security.md 7: it was not reserved before, so it is counted after."""
    assert proven.ask("ann", RIGHT).reason is Reason.WRONG_CREDENTIALS
    assert proven.failures("ann") == 1


def test_it_counts_beside_as_many_in_flight_as_are_left(proven):
    """security.md 7: the check has been made, whatever is in flight; the fifth failure locks."""
    ann, taken = in_flight(proven, 5)
    assert proven.ask("ann", RIGHT).reason is Reason.WRONG_CREDENTIALS
    assert proven.failures("ann") == 1
    embedded = proven.parts.embedded
    locks = [embedded.settle(ann, one.reservation, Outcome.WRONG) for one in taken]
    assert [lock is not None for lock in locks] == [False, False, False, True, False]


def test_the_next_one_has_to_be_reserved(proven, monkeypatch):
    """Nothing is known any more to be the password."""
    monkeypatch.setattr(Flights, "wait_for_end", lambda *_: False)
    proven.ask("ann", RIGHT)
    in_flight(proven, 4)
    refused = proven.ask("ann", NEXT)
    assert proven.event(refused).reason is Reason.DIRECTORY_UNAVAILABLE
    assert proven.failures("ann") == 1


def test_what_cannot_be_counted_is_refused_at_once(host, monkeypatch):
    """A tally that cannot be believed closes the path; nobody waits for attempts in flight."""
    host.people(person("nobody"))
    waited = []
    monkeypatch.setattr(Flights, "wait_for_end", lambda *_: waited.append(1))

    def broken(*arguments, **more):
        raise StoreFault("store.db: a row was moved", "loginward doctor")

    monkeypatch.setattr(DurableAttempts, "reserve", broken)
    own = {"peer": Peer(uid=65534, real_uid=65534), "service": "screensaver"}
    refused = host.ask("nobody", RIGHT, **own)
    assert host.event(refused).reason is Reason.DIRECTORY_UNAVAILABLE
    assert waited == []


class Grace(PaperDirectory):
    """A directory that spends a grace login at each good bind, while somebody's are left."""

    left = 3

    def check(self, account, password, deadline):
        checked = super().check(account, password, deadline)
        if isinstance(checked, Wrong) or not self.left:
            return checked
        self.left -= 1
        return Proven(proof=Proof.BIND, expired=True, grace_left=self.left)

    def change(self, account, old, new, deadline):
        return Changed()


@pytest.fixture
def late(hosts, monkeypatch):
    """A host that changes expired passwords inside the login, and a transaction that began one."""
    papers = []

    def opened(settings, secrets, clock, admin):
        papers.append(Grace(clock))
        return papers[0]

    monkeypatch.setattr(agent, "AdministeredDirectory", opened)
    site = hosts(CONFIG + "policy: {expiry: {when_expired: change}}\n")
    site.paper = papers[0]
    settled = site.parts.clock.now() - timedelta(days=1)
    for name in ("ann", "bob"):
        site.paper.put(name, RIGHT, changed_at=settled)
    return site


def begun(site, name="ann"):
    """Prove a password in the authenticate; return the transaction."""
    turn = site.ask(name, RIGHT)
    assert turn.transaction
    return turn.transaction


def prelim(site, transaction, password=RIGHT, name="ann", **more):
    return site.ask(name, password, phase=Phase.CHAUTHTOK_PRELIM, transaction=transaction, **more)


def test_the_phases_of_one_change_in_grace_cost_one_bind(late):
    """R18, R26: the proof of the authenticate serves both phases of the change."""
    checked = prelim(late, begun(late))
    done = late.ask(
        "ann",
        *(RIGHT, NEXT, NEXT),
        phase=Phase.CHAUTHTOK_UPDATE,
        transaction=checked.transaction,
    )
    assert (checked.reason, done.reason) == (Reason.OK, Reason.OK)
    assert late.paper.binds == 1


def test_outside_of_grace_each_phase_proves_the_old_password_itself(late):
    """security.md 16: a bind that costs nothing is made again."""
    late.paper.left = 0
    checked = prelim(late, begun(late))
    late.ask(
        "ann", RIGHT, NEXT, NEXT, phase=Phase.CHAUTHTOK_UPDATE, transaction=checked.transaction
    )
    assert late.paper.binds == 3


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"transaction": ""}, id="no-transaction"),
        pytest.param({"transaction": "0" * 32}, id="a-transaction-made-up"),
        pytest.param({"service": "su"}, id="another-service"),
        pytest.param({"peer": Peer(uid=0, real_uid=1000)}, id="another-asker"),
        pytest.param({"phase": Phase.AUTHN}, id="another-login"),
    ],
)
def test_a_proof_in_grace_serves_the_change_of_its_own_transaction_alone(late, other):
    late.ask("ann", RIGHT, **{"transaction": begun(late), "phase": Phase.CHAUTHTOK_PRELIM} | other)
    assert late.paper.binds == 2


def test_a_proof_in_grace_serves_nobody_with_an_equal_password(late):
    """Bob's password was proven too, but not in this transaction."""
    begun(late, "bob")
    prelim(late, begun(late), name="bob")
    assert late.paper.binds == 3


def test_a_proof_in_grace_serves_the_password_it_proved_alone(late):
    refused = prelim(late, begun(late), WRONG)
    assert refused.reason is Reason.WRONG_CREDENTIALS
    assert late.paper.binds == 2


def test_a_proof_in_grace_ends_with_a_change_from_elsewhere(late):
    transaction = begun(late)
    late.paper.move("ann", changed_at=late.parts.clock.now())
    prelim(late, transaction)
    assert late.paper.binds == 2


def test_i19_an_equal_password_that_ends_just_before_one_begins_is_not_sent_again(
    site, monkeypatch
):
    """A phone sends ten at once: between looking what is known and leading, another may end."""
    join, others = Flights.join, []

    def late(self, account_id, password, deadline):
        if not others:
            others.append(None)
            others[0] = site.ask("ann", WRONG)
        return join(self, account_id, password, deadline)

    monkeypatch.setattr(Flights, "join", late)
    assert site.ask("ann", WRONG).reason is Reason.WRONG_CREDENTIALS
    assert others[0].reason is Reason.WRONG_CREDENTIALS
    assert site.paper.binds == 1
    assert site.ask("ann", RIGHT).reason is Reason.OK
