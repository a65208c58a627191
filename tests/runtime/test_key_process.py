"""What both processes that hold a key are, whichever it is (security.md 12, 25)."""

from __future__ import annotations

import os
import pwd
import sys
from pathlib import Path

import pytest

from loginward.runtime import eap_process, key_process, radsec_process

OPEN = Path("/proc/self/fd")
MODULES = {"EAP": eap_process, "RADIUS over TLS": radsec_process}


@pytest.fixture(params=MODULES)
def child(request):
    become = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    made = MODULES[request.param].spawn(become)
    made.link.settimeout(30)
    yield made
    made.end()


def test_it_ends_when_the_daemon_is_gone(child):
    child.link.close()
    assert child.process.wait(10) == 0


def test_what_is_no_order_ends_it(child):
    child.link.send(b"hello")
    assert child.process.wait(10) == os.EX_SOFTWARE


def test_a_program_that_is_not_there_leaves_no_socket_behind(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    before = len(list(OPEN.iterdir()))
    with pytest.raises(OSError, match="No such file"):
        key_process.spawn("loginward.runtime.eap_process")
    assert len(list(OPEN.iterdir())) == before
