"""Many threads at everything that is shared: no thread dies, and every answer is consistent."""

from __future__ import annotations

import os
import time
from datetime import timedelta

from tests.runtime import stress
from tests.runtime.paper import CONFIG
from tests.runtime.people import RIGHT, person

SECONDS = float(os.environ.get("STRESS_S", "3"))  # `make soak` takes longer
THROTTLE = "policy: {throttle: {per_source_per_min: 100000}}\n"


def test_many_threads_at_the_embedded_directory_r60(hosts, hands):
    hands.runs(time.monotonic())
    host = hosts(THROTTLE)
    host.people(*(person(name) for name in stress.PEOPLE))
    driven = stress.of_embedded(host)
    driven.run(SECONDS)
    assert driven.wrong == []
    assert driven.said["ok"] > 20


def test_many_threads_at_a_directory_elsewhere_r60(hosts, hands, paper):
    hands.runs(time.monotonic())
    host = hosts(CONFIG + THROTTLE)
    host.paper = paper()
    settled = host.parts.clock.now() - timedelta(days=1)
    for name in stress.PEOPLE:
        host.paper.put(name, RIGHT, changed_at=settled)
    driven = stress.of_elsewhere(host)
    driven.run(SECONDS)
    assert driven.wrong == []
    assert driven.said["ok"] > 20
