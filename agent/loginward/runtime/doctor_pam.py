"""Reads PAM stacks and says where somebody gets past us, or where nobody is asked twice.

Source: pam.conf(5), pam_faillock(8), Debian's pam-auth-update(8), Fedora's authselect(8).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loginward.runtime.doctor_host import problem, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loginward.wire.admin.rows import FindingRow

OURS: Final = "pam_loginward.so"
KINDS: Final = ("auth", "account")
_FIELDS: Final = re.compile(r"-?(\w+)\s+(\[[^\]]*\]|\S+)\s+(\S+)\s*(.*)", re.DOTALL)
_INCLUDES: Final = frozenset({"include", "substack"})
_PASSWORDS: Final = frozenset(  # modules that let somebody in by a password of theirs
    {"pam_unix.so", "pam_sss.so", "pam_ldap.so", "pam_krb5.so", "pam_winbind.so", "pam_pwdfile.so"}
)
_JUDGES: Final = _PASSWORDS | {"pam_deny.so"}  # they do not let an unknown name in
_GOES_ON: Final = frozenset({"ignore", "bad", "die", "ok", "reset"})
_REFUSALS: Final = ("auth_err", "perm_denied", "acct_expired", "maxtries", "authinfo_unavail")
_LETTING: Final = frozenset({"ignore", "ok", "done"})
_DEPTH: Final = 8


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a stack, as it stands in its file.

    Attributes:
        module: The file's name without its folder.
        where: File and number, for a person.
    """

    kind: str
    control: str
    module: str
    arguments: tuple[str, ...]
    where: str

    def on(self, code: str) -> str:
        """Return what a code does here: an action of pam.conf(5), or a number of lines skipped."""
        if not self.control.startswith("["):
            return _word(self.control, code)
        pairs = dict(one.partition("=")[::2] for one in self.control[1:-1].split())
        return pairs.get(code, pairs.get("default", "bad"))

    @property
    def is_for_root(self) -> bool:
        """Whether it lets in root alone, who has every right anyway."""
        asks_uid = self.module == "pam_succeed_if.so" and "uid = 0" in " ".join(self.arguments)
        return self.module == "pam_rootok.so" or asks_uid

    @property
    def ends_with_success(self) -> bool:
        """Whether a success here leaves out what follows."""
        return self.on("success") not in _GOES_ON


def _word(control: str, code: str) -> str:
    if code == "success":
        return "done" if control in {"sufficient", "binding"} else "ok"
    if control in {"optional", "sufficient"}:
        return "ignore"
    return "die" if control == "requisite" else "bad"


def lint(folder: Path, exempt: frozenset[str]) -> Iterator[FindingRow]:
    """Yield what is wrong with the stacks below a folder such as /etc/pam.d.

    Args:
        exempt: `policy.exempt_users`, which the module's own list should equal.
    """
    services = sorted(path.name for path in folder.iterdir() if path.is_file())
    stacks = {(name, kind): stack(folder, name, kind) for name in services for kind in KINDS}
    ours = {line for lines in stacks.values() for line in lines if line.module == OURS}
    if not ours:
        yield warning(
            "pam",
            "not switched on: no PAM stack asks loginward",
            "pam-auth-update --enable loginward, with a root shell open beside it",
        )
        return
    seen = set[str]()
    for (name, kind), lines in stacks.items():
        for finding in _of_stack(name, kind, lines):
            if finding.text not in seen:
                seen.add(finding.text)
                yield finding
    yield from _of_lists(ours, exempt)


def stack(folder: Path, service: str, kind: str, depth: int = 0) -> list[Line]:
    """Return the lines of one kind that a service runs, includes followed; loops are cut."""
    try:
        text = (folder / service).read_text("utf-8", "replace")
    except OSError:
        return []
    found: list[Line] = []
    for number, raw in enumerate(text.replace("\\\n", "  ").splitlines(), 1):
        line = raw.partition("#")[0].strip()
        named = line.removeprefix("@include ").strip() if line.startswith("@include ") else ""
        fields = None if named else _FIELDS.fullmatch(line)
        if fields is not None and fields[1] == kind and fields[2] in _INCLUDES:
            named = fields[3]
        if named:
            if depth < _DEPTH:
                found += stack(folder, Path(named).name, kind, depth + 1)
        elif fields is not None and fields[1] == kind:
            arguments = tuple(fields[4].split())
            where = f"{service}:{number}"
            found.append(Line(kind, fields[2], Path(fields[3]).name, arguments, where))
    return found


def _of_stack(service: str, kind: str, lines: Sequence[Line]) -> Iterator[FindingRow]:
    at = next((i for i, line in enumerate(lines) if line.module == OURS), None)
    passwords = next((i for i, line in enumerate(lines) if line.module in _PASSWORDS), None)
    if at is None:
        if passwords is not None:
            yield problem(
                f"pam-{kind}",
                f"{service}: no line of loginward in {kind}: "
                + ("refused users get in" if kind == "auth" else "keys and cron are not judged"),
                f"add {OURS} before {lines[passwords].where} (docs/pam.md)",
            )
        return
    yield from _before(kind, lines[:at])
    yield from _ours(kind, lines, at)
    for line in lines:
        if line.module == "pam_faillock.so":
            yield warning(
                "pam-faillock",
                f"{line.where}: pam_faillock counts the same passwords a second time",
                "take pam_faillock out for these accounts; policy.lockout counts them",
            )


def _before(kind: str, lines: Sequence[Line]) -> Iterator[FindingRow]:
    """Find what is asked first and may end the stack, so that we are not asked at all."""
    for line in lines:
        if line.is_for_root or line.module == "pam_faillock.so":
            continue
        if line.module in _PASSWORDS or line.ends_with_success:
            yield problem(
                f"pam-{kind}-order",
                f"{line.where}: {line.module} is asked before loginward and may let somebody in",
                f"move the line of {OURS} above it",
            )


def _ours(kind: str, lines: Sequence[Line], at: int) -> Iterator[FindingRow]:
    """Find where our own line lets a refusal through."""
    ours = lines[at]
    lets = [code for code in _REFUSALS if ours.on(code) in _LETTING or ours.on(code).isdecimal()]
    if "ignore_unavailable" in ours.arguments and "authinfo_unavail" in lets:
        lets.remove("authinfo_unavail")
    if lets:
        yield problem(
            f"pam-{kind}-control",
            f"{ours.where}: a refusal is passed over ({', '.join(lets)})",
            "use [success=... new_authtok_reqd=done ignore=ignore user_unknown=ignore default=die]",
        )
    unknown = ours.on("user_unknown")
    passed_on = "ignore_unknown_user" in ours.arguments or unknown == "ignore"
    judged = any(line.module in _JUDGES for line in lines[at + 1 :])
    if unknown in {"ok", "done"} or unknown.isdecimal() or (passed_on and not judged):
        yield problem(
            "pam-user-unknown",
            f"{ours.where}: who is unknown to the directory is let in by {kind}",
            "have pam_unix.so and pam_deny.so follow the line",
        )


def _of_lists(ours: set[Line], exempt: frozenset[str]) -> Iterator[FindingRow]:
    for line in sorted(ours, key=lambda one: one.where):
        given = [one.removeprefix("exempt=") for one in line.arguments if one.startswith("exempt=")]
        named = {name for part in given for name in part.split(",") if name} | {"root"}
        if named != exempt | {"root"}:
            yield problem(
                "pam-exempt",
                f"{line.where}: exempts {', '.join(sorted(named))}, the configuration "
                f"{', '.join(sorted(exempt | {'root'}))}",
                "make exempt= of the module and policy.exempt_users the same",
            )
