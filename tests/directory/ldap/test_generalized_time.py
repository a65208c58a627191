"""Points in time as servers spelt them, and whatever else comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.directory.ldap.generalized_time import parse, spell


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20261123085343Z", datetime(2026, 11, 23, 8, 53, 43, tzinfo=UTC)),
        ("20261123085343.558732Z", datetime(2026, 11, 23, 8, 53, 43, 558732, tzinfo=UTC)),
        ("20261123090149.0Z", datetime(2026, 11, 23, 9, 1, 49, tzinfo=UTC)),
        ("202611230901Z", datetime(2026, 11, 23, 9, 1, tzinfo=UTC)),
        ("2026112309,5Z", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
        ("202611230901.5Z", datetime(2026, 11, 23, 9, 1, 30, tzinfo=UTC)),
        ("20261123090149+0130", datetime(2026, 11, 23, 7, 31, 49, tzinfo=UTC)),
        ("20261123090149-01", datetime(2026, 11, 23, 10, 1, 49, tzinfo=UTC)),
        ("20161231235960Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("19700101000000Z", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_what_servers_send(text, moment):
    assert parse(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "000001010000Z",  # ppolicy: locked for good; no year 0 in a datetime
        "",
        "20261123085343",
        "20261323085343Z",
        "20261123085361Z",
        "20261123085343.Z",
        "99991231235959-2359",
        "\u0662\u0660261123085343Z",
        "20261123085343Z ",
    ],
)
def test_what_is_no_moment(text):
    assert parse(text) is None


@given(st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)))
def test_what_is_spelt_is_read(moment):
    assert parse(spell(moment)) == moment.replace(microsecond=0)


def test_another_zone_is_spelt_in_utc():
    zone = timezone(timedelta(hours=2))
    assert spell(datetime(2026, 1, 1, 1, tzinfo=zone)) == "20251231230000Z"


@pytest.mark.fuzz
@given(st.text(alphabet="0123456789.,Z+-", max_size=30))
def test_octets_nobody_planned(text):
    moment = parse(text)
    assert moment is None or moment.tzinfo is not None
