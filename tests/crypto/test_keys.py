"""Keys: drawn once, private, apart, and never drawn anew beside sealed rows."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from loginward.crypto.keys import PEPPER, SEALING, Keys, KeySource, load_keys
from loginward.errors import StoreFault


def load(directory: Path, *, create: bool = True) -> Keys:
    return load_keys(KeySource.FILE, directory, create=create)


def test_keys_are_drawn_once_private_and_apart(tmp_path: Path) -> None:
    directory = tmp_path / "keys"
    before = os.umask(0)
    try:
        keys = load(directory)
    finally:
        os.umask(before)

    assert load(directory) == load(directory, create=False) == keys
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {p.name: stat.S_IMODE(p.stat().st_mode) for p in directory.iterdir()} == {
        SEALING: 0o600,
        PEPPER: 0o600,
    }
    assert len({keys.sealing, keys.index, keys.pepper}) == 3
    assert load(tmp_path / "other") != keys


def test_no_repr_shows_a_key(tmp_path: Path) -> None:
    assert repr(load(tmp_path / "keys")) == "Keys()"


def test_a_lost_key_is_a_fault_and_not_drawn_anew(tmp_path: Path) -> None:
    with pytest.raises(StoreFault, match="backup"):
        load(tmp_path, create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o602])
def test_a_key_that_others_reach_is_refused(tmp_path: Path, mode: int) -> None:
    load(tmp_path)
    (tmp_path / PEPPER).chmod(mode)

    with pytest.raises(StoreFault, match="chmod 0600"):
        load(tmp_path)


@pytest.mark.parametrize("octets", [b"", b"x" * 31, b"x" * 33])
def test_a_key_of_another_length_is_refused(tmp_path: Path, octets: bytes) -> None:
    load(tmp_path)
    (tmp_path / SEALING).write_bytes(octets)

    with pytest.raises(StoreFault, match="32 octets"):
        load(tmp_path)


def test_neither_links_nor_pipes_are_followed(tmp_path: Path) -> None:
    load(tmp_path)
    (tmp_path / PEPPER).rename(tmp_path / "elsewhere")
    (tmp_path / PEPPER).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreFault):
        load(tmp_path)
    for make in (os.mkdir, os.mkfifo):
        (tmp_path / PEPPER).unlink() if make is os.mkdir else (tmp_path / PEPPER).rmdir()
        make(tmp_path / PEPPER)
        with pytest.raises(StoreFault, match="regular"):
            load(tmp_path)


def test_two_starts_at_once_agree_on_the_keys(tmp_path: Path) -> None:
    found, barrier = [], threading.Barrier(8)

    def start() -> None:
        barrier.wait()
        found.append(load(tmp_path / "keys"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [found[0]] * 8


@pytest.mark.parametrize("source", [KeySource.CREDENTIAL, KeySource.TPM2])
def test_credentials_are_read_as_the_service_manager_gives_them(
    tmp_path: Path, source: KeySource
) -> None:
    (tmp_path / SEALING).write_bytes(b"s" * 32)
    (tmp_path / PEPPER).write_bytes(b"p" * 32)
    (tmp_path / SEALING).chmod(0o440)

    assert load_keys(source, tmp_path, create=True).pepper == b"p" * 32
    (tmp_path / PEPPER).unlink()
    with pytest.raises(StoreFault):
        load_keys(source, tmp_path, create=True)
