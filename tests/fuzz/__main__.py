"""`make fuzz`: a million inputs for each parser, guided by coverage (atheris).

A parser may return a value or raise ProtocolError; anything else is a fault and stops the run.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from loginward.errors import ProtocolError

RUNS = 1_000_000


def _login_frames(octets: bytes) -> None:
    from loginward.wire.login import Decoder

    decoder = Decoder()
    decoder.feed(octets)
    while decoder.next_message() is not None:
        pass


def _ldap_answers(octets: bytes) -> None:
    from loginward.wire.ldap.messages import parse

    parse(octets)


def _ppolicy(octets: bytes) -> None:
    from loginward.wire.ldap import ppolicy

    ppolicy.parse(octets)


def _found_entries(octets: bytes) -> None:
    from loginward.wire.ldap import search

    search.parse(octets)


def _usability(octets: bytes) -> None:
    from loginward.wire.ldap import usability

    usability.parse(octets)


def _paging(octets: bytes) -> None:
    from loginward.wire.ldap import paging

    paging.parse(octets)


def _sync(octets: bytes) -> None:
    from loginward.wire.ldap import sync

    sync.parse(octets)


def _admin_lines(octets: bytes) -> None:
    from loginward.wire.admin.lines import decode_request

    decode_request(octets)


def _radius_packets(octets: bytes) -> None:
    from loginward.wire.radius.packet import decode

    decode(octets)


def _radius_streams(octets: bytes) -> None:
    """Fed in two pieces it is what it is in one."""
    from loginward.wire.radius.stream import PacketStream

    stream, whole = PacketStream(), list(PacketStream().feed(octets[1:]))
    at = octets[0] if octets else 0
    assert [*stream.feed(octets[1 : 1 + at]), *stream.feed(octets[1 + at :])] == whole
    assert b"".join(whole) == octets[1 : len(octets) - stream.held_octets]


def _radius_signed(octets: bytes) -> None:
    """Signed by the right secret; nobody is let in but by the password itself."""
    from tests.wire.radius import stage

    assert stage.judged(stage.request(octets[:4000])) != "accept" or stage.HIDDEN in octets


def _eap(octets: bytes) -> None:
    """The parsers of EAP, of what a tunnel carries, and of the frames beside the daemon."""
    from loginward.doors.radius.eap import frames
    from loginward.wire.eap import fragments, mschapv2, packet, peap, ttls

    parsers: list[Callable[[bytes], object]] = [
        lambda octets: packet.wanted_types(packet.decode(octets)),
        lambda octets: fragments.Incoming().take(fragments.parse(octets)),
        ttls.read,
        peap.expand,
        peap.read_result,
        frames.decode_order,
        frames.decode_report,
        mschapv2.read,
    ]
    if octets:
        parsers[octets[0] % len(parsers)](octets[1:])


TARGETS: dict[str, Callable[[bytes], None]] = {
    "login-frames": _login_frames,
    "ldap-answers": _ldap_answers,
    "ppolicy": _ppolicy,
    "found-entries": _found_entries,
    "usability": _usability,
    "paging": _paging,
    "sync": _sync,
    "admin-lines": _admin_lines,
    "radius-packets": _radius_packets,
    "radius-streams": _radius_streams,
    "radius-signed": _radius_signed,
    "eap": _eap,
}


def fuzz(name: str, runs: int) -> None:
    """Feed one parser so many inputs; does not return."""
    import atheris

    target = TARGETS[name]

    def one(octets: bytes) -> None:
        try:
            target(octets)
        except ProtocolError:
            return

    one(b"")  # imports the parser, which only then can be instrumented
    atheris.instrument_all()
    atheris.Setup([sys.argv[0], f"-runs={runs}", "-max_len=4096"], one)
    atheris.Fuzz()


def main() -> int:
    """Feed every parser, one process each: `python -m tests.fuzz [RUNS]`."""
    if len(sys.argv) > 2:
        fuzz(sys.argv[1], int(sys.argv[2]))
    runs = sys.argv[1] if len(sys.argv) > 1 else str(RUNS)
    for name in TARGETS:
        print(f"== {name}", flush=True)
        done = subprocess.run([sys.executable, "-m", "tests.fuzz", name, runs], check=False)
        if done.returncode:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
