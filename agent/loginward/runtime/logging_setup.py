"""Where the daemon's log lines go, and in what form.

To the journal with the priorities of sd-daemon(3), to a terminal plainly, to anything else with the
time, or as JSON lines. No line can hold a control character from outside, or a secret: those have
no text (`loginward.core.secret`), and tracebacks show no locals.
"""

from __future__ import annotations

import enum
import json
import logging
import os
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping

_PRIORITIES: Final = {
    logging.CRITICAL: 2,
    logging.ERROR: 3,
    logging.WARNING: 4,
    logging.INFO: 6,
    logging.DEBUG: 7,
}  # syslog(3)


class LogForm(enum.Enum):
    """How a line looks."""

    JOURNAL = "journal"
    TERMINAL = "terminal"
    PLAIN = "plain"
    JSON = "json"


def set_up_logging(
    *,
    level: int = logging.INFO,
    form: LogForm | None = None,
    stream: TextIO | None = None,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Send every log line to a stream, once; later calls replace earlier ones.

    Args:
        form: None: what suits the stream.
        stream: None: standard error.
    """
    out = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(out)
    handler.setFormatter(LineFormatter(form or _form_of(out, environ)))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    logging.raiseExceptions = False  # a closed stream must not become the daemon's problem
    threading.excepthook = _log_thread_fault


class LineFormatter(logging.Formatter):
    """Makes lines of a record: one, or one for each line of a traceback."""

    def __init__(self, form: LogForm) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        """Return the record, without its last line end."""
        lines = [_printable(record.getMessage())]
        if record.exc_info and record.exc_info[0] is not None:
            lines += map(_printable, self.formatException(record.exc_info).splitlines())
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        level = record.levelname.casefold()
        match self._form:
            case LogForm.JSON:
                said: dict[str, object] = {"at": at, "level": level, "part": record.name}
                said["text"] = lines[0]
                if lines[1:]:
                    said["trace"] = lines[1:]
                return json.dumps(said)
            case LogForm.JOURNAL:
                priority = _PRIORITIES.get(record.levelno, 6)
                return "\n".join(f"<{priority}>{line}" for line in lines)
            case LogForm.TERMINAL:
                return "\n".join(lines)
            case LogForm.PLAIN:
                return f"{at} {level} " + "\n    ".join(lines)


def _form_of(stream: TextIO, environ: Mapping[str, str]) -> LogForm:
    if _is_journal(stream, environ):
        return LogForm.JOURNAL
    return LogForm.TERMINAL if stream.isatty() else LogForm.PLAIN


def _is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether the stream is the one that systemd connected (systemd.exec(5))."""
    try:
        seen = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM", "") == f"{seen.st_dev}:{seen.st_ino}"


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


def _log_thread_fault(fault: threading.ExceptHookArgs) -> None:
    if fault.exc_type is SystemExit or fault.exc_value is None:
        return
    name = "a thread" if fault.thread is None else fault.thread.name
    logging.getLogger("loginward").error("%s ended: fault", name, exc_info=fault.exc_value)
