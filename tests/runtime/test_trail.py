"""The files of the trail: order, days, crashes, a full disk."""

from __future__ import annotations

import os
import stat
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loginward.runtime import trail
from loginward.runtime.trail import TrailWriter, lines_after, lines_backward, trail_files

DAY = date(2026, 11, 24)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "events"


@pytest.fixture
def writer(folder):
    writer = TrailWriter(folder, lambda: 90)
    yield writer
    writer.close()


def forward(folder, number=0, end=0):
    return [line.octets for line in lines_after(folder, number, end)]


def backward(folder):
    return [line.octets for line in lines_backward(folder)]


def test_one_file_a_day_for_its_owner_alone(folder, writer):
    writer.append(b"a\n", DAY)
    writer.append(b"b\n", DAY)
    writer.append(b"c\n", DAY + timedelta(days=1))

    names = [file.path.name for file in trail_files(folder)]
    assert names == ["00000001-2026-11-24.jsonl", "00000002-2026-11-25.jsonl"]
    assert forward(folder) == [b"a", b"b", b"c"]
    assert backward(folder) == [b"c", b"b", b"a"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / names[0]).stat().st_mode) == 0o600


def test_a_clock_set_back_keeps_the_order(folder, writer):
    writer.append(b"a\n", DAY)
    writer.append(b"b\n", DAY - timedelta(days=3))
    writer.append(b"c\n", DAY)
    assert forward(folder) == [b"a", b"b", b"c"]


def test_days_beyond_keep_d_go(folder):
    writer = TrailWriter(folder, lambda: 2)
    for days in range(5):
        writer.append(b"%d\n" % days, DAY + timedelta(days=days))
    writer.close()
    assert forward(folder) == [b"2", b"3", b"4"]


def test_a_line_torn_by_a_crash_spoils_no_other(folder, writer):
    writer.append(b"a\n", DAY)
    writer.close()
    file = trail_files(folder)[0].path
    with file.open("ab") as stream:
        stream.write(b'{"kind":"deci')
    assert forward(folder) == [b"a"]
    assert backward(folder) == [b"a"]

    again = TrailWriter(folder, lambda: 90)
    again.append(b"b\n", DAY)
    again.close()
    assert forward(folder) == [b"a", b'{"kind":"deci', b"b"]


def test_a_disk_full_within_a_line_goes_on_where_it_stopped(folder, writer, monkeypatch):
    writer.append(b"first\n", DAY)
    room = [4]
    write = os.write

    def little_room(descriptor, octets):
        if room[0] == 0:
            raise OSError(28, "No space left on device")
        took = write(descriptor, octets[: room[0]])
        room[0] -= took
        return took

    monkeypatch.setattr(trail.os, "write", little_room)
    with pytest.raises(OSError, match="No space"):
        writer.append(b"second\n", DAY)
    with pytest.raises(OSError, match="No space"):
        writer.append(b"third\n", DAY + timedelta(days=1))
    assert writer.owes
    room[0] = 1000
    writer.append(b"fourth\n", DAY + timedelta(days=1))

    assert forward(folder) == [b"first", b"second", b"third", b"fourth"]
    assert not writer.owes


def test_a_removed_file_is_made_again(folder, writer):
    writer.append(b"a\n", DAY)
    trail_files(folder)[0].path.unlink()
    writer.append(b"b\n", DAY)
    assert forward(folder) == [b"b"]


def test_a_link_in_the_place_of_a_file_is_not_followed(folder, writer, tmp_path):
    folder.mkdir()
    target = tmp_path / "target"
    target.write_bytes(b"")
    (folder / "00000001-2026-11-24.jsonl").symlink_to(target)
    with pytest.raises(OSError, match="symbolic"):
        writer.append(b"a\n", DAY)
    assert target.read_bytes() == b""


def test_reading_goes_on_after_a_place_through_rotations(folder, writer):
    for days, name in enumerate(b"abc"):
        writer.append(b"%c\n" % name, DAY + timedelta(days=days))
    places = {line.octets: (line.number, line.end) for line in lines_after(folder, 0, 0)}

    assert forward(folder, *places[b"a"]) == [b"b", b"c"]
    trail_files(folder)[0].path.unlink()
    assert forward(folder, *places[b"a"]) == [b"b", b"c"]


def test_no_folder_is_no_events(folder):
    assert forward(folder) == backward(folder) == []


@settings(max_examples=60)
@given(
    st.lists(st.binary(max_size=40).filter(lambda b: b"\n" not in b), max_size=40),
    st.integers(min_value=1, max_value=50),
    st.binary(max_size=5).filter(lambda b: b"\n" not in b),
)
def test_both_directions_give_the_same_lines_and_places(tmp_path_factory, lines, block, torn):
    folder = tmp_path_factory.mktemp("trail")
    file = folder / "00000001-2026-11-24.jsonl"
    file.write_bytes(b"".join(line + b"\n" for line in lines) + torn)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trail, "_BLOCK_OCTETS", block)
        ahead, back = list(lines_after(folder, 0, 0)), list(lines_backward(folder))

    assert [line.octets for line in ahead] == lines
    assert back == ahead[::-1]
