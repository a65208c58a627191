"""Sections check themselves; every key says what it means."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, replace
from typing import Annotated

import pytest

from loginward.settings import InvalidSettingError, Key, Section, Settings, fields_of
from loginward.settings.policy import Lockout
from tests.settings.every import every_section


@pytest.mark.parametrize("section", every_section(), ids=lambda section: section.__name__)
def test_every_key_says_what_it_means_in_one_line(section: type[Section]) -> None:
    for field in fields_of(section):
        meaning = field.key.meaning
        assert 4 <= len(meaning) <= 110, f"{section.__name__}.{field.name}: {meaning}"
        assert not meaning.endswith(".")
        assert "\n" not in meaning


@pytest.mark.parametrize("section", every_section(), ids=lambda section: section.__name__)
def test_a_key_that_may_be_null_says_what_null_means(section: type[Section]) -> None:
    for field in fields_of(section):
        if field.default is None and not field.key.example:
            assert field.key.null, f"{section.__name__}.{field.name}"


def test_defaults_are_those_of_the_design() -> None:
    settings = Settings()
    assert settings.policy.lockout == Lockout(
        owner="auto", threshold=5, window_s=900, duration_s=1800
    )
    assert settings.policy.offline.allowed_s == 259200
    assert settings.policy.offline.max_failures == 20
    assert settings.directory.budget_s == 2.5
    assert settings.directory.watch.poll_s == 15
    assert settings.doors.login.when_down == "known"
    assert settings.doors.radius is None


def test_a_section_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().policy.lockout.threshold = 6  # type: ignore[misc]


@pytest.mark.parametrize("threshold", [0, -1, 1001])
def test_a_number_out_of_bounds_does_not_construct(threshold: int) -> None:
    with pytest.raises(InvalidSettingError) as caught:
        Lockout(threshold=threshold)
    assert caught.value.key == "threshold"
    with pytest.raises(InvalidSettingError):
        replace(Lockout(), threshold=threshold)


def test_not_a_number_is_out_of_every_bound() -> None:
    assert Key("x", at_least=0).problem_of(float("nan")) is not None
    assert Key("x", at_most=0).problem_of(float("nan")) is not None


def test_a_key_without_a_meaning_is_a_bug() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Mute(Section):
        key: int = 1
        said: Annotated[int, Key("a meaning")] = 2

    with pytest.raises(TypeError, match=r"Mute\.key says not what it means"):
        fields_of(Mute)
