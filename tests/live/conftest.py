"""Servers that several live tests share; whoever changes an account adds one of his own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live import people, slapd


@pytest.fixture(scope="session")
def slapd_on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[slapd.Slapd]:
    """An OpenLDAP that tells a locked account apart, with every condition of people.matrix."""
    folder = tmp_path_factory.mktemp("slapd-on") / "slapd"
    with slapd.Slapd(folder, people.matrix(slapd.now())) as server:
        yield server


@pytest.fixture(scope="session")
def slapd_off(tmp_path_factory: pytest.TempPathFactory) -> Iterator[slapd.Slapd]:
    """The same, as OpenLDAP is by default: a lock looks like a wrong password."""
    folder = tmp_path_factory.mktemp("slapd-off") / "slapd"
    with slapd.Slapd(folder, people.matrix(slapd.now()), use_lockout=False) as server:
        yield server


@pytest.fixture(scope="session")
def slapd_plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[slapd.Slapd]:
    """An OpenLDAP without a password policy: it counts nothing and locks nobody."""
    folder = tmp_path_factory.mktemp("slapd-plain") / "slapd"
    with slapd.Slapd(folder, people.plain_matrix(slapd.now()), ppolicy=False) as server:
        yield server
