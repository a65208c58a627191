"""Protected groups that directory rules hide from whoever judges by them (security.md 16)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loginward.directory.ldap.admin import HIDDEN, PROTECTED
from loginward.directory.ldap.directory import LdapDirectory, Secrets
from loginward.directory.port import Act, Done, HiddenGroup, NotDone, Verb
from tests.live import people as who
from tests.live.agent import CLOCK, PASSWORD, facts_of, settings, soon
from tests.live.daemon import READS, agent_at
from tests.live.site import open_folder
from tests.live.slapd import Slapd, now

pytestmark = pytest.mark.live

SERVICE, ADMIN = "directory.service_account", "directory.admin_account"
# The admin account sees the group staff, and not who is in it; nobody sees the group vpn.
ACCESS = f"""\
access to dn.base="cn=staff,{who.GROUPS}" attrs=member by dn={who.SVC_RO} read by * none
access to dn.base="cn=vpn,{who.GROUPS}" by * none"""


@pytest.fixture(scope="module")
def hiding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    folder = tmp_path_factory.mktemp("slapd-hiding") / "slapd"
    with Slapd(folder, who.matrix(now()), access=ACCESS) as slapd:
        yield slapd


def directory_of(slapd: Slapd, *protected: str, member: str = "member") -> LdapDirectory:
    site = settings(slapd.ca_file, slapd.tls_url)
    site = replace(site, groups=replace(site.groups, member_attribute=member))
    secrets = Secrets(service=PASSWORD, admin=PASSWORD)
    return LdapDirectory(site, secrets, CLOCK, frozenset(protected))


def test_the_admin_account_acts_on_nobody_while_it_cannot_see_who_is_protected(
    hiding: Slapd,
) -> None:
    """To it the member of staff is in no group, as everybody else is."""
    directory = directory_of(hiding, "Staff")
    before = hiding.values("active", "userPassword")
    for name in ("active", "warning"):
        for verb in Verb:
            act = Act(verb=verb, password=PASSWORD, force=True)
            done = directory.act(facts_of(directory, name), act, soon())
            assert done == NotDone(HIDDEN.format(groups="Staff"))
    assert hiding.values("active", "userPassword") == before
    directory.close()


def test_each_account_says_which_groups_it_cannot_see(hiding: Slapd, slapd_on: Slapd) -> None:
    asked = frozenset({"staff", "nowhere"})
    directory = directory_of(hiding, *asked)
    assert directory.hidden_groups(asked, soon()) == (
        HiddenGroup("nowhere", SERVICE),
        HiddenGroup("nowhere", ADMIN),
        HiddenGroup("staff", ADMIN),
    )
    directory.close()
    for slapd, hidden in ((hiding, (HiddenGroup("vpn", SERVICE),)), (slapd_on, ())):
        directory = directory_of(slapd, member="memberUid")
        assert directory.hidden_groups(frozenset({"vpn"}), soon()) == hidden
        directory.close()


def test_where_all_groups_are_seen_their_members_alone_are_refused(slapd_on: Slapd) -> None:
    directory = directory_of(slapd_on, "STAFF")
    unlock = Act(verb=Verb.UNLOCK)
    assert directory.act(facts_of(directory, "active"), unlock, soon()) == NotDone(PROTECTED)
    assert directory.act(facts_of(directory, "warning"), unlock, soon()) == Done(was_noop=True)
    directory.close()


def test_acts_doctor_and_status_name_the_group(hiding: Slapd) -> None:
    """Fail closed and seen: the command says why and what to do, and so does who looks."""
    site = READS + f"\n  groups: {{{{base_dn: '{who.GROUPS}'}}}}"
    protects = "doors: {admin: {protected_groups: [staff]}}\n"
    with open_folder() as folder, agent_at(Path(folder), hiding, protects, site) as agent:
        told = f"{ADMIN} sees no member of the protected group staff"
        before = hiding.values("warning", "pwdAccountLockedTime")
        for name in ("active", "warning"):
            done = agent.command("users", "lock", name)
            assert done.returncode != 0
            assert "protected" in done.stdout + done.stderr
        assert told in done.stdout + done.stderr
        assert "let it read the group" in done.stdout + done.stderr
        assert hiding.values("warning", "pwdAccountLockedTime") == before
        assert told in agent.command("doctor").stdout
        assert told in agent.command("status").stdout
        assert [one.text for one in agent.health().notes] == [told]
