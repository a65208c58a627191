"""From a request that an operator may make to the rows that answer it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from loginward.core.names import index_form
from loginward.doors.admin.roles import right_named
from loginward.wire.admin import requests as ask
from loginward.wire.admin import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from loginward.doors.admin.port import AdminService, Operator
    from loginward.doors.admin.roles import Roles

PROTECTED = "is in a protected group; nobody may do this here (doors.admin.protected_groups)"

HIDDEN = (
    "{hidden}, so that whoever is in it cannot be told apart: let it read the group and its"
    " members, or take the group out of doors.admin.protected_groups"
)

OF_ROOT = "it takes in protected people too, and only root may do that"


class Dispatch:
    """Asks the runtime what a request asks, and keeps protected accounts out of its reach."""

    def __init__(self, service: AdminService, roles: Roles) -> None:
        self._service = service
        self._roles = roles

    def turned_away(self, request: ask.AnyRequest, by: Operator) -> rows.FailedRow:
        """Record and answer a request that the operator has no right to."""
        right = right_named(request)
        self._service.turned_away(f"{_tag(request)}, needs {right}", by)
        return rows.FailedRow(
            problem=rows.Problem.NOT_PERMITTED,
            why=f"{by.name} has no role with the right {right}",
            hint="run it as root, or have the right added in doors.admin.roles",
        )

    def answer(
        self, request: ask.AnyRequest, file: bytes, by: Operator
    ) -> Iterable[rows.AnyRow | None]:
        """Return the rows of an answer; may block between them."""
        match request:
            case ask.ActOnUsers() | ask.RemoveUsers() | ask.AddUser() | ask.ForgetCopies():
                return self._order(request, by)
            case ask.ActivateSelf():
                return [self._service.activate_self(request, by)]
            case ask.ImportUsers():
                return self._service.import_users(request, file, by)
            case ask.ExportUsers(with_hashes=True):
                return self._of_everybody(
                    request, by, lambda: self._service.export_users(request, by)
                )
            case ask.ExportUsers():
                return self._service.export_users(request, by)
            case ask.ClearCache():
                return self._of_everybody(request, by, lambda: [self._service.clear_copies(by)])
            case ask.RunRefresh(name=str(name), dry_run=False):
                return self._refresh(request, name, by)
            case ask.RunRefresh(dry_run=False):
                return self._of_everybody(request, by, lambda: self._service.refresh(request, by))
            case ask.RunRefresh():
                return self._service.refresh(request, by)
            case ask.AcceptClock():
                return [self._service.accept_clock(by)]
            case ask.Reload():
                return [self._service.reload(by)]
            case _:
                return self._question(request)

    def _question(self, request: ask.AnyRequest) -> Iterable[rows.AnyRow | None]:
        service = self._service
        match request:
            case ask.AskHealth():
                return [service.health()]
            case ask.AskMetrics():
                return [service.metrics()]
            case ask.AskAccount(name=name):
                unknown = f"{name}: no account of that name"
                return [service.account(request) or _unknown(unknown, "loginward users lists them")]
            case ask.AskWhy():
                return [service.why(request)]
            case ask.AskReference(reference=reference):
                unknown = f"no event has the reference {reference}"
                hint = "events are kept for events.keep_d days on the host that answered"
                return [service.why_reference(request) or _unknown(unknown, hint)]
            case ask.ListUsers():
                return service.users(request)
            case ask.ListCache():
                return service.copies()
            case ask.ListRadiusSessions():
                return service.radius_sessions()
            case ask.ExplainRadius():
                return [service.explain_radius(request)]
            case ask.AskEvents():
                return service.events(request)
            case ask.AskDoctor():
                return service.findings()
        raise AssertionError(_tag(request))

    def _of_everybody(
        self, request: ask.AnyRequest, by: Operator, do: Callable[[], Iterable[rows.AnyRow]]
    ) -> Iterator[rows.AnyRow]:
        """Leave to root what takes in protected people with all others: root can by hand, too."""
        if self._roles.protected_groups and by.uid != 0:
            self._service.turned_away(f"{_tag(request)}, protected accounts", by)
            yield rows.FailedRow(
                problem=rows.Problem.NOT_PERMITTED, why=OF_ROOT, hint="run it as root"
            )
            return
        yield from do()

    def _refresh(self, request: ask.RunRefresh, name: str, by: Operator) -> Iterator[rows.StepRow]:
        """Clear nothing that was counted against a protected account."""
        why = PROTECTED if self._is_protected(name, request) else self._hidden()
        if why:
            self._service.turned_away(f"{_tag(request)}, protected account", by)
            yield rows.StepRow(name=name, step="account", state=rows.StepState.FAILED, text=why)
            return
        yield from self._service.refresh(request, by)

    def _order(
        self,
        request: ask.ActOnUsers | ask.RemoveUsers | ask.AddUser | ask.ForgetCopies,
        by: Operator,
    ) -> Iterator[rows.AnyRow]:
        """Answer for protected accounts here; the service never hears of them."""
        kept = {name for name in _names(request) if self._is_protected(name, request)}
        for name in sorted(kept):
            self._service.turned_away(f"{_tag(request)}, protected account", by)
            yield rows.ActRow(name=name, problem=rows.Problem.NOT_PERMITTED, why=PROTECTED)
        left = tuple(name for name in _names(request) if name not in kept)
        if not left:
            return
        if why := self._hidden():
            self._service.turned_away(f"{_tag(request)}, protected group hidden", by)
            yield from (
                rows.ActRow(name=name, problem=rows.Problem.REFUSED, why=why) for name in left
            )
            return
        match request:
            case ask.AddUser():
                yield self._service.add_user(request, by)
            case ask.ActOnUsers():
                yield from self._service.act(msgspec.structs.replace(request, names=left), by)
            case ask.RemoveUsers():
                yield from self._service.remove_users(ask.RemoveUsers(names=left), by)
            case ask.ForgetCopies():
                yield from self._service.forget(ask.ForgetCopies(names=left), by)

    def _hidden(self) -> str:
        """Return why nobody can be told apart from the protected; empty: they can."""
        protected = self._roles.protected_groups
        hidden = self._service.hidden_groups(protected) if protected else ()
        return HIDDEN.format(hidden="; ".join(hidden)) if hidden else ""

    def _is_protected(self, name: str, request: ask.AnyRequest) -> bool:
        protected = self._roles.protected_groups
        if not protected:
            return False
        groups = self._service.groups_of(name)
        if isinstance(request, ask.AddUser):  # nobody is added into a protected group either
            groups |= frozenset(request.groups)
        return not {index_form(one) for one in groups}.isdisjoint(map(index_form, protected))


def _names(request: ask.AnyRequest) -> tuple[str, ...]:
    if isinstance(request, ask.ActOnUsers | ask.RemoveUsers | ask.ForgetCopies):
        return request.names
    return (request.name,) if isinstance(request, ask.AddUser) else ()


def _tag(request: ask.AnyRequest) -> str:
    return str(request.__struct_config__.tag)


def _unknown(why: str, hint: str) -> rows.FailedRow:
    return rows.FailedRow(problem=rows.Problem.UNKNOWN, why=why, hint=hint)
