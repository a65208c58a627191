"""The real daemon: `loginward serve` as a process, and clients of both of its sockets."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from loginward.cli.client import Client
from loginward.core.requests import Phase
from loginward.core.secret import Secret
from loginward.wire.admin import requests, rows
from loginward.wire.login import Answer, Ask, Begin, Decoder, Notice, Result, encode
from tests.runtime.people import file_of

PATIENCE_S = 20
LOGINWARD = Path(sys.executable).with_name("loginward")


class Daemon:
    """One daemon on folders of its own, which an unprivileged user can reach."""

    def __init__(self, config=""):
        self.folder = Path(tempfile.mkdtemp(prefix="loginward-test-"))
        self.folder.chmod(0o755)
        self.run, self.state = self.folder / "run", self.folder / "state"
        self.config = self.folder / "loginward.yaml"
        self.log = self.folder / "log"
        self.process = None
        self._notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notices.bind(os.fspath(self.folder / "notify"))
        (self.folder / "notify").chmod(0o777)
        self._notices.settimeout(PATIENCE_S)
        self.configure(config)

    def configure(self, config):
        self.config.write_text(
            f"schema: 1\nstate_dir: {self.state}\nruntime_dir: {self.run}\n{config or plain()}"
        )

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [LOGINWARD, "serve", "-c", self.config, *as_user()],
                stderr=log,
                env=os.environ | {"NOTIFY_SOCKET": str(self.folder / "notify")},
            )
        self.await_notice("READY=1")
        return self

    def await_notice(self, state):
        """Wait until the daemon says that it is ready, reloads or stops."""
        while self._notices.recv(4096).decode() != state:
            pass

    def heard(self):
        """Return what it has said since, without waiting."""
        said = []
        self._notices.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                said.append(self._notices.recv(4096).decode())
        self._notices.settimeout(PATIENCE_S)
        return said

    def reload(self):
        self.process.send_signal(signal.SIGHUP)
        self.await_notice("RELOADING=1")
        self.await_notice("READY=1")

    def kill(self):
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def stop(self):
        """End it as systemd does; return its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE_S)

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE_S)
        self._notices.close()
        shutil.rmtree(self.folder)

    def admin(self, request, file=b""):
        return list(Client(self.run).ask(request, file))

    def people(self, *people):
        octets = file_of(*people)
        order = requests.ImportUsers(form=rows.FileFormat.JSON, octets=len(octets))
        found = self.admin(order, octets)
        assert isinstance(found[-1], rows.ImportedRow), found

    def act(self, verb, *names, password=None):
        secret = None if password is None else Secret(password)
        return self.admin(requests.ActOnUsers(verb=verb, names=names, password=secret))

    def account(self, name):
        (row,) = self.admin(requests.AskAccount(name=name))
        return row

    def events(self, name=""):
        return self.admin(requests.AskEvents(last=1000, name=name))

    def connect(self):
        return connect(self.run)

    def ask(self, name, *typed, phase=Phase.AUTHN, service="sshd", **more):
        """Hold a conversation to its end; return the result and the lines shown."""
        return converse(self.run, name, *typed, phase=phase, service=service, **more)

    def acct(self, name, **more):
        return self.ask(name, phase=Phase.ACCT, **more)


class Talk:
    """One connection to the login socket."""

    def __init__(self, connection):
        self._connection, self._decoder = connection, Decoder()

    def __enter__(self):
        return self

    def __exit__(self, *fault):
        self._connection.close()

    def send(self, message):
        self._connection.sendall(encode(message))

    def next(self):
        """Return the next message; None: the daemon hung up."""
        while (message := self._decoder.next_message()) is None:
            octets = self._connection.recv(65536)
            if not octets:
                return None
            self._decoder.feed(octets)
        return message

    def finish(self, *typed):
        answers, shown = iter(typed), []
        while True:
            match self.next():
                case Notice(text):
                    shown.append(text)
                case Ask():
                    self.send(Answer(Secret(next(answers))))
                case Result() as result:
                    return result, "\n".join(shown)
                case other:
                    raise AssertionError(other)


def connect(run):
    """Return a connection to the login socket in a folder."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        # Blocking: with a timeout of Python's a full queue would be an error, not a wait.
        connection.connect(os.fspath(run / "login.sock"))
    except OSError:
        connection.close()
        raise
    connection.settimeout(PATIENCE_S)
    return Talk(connection)


def converse(run, name, *typed, phase=Phase.AUTHN, service="sshd", **more):
    """Hold a conversation to its end; return the result and the lines shown."""
    with connect(run) as talk:
        talk.send(Begin(phase=phase, user=name, service=service, **more))
        return talk.finish(*typed)


def is_root():
    return os.geteuid() == 0


def as_user():
    """Return what makes `serve` give up root's rights, where there are any."""
    return ["--user", "nobody"] if is_root() else []


def plain():
    """Return a configuration that lets these tests ask for anybody, without root's rights too."""
    if is_root():
        return ""
    services = "[sshd, login, passwd, screensaver, imap]"
    return f"doors: {{login: {{peers: [{{user: {getpass.getuser()}, services: {services}}}]}}}}\n"


@contextlib.contextmanager
def served(config=""):
    """Give a daemon that is ready; it has ended afterwards."""
    daemon = Daemon(config)
    try:
        yield daemon.start()
    finally:
        daemon.close()
