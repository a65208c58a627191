"""Filters in their encoded form; only those that a site or this program wrote are parsed from text.

Source: RFC 4515.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ldap3.core.exceptions import LDAPException
from ldap3.operation.search import compile_filter, parse_filter
from pyasn1.codec.ber import encoder
from pyasn1.error import PyAsn1Error

from loginward.errors import ConfigError
from loginward.wire.ldap.search import present

if TYPE_CHECKING:
    from loginward.settings.directory import Users


ANY: Final = present("objectClass")
NO_ATTRIBUTES: Final = ("1.1",)  # RFC 4511 section 4.5.1.8


def people_of(users: Users) -> bytes:
    """Return the filter of the site's people.

    Raises:
        ConfigError: The site's filter is none.
    """
    try:
        return parsed(users.filter)
    except ValueError as error:
        raise ConfigError("directory.users.filter", "must be an LDAP filter (RFC 4515)") from error


@lru_cache(maxsize=64)
def parsed(text: str) -> bytes:
    """Return a filter in its encoded form.

    Raises:
        ValueError: It is no filter.
    """
    try:
        (top,) = parse_filter(text, None, None, None, None, False).elements  # type: ignore[no-untyped-call]  # noqa: FBT003
        return bytes(encoder.encode(compile_filter(top)))  # type: ignore[no-untyped-call]
    except (LDAPException, PyAsn1Error, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{text!r} is no LDAP filter") from error
