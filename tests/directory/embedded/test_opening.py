"""The configuration's words as the directory takes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from loginward.core.clock import Deadline
from loginward.core.facts import LockoutPolicy, status_at
from loginward.core.passwords import PasswordRules
from loginward.core.secret import Secret
from loginward.core.status import PasswordStatus
from loginward.crypto.gate import Gate
from loginward.directory.embedded.accounts import NewAccount
from loginward.directory.embedded.fields import Format
from loginward.directory.embedded.opening import open_directory, site_rules
from loginward.directory.port import Act, Verb
from loginward.settings.policy import Expiry, Lockout, Password, Policy

BY = datetime(2027, 3, 31, tzinfo=UTC)


def test_every_key_arrives_in_its_unit():
    policy = Policy(
        lockout=Lockout(threshold=7, window_s=None, duration_s=60),
        expiry=Expiry(max_age_d=90),
        password=Password(min_length=14, history=0, min_age_d=2, update_by=BY),
    )
    site = site_rules(policy)
    assert site.lockout == LockoutPolicy(7, None, 60)
    assert site.passwords == PasswordRules(
        min_length=14, history=0, min_age_s=172_800, max_age_s=7_776_000, update_by=BY
    )


def test_null_stays_never():
    assert site_rules(Policy()).passwords == PasswordRules(min_length=12, history=5)


def test_a_new_directory_opens_with_real_hashes_and_ages(tmp_path, world):
    policy = Policy(expiry=Expiry(max_age_d=1))
    state_dir = tmp_path / "state"
    state_dir.mkdir()
    directory = open_directory(state_dir, policy, world.clock, Gate())
    deadline = Deadline.after(10, world.clock)
    directory.add(NewAccount(name="ann"))
    ann = directory.find("ann", deadline)
    password = Secret(b"right-horse-battery")
    directory.act(ann, Act(verb=Verb.SET_FIRST_PASSWORD, password=password), deadline)
    hashed = "".join(directory.export_accounts(Format.CSV, with_hashes=True))
    assert "$argon2id$v=19$m=65536,t=3,p=1$" in hashed
    world.clock.pass_by(timedelta(days=1))
    status = status_at(directory.find("ann", deadline), world.clock.now())
    assert status.statuses == {PasswordStatus.EXPIRED}
    directory.apply(site_rules(Policy()))
    status = status_at(directory.find("ann", deadline), world.clock.now())
    assert status.statuses == {PasswordStatus.ACTIVE}
    directory.close()
