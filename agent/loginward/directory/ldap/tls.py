"""TLS towards directory servers: always verified, name included.

Source: RFC 4513 section 3.1.3, RFC 9325.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from loginward.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """Return the context for every connection; made once, for it costs 20 ms.

    Raises:
        ConfigError: The file of authorities cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            "directory.ca_file", f"{ca_file} must hold PEM certificates: {error.strerror or error}"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
