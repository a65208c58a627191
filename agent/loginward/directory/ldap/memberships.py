"""Which groups an account is in, by the groups' names.

Source: RFC 4519 sections 2.17 (member: DNs) and 2.40 (uniqueMember), RFC 2307 section 2.2
(memberUid: login names).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loginward.core.names import index_form
from loginward.wire.ldap.search import both, either, equals, present

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loginward.core.clock import Deadline
    from loginward.directory.ldap.entry import Entry
    from loginward.directory.ldap.service import Service
    from loginward.settings.directory import Directory

_NAME: Final = "cn"
_BY_NAME: Final = frozenset({"memberuid"})  # members are names, not DNs (RFC 2307)


class Memberships:
    """Reads groups as `directory.groups` says; without a base_dn nobody is in any."""

    def __init__(self, settings: Directory, service: Service) -> None:
        self._base_dn = settings.groups.base_dn
        self._attribute = settings.groups.member_attribute
        self._by_name = self._attribute.lower() in _BY_NAME
        self._login_attribute = settings.users.login_attribute
        self._service = service

    def of(self, entry: Entry, deadline: Deadline) -> frozenset[str]:
        """Return the groups of one account.

        Raises:
            DirectoryUnavailable: No answer.
        """
        if self._base_dn is None:
            return frozenset()
        wanted = equals(self._attribute, self._member(entry))
        found = self._service.search(self._base_dn, wanted, (_NAME,), deadline)
        return frozenset(filter(None, (group.text(_NAME) for group in found)))

    def hidden(self, names: frozenset[str], deadline: Deadline) -> tuple[str, ...]:
        """Return which of these groups are not found, or show no member, by name.

        A server leaves out what one may not read: only a member that is shown tells that `of` finds
        members. So a group without any is hidden, too.

        Raises:
            DirectoryUnavailable: No answer.
        """
        seen = set[str]()
        if self._base_dn is not None and names:
            named = either(*(equals(_NAME, name) for name in sorted(names)))
            wanted = both(named, present(self._attribute))
            found = self._service.search(self._base_dn, wanted, (_NAME,), deadline)
            seen = {index_form(group.text(_NAME)) for group in found}
        return tuple(sorted(name for name in names if index_form(name) not in seen))

    def of_all(self, deadline: Deadline) -> tuple[Mapping[str, frozenset[str]], bool]:
        """Return the groups of everybody, by `key`, and whether the server cut the list short.

        Raises:
            DirectoryUnavailable: No answer.
        """
        if self._base_dn is None:
            return {}, False
        wanted = present(self._attribute)
        found, cut = self._service.pages(self._base_dn, wanted, (_NAME, self._attribute), deadline)
        groups: dict[str, frozenset[str]] = {}
        for group in found:
            for member in group.texts(self._attribute):
                key = self._key(member)
                groups[key] = groups.get(key, frozenset()) | {group.text(_NAME)}
        return groups, bool(cut)

    def key(self, entry: Entry) -> str:
        """Return by what an account is found among the groups of everybody."""
        return self._key(self._member(entry))

    def _member(self, entry: Entry) -> str:
        return entry.text(self._login_attribute) if self._by_name else entry.dn

    def _key(self, member: str) -> str:
        return member if self._by_name else member.lower()
