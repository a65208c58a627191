"""An account's life against a plain model of it: the same answers after any sequence of acts."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from loginward.core.attempts import Granted, LockedNow, Outcome
from loginward.core.changes import Changed
from loginward.core.evidence import NoVerdict, Proven, Wrong
from loginward.core.status import PasswordStatus, UserState
from loginward.directory.embedded.accounts import NewAccount
from loginward.directory.port import Done, NotDone, Verb

PASSWORDS = [b"model-password-number-%d-end" % n for n in range(5)]
MAX_AGE_S = 5000
THRESHOLD, WINDOW_S, DURATION_S = 5, 900, 1800
HISTORY = 2
TOKEN_S = 7 * 86400


class Model:
    """What the requirements say of one account, in the plainest words."""

    def __init__(self):
        self.now = 0
        self.state = "active"
        self.password = None
        self.older = []
        self.changed = None
        self.must_change = False
        self.forced = False
        self.admin_lock = False
        self.lock_until = None
        self.failures = []
        self.token = None
        self.token_ends = TOKEN_S

    @property
    def locked(self):
        return self.admin_lock or (self.lock_until is not None and self.now < self.lock_until)

    @property
    def expired(self):
        return self.password is not None and (self.forced or self.now - self.changed >= MAX_AGE_S)

    def statuses(self):
        held = set()
        if self.password is None:
            held.add(PasswordStatus.PENDING)
        if self.expired:
            held.add(PasswordStatus.EXPIRED)
        if self.locked:
            held.add(PasswordStatus.LOCKED)
        return held or {PasswordStatus.ACTIVE}

    def set(self, password, *, must_change=False):
        if self.password is not None:
            self.older = [self.password, *self.older][:HISTORY]
        self.password, self.changed, self.must_change = password, self.now, must_change
        self.forced, self.token = False, None
        self.unlock()

    def unlock(self):
        self.admin_lock, self.lock_until, self.failures = False, None, []

    def fail(self):
        self.failures = [at for at in self.failures if self.now - at < WINDOW_S] + [self.now]
        if len(self.failures) == THRESHOLD:
            self.failures, self.lock_until = [], self.now + DURATION_S


@pytest.fixture(autouse=True, scope="module")
def _world_for_the_machine(new_world):
    Life.new_world = staticmethod(new_world)


class Life(RuleBasedStateMachine):
    """Acts on the directory and on the model alike."""

    new_world = None

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        self.world = self.new_world(Path(self.folder.name) / "a.db")
        self.world.rules(max_age_s=MAX_AGE_S, history=HISTORY)
        _, done = self.world.directory.add(NewAccount(name="ann"))
        self.model = Model()
        self.model.token = done.token.reveal()
        self.tokens = [self.model.token]

    def teardown(self):
        if hasattr(self, "world"):
            self.world.close()
            self.folder.cleanup()

    @rule(seconds=st.sampled_from([1, 60, 899, 900, 1800, 4999, 5000, TOKEN_S]))
    def time_passes(self, seconds):
        self.world.clock.pass_by(timedelta(seconds=seconds))
        self.model.now += seconds

    @rule()
    def the_daemon_restarts(self):
        self.world.reopen()

    @rule(guess=st.none() | st.sampled_from(PASSWORDS))
    def a_login(self, guess):
        model, reserved = self.model, self.world.reserve("ann")
        typed = guess or model.password or PASSWORDS[0]
        if model.locked:
            assert isinstance(reserved, LockedNow)
            return
        assert isinstance(reserved, Granted)
        checked = self.world.check("ann", typed)
        if model.password is None:
            assert isinstance(checked, NoVerdict)
            outcome = Outcome.NO_VERDICT
        elif typed != model.password:
            assert isinstance(checked, Wrong)
            outcome = Outcome.WRONG
        else:
            assert isinstance(checked, Proven)
            assert (checked.expired, checked.must_change) == (model.expired, model.must_change)
            good = model.state == "active" and not model.expired and not model.must_change
            outcome = Outcome.ALLOWED if good else Outcome.PROVEN
        tripped = self.world.settle("ann", reserved, outcome)
        if outcome is Outcome.WRONG:
            model.fail()
        elif outcome is Outcome.ALLOWED:
            model.failures = []
        assert (tripped is not None) == (outcome is Outcome.WRONG and model.locked)

    @rule(times=st.integers(1, 5))
    def wrong_guesses(self, times):
        for _ in range(times):
            if not self.model.locked and self.model.password is not None:
                self.a_login(guess=b"no-password-of-the-model")

    @rule(guess=st.none() | st.sampled_from(PASSWORDS), new=st.sampled_from(PASSWORDS))
    def a_change(self, guess, new):
        model = self.model
        old = guess or model.password or PASSWORDS[0]
        allowed = (
            model.state == "active"
            and not model.locked
            and model.password is not None
            and old == model.password
            and new != model.password
            and new not in model.older
        )
        changed = self.world.change("ann", old, new)
        assert isinstance(changed, Changed) == allowed
        if allowed:
            model.set(new)

    @rule(new=st.sampled_from(PASSWORDS), back=st.integers(1, 2))
    def an_activation(self, new, back):
        model = self.model
        typed = self.tokens[-min(back, len(self.tokens))]  # the last one, or one that died
        wrong = typed != model.token
        changed = self.world.activate("ann", typed, new)
        in_time = model.now < model.token_ends
        allowed = not wrong and in_time and model.state == "active" and not model.locked
        assert isinstance(changed, Changed) == allowed
        if allowed:
            model.set(new)

    @rule()
    def an_activation_is_resent(self):
        model = self.model
        done = self.world.act("ann", Verb.RESEND_ACTIVATION)
        assert isinstance(done, Done) == (model.password is None and model.state == "active")
        if isinstance(done, Done):
            model.token, model.token_ends = done.token.reveal(), model.now + TOKEN_S
            self.tokens.append(model.token)

    @rule(verb=st.sampled_from([Verb.RESET_PASSWORD, Verb.SET_TEMPORARY, Verb.SET_FIRST_PASSWORD]),
          new=st.sampled_from(PASSWORDS))  # fmt: skip
    def a_password_by_admin(self, verb, new):
        had_one = self.model.password is not None
        done = self.world.act("ann", verb, new)
        if verb is Verb.SET_FIRST_PASSWORD and had_one:
            assert isinstance(done, NotDone)
            return
        assert done == Done()
        self.model.set(new, must_change=verb is Verb.SET_TEMPORARY)

    @rule(verb=st.sampled_from([Verb.LOCK, Verb.UNLOCK, Verb.EXPIRE, Verb.SUSPEND, Verb.ACTIVATE]))
    def another_verb(self, verb):
        model, done = self.model, self.world.act("ann", verb)
        match verb:
            case Verb.LOCK:
                assert done.was_noop == model.admin_lock
                model.admin_lock = True
            case Verb.UNLOCK:
                model.unlock()
            case Verb.EXPIRE:
                assert isinstance(done, NotDone) == (model.password is None)
                if model.password is not None:
                    assert done.was_noop == model.forced
                    model.forced, model.must_change = True, False
            case Verb.SUSPEND:
                assert done.was_noop == (model.state == "suspended")
                if model.state != "suspended":
                    model.token = None
                model.state = "suspended"
            case Verb.ACTIVATE:
                assert done.was_noop == (model.state == "active")
                model.state = "active"

    @invariant()
    def the_answers_agree(self):
        if not hasattr(self, "world"):
            return
        status = self.world.status("ann")
        assert status.statuses == self.model.statuses()
        assert status.state is UserState(self.model.state)
        assert status.must_change == self.model.must_change
        locked = self.world.directory.accounts_with(PasswordStatus.LOCKED)
        assert bool(locked) == self.model.locked


Life.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestLife = Life.TestCase
