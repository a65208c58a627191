"""Fixtures of the store's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.store.stage import Host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from loginward.store.store import Store


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    state = tmp_path / "state"
    state.mkdir()
    host = Host(state)
    yield host
    host.close()


@pytest.fixture
def store(host: Host) -> Store:
    return host.open()
