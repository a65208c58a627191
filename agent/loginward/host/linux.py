"""What an unlock leaves behind on a Linux host, and how it is cleared (R62).

Source: pam_faillock(8), faillock.conf(5), sss_cache(8), nscd(8).
"""

from __future__ import annotations

import pwd
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loginward.core.transitions import Transition
from loginward.host.port import Step, StepOutcome, StepResult
from loginward.host.rootverbs import CACHES, FAILLOCK_CONF, RootVerb, program_of, tally_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginward.core.facts import AccountFacts
    from loginward.host.roothelper import RootHelper

_CLEARING: Final = frozenset({Transition.UNLOCKED, Transition.RESET, Transition.ACTIVATED})


class LinuxActions:
    """Resets pam_faillock's own tally, and has name caches forget the account.

    Args:
        root: Who has root's rights; None: nobody, so that a person is told what to type.
    """

    def __init__(
        self,
        root: RootHelper | None,
        *,
        faillock_conf: Path = FAILLOCK_CONF,
        user_of: Callable[[str], pwd.struct_passwd] = pwd.getpwnam,
    ) -> None:
        self._root = root
        self._faillock_conf = faillock_conf
        self._user_of = user_of

    def plan(self, account: AccountFacts, transition: Transition) -> tuple[Step, ...]:
        """Return the steps for an account; none for one that this host does not know, or root."""
        try:
            user = self._user_of(account.name)
        except (KeyError, ValueError):
            return ()
        if user.pw_uid == 0:
            return ()
        steps = [self._faillock(user)] if transition in _CLEARING else []
        steps += [_forget(verb, user) for verb in CACHES if program_of(verb) is not None]
        return tuple(steps)

    def carry_out(self, steps: tuple[Step, ...], *, dry_run: bool) -> tuple[StepResult, ...]:
        """Do the steps that are needed, or only name them."""
        return tuple(self._carry_out(step, dry_run=dry_run) for step in steps)

    def _faillock(self, user: pwd.struct_passwd) -> Step:
        folder = tally_folder(self._faillock_conf)
        try:
            needed = (folder / user.pw_name).stat(follow_symlinks=False).st_size > 0
        except OSError:
            needed = False
        return Step(
            name=RootVerb.FAILLOCK.value,
            uid=user.pw_uid,
            text="pam_faillock's own tally" if needed else "pam_faillock keeps no tally",
            needed=needed,
            command=f"faillock --dir {folder} --user {user.pw_name} --reset",
        )

    def _carry_out(self, step: Step, *, dry_run: bool) -> StepResult:
        if not step.needed:
            return StepResult(step.name, StepOutcome.NOT_NEEDED, step.text)
        if self._root is None:
            return StepResult(step.name, StepOutcome.ADVICE, f"{step.text}: {step.command}")
        if dry_run:
            return StepResult(step.name, StepOutcome.WOULD, f"{step.text}: {step.command}")
        problem = self._root.ask(RootVerb(step.name), step.uid)
        if problem:
            return StepResult(step.name, StepOutcome.FAILED, f"{step.text}: {problem}")
        return StepResult(step.name, StepOutcome.DONE, step.text)


def _forget(verb: RootVerb, user: pwd.struct_passwd) -> Step:
    return Step(
        name=verb.value,
        uid=user.pw_uid,
        text=f"what {verb.value.partition('-')[0]} remembers of the account",
        command=" ".join((Path(program_of(verb) or "").name, *verb.arguments(user.pw_name))),
    )
