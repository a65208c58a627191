"""What is handed out to people whose devices shall join: profiles, and the way by hand.

Source: Apple's configuration profile reference (com.apple.wifi.managed, EAPClientConfiguration),
wpa_supplicant.conf(5), Microsoft's "EAP for network access", Android's "Wi-Fi settings".
"""

from __future__ import annotations

import plistlib
import ssl
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_TTLS, _PEAP = 21, 25  # EAP types
_INNER: Final[Mapping[int, Mapping[str, Any]]] = {
    _TTLS: {"TTLSInnerAuthentication": "PAP", "OuterIdentity": "anonymous"},
    _PEAP: {"OuterIdentity": "anonymous"},
}
FILES: Final[Mapping[str, str]] = {
    "pem": "ca.pem",
    "der": "ca.cer",
    "ttls": "wifi.mobileconfig",
    "peap": "wifi-peap.mobileconfig",
    "linux": "wpa_supplicant.conf",
    "text": "README.txt",
}


@dataclass(frozen=True, slots=True)
class Network:
    """What a device has to know.

    Attributes:
        ssid: The network's name.
        names: Of the servers, as their certificates have them.
        authority: Who signed those, as DER.
        authority_name: Its common name.
    """

    ssid: str
    names: tuple[str, ...]
    authority: bytes
    authority_name: str

    @property
    def authority_pem(self) -> str:
        """Return who signed them, as PEM."""
        return ssl.DER_cert_to_PEM_cert(self.authority)

    @property
    def identifier(self) -> str:
        """Return the names reversed, as Apple's identifiers are: "org.example.radius"."""
        return ".".join(reversed(self.names[0].split(".")))


def apple_ttls(network: Network) -> bytes:
    """Return a .mobileconfig for EAP-TTLS with PAP; the device asks for name and password."""
    return _apple(network, _TTLS, "wifi")


def apple_peap(network: Network) -> bytes:
    """Return a .mobileconfig for PEAP, inside which the server asks by GTC."""
    return _apple(network, _PEAP, "wifi-peap")


def _apple(network: Network, type_: int, name: str) -> bytes:
    root = _payload(network, f"{name}.authority", "com.apple.security.root", network.authority_name)
    root |= {"PayloadContent": network.authority, "PayloadCertificateFileName": "ca.cer"}
    wifi = _payload(network, f"{name}.network", "com.apple.wifi.managed", f"Wi-Fi {network.ssid}")
    wifi |= {
        "SSID_STR": network.ssid,
        "HIDDEN_NETWORK": False,
        "AutoJoin": True,
        "EncryptionType": "WPA2",  # also joins WPA3
        "EAPClientConfiguration": {
            "AcceptEAPTypes": [type_],
            "PayloadCertificateAnchorUUID": [root["PayloadUUID"]],
            "TLSTrustedServerNames": list(network.names),
            "TLSMinimumVersion": "1.2",
            "TLSMaximumVersion": "1.3",
            **_INNER[type_],
        },
    }
    whole = _payload(network, name, "Configuration", f"Wi-Fi {network.ssid}")
    return plistlib.dumps(whole | {"PayloadContent": [root, wifi]})


def _payload(network: Network, name: str, type_: str, shown: str) -> dict[str, Any]:
    return {
        "PayloadType": type_,
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{network.identifier}.{name}",
        "PayloadUUID": str(uuid.uuid4()).upper(),
        "PayloadDisplayName": shown,
    }


def wpa_supplicant(network: Network) -> str:
    """Return a block of wpa_supplicant.conf; the person writes name and password into it."""
    return f"""\
# Put ca.pem beside this file, or write its whole path; then identity and password.
network={{
    ssid={_ssid(network.ssid)}
    key_mgmt=WPA-EAP
    eap=TTLS
    phase2="auth=PAP"
    anonymous_identity="anonymous"
    ca_cert="ca.pem"
    domain_match="{";".join(network.names)}"
    identity="YOUR NAME"
    password="YOUR PASSWORD"
}}
"""


def _ssid(ssid: str) -> str:
    """Return a network's name in quotes, or in hex where quotes would not hold it."""
    plain = ssid.isascii() and ssid.isprintable() and '"' not in ssid
    return f'"{ssid}"' if plain else ssid.encode().hex()


def by_hand(network: Network) -> str:
    """Return what a person does on a device that takes no profile."""
    return _BY_HAND.format(
        ssid=network.ssid,
        authority=network.authority_name,
        names="; ".join(network.names),
        **FILES,
    )


_BY_HAND: Final = """\
Joining {ssid}

Never join by "do not validate", "trust on first use" or "continue anyway": whoever
sets up a network of this name would be told your password.

iPhone, iPad, Mac
  Open {ttls}, then Settings > Profile Downloaded > Install.

Android
  1. Settings > Security > More > Encryption & credentials > Install a certificate >
     Wi-Fi certificate: {der}, name it {authority}
  2. Settings > Network & internet > Internet > {ssid}
     EAP method                  TTLS
     Phase 2 authentication      PAP
     CA certificate              {authority}
     Online certificate status   Do not verify
     Domain                      {names}
     Identity                    your name
     Anonymous identity          anonymous
     Password                    your password

Windows 10 and 11
  1. Open {der} > Install Certificate > Local Machine > Trusted Root Certification
     Authorities (this needs an administrator).
  2. Control Panel > Network and Sharing Center > Set up a new connection or network >
     Manually connect to a wireless network: {ssid}, WPA2-Enterprise.
  3. Change connection settings > Security
     authentication method       Microsoft: EAP-TTLS, then Settings
     Enable identity privacy     anonymous
     Connect to these servers    {names}
     Trusted Root Certification  tick {authority}
     non-EAP method              Unencrypted password (PAP)
     Advanced settings           user authentication
  Windows has no PEAP with GTC.

Linux
  Network Manager: WPA & WPA2 Enterprise, Tunneled TLS, anonymous identity anonymous,
  domain {names}, CA certificate ca.pem, inner authentication PAP.
  wpa_supplicant: {linux}
"""
