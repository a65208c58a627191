from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from loginward.doors.radius.radsec.frames import Configure
from tests.live.certificates import Authority, Pair

NAME = "nas.example"


@dataclass(frozen=True)
class Papers:
    """Who trusts whom: our server, and clients good and bad."""

    folder: Path
    ours: Authority
    theirs: Authority
    server: Pair
    nas: Pair

    @property
    def files(self) -> Configure:
        return Configure(
            str(self.server.cert_file), str(self.server.key_file), str(self.theirs.ca_file)
        )


@pytest.fixture(scope="session")
def papers(tmp_path_factory) -> Papers:
    folder = tmp_path_factory.mktemp("radsec")
    ours, theirs = Authority(folder / "ours"), Authority(folder / "theirs", "of clients")
    nas = theirs.client("nas", "irrelevant", x509.DNSName("other.example"), x509.DNSName(NAME))
    return Papers(folder, ours, theirs, ours.server("server"), nas)
