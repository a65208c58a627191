"""Which right a request needs, and who has it (security.md 16)."""

from __future__ import annotations

import grp
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from loginward.core.acts import ALL_RIGHTS, OF_EVERYBODY, Right
from loginward.core.names import index_form
from loginward.wire.admin import requests as ask

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from loginward.doors.admin.port import Operator

EVERYTHING: Final = "all"

_NEEDS: Final[Mapping[type[ask.Request], Right]] = {
    ask.AskHealth: Right.VIEW,
    ask.AskMetrics: Right.VIEW,
    ask.AskAccount: Right.VIEW,
    ask.AskWhy: Right.VIEW,
    ask.AskReference: Right.VIEW,
    ask.ListUsers: Right.VIEW,
    ask.ListCache: Right.VIEW,
    ask.ListRadiusSessions: Right.VIEW,
    ask.ExplainRadius: Right.VIEW,
    ask.AskEvents: Right.VIEW,
    ask.AskDoctor: Right.VIEW,
    ask.AddUser: Right.ADD,
    ask.RemoveUsers: Right.REMOVE,
    ask.ImportUsers: Right.IMPORT,
    ask.ExportUsers: Right.EXPORT,
    ask.ActivateSelf: Right.ACTIVATE_SELF,
    ask.ForgetCopies: Right.CACHE,
    ask.ClearCache: Right.CACHE,
    ask.RunRefresh: Right.REFRESH,
    ask.AcceptClock: Right.CLOCK,
    ask.Reload: Right.RELOAD,
}


@dataclass(frozen=True, slots=True)
class Roles:
    """Rights by kernel group, and whom no operator may touch.

    Attributes:
        by_group: Names of rights by group name, "all" for every right.
        protected_groups: Directory groups whose members are refused to every verb.
    """

    by_group: Mapping[str, Collection[str]] = field(default_factory=dict)
    protected_groups: Collection[str] = ()

    def rights_of(self, uid: int, gids: frozenset[int]) -> frozenset[Right]:
        """Return the rights of a peer: those of everybody and of its roles; uid 0 has all.

        A configured group that this host does not have gives nobody anything more.
        """
        if uid == 0:
            return ALL_RIGHTS
        rights = set(OF_EVERYBODY)
        for group, named in self.by_group.items():
            if _gid_of(group) in gids:
                rights |= ALL_RIGHTS if EVERYTHING in named else {Right(name) for name in named}
        return frozenset(rights)


def right_for(request: ask.AnyRequest) -> Right:
    """Return the right that a request needs."""
    match request:
        case ask.ActOnUsers(verb=verb):
            return Right(verb.value)
        case ask.RunRefresh(dry_run=True):
            return Right.VIEW
    return _NEEDS[type(request)]


def right_named(request: ask.AnyRequest) -> str:
    """Return the right that a request needs as it is spelled in `doors.admin.roles`."""
    return EVERYTHING if _gives_hashes(request) else right_for(request).value


def may_ask(operator: Operator, request: ask.AnyRequest) -> bool:
    """Return whether an operator may ask that; a person may always ask for their own status."""
    if _gives_hashes(request):  # which one can guess at elsewhere, without a bound
        return operator.rights >= ALL_RIGHTS
    if right_for(request) in operator.rights:
        return True
    return isinstance(request, ask.AskAccount) and index_form(request.name) == index_form(
        operator.name
    )


def _gives_hashes(request: ask.AnyRequest) -> bool:
    return isinstance(request, ask.ExportUsers) and request.with_hashes


def _gid_of(group: str) -> int | None:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return None
