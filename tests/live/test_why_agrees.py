"""What `why` says beforehand is what a login then meets, in both phases, before a real OpenLDAP."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from loginward.cli.client import Client
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase
from loginward.doors.login.pam_codes import pam_code
from loginward.wire.admin import requests
from loginward.wire.admin.rows import EventRow, ExplanationRow
from tests.live import people
from tests.live.daemon import Agent
from tests.live.site import site_at
from tests.live.slapd import now
from tests.runtime.daemon import converse

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("door")]

STATES = 1000
SERVICES = ("sshd", "login", "cron", "systemd-user", "imap")
RIGHT, WRONG = people.PASSWORD, "not-the-password"


def anybody(rng: random.Random, number: int) -> people.Person:
    """Return somebody in a condition that chance made of what an entry can hold."""
    at = now().timestamp()

    def moment(days: float) -> str:
        return people.gtime(now().fromtimestamp(at + days * 86400, now().tzinfo))

    perhaps = (
        (f"pwdChangedTime: {moment(rng.choice((-1, -30, -80, -100)))}", 0.9),
        ("pwdReset: TRUE", 0.2),
        (f"pwdAccountLockedTime: {rng.choice(('000001010000Z', moment(-0.001)))}", 0.2),
        (f"pwdStartTime: {moment(rng.choice((-10, 10)))}", 0.15),
        (f"pwdEndTime: {moment(rng.choice((-5, 20)))}", 0.15),
        (f"shadowExpire: {people.days(now()) + rng.choice((-5, 5))}", 0.1),
    )
    lines = tuple(line for line, chance in perhaps if rng.random() < chance)
    password = None if rng.random() < 0.1 else RIGHT
    return people.Person(f"any{number}", lines, password)


@pytest.fixture(scope="module")
def agent() -> Iterator[Agent]:
    rng = random.Random(20261124)
    crowd = tuple(anybody(rng, number) for number in range(STATES))
    # Nobody is asked offline here, and a verifier of each would be two minutes of Argon2id.
    more = "policy: {expiry: {when_expired: change}, offline: {verifiers: []}}\n"
    with site_at(crowd, more=more) as (_, made):
        yield made


def go_through(agent: Agent, name: str, service: str, phase: Phase) -> str:
    """Go through a phase with the right password; return the reference of what was decided."""
    said, _ = converse(
        agent.run_dir, name, RIGHT.encode(), phase=phase, service=service, tty="tty1"
    )
    return said.reference


def decided(agent: Agent) -> dict[tuple[str, str], EventRow]:
    """Return what was decided, by account and reference; the trail has no reference twice."""
    asked = Client(agent.run_dir).ask(requests.AskEvents(last=100_000))
    rows = [row for row in asked.of(EventRow) if row.reference]
    found = {(row.name, row.reference): row for row in rows}
    assert len(found) == len(rows)
    return found


def test_in_a_thousand_states_both_phases_are_as_foretold(agent: Agent) -> None:
    """R51: some of them with a wrong password or three behind them."""
    rng, seen = random.Random(1), set[str]()
    tried = []
    for number in range(STATES):
        name, service = f"any{number}", rng.choice(SERVICES)
        for _ in range(rng.choice((0, 0, 0, 1, 3))):
            agent.ask(name, f"{WRONG} {rng.random()}")
        asked = Client(agent.run_dir).ask(requests.AskWhy(name=name, service=service))
        why = asked.one(ExplanationRow)
        phases = (go_through(agent, name, service, one) for one in (Phase.ACCT, Phase.AUTHN))
        tried.append((name, service, why, *phases))
    events = decided(agent)
    for name, service, why, acct_reference, authn_reference in tried:
        acct, authn = events[name, acct_reference], events[name, authn_reference]
        assert (acct.phase, authn.phase) == (Phase.ACCT.value, Phase.AUTHN.value)
        code = pam_code(Phase.ACCT, Verdict(acct.verdict), Reason(acct.reason))
        assert f"PAM_{why.pam_acct}" == code, (name, service, why, acct)
        foretold = (why.verdict.value, why.reason.value)
        assert foretold == (authn.verdict, authn.reason), (name, service, why, authn)
        seen.add(authn.reason)
    assert len(seen) >= 6, f"chance made too few conditions: {seen}"
