"""An authority, our certificate and a person's, made once for a worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from loginward.doors.radius.eap.contexts import TlsContexts
from loginward.settings.radius import Eap
from tests.doubles.clock import FixedWall
from tests.live.certificates import Authority, Pair, upn


class RealWall(FixedWall):
    """Certificates are checked by the library too, which has no other clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class Site:
    authority: Authority
    server: Pair
    ann: Pair
    eap: Eap
    contexts: TlsContexts


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    authority = Authority(tmp_path_factory.mktemp("eap"))
    server = authority.server("server")
    ann = authority.client("ann", "Ann", upn("ann@corp.example"))
    eap = Eap(
        cert_file=server.cert_file,
        key_file=server.key_file,
        ca_file=authority.ca_file,
        crl_file=authority.revoke("crl.pem"),
    )
    return Site(authority, server, ann, eap, TlsContexts(eap, RealWall()))


@pytest.fixture
def changed(site: Site, tmp_path) -> Callable[..., TlsContexts]:
    """Return contexts with some settings of the site's changed."""

    def made(**keys: object) -> TlsContexts:
        own = {name: getattr(site.eap, name) for name in Eap.__dataclass_fields__}
        return TlsContexts(Eap(**own | keys), RealWall())

    return made
