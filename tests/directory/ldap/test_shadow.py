"""Days of shadow(5) and what old tools write for "never"."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.directory.ldap import shadow
from loginward.directory.ldap.entry import Entry

DAY_20000 = datetime(2024, 10, 4, tzinfo=UTC)


def entry(**values: object) -> Entry:
    return Entry("uid=a", {k.lower(): (str(v).encode(),) for k, v in values.items()})


@pytest.mark.parametrize(
    ("value", "moment"), [(20000, DAY_20000), (0, None), (-1, None), ("x", None), (10**12, None)]
)
def test_the_end_of_an_account(value, moment):
    assert shadow.ends_at(entry(shadowExpire=value)) == moment


def test_the_due_date():
    assert shadow.due_at(entry(shadowLastChange=19990, shadowMax=10)) == DAY_20000
    assert shadow.due_at(entry(shadowLastChange=20000, shadowMax=0)) == DAY_20000


@pytest.mark.parametrize(
    "values",
    [
        {"shadowMax": 90},
        {"shadowLastChange": 19990},
        {"shadowLastChange": 19990, "shadowMax": 99999},
        {"shadowLastChange": 19990, "shadowMax": -1},
        {"shadowLastChange": 0, "shadowMax": 90},
    ],
)
def test_never_due(values):
    assert shadow.due_at(entry(**values)) is None


def test_zero_means_change_at_the_next_login():
    assert shadow.must_change(entry(shadowLastChange=0))
    assert not shadow.must_change(entry(shadowLastChange=1))
    assert not shadow.must_change(entry())


def test_the_warning():
    assert shadow.warn_s(entry(shadowWarning=7)) == 7 * 86400
    assert shadow.warn_s(entry(shadowWarning=-1)) is None
    assert shadow.warn_s(entry()) is None


@pytest.mark.fuzz
@given(st.integers(), st.integers(), st.integers())
def test_numbers_nobody_planned(expire, changed, most):
    found = entry(shadowExpire=expire, shadowLastChange=changed, shadowMax=most)
    for moment in (shadow.ends_at(found), shadow.due_at(found)):
        assert moment is None or moment.tzinfo is UTC
