"""`loginward users` before a real OpenLDAP that gives 500 entries at most, as an operator sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.live import people
from tests.live.daemon import Agent
from tests.live.site import site_at

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("listing")]

COUNT, SIZE_LIMIT = 700, 500
CUT = "loginward: note: there may be more: the server's size limit; raise it for"


@contextmanager
def listed(limits: str) -> Iterator[Agent]:
    """Run an agent before 700 accounts; its service account has these limits."""
    said = f'dn.exact="{people.SVC_RO}" {limits}' if limits else ""
    bulk = people.bulk(COUNT)
    with site_at(bulk, size_limit=SIZE_LIMIT, limits=said) as (_, agent):
        yield agent


def types(agent: Agent) -> list[str]:
    lines = agent.command("users", "--json").stdout.splitlines()
    return [json.loads(line)["type"] for line in lines]


@pytest.mark.parametrize(
    ("limits", "shown"),
    [
        pytest.param("", SIZE_LIMIT, id="as-slapd-comes"),
        pytest.param("size.prtotal=600", 600, id="a-larger-total"),
        pytest.param("size.prtotal=unlimited", COUNT, id="no-total"),
        pytest.param("size=unlimited", COUNT, id="no-limit"),
        pytest.param("size.prtotal=disabled", SIZE_LIMIT, id="no-pages"),
        pytest.param("size.prtotal=disabled size.soft=unlimited", COUNT, id="no-pages-no-limit"),
        pytest.param("size.pr=100", SIZE_LIMIT, id="smaller-pages-than-ours"),
    ],
)
def test_users_lists_all_or_says_that_it_was_cut(limits: str, shown: int) -> None:
    """R51: what is missing is told, for people and for programs; nobody is left out in silence."""
    with listed(limits) as agent:
        names = agent.command("users", "--names")
        assert names.returncode == 0
        assert len(set(names.stdout.splitlines())) == shown
        is_cut = shown < COUNT
        assert names.stderr.startswith(CUT) is is_cut
        assert types(agent) == ["user"] * shown + ["cut"] * is_cut
        none = agent.command("users", "--status", "locked")
        among = " among those listed" if is_cut else ""
        assert none.stderr.startswith(f"loginward: note: no such account{among}\n")
        # a list that was refused or cut takes no server away from who signs in
        said = agent.login("bulk699", people.PASSWORD)
        assert json.loads(said.splitlines()[-1])["reason"] == "ok"
        assert "failed" not in agent.log.read_text()
