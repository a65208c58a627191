"""Where the daemon's sockets are, found without reading YAML."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from loginward.cli.exits import BAD_CONFIGURATION, CommandFailed

DEFAULT_CONFIG: Final = Path("/etc/loginward/loginward.yaml")
DEFAULT_RUNTIME: Final = Path("/run/loginward")
VARIABLE: Final = "LOGINWARD_RUNTIME_DIR"
# One top-level plain or quoted scalar; whatever is more intricate needs --runtime-dir.
_LINE: Final = re.compile(
    r"""^runtime_dir:[ \t]+(["']?)([^"'#\n]+?)\1[ \t]*(?:#.*)?$""", re.MULTILINE
)


def runtime_dir(given: str | None, config: str | None) -> Path:
    """Return the folder of the sockets: as given, of the environment, of the file, or the usual.

    Raises:
        CommandFailed: A file was named that cannot be read.
    """
    named = given or os.environ.get(VARIABLE)
    if named:
        return Path(named)
    path = DEFAULT_CONFIG if config is None else Path(config)
    try:
        found = _LINE.search(path.read_text("utf-8"))
    except OSError as error:
        if config is None:
            return DEFAULT_RUNTIME
        why = f"{path}: {os.strerror(error.errno or 0)}"
        raise CommandFailed(why, "name another file with -c", BAD_CONFIGURATION) from error
    except UnicodeDecodeError as error:
        why = f"{path}: is no text"
        raise CommandFailed(why, "loginward config check", BAD_CONFIGURATION) from error
    return DEFAULT_RUNTIME if found is None else Path(found[2])
