"""A site's filter is understood at the start, or refused then."""

from __future__ import annotations

import pytest

from loginward.directory.ldap.filters import ANY, parsed, people_of
from loginward.errors import ConfigError
from loginward.settings.directory import Users
from loginward.wire.ldap.search import both, either, equals


def test_filters_of_a_site() -> None:
    assert parsed("(objectClass=*)") == ANY
    assert parsed("(&(a=b)(|(c=d)(e=f*)))") == both(
        equals("a", "b"), either(equals("c", "d"), parsed("(e=f*)"))
    )
    assert people_of(Users(filter="(objectClass=person)")) == equals("objectClass", "person")


def test_escapes_are_octets_of_a_value() -> None:
    assert parsed("(cn=a\\2a\\28)") == equals("cn", "a*(")


@pytest.mark.parametrize("text", ["(", "()", "(a)", "(a=b", "(&", "(a=b)(c=d)x)", "((a=b)"])
def test_what_is_no_filter_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="no LDAP filter"):
        parsed(text)


def test_the_option_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        people_of(Users(filter="(&(objectClass=person)"))
    assert caught.value.path == "directory.users.filter"
