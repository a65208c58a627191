"""What a refused peer is told (RFC 2759 section 6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginward.wire.mschap.failures import Failure, failure_text


@pytest.mark.parametrize(
    ("failure", "message", "text"),
    [
        (Failure.AUTHENTICATION_FAILURE, "", "E=691 R=0 C=" + "AB" * 16 + " V=3 M="),
        (Failure.PASSWD_EXPIRED, "It has\nexpired.",
         "E=648 R=0 C=" + "AB" * 16 + " V=3 M=It has expired."),
    ],
)  # fmt: skip
def test_the_words_of_the_standard(failure: Failure, message: str, text: str) -> None:
    assert failure_text(failure, b"\xab" * 16, message) == text.encode()


@given(st.text(max_size=400))
def test_whatever_is_said_is_one_line_that_fits(message: str) -> None:
    text = failure_text(
        Failure.ACCT_DISABLED, bytes(16), message.encode("utf-8", "replace").decode()
    )
    assert len(text) <= 246
    assert "\n" not in text.decode()
