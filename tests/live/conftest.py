"""Servers that several live tests share; whoever changes an account adds one of his own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loginward.directory.ldap.directory import LdapDirectory
from tests.live import people, slapd
from tests.live.agent import reached, settings


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


@pytest.fixture
def directory(slapd_on: slapd.Slapd) -> Iterator[LdapDirectory]:
    """Our directory on the server that tells a locked account apart."""
    with reached(settings(slapd_on.ca_file, slapd_on.tls_url)) as found:
        yield found


@pytest.fixture
def person(slapd_on: slapd.Slapd) -> Iterator[str]:
    """An account of this test's own there, in order and with the usual password."""
    name = f"own{slapd.now():%H%M%S%f}"
    slapd_on.add(people.Person(name, (f"pwdChangedTime: {people.gtime(slapd.now())}",)))
    yield name
    slapd_on.remove(name)
