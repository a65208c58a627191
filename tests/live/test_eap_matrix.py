"""eapol_test against the running agent before a real OpenLDAP: every method, version and reason.

All devices of a batch log in first, several at once; then each test looks at what became of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from loginward.core.requests import Phase
from loginward.wire.admin.rows import EventRow
from tests.doubles.nas import Nas
from tests.live import people
from tests.live.certificates import DAY, upn
from tests.live.daemon import READS
from tests.live.eap_site import Papers, door, source_of
from tests.live.eapol import Device, Heard, enter_all, network, shown
from tests.live.site import open_folder, site_at
from tests.live.slapd import now
from tests.runtime.daemon import converse

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("eap-matrix")]

RIGHT, WRONG = people.PASSWORD, "a wrong horse 9"
PASSWORDS = ("eap-ttls-pap", "eap-ttls-gtc", "peap-gtc")
METHODS = (*PASSWORDS, "eap-tls")
VERSIONS = ("1.2", "1.3")
SPRAYER = 0xBAD  # a device that has failed at too many accounts
GROUPED = READS + f"\n  groups: {{{{base_dn: '{people.GROUPS}'}}}}"
SPRAYED = 10  # security.md 5


@dataclass(frozen=True)
class Fate:
    """What is expected of people in one condition.

    Attributes:
        like: Whose entry of `people.matrix` theirs is; empty: they have none.
        reason: With a password; `certified`: with a certificate.
        binds: That a password costs the directory.
        pam: Whether PAM says the same of the same condition.
    """

    like: str
    reason: str
    certified: str
    binds: int = 0
    password: str = RIGHT
    client: str = ""
    pam: bool = True


FATES = {
    "ok": Fate("active", "ok", "ok", binds=2),
    "wrong": Fate("active", "wrong-credentials", "", binds=1, password=WRONG),
    "unknown": Fate("", "user-unknown", "user-unknown"),
    "staged": Fate("notyet", "user-staged", "user-staged"),
    "suspended": Fate("ended", "user-suspended", "user-suspended"),
    "pending": Fate("pending", "password-pending", "ok"),
    "locked": Fate("locked", "account-locked", "account-locked"),
    "lockperm": Fate("lockperm", "account-locked", "account-locked"),
    "expired": Fate("expired", "password-expired", "password-expired", binds=1),
    "mustchange": Fate("mustchange", "change-required", "change-required", binds=1),
    "throttled": Fate("active", "source-throttled", "source-throttled", pam=False),
    "not-permitted": Fate("active", "not-permitted", "not-permitted", client="staff", pam=False),
}
# The two that ask for more: eapol_test has one password for every question (test_eap_change).
ASKED = {("mustchange", "eap-ttls-gtc"), ("mustchange", "peap-gtc")}


@dataclass(frozen=True)
class Case:
    """One login.

    Attributes:
        reason: That the law's event has; empty: the law was never asked.
        binds: None: not counted, for others share the account.
    """

    device: Device
    name: str
    reason: str
    binds: int | None = None

    @property
    def is_in(self) -> bool:
        return self.reason == "ok"


def uid(condition: str, method: str, tls: str) -> str:
    return f"{condition}-{method}-{tls}".replace(".", "")


def crowd() -> Iterator[people.Person]:
    """Yield one person for each condition, method and version, and one for PAM."""
    known = {person.uid: person for person in people.matrix(now())}
    for condition, fate in FATES.items():
        if fate.like:
            like = known[fate.like]
            for name in (
                f"{condition}-pam",
                *(uid(condition, m, v) for m in METHODS for v in VERSIONS),
            ):
                yield people.Person(name, like.lines, like.password)
    for name in ("active", *(f"sprayed{n}" for n in range(SPRAYED))):
        yield people.Person(name, known["active"].lines)


class Cases:
    """Every login of the matrix, by its id."""

    def __init__(self, papers: Papers) -> None:
        self.papers = papers
        self.main: dict[str, Case] = {}
        for method in METHODS:
            for tls in VERSIONS:
                for condition, fate in FATES.items():
                    if (condition, method) not in ASKED:
                        self._by_fate(condition, fate, method, tls)
                self._by_the_wire(method, tls)
        for tls in VERSIONS:
            self._by_certificate(tls)
        self.stale = {
            f"stale-list-{method}-{tls}": self._case(
                method, tls, "active", "" if method == "eap-tls" else "ok"
            )
            for method, tls in ((m, v) for m in ("eap-tls", "peap-gtc") for v in VERSIONS)
        }
        self.away = {
            f"away-{method}-{tls}": self._case(
                method, tls, "active", "ok" if method == "eap-tls" else "directory-unavailable"
            )
            for method, tls in ((m, v) for m in METHODS for v in VERSIONS)
        }

    def _case(
        self,
        method: str,
        tls: str,
        name: str,
        reason: str,
        binds: int | None = None,
        **more: object,
    ) -> Case:
        """Return a login with everything right but what `more` says."""
        client = str(more.pop("client", "") or method)
        how = {key: more.pop(key) for key in ("mac", "again", "attributes") if key in more}
        if method == "eap-tls":
            known = {"identity": "outer@elsewhere.example"} | shown(self.papers.person(name))
        else:
            known = {"identity": name, "password": RIGHT}
        told = network(method, tls, self.papers.authority.ca_file, **(known | more))
        return Case(Device(told, source_of(client), **how), name, reason, binds)  # type: ignore[arg-type]

    def _by_fate(self, condition: str, fate: Fate, method: str, tls: str) -> None:
        certified = method == "eap-tls"
        reason = fate.certified if certified else fate.reason
        if not reason:
            return  # there is no wrong password in a certificate
        more: dict[str, object] = {} if certified else {"password": fate.password}
        if condition == "ok":
            more["again"] = 1
        if condition == "throttled":
            more["mac"] = SPRAYER
        name, binds = uid(condition, method, tls), 0 if certified else fate.binds
        self.main[f"{condition}-{method}-{tls}"] = self._case(
            method, tls, name, reason, binds, client=fate.client, **more
        )

    def _by_the_wire(self, method: str, tls: str) -> None:
        """What the two ends agree on, before or beside the law."""
        foreign = self.papers.foreign.ca_file
        first = "ttls-first" if method == "peap-gtc" else "peap-first"
        said = {
            "distrusts-us": ("", {"ca_cert": foreign}),
            "small-packets": ("ok", {"fragment_size": 200, "attributes": ("12:d:204",)}),
            "wants-another-method": ("ok", {"client": first}),
            "wants-what-is-not-offered": (
                "",
                {"client": PASSWORDS[2] if method != PASSWORDS[2] else "eap-tls"},
            ),
            "is-of-the-group": ("ok", {"client": "staff"}),
        }
        for what, (reason, more) in said.items():
            self.main[f"{what}-{method}-{tls}"] = self._case(method, tls, "active", reason, **more)

    def _by_certificate(self, tls: str) -> None:
        papers = self.papers
        two = papers.person("active", upn("suspended-pam@ex.org"))
        nobody = papers.authority.client("noname", "active")
        foreign = papers.foreign.client("active", "active", upn("active@ex.org"))
        ended = papers.authority.client("late", "active", upn("active@ex.org"), lasts=-DAY)
        for what, pair in (
            ("of-another-authority", foreign), ("revoked", papers.revoked), ("two-names", two),
            ("no-name", nobody), ("out-of-date", ended),
        ):  # fmt: skip
            self.main[f"{what}-eap-tls-{tls}"] = self._case(
                "eap-tls", tls, "active", "", **shown(pair)
            )


@dataclass
class Matrix:
    """What became of everything."""

    cases: dict[str, Case]
    heard: dict[str, Heard]
    trail: list[EventRow]
    pam: dict[str, tuple[str, str]]  # reason of authenticate and of the account phase
    bound: dict[str, int] = field(default_factory=dict)

    def events(self, case: Case) -> list[EventRow]:
        """Return what the law said of a login; a device that others share is told by the name."""
        return [
            row for row in self.trail
            if row.source.endswith(case.device.station) and (row.name == case.name or case.device.mac != SPRAYER)
        ]  # fmt: skip


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    networks = tmp_path_factory.mktemp("networks")
    with open_folder() as folder:
        papers = Papers(folder)
        cases = Cases(papers)
        text, port = door(folder, more="    when_unavailable: reject\n")
        with site_at(tuple(crowd()), more=text, accounts=GROUPED) as (slapd, agent):
            heard: dict[str, Heard] = {}

            def all_of(some: dict[str, Case]) -> None:
                found = enter_all((case.device for case in some.values()), port, networks)
                heard.update(zip(some, found, strict=True))

            station = Device({}, "", SPRAYER).station.encode()
            with Nas(port, source=source_of("vpn")) as nas:
                for n in range(SPRAYED):
                    nas.exchange(nas.request(f"sprayed{n}", WRONG.encode(), station=station))
            all_of(cases.main)
            papers.revoke(lasts=-DAY)
            all_of(cases.stale)
            papers.revoke()
            pam = {
                condition: tuple(
                    converse(
                        agent.run_dir, f"{condition}-pam", fate.password.encode(), phase=phase,
                        service="login",
                    )[0].reason.value
                    for phase in (Phase.AUTHN, Phase.ACCT)
                )
                for condition, fate in FATES.items()
            }  # fmt: skip
            slapd.stop()
            all_of(cases.away)
            every = cases.main | cases.stale | cases.away
            binds = [bind.dn for bind in slapd.binds()]
            bound = {case.name: binds.count(slapd.dn(case.name).lower()) for case in every.values()}
            yield Matrix(every, heard, agent.trail(), pam, bound)


def ids() -> list[str]:
    """Return every id without making anything; the fixture must have the same."""
    found = []
    for method in METHODS:
        for tls in VERSIONS:
            conditions = [
                c for c, fate in FATES.items()
                if (c, method) not in ASKED and (fate.certified if method == "eap-tls" else fate.reason)
            ]  # fmt: skip
            whats = (
                *conditions, "distrusts-us", "small-packets", "wants-another-method",
                "wants-what-is-not-offered", "is-of-the-group",
            )  # fmt: skip
            found += [f"{what}-{method}-{tls}" for what in (*whats, "away")]
    for tls in VERSIONS:
        bad = (
            "of-another-authority",
            "revoked",
            "two-names",
            "no-name",
            "out-of-date",
            "stale-list",
        )
        found += [f"{what}-eap-tls-{tls}" for what in bad]
        found.append(f"stale-list-peap-gtc-{tls}")
    return found


def test_nothing_is_left_out(matrix: Matrix) -> None:
    assert sorted(matrix.cases) == sorted(ids())
    assert len(matrix.cases) >= 140


@pytest.mark.parametrize("case_id", ids())
def test_every_login_ends_as_the_law_has_it(matrix: Matrix, case_id: str) -> None:
    """The device, the access point's keys, the audit trail and the directory agree."""
    case, heard = matrix.cases[case_id], matrix.heard[case_id]
    times = 1 + case.device.again
    assert heard.is_in == case.is_in, heard.said[-4000:]
    assert heard.keys == (times if case.is_in else 0)
    if not case.is_in:
        assert "EAP: Received EAP-Failure" in heard.said
    rows = matrix.events(case)
    assert [row.reason for row in rows] == ([case.reason] * times if case.reason else [])
    assert {row.door for row in rows} <= {"radius"}
    assert {row.phase for row in rows} <= {"acct" if "eap-tls" in case_id else "authn"}
    if case.binds is not None:
        assert matrix.bound[case.name] == case.binds
    tls = case_id.rpartition("-")[2]
    assert f"SSL: Using TLS version TLSv{tls}" in heard.said or "wants-what" in case_id or not rows


@pytest.mark.parametrize("condition", [name for name, fate in FATES.items() if fate.pam])
def test_pam_says_the_same_of_the_same_condition(matrix: Matrix, condition: str) -> None:
    fate = FATES[condition]
    authn, acct = matrix.pam[condition]
    assert authn == fate.reason
    if fate.certified and condition != "pending":  # a certificate needs no password
        assert acct == fate.certified
