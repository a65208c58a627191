"""A request under way, for the tests of those who work on one."""

from __future__ import annotations

from loginward.core.clock import Deadline
from loginward.core.requests import Door, LoginRequest, Peer, Phase
from loginward.runtime.cases import Case
from loginward.runtime.throttle import Sources


def case_of(
    host, *, uid=0, named=False, service="sshd", line="sshd 203.0.113.7", phase=Phase.AUTHN
):
    """Return a request under way, as the service makes one of what a door asks."""
    request = LoginRequest(
        door=Door.LOGIN,
        phase=phase,
        name="ann",
        service=service,
        peer=Peer(uid=uid, real_uid=uid, named=named),
    )
    return Case(
        request=request,
        sources=Sources((), line),
        in_force=host.parts.configuration.current,
        deadline=Deadline.after(3.0, host.parts.clock),
    )
