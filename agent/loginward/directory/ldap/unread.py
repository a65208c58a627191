"""Accounts that nobody may read: a name becomes a DN, and the bind alone tells.

Source: RFC 4514 section 2.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.core.names import index_form, is_sendable_unread
from loginward.directory.ldap.generic import unread_facts
from loginward.settings.directory import USER_PLACEHOLDER

if TYPE_CHECKING:
    from datetime import datetime

    from loginward.core.facts import AccountFacts


def account_of(template: str, name: str, now: datetime) -> AccountFacts | None:
    """Return the account of a name; None where the name could mean anything else in a DN.

    Nothing needs escaping: names that would need it are not sent at all.
    """
    folded = index_form(name)
    if not is_sendable_unread(folded):
        return None
    return unread_facts(folded, template.replace(USER_PLACEHOLDER, folded), now)
