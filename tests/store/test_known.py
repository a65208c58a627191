"""The marker that the PAM module reads when the daemon is silent (security 9)."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.core.names import index_form
from loginward.sqlite.faults import NotWritable
from loginward.store.known import HEADER, KnownMarker, render

if TYPE_CHECKING:
    from pathlib import Path

UIDS = {"ada": 1001, "Grace Hopper": 1002, "root": 0, "toor": 0, "backup": 34, "a:b": 1003}


def marker(directory: Path) -> KnownMarker:
    return KnownMarker(directory, UIDS.get, ["ROOT", "Backup"])


def test_it_names_whom_this_host_knows_and_never_the_exempt(tmp_path: Path) -> None:
    assert marker(tmp_path).update(["Grace Hopper", "ada", "root", "toor", "backup", "gone", "a:b"])

    text = (tmp_path / "known").read_text()
    assert text == f"{HEADER}\nada\t1001\ngrace hopper\t1002\nend 2\n"


def test_everybody_can_read_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        marker(tmp_path).update([])
    finally:
        os.umask(before)

    path = tmp_path / "known"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert path.read_text() == "loginward-known 1\nend 0\n"


def test_it_is_replaced_whole_and_only_when_it_changed(tmp_path: Path) -> None:
    keeper = marker(tmp_path)
    assert keeper.update(["ada"])
    first = (tmp_path / "known").stat().st_ino
    assert not keeper.update(["ada"])
    assert (tmp_path / "known").stat().st_ino == first
    assert keeper.update(["ada", "Grace Hopper"])
    assert (tmp_path / "known").stat().st_ino != first
    assert [path.name for path in tmp_path.iterdir()] == ["known"]


def test_a_folder_that_cannot_be_written_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(NotWritable, match="known"):
        marker(tmp_path / "nowhere").update(["ada"])


@given(st.dictionaries(st.text(min_size=1), st.integers(1, 2**32 - 1)))
def test_its_lines_are_sorted_and_counted_for_any_names(names: dict[str, int]) -> None:
    """Every line is one name, a tab and a uid; nothing in a name can start another line."""
    lines = render(names.items()).removesuffix("\n").split("\n")

    body = lines[1:-1]
    assert lines[0] == HEADER
    assert lines[-1] == f"end {len(body)}"
    assert body == sorted(body)
    wanted = {(index_form(name), str(uid)) for name, uid in names.items()}
    assert {tuple(line.rsplit("\t", 1)) for line in body} == wanted
