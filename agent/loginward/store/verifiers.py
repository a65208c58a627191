"""Verifiers: made after the answer, by one worker that waits for everything else.

A verifier proves a password that the directory proved last. It is made only for the people who
signed in last, only when the password is new to it, and kept only if the account is still as it was when
the directory proved the password.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from loginward.core.evidence import Checked, NoVerdict, Proof, Proven, Wrong
from loginward.core.lockout import cleared
from loginward.crypto.gate import GateBusy, Work
from loginward.crypto.tags import Tagger, equal
from loginward.errors import StoreFault
from loginward.store.record import OFFLINE, RETIRED_FOR, Record, Verifier

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from loginward.core.facts import AccountFacts
    from loginward.core.secret import Secret
    from loginward.crypto.password_hash import PasswordHasher
    from loginward.store.store import Store

_log = logging.getLogger(__name__)
_QUEUE: Final = 8  # passwords wait in it
_REST_S: Final = 2.0
_NICE: Final = 10
_CLOSE_S: Final = 5.0
_PROOF_AGE: Final = timedelta(hours=1)  # how exactly the last proof is remembered
_OLD_PASSWORD_LIVES: Final = timedelta(hours=1)  # AD: OldPasswordAllowedPeriod


@dataclass(frozen=True, slots=True)
class _Job:
    facts: AccountFacts
    generation: int
    password: Secret


class Verifiers:
    """Makes verifiers and checks passwords against them.

    Args:
        max_users: Returns how many people keep one.
        old_passwords_work: The directory takes the old password for an hour after a change
            (Active Directory): a proof in that hour may be of the old one.
        rest_s: Seconds between two verifiers once each takes the place of another: where more
            people sign in than keep one, a core is not spent on what is thrown away at once.
    """

    def __init__(
        self,
        store: Store,
        hasher: PasswordHasher,
        max_users: Callable[[], int],
        *,
        old_passwords_work: bool = False,
        rest_s: float = _REST_S,
    ) -> None:
        self._store = store
        self._hasher = hasher
        self._max_users = max_users
        self._old_passwords_work = old_passwords_work
        self._tagger = Tagger()
        self._made = dict[str, bytes]()  # whole tag of the password that the verifier proves
        self._holders: dict[str, datetime] | None = None
        self._queue = queue.Queue[_Job | None](_QUEUE)
        self._rest_s = rest_s
        self._closing = threading.Event()
        self._worker: threading.Thread | None = None
        self._turns = 0
        self._is_waiting = True

    def start(self) -> None:
        """Start the worker."""
        self._worker = threading.Thread(target=self._work, name="verifiers", daemon=True)
        self._worker.start()

    def close(self, timeout_s: float = _CLOSE_S) -> None:
        """Drop what is waiting and end the worker; one that hangs is left behind in the end."""
        self._closing.set()
        self._drop_until(0)
        if self._worker is None or not self._worker.is_alive():
            return
        with contextlib.suppress(queue.Full):  # then it has something to wake up for
            self._queue.put_nowait(None)
        self._worker.join(timeout_s)
        if self._worker.is_alive():
            _log.error("verifiers: the worker does not end; it is left behind")

    @property
    def are_well(self) -> bool:
        """Whether they are made, once that was started."""
        return self._worker is not None and self._worker.is_alive()

    @property
    def turn(self) -> object | None:
        """Return what changes as long as the worker gets on; None: it has nothing to do.

        Its computations wait for those of logins, for as long as there are any.
        """
        return None if self._is_waiting else (self._turns, self._hasher.admitted)

    @property
    def waiting(self) -> int:
        """Return how many are still to be made."""
        return self._queue.qsize()

    def has_one(self, account_id: str) -> bool:
        """Return whether an account's password can be checked here; no where it cannot be read."""
        try:
            record = self._store.ledger.record(account_id)
        except StoreFault:
            return False
        return record is not None and record.verifier is not None

    def check(self, account: AccountFacts, password: Secret, wait_s: float) -> Checked:
        """Check a password offline, after its attempt was reserved.

        Args:
            account: The copy that the login is judged by.
            password: As typed.
            wait_s: How long to wait for a computation, seconds.
        """
        try:
            record = self._store.ledger.record(account.account_id)
        except StoreFault:
            return NoVerdict("store")
        if record is None or (record.verifier is None and not record.retired):
            return NoVerdict("no-verifier")
        try:
            if record.verifier is not None:
                proven = self._matches(record.verifier, password, wait_s)
                return Proven(proof=Proof.VERIFIER) if proven else Wrong()
            return Wrong() if self._is_old(record, password, wait_s) else NoVerdict("no-verifier")
        except GateBusy:
            return NoVerdict("argon2")

    def proven_online(self, account: AccountFacts, password: Secret, generation: int) -> None:
        """Note that the directory proved a password just now, and queue a verifier of it.

        What was counted offline is over. With a full queue the one that waited longest is not made.

        Args:
            account: As read for this login.
            password: The one that was proven.
            generation: Of the account when it was read for this login.
        """
        self._note_proof(account)
        tag = self._tag(account, password)
        made = self._made.get(account.account_id)
        recent = self._store.ledger.recent(account.account_id)
        is_gone = recent is not None and recent.verifier is None  # destroyed, or forgotten
        if made is not None and equal(made, tag) and not is_gone:
            return
        self._drop_until(_QUEUE - 1)
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(_Job(account, generation, password))

    def idle(self) -> None:
        """Wait until everything queued is done; for tests and for shutting down in order."""
        self._queue.join()

    def _drop_until(self, left: int) -> None:
        """Drop the oldest jobs until so many are left."""
        with contextlib.suppress(queue.Empty):
            while self._queue.qsize() > left:
                self._queue.get_nowait()
                self._queue.task_done()

    def _note_proof(self, account: AccountFacts) -> None:
        now = self._store.time.now()

        def change(prior: Record | None) -> tuple[Record | None, None]:
            if prior is None:
                return None, None
            offline = prior.tally(OFFLINE)
            counted = prior.guesses or offline.failures or offline.pending or offline.lock
            known = prior.proven_online_at
            if not counted and known is not None and abs(now - known) < _PROOF_AGE:
                return prior, None
            after = replace(prior, guesses=0, proven_online_at=now)
            return (after.with_tally(OFFLINE, cleared(offline)) if counted else after), None

        recent = self._store.ledger.recent(account.account_id)
        if recent is not None and change(recent)[0] is recent:
            return  # the usual case costs no transaction
        self._store.ledger.change(account.account_id, change)

    def _work(self) -> None:
        with contextlib.suppress(OSError, AttributeError):  # a courtesy that may be denied
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while self._work_off() and not self._closing.is_set():
            pass

    def _work_off(self) -> bool:
        """Make the next verifier; return whether there may be more. Its password goes with it."""
        self._is_waiting = True
        job = self._queue.get()
        self._turns += 1
        self._is_waiting = False
        try:
            if job is not None and self._make(job):
                self._closing.wait(self._rest_s)
        except StoreFault as fault:
            self._store.file.note(fault)
        except Exception:  # noqa: BLE001  the thread's one net: else none was made from now on
            _log.exception("a verifier could not be made")
        finally:
            self._queue.task_done()
        return job is not None

    def _make(self, job: _Job) -> bool:
        """Make a verifier if it is wanted; return whether another one had to go for it."""
        account_id = job.facts.account_id
        record = self._store.ledger.record(account_id)
        if record is None or not _is_still(record, job) or not self._is_wanted(record, job):
            return False
        tag = self._tag(job.facts, job.password)
        phc = self._hasher.hash(job.password.reveal(), account_id, work=Work.VERIFIER)
        now = self._store.time.now()
        verifier = Verifier(
            phc=phc,
            account_id=account_id,
            changed_at=job.facts.changed_at,
            generation=job.generation,
            made_at=now,
        )

        def change(prior: Record | None) -> tuple[Record | None, bool]:
            if prior is None or not _is_still(prior, job):
                return prior, False
            return replace(prior, verifier=verifier), True

        if not self._store.ledger.change(account_id, change, only_durable=True):
            return False
        self._made[account_id] = tag
        return self._make_room(account_id, now)

    def _is_wanted(self, record: Record, job: _Job) -> bool:
        """Return whether a new verifier would say anything that the one kept does not."""
        verifier = record.verifier
        current = verifier is not None and not self._hasher.needs_rehash(verifier.phc)
        if verifier is not None and current and self._matches(verifier, job.password, None):
            self._made[job.facts.account_id] = self._tag(job.facts, job.password)
            return False
        if self._is_old(record, job.password, None):
            return False
        changed_at = job.facts.changed_at
        if not self._old_passwords_work or changed_at is None or record.retired:
            return True
        return self._store.time.now() - changed_at >= _OLD_PASSWORD_LIVES

    def _make_room(self, account_id: str, now: datetime) -> bool:
        """Let only the people who signed in last keep a verifier; return whether one had to go."""
        if self._holders is None:
            rows = self._store.file.rows
            self._holders = self._store.file.read(
                lambda connection: {
                    record.facts.account_id: record.proven_online_at or record.facts.read_at
                    for record in rows.all(connection)
                    if isinstance(record, Record) and record.verifier is not None
                }
            )
        self._holders[account_id] = now
        crowded = len(self._holders) > self._max_users()
        while len(self._holders) > self._max_users():
            last = min(self._holders, key=self._holders.__getitem__)
            self._store.ledger.change(last, _without_verifier)
            del self._holders[last]
            self._made.pop(last, None)
        return crowded

    def _matches(self, verifier: Verifier, password: Secret, wait_s: float | None) -> bool:
        work = Work.VERIFIER if wait_s is None else Work.CHECK
        return self._hasher.verify(
            verifier.phc, password.reveal(), verifier.account_id, work=work, wait_s=wait_s or 0.0
        )

    def _is_old(self, record: Record, password: Secret, wait_s: float | None) -> bool:
        now = self._store.time.now()
        return any(
            self._matches(old.verifier, password, wait_s)
            for old in record.retired
            if now - old.at < RETIRED_FOR
        )

    def _tag(self, account: AccountFacts, password: Secret) -> bytes:
        changed_at = "" if account.changed_at is None else account.changed_at.isoformat()
        return self._tagger.full(
            account.account_id.encode(), changed_at.encode(), password.reveal()
        )


def _is_still(record: Record, job: _Job) -> bool:
    return (
        record.facts.account_id == job.facts.account_id
        and record.generation == job.generation
        and record.facts.changed_at == job.facts.changed_at
    )


def _without_verifier(prior: Record | None) -> tuple[Record | None, None]:
    return (None if prior is None else replace(prior, verifier=None)), None
