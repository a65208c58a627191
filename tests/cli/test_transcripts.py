"""Every command as typed: argv, stdin, stdout, stderr, exit code."""

from __future__ import annotations

import re

import msgspec
import pytest

from loginward.core.status import UserState
from loginward.wire.admin import requests as ask
from loginward.wire.admin import rows
from tests.cli import samples
from tests.cli.conftest import Done
from tests.cli.transcript import SERVE_HINT, unindent


def test_status_of_a_healthy_daemon(world) -> None:
    world.admin.script["health"] = samples.HEALTH

    assert world.run("status") == Done(0, unindent("""
        loginward 0.1.0, running since 07:30 (pid 4242)
          configuration                /etc/loginward/loginward.yaml
          login socket                 /run/loginward/login.sock
          directory                    openldap, 1 of 2 servers answer
            ldaps://ldap1.example.org  ok, answered 2 s ago
            ldaps://ldap2.example.org  down: connect: timed out; last answer: 20 min ago
          watch                        pushed, current 0.4 s ago; 10 accounts at hand
          lockout                      by directory
          copies                       12, re-read 4 s ago; 3 can sign in offline
          logins                       1 being judged; open sessions: 1
          store                        ok
          events                       ok
    """), "")  # fmt: skip


@pytest.mark.parametrize(
    ("directory", "found", "reads", "line"),
    [
        pytest.param("openldap", True, True, "openldap (found), 1 of 2 servers answer", id="found"),
        pytest.param("auto", False, True, "of a kind not known yet, 1 of 2", id="not-yet"),
        pytest.param("auto", False, False, "of a kind not known, 1 of 2", id="nobody-can-look"),
    ],
)
def test_status_tells_the_flavour_that_was_found(world, directory, found, reads, line) -> None:
    world.admin.script["health"] = msgspec.structs.replace(
        samples.HEALTH, directory=directory, directory_found=found, reads_status=reads
    )

    assert f"  directory                    {line}" in world.run("status").out


def test_status_shows_what_is_not_as_it_should_be(world) -> None:
    down = rows.ServerPart(name="ldap://127.0.0.1", usable=False)
    world.admin.script["health"] = rows.HealthRow(
        version="0.1.0", pid=1, started_at=samples.before(days=3), config_file="/c", login_socket="/s",
        directory="generic", servers=(down,), lockout_owner="agent", reads_status=False,
        store_fault="/var/lib/loginward/store.db: no space left", events_fault="read-only",
        verifiers_waiting=7, hanging=("audit", "watcher"),
        notes=(rows.NotePart(text="the clock jumped at 2026-11-24T08:00:00Z", hint="loginward doctor"),),
    )  # fmt: skip

    assert world.run("status") == Done(69, unindent("""
        loginward 0.1.0, running since 21 Nov 09:30 (pid 1)
          configuration       /c
          login socket        /s
          directory           generic, 0 of 1 servers answer
            ldap://127.0.0.1  down: no answer; last answer: never answered yet
                              status is unreadable without directory.service_account
          lockout             by agent
          copies              0; 0 can sign in offline
                              7 verifiers still to be made
          logins              0 being judged; open sessions: 0
          store               /var/lib/loginward/store.db: no space left
          events              read-only
          hangs               audit, watcher: no progress for a minute
        note: the clock jumped at 09:00
        hint: loginward doctor
    """), "")  # fmt: skip


def test_status_of_one_account(world) -> None:
    """R01, R16, R50: headline, flags, lock source, what it means and what clears it."""
    world.admin.script["account"] = samples.ACCOUNT

    assert world.run("status", "bob") == Done(0, unindent("""
        bob
          state     active
          password  locked
          means     5 wrong passwords, last from sshd 203.0.113.7; opens 09:42, or now: loginward unlock bob
          failures  5 of 5 wrong passwords counted
          groups    staff, vpn
          read      ldaps://ldap1.example.org, 1 s ago
          offline   can sign in while the directory is away
          session   sshd pts/3 198.51.100.4, since 08:30
    """), "")  # fmt: skip
    assert world.admin.asked == [("account", ask.AskAccount(name="bob"), "")]


def test_status_of_a_local_copy_says_until_when(world) -> None:
    world.admin.script["account"] = rows.AccountRow(
        name="bob", account_id="1", status=samples.status(), source="local copy",
        read_at=samples.before(hours=5), usable_until=samples.after(hours=67), unreadable=("lock",),
    )  # fmt: skip

    assert world.run("status", "bob") == Done(0, unindent("""
        bob
          state       active
          password    active
          unreadable  lock
          read        local copy, 5 h ago
          offline     this copy lets nobody in after 27 Nov 04:30
    """), "")  # fmt: skip


def test_status_of_nobody(world) -> None:
    world.admin.script["account"] = None

    assert world.run("status", "zoe") == Done(
        1,
        "",
        "loginward: error: zoe: no account of that name\n"
        "loginward: hint: loginward users lists them\n",
    )


def test_metrics_are_printed_as_they_are(world) -> None:
    world.admin.script["metrics"] = rows.MetricsRow(text="loginward_up 1\n")

    assert world.run("status", "--metrics") == Done(0, "loginward_up 1\n", "")
    assert world.run("status", "--metrics", "ann").code == 2


def test_users(world) -> None:
    """R02, R50: each with its status now, why, and what clears it."""
    world.admin.script["users"] = samples.USERS

    assert world.run("users") == Done(0, unindent("""
         user   state      password             why, and what clears it
         alice  active     active, 12 d left    expires 6 Dec
         bob    active     locked               5 wrong passwords, last from sshd 203.0.113.7; opens 09:42, or now: loginward unlock bob
         carol  active     expired              aged out 3 d ago; change it: loginward passwd
         dave   active     pending              never set a password; loginward resend-activation dave
         erin   active     active, must change  temporary password; the next login changes it
         frank  active     locked + expired     5 wrong passwords, last from sshd 203.0.113.7; opens 09:42, or now: loginward unlock frank; unlocking leaves it expired, a reset clears both
         gina   staged     active               not yet activated; starts 1 Dec
         henry  suspended  active               suspended by an administrator, 2 d ago; loginward activate henry
    """).replace("user  ", " user  ", 1).replace("\n", "\n ").rstrip(" "), "")  # fmt: skip


def test_users_by_status_and_state(world) -> None:
    """R51: the filter reaches the daemon, which includes who is also expired."""
    world.admin.script["users"] = [
        samples.USERS[1],
        rows.CutRow(why="the server gives 500 at most"),
    ]
    done = world.run("users", "--status", "locked", "--state", "active", "--names")

    assert done == Done(
        0, "bob\n", "loginward: note: there may be more: the server gives 500 at most\n"
    )
    asked = ask.ListUsers(status=samples.LOCKED, state=UserState.ACTIVE)
    assert world.admin.asked == [("users", asked, "")]


def test_no_users(world) -> None:
    world.admin.script["users"] = []

    assert world.run("users") == Done(0, "", "loginward: note: no such account\n")
    assert world.run("users", "--json") == Done(0, "", "")


def test_no_users_in_a_list_that_was_cut(world) -> None:
    """Nobody found among some is not nobody."""
    world.admin.script["users"] = [rows.CutRow(why="the server gives 500 at most")]

    assert world.run("users") == Done(
        0,
        "",
        "loginward: note: no such account among those listed\n"
        "loginward: note: there may be more: the server gives 500 at most\n",
    )


def test_cache(world) -> None:
    world.admin.script |= {
        "copies": samples.COPIES,
        "forget": [
            rows.ForgottenRow(name="ann", was_kept=True),
            rows.ForgottenRow(name="zoe", was_kept=False),
        ],
        "clear_copies": rows.ClearedRow(copies=3),
    }

    assert world.run("cache", "list").out.splitlines() == [
        " user  read     state   password  offline",
        " ann   5 h ago  active  active    until 27 Nov 04:30",
        " bob   4 d ago  active  locked    lets nobody in",
        " eve   -        -       -         was another account's row",
    ]
    assert world.run("cache", "forget", "ann", "zoe") == Done(
        0, "ann: forgotten\nzoe: no copy was kept, nothing done\n", ""
    )
    assert world.run("cache", "clear", "--yes") == Done(0, "3 copies forgotten\n", "")
    assert world.run("cache", "clear", stdin=b"\n").code == 1


def test_radius_sessions(world) -> None:
    world.admin.script["radius_sessions"] = samples.RADIUS_SESSIONS

    assert world.run("radius", "sessions").out.splitlines() == [
        " user  client           station            since         heard      session   accepted",
        " ann   wifi 10.20.0.7   00-11-22-33-44-55  07:30         4 min ago  5F3A0001  here",
        " -     vpn 2001:db8::7  -                  22 Nov 09:30  now        81        elsewhere",
    ]
    world.admin.script["radius_sessions"] = []
    assert world.run("radius", "sessions") == Done(0, "", "loginward: note: no session is known\n")
    world.admin.script["radius_sessions"] = [
        rows.FailedRow(
            problem=rows.Problem.REFUSED, why="there is no RADIUS door here", hint="doors.radius"
        )
    ]
    assert world.run("radius", "sessions") == Done(
        1, "", "loginward: error: there is no RADIUS door here\nloginward: hint: doors.radius\n"
    )


def test_a_new_radius_secret_is_printed_once_and_is_another_each_time(world) -> None:
    """256 bits, in characters that no client's page chokes on."""
    secrets = {world.run("radius", "new-secret").out for _ in range(2)}

    assert len(secrets) == 2
    for secret in secrets:
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}\n", secret)


def test_refresh(world) -> None:
    """R62: dry-run says what would be done."""
    world.admin.script["refresh"] = samples.STEPS

    assert world.run("refresh", "ann", "--dry-run") == Done(
        0,
        " user  step                  what\n"
        " ann   faillock  would do    clear the pam_faillock tally\n"
        " ann   copies    not needed  no copy is older\n",
        "",
    )
    assert world.admin.asked[0][1] == ask.RunRefresh(name="ann", dry_run=True)
    world.admin.script["refresh"] = [
        rows.StepRow(name="ann", step="x", state=rows.StepState.FAILED, text="no")
    ]
    assert world.run("refresh").code == 1
    world.admin.script["refresh"] = []
    assert world.run("refresh") == Done(0, "", "loginward: note: nothing to do\n")


def test_events(world) -> None:
    world.admin.script["events"] = samples.EVENTS

    assert world.run("events", "-n", "5", "--user", "bob") == Done(0, unindent("""
        2026-11-24 09:28:00+01:00  decision  bob  refuse account-locked  login sshd authn  from sshd 203.0.113.7  x3  ref 4MX-8ZP
        2026-11-24 09:29:00+01:00  act  bob  unlock  locked -> active  by root (ann)
        2026-11-24 09:29:59+01:00  decision  bob  allow ok  active  login login authn  ref B2N-XF1
    """), "")  # fmt: skip
    assert world.admin.asked[0][1] == ask.AskEvents(last=5, name="bob")


def test_an_unlock_is_not_said_to_come_from_where_the_lock_did(world) -> None:
    world.admin.script["events"] = [
        rows.EventRow(
            id="7-1", at=samples.before(seconds=1), event="transition", name="bob", verb="unlocked",
            before="locked", after="active", more={rows.LOCKED_FROM: "sshd 203.0.113.7"},
        )
    ]  # fmt: skip
    assert world.run("events").out == (
        "2026-11-24 09:29:59+01:00  transition  bob  unlocked  locked -> active"
        "  was locked from sshd 203.0.113.7\n"
    )


def test_doctor(world) -> None:
    world.admin.script["findings"] = samples.FINDINGS

    assert world.run("doctor") == Done(1, unindent("""
        ok       break-glass
            root has a password
        problem  sshd-use-pam
            UsePAM is no: keys get in past a lock
            -> set UsePAM yes in /etc/ssh/sshd_config.d/
    """), "")  # fmt: skip
    world.admin.script["findings"] = samples.FINDINGS[:1]
    assert world.run("doctor").code == 0


def test_accepting_the_clock(world) -> None:
    world.admin.script["accept_clock"] = rows.ClockRow(now=samples.NOW)

    assert world.run("doctor", "--accept-clock") == Done(
        0, "the clock is believed: 2026-11-24 09:30:00+01:00\n", ""
    )


def test_reload(world) -> None:
    world.admin.script["reload"] = rows.ReloadedRow(
        changed=("policy.lockout.threshold",), needs_restart=("runtime_dir",)
    )

    assert world.run("config", "reload") == Done(
        0,
        "policy.lockout.threshold: in force\nruntime_dir: after a restart of the daemon\n",
        "",
    )
    world.admin.script["reload"] = rows.ReloadedRow()
    assert world.run("config", "reload").out == "nothing has changed, nothing done\n"


EVERY = [
    ["status"], ["status", "ann"], ["status", "--metrics"], ["why", "ann"], ["users"],
    ["users", "add", "ann"], ["users", "import", "/dev/null", "--format", "csv"],
    ["users", "export"], ["users", "lock", "ann"], ["users", "remove", "ann", "--yes"],
    ["unlock", "ann"], ["expire", "ann"], ["suspend", "ann"], ["activate", "ann"],
    ["resend-activation", "ann"], ["login", "ann", "--password-stdin"],
    ["passwd", "ann", "--password-stdin"], ["cache", "list"], ["cache", "forget", "ann"],
    ["cache", "clear", "--yes"], ["refresh"], ["events"], ["events", "--follow"],
    ["config", "reload"], ["doctor", "--accept-clock"], ["radius", "sessions"],
]  # fmt: skip


@pytest.mark.parametrize("argv", EVERY, ids=" ".join)
def test_every_command_says_that_the_daemon_is_away(away, argv: list[str]) -> None:
    done = away.run(*argv, stdin=b"pw\n")
    socket = "login.sock" if argv[0] in {"login", "passwd"} else "admin.sock"

    assert done == Done(
        69,
        "",
        f"loginward: error: the daemon does not answer ({away.folder}/{socket}: "
        f"no such file or directory)\n{SERVE_HINT}",
    )
