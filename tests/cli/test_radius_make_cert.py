"""`loginward radius make-cert`, judged by openssl, plist, our own reading of names, and a supplicant."""

from __future__ import annotations

import json
import plistlib
import re
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from loginward.crypto.certificates import problems
from loginward.doors.radius.eap.certificate import name_of
from loginward.settings.radius import Eap
from tests.cli.conftest import RUN, Done, environment
from tests.live.eap_server import SECRET, EapServer

NAME = "radius.example.org"


def make(folder: Path, *argv: str) -> Done:
    done = subprocess.run(
        [*RUN, "radius", "make-cert", "--out", str(folder / "eap"), *argv],
        capture_output=True, text=True, env=environment(), timeout=30, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


def load(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def openssl(*argv: object) -> str:
    done = subprocess.run(
        ["openssl", *map(str, argv)], capture_output=True, text=True, timeout=20, check=False
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("made")
    done = make(
        folder, "--name", NAME, "--name", "radius2.example.org", "--ssid", 'Exämple "1"',
        "--user", "ann@corp.example", "--radsec-client", "ap1.example.org",
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    return folder / "eap", done.out


@pytest.mark.parametrize(
    ("file", "authority", "purpose"),
    [
        (NAME, "ca", "sslserver"),
        ("ann@corp.example", "people-ca", "sslclient"),
        ("ap1.example.org.radsec", "radsec-ca", "sslclient"),
    ],
)
def test_openssl_takes_each_for_its_purpose_and_no_other_authority(made, file, authority, purpose):
    folder, _ = made
    for other in ("ca", "people-ca", "radsec-ca"):
        said = openssl(
            "verify", "-x509_strict", "-purpose", purpose,
            "-CAfile", folder / f"{other}.pem", folder / f"{file}.pem",
        )  # fmt: skip
        assert (f"{file}.pem: OK" in said) == (other == authority)
    wrong = "sslserver" if purpose == "sslclient" else "sslclient"
    said = openssl(
        "verify", "-purpose", wrong, "-CAfile", folder / f"{authority}.pem", folder / f"{file}.pem"
    )
    assert "OK" not in said


def test_a_phone_has_nothing_against_the_server(made) -> None:
    certificate = load(made[0] / f"{NAME}.pem")
    now = datetime.now(UTC)
    assert problems(certificate, now, NAME) == ()
    assert problems(certificate, now, "radius2.example.org") == ()
    lasts = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert lasts == timedelta(days=825)


def test_only_the_owner_reads_keys_and_bundles(made) -> None:
    folder, _ = made
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*.*")}
    secret = {name for name in modes if name.endswith((".key", ".p12"))}
    assert len(secret) == 7
    assert {modes[name] for name in secret} == {0o600}
    assert {mode for name, mode in modes.items() if name not in secret} <= {0o644, 0o755, 0o700}


@pytest.mark.parametrize("kind", ["san-upn", "san-email", "common-name"])
def test_a_persons_certificate_names_them_once_each_way(made, kind) -> None:
    assert name_of(load(made[0] / "ann@corp.example.pem"), kind) == "ann@corp.example"


def test_a_bundle_opens_with_the_password_that_is_shown_once(made) -> None:
    folder, out = made
    (password,) = re.findall(r"password (\S+)", out)
    said = openssl(
        "pkcs12", "-in", folder / "ann@corp.example.p12", "-nokeys", "-passin", f"pass:{password}"
    )
    assert said.count("BEGIN CERTIFICATE") == 2


@pytest.mark.parametrize(("file", "type_"), [("wifi", 21), ("wifi-peap", 25)])
def test_an_apple_profile_trusts_this_authority_for_these_names(made, file, type_) -> None:
    folder, _ = made
    profile = plistlib.loads((folder / f"hand-out/{file}.mobileconfig").read_bytes())
    root, wifi = profile["PayloadContent"]
    assert root["PayloadContent"] == (folder / "hand-out/ca.cer").read_bytes()
    assert x509.load_der_x509_certificate(root["PayloadContent"]) == load(folder / "ca.pem")
    assert wifi["SSID_STR"] == 'Exämple "1"'
    eap = wifi["EAPClientConfiguration"]
    assert eap["AcceptEAPTypes"] == [type_]
    assert eap["PayloadCertificateAnchorUUID"] == [root["PayloadUUID"]]
    assert eap["TLSTrustedServerNames"] == [NAME, "radius2.example.org"]
    assert eap.get("TTLSInnerAuthentication") == ("PAP" if type_ == 21 else None)
    uuids = [one["PayloadUUID"] for one in (profile, root, wifi)]
    assert len(set(uuids)) == 3


def test_a_network_name_that_quotes_do_not_hold_is_written_in_hex(made) -> None:
    text = (made[0] / "hand-out/wpa_supplicant.conf").read_text()
    assert "    ssid=" + 'Exämple "1"'.encode().hex() + "\n" in text


def test_what_is_there_is_never_overwritten_and_an_authority_is_used_again(made, tmp_path) -> None:
    first = make(tmp_path, "--name", NAME)
    assert first.code == 0
    folder = tmp_path / "eap"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    again = make(tmp_path, "--name", NAME, "--user", "bob")
    assert (again.code, again.out) == (1, "")
    assert f"{NAME}.pem is there already; nothing was made" in again.err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    (folder / f"{NAME}.pem").rename(folder / "old.pem")
    (folder / f"{NAME}.key").rename(folder / "old.key")
    assert make(tmp_path, "--name", NAME).code == 0
    assert (folder / "ca.pem").read_bytes() == before[folder / "ca.pem"]
    said = openssl("verify", "-CAfile", folder / "ca.pem", folder / f"{NAME}.pem")
    assert "OK" in said


def test_an_authority_whose_key_is_anothers_is_refused(tmp_path) -> None:
    assert make(tmp_path, "--name", NAME).code == 0
    folder = tmp_path / "eap"
    (folder / "ca.key").write_bytes((folder / f"{NAME}.key").read_bytes())
    done = make(tmp_path, "--name", "radius3.example.org")
    assert (done.code, done.out) == (1, "")
    assert "the key belongs to another certificate" in done.err
    assert not (folder / "radius3.example.org.pem").exists()


def test_an_authority_whose_key_lies_elsewhere_signs_nothing_and_is_trusted_still(tmp_path) -> None:
    """As docs/radius.md advises: the keys of authorities are moved off the host."""
    assert make(tmp_path, "--name", NAME).code == 0
    folder = tmp_path / "eap"
    (folder / "ca.key").unlink()
    done = make(tmp_path, "--name", "radius3.example.org")
    assert (done.code, done.out) == (1, "")
    assert "ca.key is not there" in done.err
    assert "bring it back" in done.err
    assert make(tmp_path, "--user", "ann").code == 0


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ((), "say what to make"),
        (("--name", "radius"), "must be a whole DNS name"),
        (("--name", "*.example.org"), "must be a whole DNS name"),
        (("--name", "../x.example.org"), "must be a whole DNS name"),
        (("--radsec-client", "a/b.example.org"), "must be a whole DNS name"),
        (("--user", "x" * 65), "1 to 64 printable characters"),
        (("--user", "ann", "--ssid", "x"), "goes with --name"),
        (("--name", NAME, "--ssid", "x" * 33), "1 to 32 octets"),
        (("--name", NAME, "--days", "826"), "826 is not in the range"),
    ],
)
def test_what_no_certificate_can_say_is_a_usage_error(tmp_path, argv, said) -> None:
    done = make(tmp_path, *argv)
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "eap").exists()


def test_a_name_with_a_slash_leaves_the_folder_nowhere(tmp_path) -> None:
    assert make(tmp_path, "--user", "../../ann").code == 0
    assert name_of(load(tmp_path / "eap/_.._ann.pem"), "common-name") == "../../ann"


def test_json_names_every_file(tmp_path) -> None:
    done = make(tmp_path, "--user", "ann", "--json")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [Path(row["file"]).name for row in rows] == [
        "people-ca.pem", "people-ca.key", "ann.pem", "ann.key", "ann.p12",
    ]  # fmt: skip
    assert all(Path(row["file"]).is_file() for row in rows)
    assert rows[-1]["password"]


@pytest.mark.live
@pytest.mark.parametrize(
    ("name", "good"), [(NAME, True), ("other.example.org", False)], ids=["it", "another"]
)
def test_a_supplicant_with_the_profile_joins_that_server_alone(made, tmp_path, name, good) -> None:
    """eapol_test reads the very file that is handed out, and holds the server to its name."""
    folder, _ = made
    profile = (folder / "hand-out/wpa_supplicant.conf").read_text()
    profile = profile.replace('"ca.pem"', f'"{folder}/hand-out/ca.pem"')
    profile = profile.replace("YOUR NAME", "ann").replace("YOUR PASSWORD", "right horse")
    file = tmp_path / "network.conf"
    file.write_text(profile.replace(f"{NAME};radius2.example.org", name))
    server = EapServer(
        Eap(cert_file=folder / f"{NAME}.pem", key_file=folder / f"{NAME}.key",
            ca_file=folder / "people-ca.pem")
    )  # fmt: skip
    try:
        done = subprocess.run(
            ["eapol_test", "-c", file, "-a", "127.0.0.1", "-p", str(server.port),
             "-s", SECRET.decode(), "-t", "10"],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    finally:
        server.close()
    assert (done.returncode == 0) == good, done.stdout[-2000:]
    assert len(server.asked) == good
