"""The cable pulled, slapd stopped or stalled: the answer stays right, within three seconds."""

from __future__ import annotations

import json
import time

import pytest

from tests.doubles.waiting import eventually
from tests.live import people
from tests.live.daemon import Agent, agent_at
from tests.live.site import open_folder, site_at
from tests.live.slapd import Slapd, now

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("offline")]

PHASE_S = 3.0
SPAWN_S = 1.0  # the command's own start, on a busy machine
RIGHT, WRONG = people.PASSWORD, "not-the-password"


def reason(agent: Agent, name: str, password: str = RIGHT) -> str:
    """Try a login; return its reason, within the time that a phase may take."""
    began = time.monotonic()
    said = agent.login(name, password)
    assert time.monotonic() - began < PHASE_S + SPAWN_S
    return str(json.loads(said.splitlines()[-1])["reason"])


def can_sign_in_offline(agent: Agent, name: str) -> bool:
    lines = agent.command("cache", "list", "--json").stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    return any(row.get("name") == name and row.get("can_sign_in_offline") for row in rows)


def known_offline(agent: Agent, name: str) -> None:
    """Sign in online and wait for the verifier that is made after the answer."""
    assert reason(agent, name) == "ok"
    eventually(lambda: can_sign_in_offline(agent, name), "no verifier was made", 20)


def test_stopped_a_known_person_gets_in_and_a_denied_one_stays_out() -> None:
    """R27, Q9, I9: the sealed verifier lets in, the sticky deny does not, a stranger neither."""
    with site_at() as (slapd, agent):
        known_offline(agent, "active")
        assert reason(agent, "lockperm") == "account-locked"
        slapd.stop()
        assert reason(agent, "active") == "ok"
        assert reason(agent, "lockperm") == "account-locked"
        assert reason(agent, "warning") == "offline-never-seen"
        slapd.start()
        eventually(lambda: reason(agent, "warning") == "ok", "the directory is not seen again", 20)


def test_stalled_every_login_ends_in_time() -> None:
    """R63: it accepts and never answers."""
    with site_at() as (slapd, agent):
        known_offline(agent, "active")
        slapd.stall()
        try:
            assert reason(agent, "active") == "ok"
            assert reason(agent, "active", WRONG) == "wrong-credentials"
        finally:
            slapd.go_on()


def test_five_wrong_guesses_offline_lock_and_a_restart_forgets_none() -> None:
    """Q10: the lock is local, durable, and gone once the directory proves the password."""
    with open_folder() as folder, Slapd(folder / "slapd", people.matrix(now())) as slapd:
        with agent_at(folder / "agent", slapd) as agent:
            known_offline(agent, "active")
            slapd.stop()
            for _ in range(3):
                assert reason(agent, "active", WRONG) == "wrong-credentials"
        with agent_at(folder / "agent", slapd) as agent:
            for _ in range(2):
                assert reason(agent, "active", WRONG) == "wrong-credentials"
            assert reason(agent, "active") == "account-locked"
            slapd.start()
            eventually(lambda: reason(agent, "active") == "ok", "an offline lock holds online", 20)


def test_expiry_that_falls_due_offline_denies() -> None:
    with site_at() as (slapd, agent):
        soon = now().timestamp() - 7776000 + 12
        slapd.change(
            "warning", {"pwdChangedTime": [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(soon))]}
        )
        known_offline(agent, "warning")
        slapd.stop()
        until = time.monotonic() + 25
        while (said := reason(agent, "warning")) == "ok":
            assert time.monotonic() < until, "the due date passed and nothing happened"
        assert said == "password-expired"
