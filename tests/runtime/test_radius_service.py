"""The RADIUS door before the real law: every state, what may be said of it, and who is in scope."""

from __future__ import annotations

from datetime import timedelta

import pytest

from loginward.core.requests import Door, Phase
from loginward.wire.radius.attributes import Attribute, as_integer
from loginward.wire.radius.packet import Code
from tests.doubles.nas import said
from tests.runtime.conftest import NOW
from tests.runtime.people import NEXT, RIGHT, STATES, WRONG, person
from tests.runtime.radius import REFERENCE, config, served
from tests.runtime.seat import TABLE

ACCEPT, REJECT, CHALLENGE = Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE
STATION = "00-11-22-33-44-55"
UNLIMITED = "throttle: {per_source_per_min: null}"


@pytest.fixture
def open_door(hosts, tmp_path):
    """Return the maker of a served door, everybody behind it."""
    with_doors = []

    def make(*clients, people=(), **how):
        host = hosts(config(tmp_path, *clients, **how), f"host-{len(with_doors)}")
        host.people(*(person(f"{state}-user", state) for state in STATES), *people)
        with_doors.append(served(host))
        return with_doors[-1].__enter__()

    yield make
    for door in with_doors:
        door.__exit__(None, None, None)


class TestStates:
    @pytest.mark.parametrize("state", TABLE)
    def test_each_state_meets_its_reason_and_its_answer(self, open_door, state):
        """R13, R17, R25, R27: as at every door, with an event that says which client and device."""
        door, name = open_door(), f"{state}-user"
        with door.nas() as nas:
            reply = nas.login(name, RIGHT)
        expected = {"ok": ACCEPT, "change-required": CHALLENGE}.get(TABLE[state][0], REJECT)
        assert reply.code is expected
        if expected is CHALLENGE:
            return
        event = door.last(name)
        assert (event.door, event.phase, event.service) == (Door.RADIUS, Phase.AUTHN, "vpn")
        assert (event.reason.value, event.name) == (TABLE[state][0], name)
        assert STATION in event.source
        assert RIGHT.decode() not in repr(event)
        if expected is REJECT:
            assert event == door.event(reply)

    @pytest.mark.parametrize("state", TABLE)
    def test_a_wrong_password_counts_only_where_it_is_checked(self, open_door, state):
        """R14, I3."""
        door, name = open_door(), f"{state}-user"
        with door.nas() as nas:
            assert nas.login(name, WRONG).code is REJECT
        assert door.host.failures(name) == int(TABLE[state][3])

    def test_octets_that_are_no_password_and_no_name_are_refused_and_not_counted(self, open_door):
        door = open_door()
        with door.nas() as nas:
            assert nas.login("active-user", RIGHT + b"\0x").code is REJECT
            assert nas.login(b"active-user\xff", RIGHT).code is REJECT
            assert nas.login("a:b", RIGHT).code is REJECT
        assert door.host.failures("active-user") == 0


class TestWords:
    def test_before_proof_locked_suspended_unknown_and_wrong_say_no_more_than_a_reference(
        self, open_door
    ):
        door = open_door()
        with door.nas() as nas:
            words = {
                name: REFERENCE.sub("", said(nas.login(name, WRONG)))
                for name in ("locked-user", "suspended-user", "pending-user", "nobody")
            }
            words["active-user"] = REFERENCE.sub("", said(nas.login("active-user", WRONG)))
        assert words["locked-user"] == words["suspended-user"] == words["pending-user"]
        assert words["nobody"] == words["active-user"]

    def test_a_proven_password_hears_why(self, open_door):
        door = open_door()
        with door.nas() as nas:
            assert "expired" in said(nas.login("expired-user", RIGHT))

    def test_off_says_nothing_and_full_says_at_least_as_much_as_short(self, open_door, tmp_path):
        said_by = {}
        for how in ("off", "short", "full"):
            door = open_door(more=f"reply_message: {how}")
            with door.nas() as nas:
                said_by[how] = said(nas.login("expired-user", RIGHT))
        assert said_by["off"] == ""
        assert len(said_by["full"]) >= len(said_by["short"]) > 0

    def test_an_accept_warns_of_what_is_near(self, open_door):
        near = (NOW - timedelta(days=85)).isoformat()
        expiry = f"{{expiry: {{max_age_d: 90, warn_d: 14}}, {UNLIMITED}}}"
        door = open_door(policy=expiry, people=[person("ann", password_date=near)])
        with door.nas() as nas:
            reply = nas.login("ann", RIGHT)
        assert reply.code is ACCEPT
        assert "5 days" in said(reply)


class TestChange:
    def test_a_temporary_password_is_changed_in_three_packets(self, open_door):
        door = open_door()
        with door.nas() as nas:
            asked = nas.login("temporary-user", RIGHT)
            again = nas.login("temporary-user", NEXT, state=asked.first(Attribute.STATE))
            done = nas.login("temporary-user", NEXT, state=again.first(Attribute.STATE))
            assert [r.code for r in (asked, again, done)] == [CHALLENGE, CHALLENGE, ACCEPT]
            assert nas.login("temporary-user", NEXT).code is ACCEPT
            assert nas.login("temporary-user", RIGHT).code is REJECT

    def test_three_tries_then_it_is_over_and_nothing_has_changed(self, open_door):
        door = open_door()
        with door.nas() as nas:
            reply = nas.login("temporary-user", RIGHT)
            codes = []  # of each new one, and of the same again
            while reply.code is CHALLENGE:
                reply = nas.login("temporary-user", b"short", state=reply.first(Attribute.STATE))
                codes.append(reply.code)
            assert codes == [*[CHALLENGE] * 5, REJECT]
            assert nas.login("temporary-user", RIGHT).code is CHALLENGE


class TestClients:
    """Scope, resources and realms follow from the client that asks."""

    WIFI = "{name: wifi, addresses: [127.0.0.2/32], secret_file: SECRET_FILE, methods: [pap]%s}"
    VPN = "{name: vpn, addresses: [127.0.0.1/32], secret_file: SECRET_FILE, methods: [pap]%s}"

    def test_a_client_is_for_its_groups(self, open_door):
        door = open_door(
            self.WIFI % "", self.VPN % ", groups: [staff, ops]",
            people=[person("ann", groups=["staff"]), person("bob", groups=["guests"])],
        )  # fmt: skip
        with door.nas(source="127.0.0.1") as vpn, door.nas(source="127.0.0.2") as wifi:
            assert vpn.login("ann", RIGHT).code is ACCEPT
            assert door.event(vpn.login("bob", RIGHT)).reason.value == "not-permitted"
            assert wifi.login("bob", RIGHT).code is ACCEPT
            assert vpn.login("bob", WRONG).code is REJECT
        assert door.host.failures("bob") == 0, "out of scope, no password is checked"

    def test_r53_a_client_keeps_the_locked_in_and_the_event_says_by_which_rule(self, open_door):
        resources = "[{name: mail, clients: [wifi], keep_while: [locked, expired]}]"
        door = open_door(
            self.WIFI % "", self.VPN % "", policy=f"{{resources: {resources}, {UNLIMITED}}}"
        )
        with door.nas(source="127.0.0.1") as vpn, door.nas(source="127.0.0.2") as wifi:
            for name in ("locked-user", "expired-user", "locked-expired-user"):
                assert vpn.login(name, RIGHT).code is REJECT
                assert wifi.login(name, RIGHT).code is ACCEPT
                event = door.last(name)
                assert "mail" in event.allowed_by
                assert event.service == "wifi"
            assert wifi.login("locked-user", WRONG).code is REJECT
            assert wifi.login("suspended-user", RIGHT).code is REJECT
            assert wifi.login("pending-user", RIGHT).code is REJECT

    def test_a_realm_is_cut_off_at_the_client_that_says_so(self, open_door):
        door = open_door(self.WIFI % ", strip_realms: [corp.example]", self.VPN % "")
        with door.nas(source="127.0.0.1") as vpn, door.nas(source="127.0.0.2") as wifi:
            assert wifi.login("active-user@CORP.example", RIGHT).code is ACCEPT
            assert wifi.login("active-user@elsewhere.example", RIGHT).code is REJECT
            assert vpn.login("active-user@corp.example", RIGHT).code is REJECT
        assert door.last("active-user").name == "active-user"

    def test_the_first_rule_that_fits_gives_its_attributes_and_an_end(self, open_door):
        due = f"{{expiry: {{max_age_d: 90, warn_d: 14}}, {UNLIMITED}}}"
        near = (NOW - timedelta(days=90) + timedelta(seconds=600)).isoformat()
        rules = (
            "replies:\n"
            '  - {groups: [staff], attributes: {Filter-Id: "staff", Session-Timeout: "3600"}}\n'
            '  - {groups: [guests], attributes: {Filter-Id: "guests"}}'
        )
        people = [
            person("ann", groups=["guests", "staff"], password_date=(NOW).isoformat()),
            person("soon", groups=["staff"], password_date=near),
            person("bob", groups=["guests"], password_date=NOW.isoformat()),
        ]
        door = open_door(policy=due, more=rules, people=people)
        with door.nas() as nas:
            given = {name: nas.login(name, RIGHT) for name in ("ann", "soon", "bob")}
        assert [given[n].first(Attribute.FILTER_ID) for n in given] == [
            b"staff",
            b"staff",
            b"guests",
        ]
        ends = [as_integer(given[n].first(Attribute.SESSION_TIMEOUT)) for n in given]
        assert ends[0] == 3600
        assert 590 <= ends[1] <= 600, "never past the moment the password falls due"
        assert ends[2] is None


class TestCounting:
    def test_a_phone_with_an_old_password_counts_once_and_why_names_it(self, open_door):
        """I19: 50 packets, each with its own Identifier and authenticator, one failure."""
        door = open_door()
        with door.nas() as nas:
            for _ in range(50):
                assert nas.login("active-user", WRONG).code is REJECT
            assert door.host.failures("active-user") == 1
            assert nas.login("active-user", RIGHT).code is ACCEPT
        why = door.host.why("active-user")
        assert STATION in repr(why)

    def test_five_different_ones_lock_and_the_lock_names_the_device(self, open_door):
        door = open_door()
        with door.nas() as nas:
            for n in range(5):
                assert nas.login("active-user", b"guess number %d" % n).code is REJECT
            locked = nas.login("active-user", RIGHT)
        event = door.event(locked)
        assert (locked.code, event.name) == (REJECT, "active-user")
        assert event.reason.value == "account-locked"
        assert STATION in repr(door.host.why("active-user"))

    def test_a_device_that_tries_many_accounts_is_throttled_and_its_neighbour_is_not(
        self, open_door
    ):
        people = [person(f"user-{n}") for n in range(15)]
        door = open_door(people=people)
        with door.nas() as nas:
            for n in range(12):
                nas.login(f"user-{n}", WRONG)
            assert door.event(nas.login("user-14", RIGHT)).reason.value == "source-throttled"
            assert door.host.failures("user-13") == 0
            assert other(nas, "user-14", RIGHT).code is ACCEPT

    def test_locked_people_and_strangers_are_no_bound_for_the_gateway(self, open_door):
        """The client has a bound of its own, wider than a device's."""
        door = open_door(people=[person(f"user-{n}") for n in range(30)])
        with door.nas() as nas:
            for n in range(30):
                assert other(nas, f"user-{n}", WRONG, b"00-00-00-00-00-%02d" % n).code is REJECT
            assert other(nas, "active-user", RIGHT).code is ACCEPT


def other(nas, name, password, station=b"66-77-88-99-AA-BB"):
    """Log in from another device."""
    request = nas.request(name, password, station=station)
    return nas.exchange(request)


class TestUsable:
    def test_an_embedded_directory_always_is(self, open_door):
        door = open_door(more="status_server: silent-when-unusable")
        with door.nas() as nas:
            assert nas.exchange(nas.status()).code is ACCEPT
