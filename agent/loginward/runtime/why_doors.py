"""The doors as `why` asks at them: a request as it would come in there, and what is answered."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from loginward.core.policy import WhenExpired
from loginward.core.readings import Copy
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Door, LoginRequest, Peer, Phase
from loginward.doors.radius.port import ResultTurn
from loginward.doors.radius.verdicts import Answer, answer_to
from loginward.wire.admin.rows import FailedRow, Problem

if TYPE_CHECKING:
    from loginward.core.commands import Gathered
    from loginward.core.decision import Decision
    from loginward.messages.texts import Texts
    from loginward.settings import Settings
    from loginward.wire.admin.requests import AskWhy

SEATS: Final = {Door.LOGIN: "login", Door.GATE: "loginwindow"}
_CERTIFICATE: Final = "eap-tls"  # proves without a password, as a key does
_CONVERSES: Final = frozenset({"pap", "peap-gtc"})  # by these a new password can be asked for
_ROOT: Final = Peer(uid=0, real_uid=0)
_SHOWN: Final = {
    Answer.ACCEPT: "Access-Accept",
    Answer.REJECT: "Access-Reject",
    Answer.SILENCE: "no answer",
}
_OF_A_CHANGE: Final = frozenset({Reason.PASSWORD_EXPIRED, Reason.CHANGE_REQUIRED})


@dataclass(frozen=True, slots=True)
class Way:
    """A way in.

    Attributes:
        mute: Methods of a RADIUS client by which no new password can be asked for.
        by_certificate: This client also takes certificates.
        when_unavailable: `doors.radius.when_unavailable`.
    """

    request: LoginRequest
    mute: tuple[str, ...] = ()
    by_certificate: bool = False
    when_unavailable: str = ""

    def radius(self, decision: Decision) -> str:
        """Return what a RADIUS client hears of a decision; empty at another door."""
        if self.request.door is not Door.RADIUS:
            return ""
        if decision.verdict is Verdict.CHANGE and self.request.inline_change:
            return "Access-Challenge"
        result = ResultTurn(verdict=decision.verdict, reason=decision.reason)
        return _SHOWN[answer_to(result, self.when_unavailable)]

    def notes(self, decision: Decision, gathered: Gathered, texts: Texts) -> tuple[str, ...]:
        """Return what this door cannot do that bears on a decision, in the site's words."""
        told = []
        if self.request.door is Door.GATE and sys.platform != "darwin":
            told.append(texts.text("door.gate-elsewhere"))
        wanted = (
            decision.reason is Reason.CHANGE_REQUIRED
            or gathered.rules.when_expired is WhenExpired.CHANGE
        )
        if decision.reason in _OF_A_CHANGE and wanted:
            if not gathered.asker.can_change:
                told.append(texts.text("door.no-change"))
            elif self.mute:
                told.append(texts.text("door.no-change-by", methods=", ".join(self.mute)))
        unavailable = decision.reason is Reason.DIRECTORY_UNAVAILABLE
        if unavailable and isinstance(gathered.reading, Copy):
            told.append(texts.text("door.no-verifier"))
        return tuple(told)


def way_in(ask: AskWhy, settings: Settings) -> Way | FailedRow:
    """Return the way in that a question means, or why there is none."""
    if ask.door is not Door.RADIUS:
        return at_login(ask.name, ask.service or SEATS[ask.door], ask.door)
    radius = settings.doors.radius
    clients = () if radius is None else radius.clients
    names = ", ".join(client.name for client in clients)
    if radius is None:
        return FailedRow(problem=Problem.USAGE, why="there is no RADIUS door: doors.radius is null")
    found = [one for one in clients if ask.service in {one.name, ""}]
    if len(found) != 1:
        why = f"there is no RADIUS client {ask.service}" if ask.service else "which RADIUS client?"
        return FailedRow(problem=Problem.USAGE, why=why, hint=f"there are: {names}")
    (client,) = found
    by_password = [method for method in client.methods if method != _CERTIFICATE]
    request = LoginRequest(
        door=Door.RADIUS,
        phase=Phase.AUTHN,
        name=ask.name,
        service=client.name,
        peer=_ROOT,
        inline_change=not _CONVERSES.isdisjoint(by_password),
    )
    mute = tuple(method for method in by_password if method not in _CONVERSES)
    by_certificate = _CERTIFICATE in client.methods
    return Way(request, mute, by_certificate, radius.when_unavailable)


def at_login(name: str, service: str, door: Door = Door.LOGIN, phase: Phase = Phase.AUTHN) -> Way:
    """Return the way in by a PAM service, or by the gate."""
    return Way(LoginRequest(door=door, phase=phase, name=name, service=service, peer=_ROOT))
