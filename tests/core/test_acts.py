"""Verbs and rights of administrators."""

from __future__ import annotations

from loginward.core.acts import ALL_RIGHTS, OF_EVERYBODY, Right, Verb


def test_every_verb_is_a_right_of_the_same_name():
    assert {verb.value for verb in Verb} <= {right.value for right in Right}
    assert set(Right) == ALL_RIGHTS


def test_no_verb_is_open_to_everybody():
    assert {Right.ACTIVATE_SELF} == OF_EVERYBODY
    assert not {verb.value for verb in Verb} & {right.value for right in OF_EVERYBODY}


def test_the_verbs_that_bring_a_password():
    with_password = {verb.value for verb in Verb if verb.sets_password}
    assert with_password == {"reset-password", "set-temporary", "set-first-password"}
