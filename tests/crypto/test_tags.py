"""Tags: keyed, of their process, and of parts that cannot run together."""

from __future__ import annotations

import hashlib
import hmac

from loginward.crypto.tags import Tagger, equal, keyed


def test_a_tag_is_the_hmac_of_its_framed_parts() -> None:
    framed = b"\0\0\0\1a\0\0\0\2bc"

    assert keyed(b"key", b"a", b"bc") == hmac.digest(b"key", framed, hashlib.sha256)
    assert keyed(b"key", b"ab", b"c") != keyed(b"key", b"a", b"bc")


def test_tags_are_equal_for_equal_parts_in_one_process_alone() -> None:
    tagger = Tagger()

    assert equal(tagger.full(b"id", b"password"), tagger.full(b"id", b"password"))
    assert not equal(tagger.full(b"id", b"password"), tagger.full(b"id", b"passwort"))
    assert not equal(tagger.full(b"id", b"password"), Tagger().full(b"id", b"password"))


def test_a_whole_tag_has_256_bits_and_a_short_one_64() -> None:
    tagger = Tagger()

    assert len(tagger.full(b"x")) == 32
    assert tagger.short(b"x") == tagger.full(b"x")[:8]
