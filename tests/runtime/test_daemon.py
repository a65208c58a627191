"""The daemon as a process: real sockets, real crashes, real signals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loginward.cli.client import Client
from loginward.core.acts import Verb
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase
from loginward.core.secret import Secret
from loginward.runtime.daemon import Signals
from loginward.wire.admin import requests, rows
from loginward.wire.login import Answer, Ask, Begin
from tests.doubles.nas import free_port
from tests.doubles.waiting import eventually
from tests.live.certificates import Authority
from tests.runtime import daemon as process
from tests.runtime.daemon import LOGINWARD, PATIENCE_S, Daemon, served
from tests.runtime.people import NEXT, RIGHT, STATES, WRONG, person

# state: authenticate and account phase
TABLE = {
    "active": (Reason.OK, Reason.OK),
    "pending": (Reason.PASSWORD_PENDING, Reason.PASSWORD_PENDING),
    "expired": (Reason.PASSWORD_EXPIRED, Reason.PASSWORD_EXPIRED),
    "locked": (Reason.ACCOUNT_LOCKED, Reason.ACCOUNT_LOCKED),
    "locked-expired": (Reason.ACCOUNT_LOCKED, Reason.ACCOUNT_LOCKED),
    "temporary": (Reason.CHANGE_REQUIRED, Reason.CHANGE_REQUIRED),
    "staged": (Reason.USER_STAGED, Reason.USER_STAGED),
    "suspended": (Reason.USER_SUSPENDED, Reason.USER_SUSPENDED),
    "future": (Reason.USER_STAGED, Reason.USER_STAGED),
    "ended": (Reason.USER_SUSPENDED, Reason.USER_SUSPENDED),
}
PROVES = {"active", "expired", "temporary"}


@pytest.fixture(scope="module")
def running():
    """Return one daemon for the tests that harm nobody but their own account."""
    with served() as daemon:
        daemon.people(*(person(f"{state}-user", state) for state in STATES))
        yield daemon


def decision(daemon, name, reference):
    (found,) = [e for e in daemon.events(name) if e.reference == reference]
    return found


@pytest.mark.parametrize("state", TABLE)
def test_each_state_at_the_real_socket(running, state):
    """R13, R17, R25, R34: the truth in the trail; to who proved nothing, no more than a no."""
    name, (authn, acct) = f"{state}-user", TABLE[state]
    result, shown = running.ask(name, RIGHT)
    assert result.reason is (authn if state in PROVES else Reason.WRONG_CREDENTIALS)
    event = decision(running, name, result.reference)
    assert (event.reason, event.phase, event.source) == (authn.value, "authn", "sshd")
    assert RIGHT.decode() not in repr(event)
    if result.verdict is Verdict.REFUSE:
        assert f"{result.reference[:3]}-{result.reference[3:]}" in shown
        assert result.delay_ms > 1000
    result, _ = running.acct(name)
    assert result.reason is acct
    assert decision(running, name, result.reference).phase == "acct"
    assert running.account(name).failures == 0


def test_a_wrong_password_and_a_stranger_read_alike(running):
    """R35."""
    stranger, wrong = running.ask("whoever", WRONG), running.ask("active-user", WRONG)
    assert (stranger[0].reason, wrong[0].reason) == (Reason.USER_UNKNOWN, Reason.WRONG_CREDENTIALS)
    assert stranger[1].split("Reference")[0] == wrong[1].split("Reference")[0]
    assert running.account("active-user").failures == 1


def test_why_agrees_with_the_real_door(running):
    """R51."""
    for state, (authn, _) in TABLE.items():
        (row,) = running.admin(requests.AskWhy(name=f"{state}-user", service="sshd"))
        assert row.reason is authn


def test_a_hundred_guesses_over_sixteen_connections_are_five(running):
    """I6: and the sixth is not checked, nor is the right one afterwards."""
    running.people(person("crowd"))
    guesses = [b"guess number %d" % n for n in range(100)]
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(lambda guess: running.ask("crowd", guess)[0], guesses))
    assert all(result.verdict is Verdict.REFUSE for result in results)
    tripped = [e.more["tripped"] for e in running.events("crowd") if "tripped" in e.more]
    assert tripped == ["threshold"]
    assert running.account("crowd").status.lock.failures == 5
    result, _ = running.ask("crowd", RIGHT)
    (row,) = running.admin(requests.AskReference(reference=result.reference))
    assert row.reason is Reason.ACCOUNT_LOCKED


def test_an_unlock_over_the_admin_socket_lets_the_next_login_in(running):
    """R44, I1."""
    running.people(person("locked-out"))
    for n in range(5):
        running.ask("locked-out", b"guess number %d" % n)
    assert running.ask("locked-out", RIGHT)[0].verdict is Verdict.REFUSE
    (row,) = running.act(Verb.UNLOCK, "locked-out")
    assert row.problem is None
    assert running.ask("locked-out", RIGHT)[0].reason is Reason.OK
    (act,) = [e for e in running.events("locked-out") if e.event == "act"]
    assert (act.verb, act.before, act.after) == ("unlock", "locked", "active")


def test_eight_right_logins_at_once_are_all_let_in(running):
    running.people(person("busy"))
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: running.ask("busy", RIGHT)[0], range(8)))
    assert {result.reason for result in results} == {Reason.OK}
    assert running.account("busy").failures == 0


def test_a_temporary_password_is_changed_through_the_phases_of_pam(running):
    """R40: authenticate, account, both phases of chauthtok, one transaction."""
    running.people(person("newcomer", "temporary"))
    proof, _ = running.ask("newcomer", RIGHT)
    assert proof.verdict is Verdict.CHANGE
    due, shown = running.acct("newcomer", transaction=proof.transaction)
    assert due.verdict is Verdict.CHANGE
    assert shown
    prelim, _ = running.ask(
        "newcomer", RIGHT, phase=Phase.CHAUTHTOK_PRELIM, transaction=proof.transaction
    )
    assert prelim.verdict is Verdict.ALLOW
    update, shown = running.ask(
        "newcomer",
        RIGHT,
        NEXT,
        NEXT,
        phase=Phase.CHAUTHTOK_UPDATE,
        transaction=prelim.transaction,
    )
    assert update.verdict is Verdict.ALLOW, shown
    assert running.ask("newcomer", NEXT)[0].reason is Reason.OK


def test_who_hangs_up_at_the_question_changes_nothing(running):
    running.people(person("leaver"))
    for _ in range(20):
        with running.connect() as talk:
            talk.send(Begin(phase=Phase.AUTHN, user="leaver", service="sshd"))
            assert isinstance(talk.next(), Ask)
    assert running.account("leaver").failures == 0
    assert running.ask("leaver", RIGHT)[0].reason is Reason.OK


def test_who_hangs_up_after_a_wrong_password_is_counted(running):
    """A client that hangs up never ends a check."""
    running.people(person("runner"))
    for n in range(5):
        with running.connect() as talk:
            talk.send(Begin(phase=Phase.AUTHN, user="runner", service="sshd"))
            assert isinstance(talk.next(), Ask)
            talk.send(Answer(Secret(b"guess number %d" % n)))
    live = requests.AskEvents(last=1000, name="runner", follow=True)
    events = Client(running.run).ask(live).of(rows.EventRow)
    assert next(e for e in events if "tripped" in e.more).more["tripped"] == "threshold"


def test_octets_that_are_no_frame_end_that_connection_alone(running):
    with running.connect() as talk:
        talk._connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert talk.next() is None
    assert running.ask("active-user", RIGHT)[0].reason is Reason.OK


def test_another_user_asks_for_itself_alone(running):
    """R33: the kernel says who asks."""
    if not process.is_root():
        pytest.fail("needs root, to become somebody else")
    running.people(person("nobody"))
    env = {"LOGINWARD_RUNTIME_DIR": str(running.run), "PATH": os.environ["PATH"]}

    def login(name):
        return subprocess.run(
            [LOGINWARD, "login", name, "--password-stdin"],
            check=False, input=RIGHT + b"\n", user=65534, group=65534, extra_groups=[], cwd="/",
            env=env, capture_output=True, timeout=PATIENCE_S,
        )  # fmt: skip

    assert login("nobody").returncode == 0
    other = login("active-user")
    assert other.returncode == 1
    assert RIGHT not in other.stdout + other.stderr


def test_a_crash_loses_no_failure_and_no_lock():
    """Four failures, kill -9, the fifth locks; kill -9 again, it is still locked."""
    with served() as daemon:
        daemon.people(person("ann"))
        for n in range(4):
            daemon.ask("ann", b"guess number %d" % n)
        daemon.kill()
        daemon.start()
        assert daemon.account("ann").failures == 4
        daemon.ask("ann", b"guess number 4")
        daemon.kill()
        daemon.start()
        assert daemon.account("ann").status.lock.failures == 5
        assert daemon.ask("ann", RIGHT)[0].verdict is Verdict.REFUSE
        verbs = [e.verb for e in daemon.events() if e.event == "daemon"]
        assert verbs.count("started") == 3


def test_a_bad_configuration_leaves_the_running_one_in_force():
    """SIGHUP: a typo says what is wrong, and logins go on; a good file is taken."""
    with served() as daemon:
        daemon.people(person("ann"))
        good = daemon.config.read_text()
        daemon.config.write_text(good + "polcy: {}\n")
        daemon.reload()
        assert "the running configuration stays" in daemon.log.read_text()
        assert daemon.ask("ann", RIGHT)[0].reason is Reason.OK
        daemon.config.write_text(good + "policy: {lockout: {threshold: 2}}\n")
        daemon.reload()
        for n in range(2):
            daemon.ask("ann", b"guess number %d" % n)
        assert daemon.account("ann").status.lock.failures == 2


def test_a_stop_answers_who_has_typed_and_leaves_no_socket_behind():
    """SIGTERM: what is under way ends, then exit 0; the next daemon starts on the same folders."""
    with served() as daemon:
        daemon.people(person("ann"))
        with daemon.connect() as talk:
            talk.send(Begin(phase=Phase.AUTHN, user="ann", service="sshd"))
            assert isinstance(talk.next(), Ask)
            assert daemon.stop() == 0
            assert talk.next() is None
        with pytest.raises(OSError):
            daemon.connect()
        daemon.start()
        assert daemon.ask("ann", RIGHT)[0].reason is Reason.OK
        verbs = [e.verb for e in daemon.events() if e.event == "daemon"]
        assert verbs == ["started", "stopped", "started"]


def test_signals_that_come_at_any_moment_are_all_heard():
    """A storm of SIGHUP while the main thread waits, wakes and reads: none makes it hang."""
    signals = Signals()
    done = threading.Event()

    def storm():
        while not done.is_set():
            os.kill(os.getpid(), signal.SIGHUP)

    kept = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    signals.take()
    worker = threading.Thread(target=storm)
    try:
        worker.start()
        for _ in range(500):
            assert signals.wait(PATIENCE_S) == {signal.SIGHUP}
        done.set()
        worker.join()
        while signals.wait(0):
            pass
        os.kill(os.getpid(), signal.SIGINT)
        assert signals.wait(PATIENCE_S) == {signal.SIGTERM}
    finally:
        done.set()
        give_back(kept)


def test_a_signal_that_another_thread_gets_wakes_the_main_thread():
    """Nor is one missed that comes on the way into the wait: a stop took 20 s then."""
    signals = Signals()
    kept = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    signals.take()
    waiting = threading.Timer(0.2, lambda: signal.pthread_kill(threading.get_ident(), 15))
    try:
        waiting.start()
        assert signals.wait(5) == {signal.SIGTERM}
    finally:
        waiting.join()
        give_back(kept)


def give_back(handlers):
    signal.set_wakeup_fd(-1)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_it_is_ready_soon(capsys):
    with_daemon = Daemon()
    try:
        before = time.monotonic()
        with_daemon.start()
        with capsys.disabled():
            print(f"\nready after {time.monotonic() - before:.2f} s")
        with_daemon.process.send_signal(signal.SIGINT)
        assert with_daemon.process.wait(PATIENCE_S) == 0
    finally:
        with_daemon.close()


def refused_start(*arguments, config=""):
    daemon = Daemon(config)
    try:
        return subprocess.run(
            [LOGINWARD, "serve", "-c", daemon.config, *arguments],
            check=False, capture_output=True, text=True, timeout=PATIENCE_S,
        )  # fmt: skip
    finally:
        daemon.close()


def test_started_as_root_without_its_user_it_says_the_remedy():
    """security.md 12: exit 78, and the command that makes the user."""
    if not process.is_root():
        pytest.fail("needs root, to be refused it")
    ended = refused_start("--user", "no-such-user-here")
    assert ended.returncode == 78
    assert "useradd --system" in ended.stderr
    ended = refused_start("--user", "root")
    assert ended.returncode == 78
    assert "never runs as root" in ended.stderr


def test_a_bad_configuration_does_not_start():
    ended = refused_start(*process.as_user(), config="polcy: {}\n")
    assert ended.returncode == 78
    assert "polcy" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_all_that_is_wrong_with_a_configuration_is_logged_a_line_each():
    """With file, line and column each; in one line the second was lost behind a literal \\n."""
    ended = refused_start(*process.as_user(), config="polcy: {}\nsuport: {}\n")
    assert ended.returncode == 78
    said = [line for line in ended.stderr.splitlines() if "loginward: error: " in line]
    assert [re.search(r"loginward\.yaml:\d+:1: (\w+)", line)[1] for line in said] == [
        "polcy",
        "suport",
    ]
    assert "\\n" not in ended.stderr


def test_a_certificate_and_the_key_of_another_do_not_start(tmp_path):
    """Told by the process that alone reads the key, which is root's still; nothing is left over."""
    authority = Authority(tmp_path / "ca")
    cert, key = authority.server("one"), authority.server("two")
    secret = tmp_path / "radius.secret"
    secret.write_bytes(b"long enough to be a secret\n")
    secret.chmod(0o600)
    client = f"{{name: nas, addresses: [127.0.0.1], secret_file: {secret}, methods: [peap-gtc]}}"
    eap = f"{{cert_file: {cert.cert_file}, key_file: {key.key_file}}}"
    listens = f'listen: ["127.0.0.1:{free_port()}"], accounting: []'
    door = f"doors: {{radius: {{{listens}, eap: {eap}, clients: [{client}]}}}}\n"
    ended = refused_start(*process.as_user(), config=door)
    assert ended.returncode == 78
    assert "doors.radius.eap.key_file: is not the key of the first certificate" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_second_daemon_on_the_same_folders_does_not_start(running):
    ended = subprocess.run(
        [LOGINWARD, "serve", "-c", running.config, *process.as_user()],
        check=False, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert ended.returncode == 78
    assert "another daemon listens there" in ended.stderr
    assert running.ask("active-user", RIGHT)[0].reason is Reason.OK


def test_it_has_given_up_roots_rights(running):
    """security.md 12."""
    lines = Path(f"/proc/{running.process.pid}/status").read_text().splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert "0" not in status["Uid"].split()
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    assert status["NoNewPrivs"] == "1"


def test_a_daemon_whose_door_has_died_ends_so_that_it_is_started_anew(monkeypatch):
    """Else it would go on for ever, answer operators, and let nobody in."""
    daemon = Daemon()
    script = daemon.folder / "loginward"
    script.write_text(
        f"#!{sys.executable} -I\n"
        "import sys\n"
        "from loginward.cli.main import main\n"
        "from loginward.doors.login.server import LoginServer\n"
        "from loginward.runtime import daemon\n"
        "daemon._TICK_S = 0.1\n"
        "def broken(server):\n"
        "    raise KeyError('a bug')\n"
        "LoginServer._poll = broken\n"
        "sys.exit(main())\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr(process, "LOGINWARD", script)
    try:
        daemon.start()
        assert daemon.process.wait(PATIENCE_S) == os.EX_SOFTWARE
        assert "ended by a fault: login door" in daemon.log.read_text()
    finally:
        daemon.close()


def test_the_watchdog_hears_nothing_while_a_thread_hangs_and_status_says_which(monkeypatch):
    """It is restarted by systemd only where nobody says that it is well."""
    daemon = Daemon()
    hang = daemon.folder / "hang"
    script = daemon.folder / "loginward"
    script.write_text(
        f"#!{sys.executable} -I\n"
        "import os, sys, time\n"
        "from loginward.cli.main import main\n"
        "from loginward.runtime import vitals\n"
        "from loginward.runtime.trail import TrailWriter\n"
        "vitals.HANGS_AFTER_S = 0.5\n"
        "append = TrailWriter.append\n"
        "def hanging(writer, lines, day):\n"
        f"    while os.path.exists('{hang}'):\n"
        "        time.sleep(0.01)\n"
        "    append(writer, lines, day)\n"
        "TrailWriter.append = hanging\n"
        "sys.exit(main())\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr(process, "LOGINWARD", script)
    monkeypatch.setenv("WATCHDOG_USEC", "200000")

    def hanging():
        (row,) = daemon.admin(requests.AskHealth())
        return row.hanging

    try:
        daemon.start()
        daemon.await_notice("WATCHDOG=1")
        assert hanging() == ()
        hang.touch()
        daemon.ask("whoever", WRONG)
        eventually(lambda: hanging() == ("audit",), "nobody misses the trail")
        daemon.heard()
        end = time.monotonic() + 0.5
        eventually(lambda: time.monotonic() > end, "")
        assert daemon.heard() == []
        assert "audit hangs: no progress" in daemon.log.read_text()
        hang.unlink()
        daemon.await_notice("WATCHDOG=1")
        assert hanging() == ()
    finally:
        daemon.close()
