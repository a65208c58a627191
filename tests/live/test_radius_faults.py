"""The RADIUS door while its directory stalls or is gone: in time, by policy, and soon over."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loginward.wire.radius.packet import Code, decode
from tests.doubles.nas import Nas
from tests.doubles.waiting import eventually
from tests.live import people
from tests.live.radius_site import RadiusSite, radius_site

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("radius")]

RIGHT = people.PASSWORD.encode()
PHASE_S = 3.0
BURST = 100
FEW = 8  # threads that a fault may cost for a while; not one a login
BACK_S = 5.0  # from the end of an outage until logins go on
POLICY = "    when_unavailable: {}\n    status_server: silent-when-unusable\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RadiusSite]:
    crowd = people.bulk(BURST + 20)
    folder = tmp_path_factory.mktemp("radius")
    with radius_site(folder, crowd, more=POLICY.format("reject")) as made:
        yield made


def answers(nas: Nas, request: bytes, within_s: float = 0.3) -> Code | None:
    """Return what a request is answered with; None: nothing within the time."""
    nas.sock.settimeout(within_s)
    try:
        return nas.exchange(request).code
    except TimeoutError:
        return None
    finally:
        nas.sock.settimeout(nas.patience_s)


def burst(nas: Nas) -> tuple[list[float], set[Code]]:
    """Let a hundred people log in at once; return how long each waited, and the answers."""
    began, took, codes = {}, [], set()
    for n in range(BURST):
        request = nas.request(f"bulk{n}", RIGHT)
        began[request[1]] = time.monotonic()
        nas.sock.send(request)
    for _ in range(BURST):
        reply = decode(nas.sock.recv(4096))
        took.append(time.monotonic() - began[reply.identifier])
        codes.add(reply.code)
    return sorted(took), codes


def threads_of(site: RadiusSite) -> int:
    return len(list(Path(f"/proc/{site.agent.pid}/task").iterdir()))


def is_back(site: RadiusSite) -> float:
    """Return how long it takes until somebody gets in again."""
    began = time.monotonic()
    with site.nas() as nas:
        eventually(lambda: nas.login("bulk110", RIGHT).code is Code.ACCESS_ACCEPT, "never")
    return time.monotonic() - began


def test_a_stalled_directory_holds_nobody_longer_than_a_phase_and_nothing_is_counted(
    site: RadiusSite,
) -> None:
    with site.nas(patience_s=10) as nas:
        assert burst(nas)[1] == {Code.ACCESS_ACCEPT}
        threads = threads_of(site)
        site.slapd.stall()
        try:
            took, codes = burst(nas)
            assert threads_of(site) <= threads + FEW
        finally:
            site.slapd.go_on()
    assert codes == {Code.ACCESS_REJECT}
    assert took[int(BURST * 0.99) - 1] < PHASE_S, took[-5:]
    assert is_back(site) < BACK_S
    assert {site.slapd.failures(f"bulk{n}") for n in range(0, BURST, 9)} == {0}


def test_without_its_directory_the_door_is_silent_by_policy_so_that_the_nas_goes_elsewhere(
    site: RadiusSite,
) -> None:
    """Status-Server too; and once the directory is back, it says so without a login."""
    file = site.agent.folder / "loginward.yaml"
    with site.nas(patience_s=4) as nas:
        assert answers(nas, nas.status()) is Code.ACCESS_ACCEPT
        site.slapd.stop()
        try:
            assert nas.login("bulk101", RIGHT).code is Code.ACCESS_REJECT
            file.write_text(
                file.read_text().replace(POLICY.format("reject"), POLICY.format("silent"))
            )
            os.kill(site.agent.pid, signal.SIGHUP)
            eventually(lambda: answers(nas, nas.request("bulk102", RIGHT)) is None, "still heard")
            eventually(lambda: answers(nas, nas.status()) is None, "Status-Server is answered")
            assert answers(nas, nas.request("bulk101", b"\0")) is Code.ACCESS_REJECT
        finally:
            site.slapd.restart()
        eventually(lambda: answers(nas, nas.status()) is Code.ACCESS_ACCEPT, "silent for ever")
    assert is_back(site) < BACK_S
