"""The PAM code of every result, the same in Python and in C (R25, R26, I18)."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase
from loginward.doors.login.pam_codes import REFUSED, pam_code
from loginward.wire.login.values import PHASES, REASONS, VERDICTS

ROOT = Path(__file__).parents[3]
NUMBERS = {
    name: int(number)
    for name, number in re.findall(
        r"^#define (PAM_\w+)\s+(\d+)",
        Path("/usr/include/security/_pam_types.h").read_text(),
        re.MULTILINE,
    )
}


@pytest.fixture(scope="module")
def c_rows(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    program = tmp_path_factory.mktemp("codes") / "print_codes"
    source = ROOT / "tests/native/print_codes.c"
    include = f"-I{ROOT / 'agent/native'}"
    subprocess.run(
        ["gcc", "-Wall", "-Werror", include, str(source), "-o", str(program)], check=True
    )
    printed = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    return [line.split() for line in printed.splitlines()]


@pytest.fixture(scope="module")
def c_table(c_rows: list[list[str]]) -> dict[tuple[int, int, int], int]:
    numbers = (tuple(map(int, row[:4])) for row in c_rows)
    return {(phase, verdict, reason): code for phase, verdict, reason, code in numbers}


def test_every_reason_has_its_row() -> None:
    assert set(Reason) == set(REFUSED)


def test_the_module_maps_as_the_table_does(c_table: dict[tuple[int, int, int], int]) -> None:
    for phase in Phase:
        for verdict in Verdict:
            for reason in Reason:
                key = (PHASES[phase], VERDICTS[verdict], REASONS[reason])
                assert c_table[key] == NUMBERS[pam_code(phase, verdict, reason)], key


def test_the_module_names_reasons_as_everybody_does(c_rows: list[list[str]]) -> None:
    names = {int(row[2]): row[4] for row in c_rows}

    assert {REASONS[reason]: reason.value for reason in Reason}.items() <= names.items()


def test_the_module_lets_nobody_in_for_a_reason_it_does_not_know(
    c_table: dict[tuple[int, int, int], int],
) -> None:
    unknown = [code for (_, _, reason), code in c_table.items() if reason in {0, len(REASONS) + 1}]

    assert unknown
    assert NUMBERS["PAM_SUCCESS"] not in unknown
    assert NUMBERS["PAM_NEW_AUTHTOK_REQD"] not in unknown


def test_only_allow_and_change_let_anybody_go_on() -> None:
    for phase in (Phase.AUTHN, Phase.ACCT):
        for reason in Reason:
            for verdict in (Verdict.REFUSE, Verdict.CODE):
                code = pam_code(phase, verdict, reason)
                assert code not in {"PAM_SUCCESS", "PAM_NEW_AUTHTOK_REQD", "PAM_IGNORE"}


@pytest.mark.parametrize(
    ("verdict", "reason", "authn", "acct"),
    [
        (Verdict.ALLOW, Reason.OK, "SUCCESS", "SUCCESS"),
        (Verdict.REFUSE, Reason.WRONG_CREDENTIALS, "AUTH_ERR", "PERM_DENIED"),
        (Verdict.REFUSE, Reason.CODE_WRONG, "AUTH_ERR", "PERM_DENIED"),
        (Verdict.REFUSE, Reason.MALFORMED, "AUTH_ERR", "PERM_DENIED"),
        (Verdict.REFUSE, Reason.USER_UNKNOWN, "USER_UNKNOWN", "USER_UNKNOWN"),
        (Verdict.REFUSE, Reason.USER_STAGED, "PERM_DENIED", "ACCT_EXPIRED"),
        (Verdict.REFUSE, Reason.USER_SUSPENDED, "PERM_DENIED", "ACCT_EXPIRED"),
        (Verdict.REFUSE, Reason.PASSWORD_PENDING, "PERM_DENIED", "PERM_DENIED"),
        (Verdict.REFUSE, Reason.ACCOUNT_LOCKED, "PERM_DENIED", "PERM_DENIED"),
        (Verdict.REFUSE, Reason.SOURCE_THROTTLED, "PERM_DENIED", "PERM_DENIED"),
        (Verdict.REFUSE, Reason.NOT_PERMITTED, "PERM_DENIED", "PERM_DENIED"),
        (Verdict.REFUSE, Reason.ENROLMENT_OVERDUE, "PERM_DENIED", "PERM_DENIED"),
        (Verdict.REFUSE, Reason.PASSWORD_EXPIRED, "PERM_DENIED", "ACCT_EXPIRED"),
        (Verdict.CHANGE, Reason.PASSWORD_EXPIRED, "SUCCESS", "NEW_AUTHTOK_REQD"),
        (Verdict.CHANGE, Reason.CHANGE_REQUIRED, "SUCCESS", "NEW_AUTHTOK_REQD"),
        (Verdict.REFUSE, Reason.OFFLINE_TOO_LONG, "AUTHINFO_UNAVAIL", "PERM_DENIED"),
        (Verdict.REFUSE, Reason.OFFLINE_NEVER_SEEN, "AUTHINFO_UNAVAIL", "PERM_DENIED"),
        (Verdict.REFUSE, Reason.DIRECTORY_UNAVAILABLE, "AUTHINFO_UNAVAIL", "PERM_DENIED"),
    ],
)
def test_the_table_of_the_design(verdict: Verdict, reason: Reason, authn: str, acct: str) -> None:
    assert pam_code(Phase.AUTHN, verdict, reason) == f"PAM_{authn}"
    assert pam_code(Phase.ACCT, verdict, reason) == f"PAM_{acct}"


def test_sessions_never_fail_a_login() -> None:
    codes = {
        pam_code(phase, verdict, reason)
        for phase in (Phase.OPEN, Phase.CLOSE)
        for verdict in Verdict
        for reason in Reason
    }

    assert codes == {"PAM_SUCCESS", "PAM_IGNORE"}
