"""What an administrator may do to an account, through the account of `directory.admin_account`.

Source: slapo-ppolicy(5), RFC 3062, draft-zeilenga-ldap-relax; proven against a live server.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from loginward.core.facts import AccountFacts, status_at
from loginward.core.names import index_form
from loginward.core.status import LockCause, StateCause, UserState
from loginward.directory.ldap import generalized_time
from loginward.directory.ldap.openldap import BY_ADMIN
from loginward.directory.port import Act, Done, NotDone, Verb
from loginward.wire.ldap import Control, ber
from loginward.wire.ldap.messages import PASSWORD_MODIFY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loginward.core.clock import Clock, Deadline
    from loginward.core.secret import Secret
    from loginward.directory.ldap.reader import Reader
    from loginward.directory.ldap.service import Result, Service

RELAX = Control("1.3.6.1.4.1.4203.666.5.12", critical=True)
# A fraction that no tool writes marks the dates that are ours to take away again.
OURS = ".000777Z"

NOT_CONFIGURED = "This needs directory.admin_account, an account that may change other people's."
NOT_OPENLDAP = "This agent changes accounts of OpenLDAP servers alone."
IDLE = (
    "The account is locked by idleness (pwdMaxIdle) and OpenLDAP lets nobody write its"
    " pwdLastSuccess; give it another pwdPolicySubentry until it has logged in."
)
SUBSTITUTE = "; set-temporary makes the next login change the password instead"
PROTECTED = "The account is in a protected group (doors.admin.protected_groups)."
HIDDEN = (
    "directory.admin_account sees no member of the protected group {groups}, so that whoever is in it"
    " cannot be told apart: let it read the group and its members, or take the group out of"
    " doors.admin.protected_groups."
)
_ELSEWHERE = {
    Verb.SET_FIRST_PASSWORD: "use set-temporary: this directory sends no activations",
    Verb.RESEND_ACTIVATION: "this directory sends no activations; use set-temporary",
}


class Admin:
    """Carries out verbs, each after looking the account up by itself.

    Args:
        protected: Groups whose members are refused to every verb.
    """

    def __init__(
        self, service: Service, reader: Reader, clock: Clock, protected: frozenset[str]
    ) -> None:
        self._service = service
        self._reader = reader
        self._clock = clock
        self._protected = protected
        self._barred = frozenset(map(index_form, protected))

    def hidden_groups(self, deadline: Deadline) -> tuple[str, ...]:
        """Return which protected groups this account cannot see with a member in them.

        Raises:
            DirectoryUnavailable: No answer.
        """
        return self._reader.hidden_groups(self._protected, deadline)

    def carry_out(self, account: AccountFacts, act: Act, deadline: Deadline) -> Done | NotDone:
        """Carry out an act.

        Raises:
            DirectoryUnavailable: No answer; it may have been done all the same.
        """
        if not self._reader.is_openldap(deadline):
            return NotDone(NOT_OPENLDAP)
        facts = self._reader.sought(account, deadline)
        if facts is None:
            return NotDone("The account is no longer in the directory.")
        if not self._barred.isdisjoint(map(index_form, facts.groups)):
            return NotDone(PROTECTED)
        if hidden := self.hidden_groups(deadline):
            return NotDone(HIDDEN.format(groups=", ".join(hidden)))
        match act.verb:
            case Verb.UNLOCK:
                return self._unlock(facts, deadline)
            case Verb.LOCK:
                return self._lock(facts, deadline)
            case Verb.RESET_PASSWORD | Verb.SET_TEMPORARY if act.password is not None:
                temporary = act.verb is Verb.SET_TEMPORARY
                return self._set(facts, act.password, deadline, temporary=temporary)
            case Verb.EXPIRE:
                return self._expire(facts, deadline)
            case Verb.SUSPEND:
                return self._suspend(facts, deadline)
            case Verb.ACTIVATE:
                return self._activate(facts, deadline, force=act.force)
            case verb:
                return NotDone(f"Not possible here: {_ELSEWHERE.get(verb, 'no password given')}.")

    def _unlock(self, facts: AccountFacts, deadline: Deadline) -> Done | NotDone:
        now = self._clock.now()
        held = [lock for lock in facts.locks if lock.holds(now)]
        if not held and not facts.failures:
            return Done(was_noop=True)
        if any(lock.cause is LockCause.IDLE for lock in held):
            return NotDone(IDLE)
        # Only a "delete" makes the server forget pwdFailureTime too, and it is refused where there
        # is nothing to delete: so a value is set first, in the same operation.
        replace: dict[str, Sequence[bytes]] = {"pwdAccountLockedTime": [BY_ADMIN.encode()]}
        controls: tuple[Control, ...] = ()
        if any(lock.id.startswith("pwdAccountTmpLockoutEnd") for lock in held):
            replace["pwdAccountTmpLockoutEnd"] = []
            controls = (RELAX,)
        result = self._service.modify(
            facts.ref, replace, deadline, *controls, then_delete="pwdAccountLockedTime"
        )
        return _done(result)

    def _lock(self, facts: AccountFacts, deadline: Deadline) -> Done | NotDone:
        policy = self._reader.policy_of(facts.ref, deadline)
        if policy is None or not policy.locks:
            return NotDone(
                "The account has no password policy with pwdLockout, so no lock would hold;"
                " use suspend."
            )
        if any(lock.cause is LockCause.BY_ADMIN for lock in facts.locks):
            return Done(was_noop=True)
        return self._write(facts, deadline, pwdAccountLockedTime=BY_ADMIN)

    def _set(
        self, facts: AccountFacts, password: Secret, deadline: Deadline, *, temporary: bool
    ) -> Done | NotDone:
        policy = self._reader.policy_of(facts.ref, deadline)
        if temporary and (policy is None or not policy.must_change):
            return NotDone(
                "The account has no password policy with pwdMustChange, so a temporary password"
                " would last; use reset-password."
            )
        # The server hashes what comes this way, which it need not do with a plain replace.
        value = ber.element(
            ber.SEQUENCE,
            ber.element(0x80, facts.ref.encode()) + ber.element(0x82, password.reveal()),
        )
        done = _done(self._service.extended(PASSWORD_MODIFY, value, deadline))
        if isinstance(done, NotDone) or policy is None:
            return done
        reset = self._write(facts, deadline, pwdReset="TRUE" if temporary else "FALSE")
        if isinstance(reset, NotDone):
            return NotDone(f"The password was set, but not whether it must be changed: {reset.why}")
        return Done()

    def _expire(self, facts: AccountFacts, deadline: Deadline) -> Done | NotDone:
        policy = self._reader.policy_of(facts.ref, deadline)
        if policy is None or policy.max_age_s is None:
            return NotDone(f"The account has no password policy with pwdMaxAge{SUBSTITUTE}.")
        now = self._clock.now()
        if any(due.at <= now for due in facts.due):
            return Done(was_noop=True)
        aged = now - timedelta(seconds=policy.max_age_s + 1)
        replace = {"pwdChangedTime": [generalized_time.spell(aged).encode()]}
        result = self._service.modify(facts.ref, replace, deadline, RELAX)
        return _done(result, SUBSTITUTE)

    def _suspend(self, facts: AccountFacts, deadline: Deadline) -> Done | NotDone:
        now = self._clock.now()
        if status_at(facts, now).state is UserState.SUSPENDED:
            return Done(was_noop=True)
        if self._reader.policy_of(facts.ref, deadline) is None:
            return NotDone("The account has no password policy, so no end date would hold.")
        end = generalized_time.spell(now).removesuffix("Z") + OURS
        return self._write(facts, deadline, pwdEndTime=end)

    def _activate(self, facts: AccountFacts, deadline: Deadline, *, force: bool) -> Done | NotDone:
        status = status_at(facts, self._clock.now())
        if status.state is UserState.ACTIVE:
            return Done(was_noop=True)
        said = next((e.said for e in facts.evidence if _dates(e.said, status.state_cause)), "")
        if not force and not said.endswith(OURS):
            return NotDone(
                f"A date set by somebody else stands against it ({said or status.state_date});"
                " --force takes it away."
            )
        if not said:
            return NotDone("The directory does not say what keeps the account from being active.")
        return _done(self._service.modify(facts.ref, {said.partition("=")[0]: ()}, deadline))

    def _write(self, facts: AccountFacts, deadline: Deadline, **values: str) -> Done | NotDone:
        replace = {name: [value.encode()] for name, value in values.items()}
        return _done(self._service.modify(facts.ref, replace, deadline))


def _dates(said: str, cause: StateCause | None) -> bool:
    """Return whether evidence is of the date behind a state."""
    if cause is StateCause.NOT_STARTED:
        return said.startswith("pwdStartTime=")
    return said.startswith(("pwdEndTime=", "shadowExpire="))


def _done(result: Result, remedy: str = "") -> Done | NotDone:
    if result.code == 0:
        return Done()
    said = result.message.strip() or "it gave no reason"
    why = f"The directory refused it with result {result.code}: {said}"
    if result.code == 50 and not remedy:
        remedy = "; directory.admin_account lacks the right"
    return NotDone(f"{why}{remedy}.")
