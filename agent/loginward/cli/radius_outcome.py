"""What came of `loginward radius test`, for programs and for people."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from loginward.wire.admin.radius_rows import AttributePart
from loginward.wire.radius.packet import Code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loginward.cli.output import Output
    from loginward.runtime.radius_target import Target
    from loginward.runtime.radius_trial import Outcome, Way

METHODS: Final = {
    "pap": "PAP",
    "eap-ttls-pap": "EAP-TTLS/PAP",
    "peap-gtc": "PEAP-GTC",
    "status": "Status-Server",
}
TRUST: Final = {
    True: "would believe it",
    False: "would not believe it",
    None: "not asked: name the authority that it is given with --ca",
}


class CertificatePart(msgspec.Struct, frozen=True, kw_only=True):
    """The certificate that the server showed.

    Attributes:
        is_trusted: None: no authority was named by --ca.
        problems: Why a phone would not believe it.
    """

    names: tuple[str, ...]
    issuer: str
    key: str
    ends_at: datetime
    is_trusted: bool | None
    problems: tuple[str, ...]


class RadiusTestRow(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="radius-test"):
    """What came of it, for `--json`."""

    name: str
    server: str
    client: str
    method: str
    answer: Literal["accepted", "rejected"]
    message: str
    attributes: tuple[AttributePart, ...]
    took_ms: int
    rounds: int
    tls: str
    keys_agree: bool | None
    certificate: CertificatePart | None


def row_of(name: str, target: Target, way: Way, outcome: Outcome) -> RadiusTestRow:
    certificate = outcome.certificate
    accepted = outcome.reply.code is Code.ACCESS_ACCEPT and not outcome.distrust
    return RadiusTestRow(
        name=name,
        server=target.shown,
        client=target.client,
        method=way,
        answer="accepted" if accepted else "rejected",
        message=outcome.message,
        attributes=tuple(AttributePart(name=n, value=v) for n, v in outcome.attributes),
        took_ms=round(outcome.took_s * 1000),
        rounds=outcome.rounds,
        tls=outcome.tls,
        keys_agree=outcome.keys_agree,
        certificate=None
        if certificate is None
        else CertificatePart(
            names=certificate.names,
            issuer=certificate.issuer,
            key=certificate.key,
            ends_at=certificate.ends_at,
            is_trusted=outcome.is_trusted,
            problems=tuple(filter(None, (outcome.distrust, *outcome.doubts))),
        ),
    )


def show(out: Output, row: RadiusTestRow) -> None:
    good = row.answer == "accepted"
    client = f", client {row.client}" if row.client else ""
    rounds = f", {row.rounds} rounds" if row.rounds > 1 else ""
    beside = f"{row.server}{client}, {METHODS[row.method]}, {row.took_ms} ms{rounds}"
    word = "there" if row.method == "status" and good else row.answer
    out.headline(word, "green" if good else "red", beside)
    facts = [("message", row.message)] if row.message else []
    out.facts([*facts, *((one.name, one.value) for one in row.attributes), *_of_tunnel(row)])


def _of_tunnel(row: RadiusTestRow) -> Iterator[tuple[str, str]]:
    """Return what there is to say of a tunnel, and whether a phone would have made it."""
    if row.certificate is None:
        return
    shown = row.certificate
    names = ", ".join(shown.names) or "no name"
    until = shown.ends_at.date().isoformat()
    yield "certificate", f"{names}; {shown.key}, by {shown.issuer}, until {until}; {row.tls}"
    yield "a phone", "; ".join(shown.problems) or TRUST[shown.is_trusted]
    if row.keys_agree is not None:
        yield "keys", "as the device has them" if row.keys_agree else "NOT those of the device"
