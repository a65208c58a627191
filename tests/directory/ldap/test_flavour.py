"""The kind of a server, told from root entries as live servers showed them."""

from __future__ import annotations

import pytest

from loginward.directory.ldap.entry import Entry
from loginward.directory.ldap.flavour import flavour_of, has_policies

PPOLICY = "1.3.6.1.4.1.42.2.27.8.5.1"


def root(**values: str) -> Entry:
    return Entry("", {name.lower(): (value.encode(),) for name, value in values.items()})


@pytest.mark.parametrize(
    ("values", "flavour"),
    [
        ({"objectClass": "OpenLDAProotDSE"}, "openldap"),
        ({"supportedCapabilities": "1.2.840.113556.1.4.800"}, "active-directory"),
        (
            {
                "supportedCapabilities": "1.2.840.113556.1.4.800",
                "vendorName": "Samba Team (https://www.samba.org)",
            },
            "active-directory",
        ),
        ({"vendorName": "389 Project"}, "389ds"),
        ({"vendorName": "ForgeRock AS."}, "generic"),
        ({}, "generic"),
    ],
)
def test_the_sign_of_each(values, flavour):
    assert flavour_of(root(**values)) == flavour


def test_policies_are_there_where_the_control_is():
    assert has_policies(root(supportedControl=PPOLICY))
    assert not has_policies(root(supportedControl="1.2.3"))
