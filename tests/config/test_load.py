"""A file to settings: what a person sees when it is right, and when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.config import BadConfigFileError, check_config, load_config, parse_config
from loginward.config.render import render_config
from loginward.settings import Settings


def lines(text: str) -> list[str]:
    """Return what is said about a text."""
    return [str(problem) for problem in parse_config(text, "f.yaml")[1]]


def write(folder: Path, text: str, mode: int = 0o644) -> Path:
    path = folder / "loginward.yaml"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_shortest_file_means_the_defaults() -> None:
    assert parse_config("schema: 1\n", "f.yaml") == (Settings(), [])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "schema: 1\npolicy: {lockout: {treshold: 3}}\n",
            "f.yaml:2:20: policy.lockout.treshold: is no key; did you mean threshold?",
            id="did-you-mean",
        ),
        pytest.param(
            "schema: 1\nsupport: {contact: no}\n",
            'f.yaml:2:20: support.contact: expected a text; quote it: "no"',
            id="norway",
        ),
        pytest.param(
            "schema: 1\nevents: {keep_d: 010}\n",
            "f.yaml:2:18: events.keep_d: expected a whole number such as 10, not 010: "
            "YAML reads a leading 0 as octal",
            id="octal",
        ),
        pytest.param(
            "schema: 1\nevents: {keep_d: 1:30}\n",
            "f.yaml:2:18: events.keep_d: expected a whole number such as 10, not 1:30: "
            "YAML reads this in base 60",
            id="base-60",
        ),
        pytest.param(
            'schema: 1\nevents: {keep_d: "10"}\n',
            'f.yaml:2:18: events.keep_d: expected a whole number such as 10, not "10": '
            "leave out the quotes",
            id="quoted-number",
        ),
        pytest.param(
            "schema: 1\ndirectory: {start_tls: yes}\n",
            "f.yaml:2:24: directory.start_tls: expected true or false, not yes",
            id="yes",
        ),
        pytest.param(
            "schema: 1\nevents: {keep_d: 5, keep_d: 6}\n",
            "f.yaml:2:21: events.keep_d: stands here twice; the first is in line 2",
            id="twice",
        ),
        pytest.param(
            "schema: 1\nevents: {keep_d: 0}\n",
            "f.yaml:2:18: events.keep_d: must be at least 1",
            id="bound",
        ),
        pytest.param(
            "schema: 1\npolicy: {expiry: {when_expired: ask}}\n",
            "f.yaml:2:33: policy.expiry.when_expired: expected deny or change, not ask",
            id="choice",
        ),
        pytest.param(
            "schema: 1\npolicy: {exempt_users: root}\n",
            "f.yaml:2:24: policy.exempt_users: expected a list such as [one, two]",
            id="list",
        ),
        pytest.param(
            "schema: 1\ndoors: {radius: {replies: [{attributes: {Filter-Id: 20}}]}}\n",
            "f.yaml:2:53: doors.radius.replies[0].attributes.Filter-Id: expected a text; quote it: "
            '"20"',
            id="one-entry-alone",
        ),
        pytest.param(
            "schema: 1\npolicy: [1]\n",
            "f.yaml:2:9: policy: expected keys and values, of lockout, expiry, password, offline, "
            "throttle, services, reveal, exempt_users, resources",
            id="section",
        ),
        pytest.param(
            "schema: 1\nevents: {keep_d: null}\n",
            "f.yaml:2:18: events.keep_d: must have a value here; leave the key out for the default",
            id="null",
        ),
        pytest.param(
            "schema: 1\ndirectory: {kind: ldap, servers: [ldap://ldap.example.org]}\n",
            "f.yaml:2:35: directory.servers[0]: plain LDAP is for loopback only; "
            "use ldaps:// or start_tls: true",
            id="rule-between-keys",
        ),
        pytest.param(
            "schema: 1\ndoors: {login: {peers: [{user: dovecot}]}}\n",
            "f.yaml:2:25: doors.login.peers[0].services: is missing",
            id="missing",
        ),
        pytest.param(
            "schema: 1\ndoors: {admin: {roles: {helpdesk: [all, rule]}}}\n",
            "f.yaml:2:25: doors.admin.roles.helpdesk: 'rule' is no right; known are activate, ",
            id="right",
        ),
        pytest.param("state_dir: /x\n", "f.yaml:1:1: schema: is missing", id="no-schema"),
        pytest.param("", "f.yaml:1:1: schema: the file is empty", id="empty"),
        pytest.param("schema: 2\n", "f.yaml:1:1: schema: must be 1", id="schema"),
        pytest.param("a: &x 1\n", "f.yaml:1:4: anchors", id="anchor"),
        pytest.param("a: !!str 1\n", "f.yaml:1:4: tags", id="tag"),
        pytest.param("a: *x\n", "f.yaml:1:4: aliases", id="alias"),
        pytest.param("a: 1\n---\nb: 1\n", "f.yaml:2:1: holds a second document", id="documents"),
        pytest.param("[a]: 1\n", "f.yaml:1:1: a key must be a single word", id="key"),
        pytest.param("a: [1\n", "f.yaml:2:1: is not valid YAML: ", id="syntax"),
        pytest.param("[" * 400, "f.yaml:1:25: is nested more than 24 deep", id="deep"),
        pytest.param("a: \x07\n", "f.yaml:1:1: is not valid YAML: ", id="control"),
        pytest.param('a: "\\UFFFFFFFF"\n', "f.yaml:1:", id="beyond-unicode"),
        pytest.param("- 1\n", "f.yaml:1:1: expected keys and values", id="list-at-the-top"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str) -> None:
    assert lines(text)[0].startswith(said), lines(text)


def test_everything_wrong_is_said_at_once() -> None:
    said = lines("schema: 1\nevents: {keep_d: x}\nkeys: {source: usb}\nsuport: {}\n")
    assert [line.split(": ")[1] for line in said] == ["events.keep_d", "keys.source", "suport"]


def test_words_that_are_choices_need_no_quotes() -> None:
    text = (
        "schema: 1\ndoors: {radius: {reply_message: off, clients: [{name: a, "
        "addresses: [10.0.0.1], secret_file: /s, methods: [pap]}]}}\n"
    )
    settings, problems = parse_config(text, "f.yaml")
    assert settings is not None, problems
    assert settings.doors.radius is not None
    assert settings.doors.radius.reply_message == "off"


def test_one_value_of_an_attribute_stands_alone_and_several_in_brackets() -> None:
    settings, _ = parse_config(
        "schema: 1\ndoors: {radius: {clients: [{name: a, addresses: [10.0.0.0/8], methods: [pap], "
        "secret_file: /s}], replies: [{attributes: {Tunnel-Type:1: VLAN, Cisco-AVPair: [a, b]}}]}}",
        "f",
    )
    assert settings.doors.radius is not None
    (reply,) = settings.doors.radius.replies
    assert reply.attributes == {"Tunnel-Type:1": ("VLAN",), "Cisco-AVPair": ("a", "b")}
    assert parse_config(render_config(settings), "f")[0] == settings


def test_dates_are_midnight_in_utc() -> None:
    text = "schema: 1\npolicy: {password: {update_by: 2027-03-31}}\n"
    settings, _ = parse_config(text, "f.yaml")
    assert settings is not None
    assert settings.policy.password.update_by is not None
    assert settings.policy.password.update_by.isoformat() == "2027-03-31T00:00:00+00:00"
    assert "expected a zone" in lines(text.replace("03-31", "03-31T10:00:00"))[0]


def test_a_locked_user_of_ldap_needs_more_than_keep_while() -> None:
    """R53: what `keep_while` cannot do is said."""
    text = (
        "schema: 1\npolicy: {resources: [{name: mail, services: [dovecot], keep_while: [locked]}]}\n"
        "directory: {kind: ldap, servers: [ldaps://x], users: {base_dn: dc=x}, "
        "service_account: {dn: cn=a, password_file: /s}}\n"
    )
    settings, problems = parse_config(text, "f.yaml")
    assert settings is not None
    assert [problem.is_warning for problem in problems] == [True]
    assert str(problems[0]).startswith(
        "f.yaml:2:56: warning: policy.resources[0].keep_while: the LDAP server itself refuses"
    )


def test_a_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "schema: 1\n", 0o666)
    settings, problems = check_config(path)
    assert settings is None
    assert "others than its owner may change it: chmod go-w" in str(problems[0])


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """It has no line that could be named."""
    path = tmp_path / "absent.yaml"
    (problem,) = check_config(path)[1]
    assert str(problem) == f"{path}: cannot be opened: No such file or directory"


def test_a_folder_and_octets_that_are_no_text_are_refused(tmp_path: Path) -> None:
    assert "not a regular file" in str(check_config(tmp_path)[1][0])
    path = write(tmp_path, "")
    path.write_bytes(b"schema: 1\nx: \xff\n")
    assert str(check_config(path)[1][0]).endswith("loginward.yaml:2:1: is not UTF-8")


def test_a_secret_that_others_may_read_is_a_problem_at_its_key(tmp_path: Path) -> None:
    secret = tmp_path / "bind.secret"
    secret.write_text("x\n")
    secret.chmod(0o644)
    text = (
        "schema: 1\ndirectory:\n  kind: ldap\n  servers: [ldaps://x]\n  users: {base_dn: dc=x}\n"
        f"  service_account:\n    dn: cn=a\n    password_file: {secret}\n"
    )
    path = write(tmp_path, text)
    with pytest.raises(BadConfigFileError) as caught:
        load_config(path)
    assert str(caught.value).startswith(
        f"{path}:8:5: directory.service_account.password_file: {secret} has mode 0644;"
    )
    secret.chmod(0o600)
    assert load_config(path).directory.kind == "ldap"


@given(st.text())
def test_no_text_raises_anything(text: str) -> None:
    settings, problems = parse_config(text, "f")
    assert (settings is None) == any(not problem.is_warning for problem in problems)


_WORDS = (
    "schema policy lockout threshold 1 0 ~ no { } [ ] - , ? ' | > &a *a !!int << % --- doors radius "
    'clients directory servers ldap://x 1e99 \\u 99999999999999999999999999999 "'
)
_PIECES = st.sampled_from([*_WORDS.split(), ": ", "\n", "  ", "- "])


@given(st.lists(_PIECES).map("".join))
def test_no_jumble_of_yaml_raises_anything(text: str) -> None:
    settings, problems = parse_config("schema: 1\n" + text, "f")
    assert (settings is None) == any(not problem.is_warning for problem in problems)


_TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
_SECTIONS = ["directory", "policy", "support", "messages", "events", "keys", "doors", "schema"]


@given(st.dictionaries(st.sampled_from(_SECTIONS), _TREES))
def test_no_tree_raises_anything(tree: dict[str, object]) -> None:
    import yaml

    parse_config(yaml.safe_dump(tree), "f")


def test_what_is_opened_is_closed(tmp_path: Path) -> None:
    path = write(tmp_path, "schema: 1\n", 0o666)
    before = len(list(Path("/proc/self/fd").iterdir()))
    check_config(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
