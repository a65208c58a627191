"""A directory on paper: it answers at once, counts its binds, and can be unplugged."""

from __future__ import annotations

import threading

from loginward.core.evidence import Proof, Proven, Wrong
from loginward.core.facts import AccountFacts
from loginward.directory.port import Done, Listing, Watched
from loginward.errors import DirectoryUnavailable

CONFIG = """directory:
  kind: ldap
  servers: [ldaps://ldap.example.org]
  users: {dn_template: "uid={user},dc=example,dc=org"}
"""


class PaperDirectory:
    """Accounts by name with their passwords.

    Attributes:
        down: Nothing answers.
        binds: How many passwords were checked.
        found: The flavour that it turned out to be.
        lately: Accounts at hand, by name.
        told: What is called when an account changed.
        finds: How often somebody was looked up.
    """

    def __init__(self, clock):
        self.clock = clock
        self.down = False
        self.found = ""
        self.binds = 0
        self.entries = {}
        self.hidden = ()
        self.lately = {}
        self.told = None
        self.finds = 0
        self.watching = Watched(pushed=False)
        self._lock = threading.Lock()

    def put(self, name, password, **known):
        known = {"account_id": f"id-{name}", "counts": False} | known
        self.entries[name] = (known, password)

    def move(self, name, **known):
        """Change what is said of an account."""
        self.entries[name][0].update(known)

    def find(self, name, deadline):
        self._answer()
        self.finds += 1
        if name not in self.entries:
            return None
        known, _ = self.entries[name]
        return AccountFacts(**{"name": name, "read_at": self.clock.now()} | known)

    def read(self, account, deadline):
        return self.find(account.name, deadline)

    def check(self, account, password, deadline):
        self._answer()
        with self._lock:
            self.binds += 1
        if self.entries[account.name][1] == password.reveal():
            return Proven(proof=Proof.BIND)
        return Wrong()

    def loop_checks(self, loop, offload):
        """Let threads check."""

    def flavour(self):
        return self.found

    def act(self, account, act, deadline):
        self._answer()
        return Done(was_noop=True)

    def hidden_groups(self, names, deadline):
        self._answer()
        return self.hidden

    def accounts(self, deadline):
        return Listing(tuple(self.find(name, deadline) for name in self.entries))

    def at_hand(self, name):
        return self.lately.get(name)

    def watch(self, told):
        self.told = told

    def watched(self):
        return self.watching

    def health(self):
        return ()

    def close(self):
        pass

    def _answer(self):
        if self.down:
            raise DirectoryUnavailable("connect", "unplugged")
