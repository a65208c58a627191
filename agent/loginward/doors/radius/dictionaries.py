"""Attributes by name: our own dictionary, then the site's, read by pyrad.

Source: the format of FreeRADIUS dictionaries. An attribute whose type cannot be written into a
reply (TLVs, extended attributes, Ascend filters) is passed over, so that files of FreeRADIUS can be
named as they are; whoever configures one is told that it is unknown.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from loginward.errors import ConfigError
from loginward.wire.radius.dictionary import Definition, Kind

_OURS: Final = "dictionary.standard"
_KEY: Final = "doors.radius.dictionaries"
_KINDS: Final = {kind.value: kind for kind in Kind}
_MAX_TYPE: Final = 255
_MAX_VENDOR: Final = 2**24 - 1  # RFC 2865 section 5.26: the high octet is 0


class Dictionary:
    """Definitions by name; case does not matter, for the RFCs and vendors spell names both ways."""

    __slots__ = ("_definitions",)

    def __init__(self, definitions: Sequence[Definition]) -> None:
        self._definitions: Mapping[str, Definition] = MappingProxyType(
            {definition.name.casefold(): definition for definition in definitions}
        )

    def find(self, name: str) -> Definition | None:
        """Return what an attribute is; None: no dictionary names it."""
        return self._definitions.get(name.casefold())

    def names(self) -> list[str]:
        """Return every name, sorted."""
        return sorted(definition.name for definition in self._definitions.values())


def load(files: Sequence[Path] = ()) -> Dictionary:
    """Return our dictionary with the site's files added, in their order.

    Raises:
        ConfigError: A file cannot be read or parsed; file and line are named. Or pyrad is missing.
    """
    try:
        from pyrad import dictionary  # noqa: PLC0415  an extra: only this door needs it
    except ImportError as error:
        raise ConfigError("doors.radius", "needs pyrad: make install EXTRAS=radius") from error
    parsed = dictionary.Dictionary()
    with resources.as_file(resources.files("loginward.doors.radius") / _OURS) as ours:
        parsed.ReadDictionary(str(ours))
    for at, file in enumerate(files):
        try:
            parsed.ReadDictionary(str(file.absolute()))
        except dictionary.ParseError as error:
            where = file if error.file in {"", file.name} else file.parent / error.file
            raise ConfigError(
                f"{_KEY}[{at}]", f"{where}:{error.line}: {error.msg or 'not a dictionary'}"
            ) from error
        except OSError as error:
            raise ConfigError(f"{_KEY}[{at}]", f"{file}: {error.strerror}") from error
        except (ValueError, LookupError, struct.error) as error:
            # Half a statement and octets that are no text come out of pyrad as they happened.
            raise ConfigError(f"{_KEY}[{at}]", f"{file}: not a dictionary") from error
    converted = (_definition(parsed, attribute) for attribute in parsed.attributes.values())
    return Dictionary([definition for definition in converted if definition is not None])


def _definition(parsed: Any, attribute: Any) -> Definition | None:  # noqa: ANN401  pyrad has no types
    kind = _KINDS.get(attribute.type)
    vendor = int(parsed.vendors.GetForward(attribute.vendor))
    in_range = 0 < attribute.code <= _MAX_TYPE and 0 <= vendor <= _MAX_VENDOR
    if kind is None or attribute.is_sub_attribute or not in_range:
        return None
    return Definition(
        name=attribute.name,
        vendor=vendor,
        type=attribute.code,
        kind=kind,
        values=_values(attribute, kind),
        has_tag=attribute.has_tag,
        is_hidden=bool(attribute.encrypt),
    )


def _values(attribute: Any, kind: Kind) -> Mapping[str, int]:  # noqa: ANN401  pyrad has no types
    """Return the named values; pyrad keeps them as the octets that would be sent."""
    return MappingProxyType(
        {
            name: int.from_bytes(octets, "big", signed=kind is Kind.SIGNED)
            for name, octets in attribute.values.forward.items()
        }
    )
