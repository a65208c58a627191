"""Distinguished names above and below each other."""

from __future__ import annotations

import pytest

from loginward.directory.ldap.names import is_below


@pytest.mark.parametrize(
    ("dn", "above", "below"),
    [
        ("dc=ex,dc=org", "dc=ex,dc=org", True),
        ("uid=a,ou=people,dc=ex,dc=org", "dc=ex,dc=org", True),
        ("UID=a, OU = people , dc=Ex,DC=org", "dc=ex, dc=org", True),
        ("dc=ex,dc=org", "ou=people,dc=ex,dc=org", False),
        ("ou=people,xdc=ex,dc=org", "dc=ex,dc=org", False),
        ("dc=latex,dc=org", "ex,dc=org", False),
    ],
)
def test_what_lies_below(dn: str, above: str, below: bool) -> None:
    assert is_below(dn, above) is below
