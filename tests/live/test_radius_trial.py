"""`loginward radius test` against a real agent, and beside radclient and eapol_test: one answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from loginward.settings.radius import Eap
from tests.cli.test_terminal import Typist
from tests.doubles.nas import SECRET, free_port
from tests.live import eap_server, people
from tests.live.certificates import Authority
from tests.live.eap_server import Bare, EapServer, eapol_test
from tests.live.radius_site import RadiusSite, radius_site, write_secret
from tests.live.site import open_folder
from tests.live.slapd import now

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("radius")]

NAME = "radius.example.org"
NAS = "nas.example.org"
COMMAND = Path(sys.executable).with_name("loginward")
RIGHT = people.PASSWORD
REPLIES = """\
    replies:
      - attributes: {Tunnel-Type: VLAN, Tunnel-Private-Group-Id: "20", Session-Timeout: "600"}
"""
NETWORKS = {
    "eap-ttls-pap": {"eap": Bare("TTLS"), "phase2": "auth=PAP"},
    "peap-gtc": {"eap": Bare("PEAP"), "phase2": "auth=GTC"},
}


def radius_test(*argv: object, typed: str = RIGHT) -> tuple[int, dict, str]:
    """Run the command; return its exit code, its row, and what it says on stderr."""
    done = subprocess.run(
        [COMMAND, "radius", "test", *map(str, argv), "--password-stdin", "--json"],
        input=typed + "\n", capture_output=True, text=True, timeout=30, check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def attributes(row: dict) -> dict[str, str]:
    return {one["name"]: one["value"] for one in row["attributes"]}


WIFI = (
    "}}\n      - {{name: wifi, addresses: [127.0.0.1/32], secret_file: {secret}, "
    f"methods: [pap, eap-ttls-pap, peap-gtc], tls_name: {NAS}"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("radius")
    with open_folder() as eap:
        made = subprocess.run(
            [COMMAND, "radius", "make-cert", "--name", NAME, "--ssid", "Example",
             "--radsec-client", NAS, "--radsec-client", "other.example.org", "--out", eap],
            capture_output=True, timeout=30, check=False,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        pair = f"cert_file: {eap}/{NAME}.pem, key_file: {eap}/{NAME}.key"
        tls, port = f"{pair}, client_ca_file: {eap}/radsec-ca.pem", free_port()
        tunnels = f"    eap: {{{pair}}}\n    tls: {{listen: ['127.0.0.1:{port}'], {tls}}}\n"
        wifi = WIFI.format(secret=write_secret(folder))
        crowd = list(people.matrix(now()))
        again = next(person for person in crowd if person.uid == "mustchange")
        locked = next(person for person in crowd if person.uid == "lockperm")
        crowd += [replace(again, uid="mustagain"), replace(locked, uid="lockagain")]
        crowd.append(replace(again, uid="typist"))
        with radius_site(folder, crowd, more=REPLIES + tunnels, client=wifi) as running:
            yield Served(running, eap, port)


@dataclass(frozen=True)
class Served:
    """The agent, and what make-cert made for it."""

    agent: RadiusSite
    eap: Path
    tls: int

    @property
    def auth(self) -> int:
        return self.agent.auth


@pytest.fixture
def asked(site, tmp_path):
    """Return the arguments that name the site's server and its secret."""
    return ["--server", f"127.0.0.1:{site.auth}", "--secret-file", write_secret(tmp_path)]


def radclient(site: Served, name: str, password: str) -> str:
    done = subprocess.run(
        ["radclient", "-x", "-r", "1", f"127.0.0.1:{site.auth}", "auth", SECRET.decode()],
        input=f'User-Name={name}\nUser-Password="{password}"\nMessage-Authenticator=0x00\n',
        capture_output=True, text=True, timeout=15, check=False,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize(
    ("name", "password", "code"),
    [("active", RIGHT, 0), ("active", "a wrong one 1", 1), ("lockperm", RIGHT, 1)],
)
def test_it_says_what_radclient_hears(site, asked, name, password, code):
    done, row, err = radius_test(name, *asked, typed=password)
    heard = radclient(site, name, password)
    assert (done, err) == (code, "")
    assert row["answer"] == ("rejected" if code else "accepted")
    assert ("Received Access-Reject" if code else "Received Access-Accept") in heard
    assert row["took_ms"] < 3000
    for key, value in attributes(row).items():
        if key != "Class":
            assert f"{key}:0 = {value}" in heard or f'{key}:0 = "{value}"' in heard or (
                f"{key} = {value}" in heard
            )  # fmt: skip


def test_r39_after_an_unlock_the_next_request_is_accepted(site, asked):
    """No restart between; and what is explained before and after is what is heard."""
    explain = ["radius", "explain", "lockagain", "--client", "wifi"]
    assert "refused: account-locked" in site.agent.agent.command(*explain).stdout
    assert radius_test("lockagain", *asked)[0] == 1
    assert site.agent.agent.command("unlock", "lockagain").returncode == 0
    assert radius_test("lockagain", *asked)[0] == 0
    told = site.agent.agent.command(*explain)
    assert (told.returncode, told.stdout.startswith("allowed: ok")) == (0, True)
    assert "Tunnel-Private-Group-Id = 20" in told.stdout


def test_an_accept_is_shown_by_name(asked):
    _, row, _ = radius_test("active", *asked)
    shown = attributes(row)
    assert shown.pop("Class").startswith(("lw1:", "0x6c77313a"))
    assert shown == {
        "Tunnel-Type": "VLAN", "Tunnel-Private-Group-Id": "20", "Session-Timeout": "600",
    }  # fmt: skip


def test_a_challenge_is_followed_to_its_end_where_somebody_answers(asked):
    code, row, err = radius_test("mustchange", *asked)
    assert (code, row) == (1, {})
    assert "error: asked for more: New password:" in err
    new = "an entirely new one 8"
    code, row, err = radius_test("mustchange", *asked, typed=f"{RIGHT}\n{new}\n{new}")
    assert (code, err, row["rounds"]) == (0, "", 3)
    code, row, err = radius_test("mustchange", *asked, typed=new)
    assert (code, row["answer"]) == (0, "accepted")


@pytest.mark.parametrize("method", NETWORKS)
@pytest.mark.parametrize(
    ("name", "password", "good"),
    [("active", RIGHT, True), ("active", "a wrong one 2", False), ("lockperm", RIGHT, False)],
)
def test_wi_fi_by_made_certificates_is_answered_as_the_handed_out_profile_is(
    site, asked, tmp_path, method, name, password, good
):
    """One agent, its law and its certificate; the command here, eapol_test with the profile there."""
    ca_file = site.eap / "hand-out/ca.pem"
    code, row, err = radius_test(
        name, *asked, "--method", method, "--ca", ca_file, "--domain", NAME, typed=password
    )
    assert (code, row["answer"] == "accepted", err) == (0 if good else 1, good, "")
    assert row["certificate"]["problems"] == []
    assert row["certificate"]["is_trusted"] is True
    assert row["keys_agree"] is (True if good else None)
    if good:
        assert attributes(row)["Tunnel-Private-Group-Id"] == "20"
    profile = (site.eap / "hand-out/wpa_supplicant.conf").read_text()
    network = tmp_path / "network.conf"
    network.write_text(
        profile.replace('"ca.pem"', f'"{ca_file}"')
        .replace("YOUR NAME", name)
        .replace("YOUR PASSWORD", password)
        .replace("TTLS", str(NETWORKS[method]["eap"]))
        .replace("auth=PAP", str(NETWORKS[method]["phase2"]))
    )
    done = subprocess.run(
        ["eapol_test", "-c", network, "-a", "127.0.0.1", "-p", str(site.auth), "-s",
         SECRET.decode(), "-t", "10"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode == 0) == good, done.stdout[-2000:]


def test_a_change_is_made_inside_peap_and_cannot_be_inside_ttls(site, asked):
    """R26: GTC asks for more than one answer, TTLS/PAP has nowhere to ask."""
    how = ["--ca", site.eap / "ca.pem", "--method"]
    new = "an entirely new one 9"
    code, row, _ = radius_test("mustagain", *asked, *how, "eap-ttls-pap")
    assert (code, row["answer"]) == (1, "rejected")
    code, row, err = radius_test(
        "mustagain", *asked, *how, "peap-gtc", typed=f"{RIGHT}\n{new}\n{new}"
    )
    assert (code, row["answer"], row["keys_agree"], err) == (0, "accepted", True, "")
    code, row, _ = radius_test("mustagain", *asked, *how, "eap-ttls-pap", typed=new)
    assert (code, row["answer"]) == (0, "accepted")


@pytest.fixture
def over_tls(site):
    """Return the arguments of a client that comes by TLS, given its certificate's name."""

    def arguments(name: str = NAS, ca: str = "ca") -> list[object]:
        pair = [site.eap / f"{name}.radsec.{end}" for end in ("pem", "key")]
        server = ["--server", f"127.0.0.1:{site.tls}", "--domain", NAME]
        return [*server, "--tls", *pair, "--ca", site.eap / f"{ca}.pem"]

    return arguments


@pytest.mark.parametrize("method", ["pap", *NETWORKS])
def test_over_tls_with_made_certificates_it_goes_by_the_same_law(over_tls, method):
    code, row, err = radius_test("active", *over_tls(), "--method", method)
    assert (code, row["answer"], err) == (0, "accepted", "")
    assert row["tls"] == "TLSv1.3"
    assert row["certificate"]["is_trusted"] is True
    assert row["certificate"]["problems"] == []
    code, row, _ = radius_test("lockperm", *over_tls(), "--method", method)
    assert (code, row["answer"]) == (1, "rejected")
    assert radius_test("--status", *over_tls())[0] == 0


@pytest.mark.parametrize(
    ("papers", "said"),
    [
        (("other.example.org",), "ended the connection"),
        ((NAS, "people-ca"), "--ca"),
        ((NAS, "radsec-ca"), "unable to get local issuer certificate"),
    ],
)
def test_over_tls_who_is_not_believed_hears_why(over_tls, papers, said):
    code, row, err = radius_test("active", *over_tls(*papers))
    assert (code, row) == (78 if said == "--ca" else 69, {})
    assert said in err


def test_at_a_terminal_the_password_and_its_change_are_typed_unseen(asked, tmp_path):
    typist = Typist(SimpleNamespace(folder=tmp_path), "radius", "test", "typist", *map(str, asked))
    new = "an entirely new one 4"
    for prompt, typed in (("password: ", RIGHT), ("New password: ", new), ("again", new)):
        typist.expect(prompt)
        typist.type(f"{typed}\n".encode())
    assert typist.end() == 0
    assert "accepted" in typist.seen
    assert RIGHT not in typist.seen
    assert new not in typist.seen


def test_status_server(site, asked):
    code, row, _ = radius_test("--status", *asked)
    assert (code, row["answer"], row["attributes"]) == (0, "accepted", [])


def test_no_answer_ends_with_69_and_says_where_to_look(site, asked, tmp_path):
    server = asked[:2]
    wrong = tmp_path / "wrong.secret"
    wrong.write_text("another secret, long enough\n")
    wrong.chmod(0o600)
    code, row, err = radius_test("--status", *server, "--secret-file", wrong, "--timeout-s", "0.3")
    assert (code, row) == (69, {})
    assert "nothing came back" in err
    assert "loginward: hint: a server answers its clients alone" in err


class Tunnels:
    """A server of EAP with a certificate, and devices that know its authority."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.other = Authority(folder / "other")
        pair = self.authority.server("radius", names=("radius.example.org",))
        files = {"cert_file": pair.cert_file, "key_file": pair.key_file}
        self.old, self.new = EapServer(Eap(**files, tls_max="1.2")), EapServer(Eap(**files))
        self.server = self.new
        self.secret_file = folder / "secret"
        self.secret_file.write_bytes(eap_server.SECRET)
        self.secret_file.chmod(0o600)

    def test(self, *more: object, password: str = "right horse") -> tuple[int, dict, str]:
        """Run the command as ann."""
        where = ["--server", f"127.0.0.1:{self.server.port}", "--secret-file", self.secret_file]
        return radius_test("ann", *where, *more, typed=password)


@pytest.fixture(scope="module")
def tunnels(tmp_path_factory) -> Iterator[Tunnels]:
    made = Tunnels(tmp_path_factory.mktemp("tunnels"))
    yield made
    made.old.close()
    made.new.close()


@pytest.mark.parametrize("method", NETWORKS)
@pytest.mark.parametrize("password", ["right horse", "wrong horse"])
def test_inside_a_tunnel_it_is_answered_as_eapol_test_is(
    tunnels, either, tmp_path, method, password
):
    """The keys that the access point gets are the device's, both of them."""
    code, row, err = tunnels.test(
        "--method", method, "--ca", tunnels.authority.ca_file, "--domain", "radius.example.org",
        password=password,
    )  # fmt: skip
    good, _ = eapol_test(
        tmp_path, tunnels.server.port, **NETWORKS[method], identity="ann", password=password,
        anonymous_identity="anonymous", ca_cert=tunnels.authority.ca_file,
        domain_match="radius.example.org", phase1="tls_disable_tlsv1_3=0",
    )  # fmt: skip
    ours, theirs = tunnels.server.asked
    assert ours == theirs
    assert (code == 0, row["answer"] == "accepted", err) == (good, good, "")
    assert row["keys_agree"] is (True if good else None)
    assert row["tls"] == f"TLSv{either}"
    shown = row["certificate"]
    assert (shown["names"], shown["is_trusted"]) == (["radius.example.org"], True)
    assert shown["problems"] == []


@pytest.fixture(params=["1.2", "1.3"])
def either(tunnels, request) -> Iterator[str]:
    """Let the server speak one version of TLS."""
    tunnels.server = tunnels.old if request.param == "1.2" else tunnels.new
    tunnels.server.asked.clear()
    yield request.param
    tunnels.server = tunnels.new


@pytest.mark.parametrize("method", NETWORKS)
def test_a_server_of_another_authority_never_hears_the_password(tunnels, either, method):
    code, row, _ = tunnels.test("--method", method, "--ca", tunnels.other.ca_file)
    assert (code, row["answer"], tunnels.server.asked) == (1, "rejected", [])
    assert row["certificate"]["is_trusted"] is False
    assert row["tls"] == f"TLSv{either}"
    assert "unable to get local issuer certificate" in row["certificate"]["problems"][0]


def test_without_an_authority_it_says_that_nobody_looked(tunnels):
    code, row, _ = tunnels.test("--method", "peap-gtc", "--domain", "wifi.example.org")
    assert (code, row["certificate"]["is_trusted"]) == (0, None)
    assert row["certificate"]["problems"] == [
        "it is for radius.example.org, not for wifi.example.org"
    ]
