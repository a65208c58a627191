"""Log lines: their form by where they go, and nothing in them that should not be."""

from __future__ import annotations

import io
import json
import logging
import os
import threading

import pytest

from loginward.core.secret import Secret
from loginward.runtime.logging_setup import LogForm, set_up_logging

log = logging.getLogger("loginward.test")


@pytest.fixture(autouse=True)
def put_back():
    root, hook, raises = logging.getLogger(), threading.excepthook, logging.raiseExceptions
    handlers, level = list(root.handlers), root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    threading.excepthook, logging.raiseExceptions = hook, raises


def said(form, speak):
    stream = io.StringIO()
    set_up_logging(form=form, stream=stream)
    speak()
    return stream.getvalue()


def fail_with_password():
    password = Secret(b"hunter2")
    typed = password.reveal()
    try:
        raise ValueError("odd") from None
    except ValueError:
        log.exception("check of %s failed, %d octets", password, len(typed))


def test_the_journal_gets_a_priority_on_every_line():
    assert said(LogForm.JOURNAL, lambda: log.warning("full")) == "<4>full\n"
    lines = said(LogForm.JOURNAL, fail_with_password).splitlines()
    assert len(lines) > 3
    assert all(line.startswith("<3>") for line in lines)


def test_a_terminal_gets_the_words_and_a_file_the_time_too():
    assert said(LogForm.TERMINAL, lambda: log.info("ready")) == "ready\n"
    line = said(LogForm.PLAIN, lambda: log.info("ready"))
    assert line[:2] == "20"
    assert line.endswith("+00:00 info ready\n")


def test_json_is_one_object_a_line():
    line = said(LogForm.JSON, fail_with_password)
    assert line.count("\n") == 1
    row = json.loads(line)
    assert (row["level"], row["part"]) == ("error", "loginward.test")
    assert row["trace"][-1] == "ValueError: odd"


@pytest.mark.parametrize("form", LogForm)
def test_no_line_holds_a_secret_or_a_local(form):
    """I15."""
    assert "hunter2" not in said(form, fail_with_password)


@pytest.mark.parametrize("form", LogForm)
def test_what_comes_from_outside_makes_no_line_of_its_own(form):
    line = said(form, lambda: log.info("user %s", "ann\n<0>root let in\x1b[2J\u2028"))
    assert line.count("\n") == 1
    assert "\x1b" not in line
    assert "\u2028" not in line


def test_the_form_follows_the_stream(tmp_path):
    with (tmp_path / "log").open("w") as stream:
        seen = os.fstat(stream.fileno())
        environ = {"JOURNAL_STREAM": f"{seen.st_dev}:{seen.st_ino}"}
        set_up_logging(stream=stream, environ=environ)
        log.info("to the journal")
        set_up_logging(stream=stream, environ={"JOURNAL_STREAM": "1:2"})
        log.info("to a file")
    first, second = (tmp_path / "log").read_text().splitlines()
    assert first == "<6>to the journal"
    assert second.endswith("info to a file")


def test_a_terminal_is_known():
    leader, follower = os.openpty()
    with os.fdopen(follower, "w") as stream:
        set_up_logging(stream=stream, environ={})
        log.info("ready")
        assert os.read(leader, 100) == b"ready\r\n"
    os.close(leader)


def test_a_thread_that_ends_by_a_fault_is_told():
    def speak():
        thread = threading.Thread(target=lambda: 1 / 0, name="watcher")
        thread.start()
        thread.join()

    lines = said(LogForm.JOURNAL, speak)
    assert lines.startswith("<3>watcher ended: fault\n")
    assert "ZeroDivisionError" in lines


def test_setting_up_again_replaces_and_a_closed_stream_is_no_fault():
    first, second = io.StringIO(), io.StringIO()
    set_up_logging(form=LogForm.TERMINAL, stream=first)
    set_up_logging(form=LogForm.TERMINAL, stream=second)
    log.info("once")
    assert (first.getvalue(), second.getvalue()) == ("", "once\n")
    second.close()
    log.info("nobody hears")
