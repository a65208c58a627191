"""`config reload` and SIGHUP at the real daemon, as a person at a login and an operator see them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from loginward.cli.exits import BAD_CONFIGURATION, CommandFailed
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase
from loginward.core.secret import Secret
from loginward.errors import StoreFault
from loginward.wire.admin import requests, rows
from loginward.wire.login import Answer, Ask, Begin
from tests.runtime.daemon import PATIENCE_S, Daemon, plain
from tests.runtime.people import RIGHT, person


@pytest.fixture
def daemon():
    one = Daemon()
    try:
        yield one.start()
    finally:
        one.close()


def reload(daemon, config):
    """Write a configuration and have it read; return what the operator is told."""
    daemon.configure(plain() + config)
    return ask_to_reload(daemon)


def ask_to_reload(daemon):
    (row,) = [r for r in daemon.admin(requests.Reload()) if isinstance(r, rows.ReloadedRow)]
    return row


def guess(daemon, name, count):
    for n in range(count):
        daemon.ask(name, b"guess number %d" % n)


def test_another_threshold_holds_for_the_next_attempt(daemon):
    daemon.people(person("ann"))
    guess(daemon, "ann", 2)
    row = reload(daemon, "policy: {lockout: {threshold: 3}}\n")
    assert row == rows.ReloadedRow(changed=("policy.lockout.threshold",))
    assert daemon.account("ann").status.lock is None
    daemon.ask("ann", b"one guess more")
    assert daemon.account("ann").status.lock.failures == 3


def test_reveal_and_the_texts_change_what_is_said(daemon):
    """What a locked person hears, before the password is proven, and whom to ask."""
    daemon.people(person("ann"))
    guess(daemon, "ann", 5)
    hidden, said = daemon.ask("ann", RIGHT)
    assert hidden.reason is Reason.WRONG_CREDENTIALS
    assert "locked" not in said
    own = daemon.folder / "texts.yaml"
    own.write_text('refused.account-locked.until: "Go to {contact} {until} {reference}"\n')
    more = (
        "policy: {reveal: always}\nsupport: {contact: the desk}\n"
        f"messages: {{override_file: {own}}}\n"
    )
    row = reload(daemon, more)
    assert set(row.changed) == {"policy.reveal", "support.contact", "messages.override_file"}
    result, said = daemon.ask("ann", RIGHT)
    assert result.reason is Reason.ACCOUNT_LOCKED
    assert said.startswith("Go to the desk ")
    own.write_text('refused.account-locked.until: "Other words {until} {reference}"\n')
    assert reload(daemon, more).changed == ("messages.override_file",)
    assert daemon.ask("ann", RIGHT)[1].startswith("Other words ")
    assert reload(daemon, more) == rows.ReloadedRow()


def test_the_throttle_and_who_may_change(daemon):
    daemon.people(person("ann"))
    assert daemon.ask("ann", RIGHT, rhost="192.0.2.7")[0].reason is Reason.OK
    reload(daemon, "policy: {throttle: {per_source_per_min: 1}}\n")
    assert daemon.ask("ann", RIGHT, rhost="192.0.2.7")[0].reason is Reason.SOURCE_THROTTLED
    reload(daemon, "policy: {throttle: {per_source_per_min: null}}\n")
    assert daemon.ask("ann", RIGHT, rhost="192.0.2.7")[0].reason is Reason.OK


def test_whom_the_module_refuses_while_the_daemon_is_down_follows_at_once(daemon):
    """`doors.login.when_down` and `policy.exempt_users`, in the marker file."""
    daemon.people(person("nobody"))
    reload(daemon, "policy: {exempt_users: [root, daemon]}\n")
    marker = daemon.state / "known"
    assert "nobody\t" in marker.read_text()
    reload(daemon, "policy: {exempt_users: [root, nobody]}\n")
    assert "nobody\t" not in marker.read_text()


def test_what_needs_a_restart_is_named_and_stays_as_it_was(daemon):
    """The rest of the file is in force; the next reload still names what waits."""
    daemon.people(person("ann"))
    daemon.configure(plain() + "keys: {source: tpm2}\npolicy: {reveal: always}\n")
    text = daemon.config.read_text().replace(str(daemon.state), "/elsewhere")
    daemon.config.write_text(text)
    row = ask_to_reload(daemon)
    assert row.changed == ("policy.reveal",)
    assert row.needs_restart == ("state_dir", "keys.source")
    assert "in force only after a restart: state_dir, keys.source" in daemon.log.read_text()
    assert daemon.ask("ann", RIGHT)[0].reason is Reason.OK
    row = ask_to_reload(daemon)
    assert (row.changed, row.needs_restart) == ((), ("state_dir", "keys.source"))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("policy: {reveal: always, lockout: {threshold: 0}}\n", "policy.lockout.threshold"),
        ("policy: {reveal: always}\nmessages: {language: tlh}\n", "messages.language"),
        ("policy: {reveal: always}\nmessages: {override_file: /no/file}\n", "override_file"),
    ],
)
def test_a_bad_file_changes_nothing_and_says_where(daemon, bad, said):
    daemon.people(person("ann"))
    guess(daemon, "ann", 5)
    with pytest.raises(CommandFailed) as refused:
        reload(daemon, bad)
    assert refused.value.code == BAD_CONFIGURATION
    assert said in refused.value.error
    if "language" not in said:
        assert f"{daemon.config}:" in refused.value.error  # the file, the line and the column
    assert daemon.ask("ann", RIGHT)[0].reason is Reason.WRONG_CREDENTIALS
    assert "the running configuration stays" in daemon.log.read_text()


def told(daemon):
    """Return what the trail has of daemon and operators: verb, who, and what about it."""
    events = [one for one in daemon.events() if one.event in {"daemon", "act"}]
    return [(one.event, one.verb, one.text) for one in events if one.verb.startswith("reload")]


def test_a_refused_reload_is_in_the_trail_whoever_asked(daemon):
    """Not only in a log that rotates: what was wrong, and the operator where there was one."""
    daemon.configure(plain() + "policy: {reveal: loudly, lockout: {threshold: 0}}\n")
    with pytest.raises(CommandFailed):
        ask_to_reload(daemon)
    first, second = told(daemon)
    assert (first[:2], second[:2]) == (("daemon", "reload-refused"), ("act", "reload"))
    for _, _, text in (first, second):
        assert "policy.reveal" in text
        assert "policy.lockout.threshold" in text
        assert "\n" not in text
    daemon.reload()
    assert told(daemon)[2:] == [first]
    assert reload(daemon, "policy: {reveal: always}\n").changed == ("policy.reveal",)
    assert [one[:2] for one in told(daemon)[3:]] == [("daemon", "reloaded"), ("act", "reload")]


def test_a_login_under_way_ends_by_the_rules_it_began_with(daemon):
    """`reveal` was `never` when it began; whoever begins later is told."""
    daemon.people(person("ann"))
    guess(daemon, "ann", 4)
    with daemon.connect() as talk:
        talk.send(Begin(phase=Phase.AUTHN, user="ann", service="sshd"))
        assert isinstance(talk.next(), Ask)
        reload(daemon, "policy: {reveal: always, lockout: {threshold: 4}}\n")
        daemon.ask("ann", b"one guess more")
        assert daemon.account("ann").status.lock is not None
        talk.send(Answer(Secret(RIGHT)))
        result, said = talk.finish()
        assert result.reason is Reason.WRONG_CREDENTIALS
        assert "locked" not in said
    assert daemon.ask("ann", RIGHT)[0].reason is Reason.ACCOUNT_LOCKED


def test_sighup_while_logins_run_loses_none_and_none_hears_half_of_each(daemon):
    """Two configurations in turn, each with a reason told and a contact of its own."""
    daemon.people(person("ann"), person("bob"))
    guess(daemon, "bob", 5)
    own = daemon.folder / "texts.yaml"
    own.write_text(
        'refused.account-locked.until: "told {contact} {until} {reference}"\n'
        'unproven: "hidden {contact} {reference}"\n'
    )
    common = f"messages: {{override_file: {own}}}\n" + plain()
    told = common + "policy: {reveal: always}\nsupport: {contact: first}\n"
    hidden = common + "policy: {reveal: never}\nsupport: {contact: second}\n"
    daemon.configure(told)
    daemon.reload()
    done = threading.Event()
    heard = set()

    def locked():
        while not done.is_set():
            result, said = daemon.ask("bob", RIGHT, phase=Phase.AUTHN)
            heard.add((result.reason, *said.split()[:2]))

    def welcome():
        count = 0
        while not done.is_set():
            assert daemon.ask("ann", RIGHT)[0].verdict is Verdict.ALLOW
            count += 1
        return count

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(one) for one in (locked, locked, welcome, welcome)]
        try:
            for _ in range(12):
                for config in (hidden, told):
                    daemon.configure(config)
                    daemon.reload()
        finally:
            done.set()
        counts = [one.result(PATIENCE_S) for one in asking]
    assert min(counts[2:]) > 10
    assert heard == {
        (Reason.ACCOUNT_LOCKED, "told", "first"),
        (Reason.WRONG_CREDENTIALS, "hidden", "second"),
    }


def test_a_full_disk_at_the_embedded_rules_changes_nothing(host, monkeypatch):
    """The last step that can fail comes before the one assignment."""
    from loginward.runtime.reloading import Reloading

    def full(self, site):
        raise StoreFault("accounts.db", "no space left")

    path = host.folder / "loginward.yaml"
    path.write_text(path.read_text() + "policy: {reveal: always}\n")
    before = host.parts.configuration.current
    followed = []
    reloading = Reloading(str(path), host.parts, lambda: followed.append(1))
    with monkeypatch.context() as patch:
        patch.setattr(type(host.parts.embedded), "apply", full)
        with pytest.raises(StoreFault):
            reloading.reload()
    assert host.parts.configuration.current is before
    assert not followed
    (event,) = (one for one in host.admin.events(requests.AskEvents()) if one.event == "daemon")
    assert (event.verb, event.text) == ("reload-refused", "accounts.db; no space left")
    assert reloading.reload().changed == ("policy.reveal",)
    assert host.parts.settings.policy.reveal == "always"
    assert followed
