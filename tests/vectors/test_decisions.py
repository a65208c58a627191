"""The golden table is what the law says today, speaks of every case once, and reads as PAM codes."""

from __future__ import annotations

import itertools
import subprocess
import sys
from math import prod
from pathlib import Path

import pytest

from loginward.core.decide import message_ids
from loginward.core.reasons import Reason, Verdict
from loginward.core.requests import Phase
from loginward.doors.login.pam_codes import pam_code
from tests.vectors import decisions, summary
from tests.vectors.decisions import ANY, AXES, COLUMNS, Row

TOP = Path(__file__).parents[2]
# What the second factor says comes with it; what a source or a name spoils is no account's matter.
ELSEWHERE = {
    *(Reason.CODE_REQUIRED, Reason.CODE_WRONG, Reason.ENROLMENT_OVERDUE),
    *(Reason.SOURCE_THROTTLED, Reason.NOT_PERMITTED, Reason.MALFORMED),
}


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return decisions.load()


@pytest.fixture(scope="module")
def today() -> str:
    return decisions.text()


def test_the_file_is_what_the_law_says_today(today):
    assert decisions.GOLDEN.read_text() == today, "run tools/gen-decisions and look at the change"


def test_the_page_for_people_is_too():
    assert summary.PAGE.read_text() == summary.text(), "run tools/gen-decisions"


def test_every_case_is_spoken_of_once(rows):
    seen = set()
    for row in rows:
        for case in row.cases():
            key = tuple(case.values())
            assert key not in seen, case
            seen.add(key)
    assert len(seen) == prod(len(values) for values in AXES.values())


def test_the_file_itself_agrees_case_by_case(rows):
    """Not only the same text: what a door reads from it is what the law says, one case a line."""
    for row in rows:
        case = next(row.cases())
        for column, said in zip(COLUMNS, row.results, strict=True):
            assert decisions.shown(decisions.decided(case, column)) == said, (case, column)


def test_i18_every_reason_is_reached(rows):
    results = set(itertools.chain.from_iterable(row.results for row in rows))
    messages = {said.split(" ")[1] for said in results}
    assert messages <= message_ids()
    assert {Reason(message.partition(".")[0]) for message in messages} == set(Reason) - ELSEWHERE


def codes(row):
    """Return the PAM code of each column: authenticate, or the account phase."""
    for column, said in zip(COLUMNS, row.results, strict=True):
        verdict, message, *_ = said.split(" ")
        phase = Phase.ACCT if column in {"key", "after-password"} else Phase.AUTHN
        reason = Reason(message.partition(".")[0])
        yield column, verdict, pam_code(phase, Verdict(verdict), reason)


def test_pam_hears_success_only_where_somebody_goes_on(rows):
    for row in rows:
        for column, verdict, code in codes(row):
            acct = column in {"key", "after-password"}
            goes_on = {
                "allow": "PAM_SUCCESS",
                "change": "PAM_NEW_AUTHTOK_REQD" if acct else "PAM_SUCCESS",
            }
            assert (code in {"PAM_SUCCESS", "PAM_NEW_AUTHTOK_REQD"}) == (verdict != "refuse")
            assert code == goes_on.get(verdict, code)


def test_cron_and_systemd_user_never_hear_of_a_new_password(rows):
    quiet = {"cron", "systemd-user"}
    for row in rows:
        at = row.inputs[list(AXES).index("at")]
        if at == ANY or quiet & set(at.split("|")):
            assert "PAM_NEW_AUTHTOK_REQD" not in {code for _, _, code in codes(row)}


def test_the_tool_sees_what_is_out_of_date():
    done = subprocess.run(
        [sys.executable, str(TOP / "tools/gen-decisions"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
