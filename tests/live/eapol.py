"""eapol_test(8), wpa_supplicant's own EAP over RADIUS, as a device at one of several clients."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.doubles.nas import SECRET
from tests.live.certificates import Pair
from tests.live.eap_server import Bare

AT_ONCE = 5
_DEVICES = itertools.count(1)
INNER: Mapping[str, Mapping[str, object]] = {
    "eap-ttls-pap": {"eap": Bare("TTLS"), "phase2": "auth=PAP"},
    "eap-ttls-gtc": {"eap": Bare("TTLS"), "phase2": "autheap=GTC"},
    "peap-gtc": {"eap": Bare("PEAP"), "phase2": "auth=GTC"},
    "eap-tls": {"eap": Bare("TLS")},
}


@dataclass(frozen=True)
class Device:
    """What one device is told of the network, and which access point it is at.

    Attributes:
        source: Address of the access point.
        mac: Its own; no two devices share one unless told to.
        again: How often it logs in again.
        attributes: More of RADIUS, as eapol_test writes them.
    """

    network: Mapping[str, object]
    source: str
    mac: int = field(default_factory=lambda: next(_DEVICES))
    again: int = 0
    attributes: tuple[str, ...] = ()

    @property
    def station(self) -> str:
        """Return its Calling-Station-Id."""
        return "-".join(f"{octet:02X}" for octet in (0x02 << 40 | self.mac).to_bytes(6, "big"))


@dataclass(frozen=True)
class Heard:
    """What became of it."""

    code: int
    said: str

    @property
    def is_in(self) -> bool:
        """Return whether it was let in, with keys that both ends share, each time."""
        return self.code == 0

    @property
    def keys(self) -> int:
        """Return how often both ends had the same keys."""
        return int(self.said.rpartition("MPPE keys OK: ")[2].split()[0])


def network(
    method: str, tls: str, ca_file: Path, identity: str, **more: object
) -> dict[str, object]:
    """Return what a device is told, so that it trusts `ca_file` and speaks one version of TLS."""
    return {
        **INNER[method],
        "ca_cert": ca_file,
        "phase1": f"tls_disable_tlsv1_3={int(tls == '1.2')}",
        "identity": identity,
        "anonymous_identity": "nobody@elsewhere.example",
    } | more


def shown(pair: Pair) -> dict[str, object]:
    """Return what a device is told of its certificate."""
    return {"client_cert": pair.cert_file, "private_key": pair.key_file}


def enter(device: Device, port: int, folder: Path) -> Heard:
    """Have a device log in."""
    lines = [f"    {key}={_written(value)}" for key, value in device.network.items()]
    file = folder / f"network-{device.mac:x}.conf"
    file.write_text("network={\n    key_mgmt=WPA-EAP\n" + "\n".join(lines) + "\n}\n")
    run = subprocess.run(
        ["eapol_test", "-c", file, "-a", "127.0.0.1", "-p", str(port), "-s", SECRET.decode(),
         "-t", "15", "-r", str(device.again), "-A", device.source,
         "-M", device.station.replace("-", ":"), *(f"-N{one}" for one in device.attributes)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.stdout.rstrip().endswith("SUCCESS" if run.returncode == 0 else "FAILURE"), run.stdout
    return Heard(run.returncode, run.stdout)


def enter_all(devices: Iterable[Device], port: int, folder: Path) -> list[Heard]:
    """Have devices log in, several at once; return what each heard, in their order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda device: enter(device, port, folder), devices))


def _written(value: object) -> str:
    return str(value) if isinstance(value, int | Bare) else f'"{value}"'
