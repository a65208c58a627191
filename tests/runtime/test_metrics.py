"""The metrics, read back by a parser of the exposition format."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from loginward.core.commands import Done
from loginward.core.decide import Decision
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Door, LoginRequest, Peer, Phase
from loginward.errors import DirectoryUnavailable
from loginward.runtime.metrics import Metrics
from loginward.runtime.timed_directory import TimedDirectory
from tests.doubles.moving import MovingClock

SAMPLE = re.compile(r'([a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*)\} (\S+)')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\]|\\.)*)"')
REQUEST = LoginRequest(
    door=Door.LOGIN, phase=Phase.AUTHN, name="ann", service="sshd", peer=Peer(uid=0, real_uid=0)
)


def parsed(text):
    """Return {(name, labels): value}; fails on whatever the format does not allow."""
    assert text.endswith("\n")
    samples, kinds = {}, {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in kinds
            kinds[name] = kind
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        base = re.sub(r"_(bucket|sum|count)$", "", match[1])
        assert match[1] in kinds or kinds.get(base) == "histogram", line
        key = (match[1], tuple(LABEL.findall(match[2])))
        assert key not in samples
        samples[key] = float(match[3])
    return samples


def decided(metrics, reason=Reason.OK, elapsed_s=0.002):
    verdict = Verdict.ALLOW if reason is Reason.OK else Verdict.REFUSE
    metrics.decided(REQUEST, Done(Decision(verdict=verdict, reason=reason)), elapsed_s)


def test_decisions_at_the_radius_door_are_counted_by_client_too():
    metrics = Metrics()
    for client in ("wifi", "vpn", "wifi"):
        request = replace(REQUEST, door=Door.RADIUS, service=client)
        metrics.decided(request, Done(Decision(verdict=Verdict.ALLOW, reason=Reason.OK)), 0.001)
    samples = parsed(metrics.render())
    labels = (("door", "radius"), ("phase", "authn"), ("reason", "ok"))
    assert samples["loginward_decisions_total", (*labels, ("client", "wifi"))] == 2
    assert samples["loginward_decisions_total", (*labels, ("client", "vpn"))] == 1


def test_decisions_are_counted_by_door_phase_and_reason():
    metrics = Metrics()
    for _ in range(3):
        decided(metrics)
    decided(metrics, Reason.ACCOUNT_LOCKED)
    samples = parsed(metrics.render())

    labels = (("door", "login"), ("phase", "authn"))
    name = "loginward_decisions_total"
    assert samples[name, (*labels, ("reason", "ok"))] == 3
    assert samples[name, (*labels, ("reason", "account-locked"))] == 1


def test_durations_are_a_histogram():
    metrics = Metrics()
    for elapsed_s in (0.0005, 0.001, 0.003, 9.0):
        decided(metrics, elapsed_s=elapsed_s)
    samples = parsed(metrics.render())

    buckets = [
        (float(dict(labels)["le"]), value)
        for (name, labels), value in samples.items()
        if name == "loginward_decision_seconds_bucket"
    ]
    assert [value for _, value in sorted(buckets)] == sorted(value for _, value in buckets)
    assert dict(buckets)[0.001] == 2
    assert dict(buckets)[0.005] == 3
    assert dict(buckets)[math.inf] == 4
    assert samples["loginward_decision_seconds_count", (("door", "login"),)] == 4
    assert samples["loginward_decision_seconds_sum", (("door", "login"),)] == pytest.approx(9.0045)


def test_gauges_are_read_when_somebody_looks_and_a_broken_one_hides_no_other():
    metrics, values = Metrics(), {"waiting": 1.0, 'odd"\\\nname': 2}

    def broken():
        raise RuntimeError("gone")

    metrics.watch("queue", "What waits.\nAnd where.", lambda: values)
    metrics.watch("broken", "Nothing.", broken)
    values["waiting"] = 7.5
    samples = parsed(metrics.render())
    assert samples["loginward_queue", (("kind", "waiting"),)] == 7.5
    assert samples["loginward_queue", (("kind", r"odd\"\\\nname"),)] == 2
    assert not [name for name, _ in samples if "broken" in name]


def test_an_empty_registry_is_valid():
    assert parsed(Metrics().render()) == {}


class Slow:
    """A directory that takes two seconds, and sometimes does not answer."""

    def __init__(self, clock):
        self.clock, self.closed = clock, False

    def _take(self, *args):
        self.clock.pass_s(2)
        if "away" in args:
            raise DirectoryUnavailable("connect")
        return args

    find = read = check = change = act = accounts = _take

    def health(self):
        return ("healthy",)

    def close(self):
        self.closed = True


def test_calls_of_the_directory_are_timed_and_passed_on():
    clock, metrics = MovingClock(), Metrics()
    slow = Slow(clock)
    directory = TimedDirectory(slow, metrics, clock)

    assert directory.find("ann", "soon") == ("ann", "soon")
    assert directory.read("ann", "soon") == ("ann", "soon")
    assert directory.check("ann", "pw", "soon") == ("ann", "pw", "soon")
    assert directory.change("ann", "old", "new", "soon") == ("ann", "old", "new", "soon")
    assert directory.act("ann", "unlock", "soon") == ("ann", "unlock", "soon")
    assert directory.accounts("soon") == ("soon",)
    with pytest.raises(DirectoryUnavailable):
        directory.find("away", "soon")
    assert directory.health() == ("healthy",)
    directory.close()
    assert slow.closed

    samples = parsed(metrics.render())
    assert samples["loginward_directory_seconds_count", (("call", "find"),)] == 2
    assert samples["loginward_directory_seconds_sum", (("call", "find"),)] == 4
    assert samples["loginward_directory_failures_total", (("call", "find"),)] == 1
    assert samples["loginward_directory_failures_total", (("call", "check"),)] == 0
