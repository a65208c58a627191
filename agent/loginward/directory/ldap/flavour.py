"""What kind of server it is, told from its root entry.

Source: RFC 4512 section 5.1; the signs were seen on live servers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginward.wire.ldap import ppolicy

if TYPE_CHECKING:
    from loginward.directory.ldap.entry import Entry
    from loginward.settings.directory import Flavour

ATTRIBUTES = ("objectClass", "vendorName", "supportedCapabilities", "supportedControl")
_ACTIVE_DIRECTORY = "1.2.840.113556.1.4.800"


NOT_YET: frozenset[Flavour] = frozenset({"389ds", "active-directory", "freeipa"})


def has_policies(root: Entry) -> bool:
    """Return whether an OpenLDAP applies password policies; one that does not locks nobody."""
    return ppolicy.OID in root.texts("supportedControl")


def flavour_of(root: Entry) -> Flavour:
    """Return the flavour that the root entry shows."""
    if _ACTIVE_DIRECTORY in root.texts("supportedCapabilities"):
        return "active-directory"
    if "OpenLDAProotDSE" in root.texts("objectClass"):
        return "openldap"
    if root.text("vendorName").startswith("389 Project"):
        return "389ds"
    return "generic"
