"""The marker names this host's own users that the directory knows, and nobody exempt."""

from __future__ import annotations

from loginward.core.acts import Verb
from loginward.errors import DirectoryUnavailable
from loginward.runtime.marker import Marker
from tests.runtime.people import person


def lines(host):
    return (host.settings.state_dir / "known").read_text().splitlines()


def test_it_holds_the_known_local_users_and_no_others(host):
    host.people(person("nobody"), person("root"), person("ann-of-the-directory-alone"))
    Marker(host.parts).update()
    header, *names, end = lines(host)
    assert header == "loginward-known 1"
    assert [line.split("\t")[0] for line in names] == ["nobody"]
    assert end == "end 1"


def test_a_fault_keeps_the_old_one(host, monkeypatch):
    """The module goes on refusing whom the old marker names."""
    host.people(person("nobody"))
    marker = Marker(host.parts)
    marker.update()
    before = lines(host)

    def unplugged(self, name, deadline):
        raise DirectoryUnavailable("connect", "no answer")

    monkeypatch.setattr(type(host.parts.directory), "find", unplugged)
    marker.update()
    assert lines(host) == before


def test_a_removed_user_leaves_it(host):
    from loginward.wire.admin import requests
    from tests.runtime.conftest import OPERATOR

    host.people(person("nobody"))
    marker = Marker(host.parts)
    marker.update()
    host.act(Verb.SUSPEND, "nobody")
    marker.update()
    assert lines(host)[-1] == "end 1"
    list(host.admin.remove_users(requests.RemoveUsers(names=("nobody",)), OPERATOR))
    marker.update()
    assert lines(host)[-1] == "end 0"


def test_everybody_is_refused_where_the_site_says_so(hosts):
    """security.md 9: `login.when_down: all`, which the module reads in the header."""
    host = hosts("doors: {login: {when_down: all}}\n")
    Marker(host.parts).update()
    first = (host.settings.state_dir / "known").read_text().splitlines()[0]
    assert first == "loginward-known 1 all"


def test_the_directory_is_asked_for_this_hosts_names_not_for_all_of_its_own(host, monkeypatch):
    """It may have a hundred thousand, and the marker is looked after every 20 s."""
    host.people(person("nobody"))
    monkeypatch.setattr(type(host.parts.directory), "accounts", lambda self, deadline: 1 / 0)
    Marker(host.parts).update()
    assert lines(host)[-1] == "end 1"
