"""From a verdict to a RADIUS answer: one total table (design, "The law, in types")."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

from loginward.core.reasons import Reason, Verdict

if TYPE_CHECKING:
    from loginward.doors.radius.port import ResultTurn

# Another server of the site may know better: the client tries it where it hears nothing.
_MAY_BE_SILENT: Final = frozenset({Reason.OFFLINE_NEVER_SEEN, Reason.DIRECTORY_UNAVAILABLE})


class Answer(enum.Enum):
    """What leaves."""

    ACCEPT = "accept"
    REJECT = "reject"
    SILENCE = "silence"


def answer_to(result: ResultTurn, when_unavailable: str) -> Answer:
    """Return what a result is answered with.

    A change or a code that is still owed at the end has found no way to be asked for.

    Args:
        when_unavailable: `doors.radius.when_unavailable`: silent | reject.
    """
    if result.verdict is Verdict.ALLOW:
        return Answer.ACCEPT
    if result.reason in _MAY_BE_SILENT and when_unavailable == "silent":
        return Answer.SILENCE
    return Answer.REJECT
