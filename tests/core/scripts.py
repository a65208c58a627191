"""Every script of the login machine; each driver of it replays them all."""

from __future__ import annotations

from dataclasses import replace

from tests.core.scripts_attempts import ONLINE, REFUSED_BEFORE
from tests.core.scripts_away import KEPT, OFFLINE
from tests.core.scripts_changing import ACCOUNT, CHANGING

SCRIPTS = [
    replace(script, name=f"{part}: {script.name}")
    for part, scripts in {
        "before": REFUSED_BEFORE,
        "online": ONLINE,
        "offline": OFFLINE,
        "kept": KEPT,
        "account": ACCOUNT,
        "changing": CHANGING,
    }.items()
    for script in scripts
]
