"""The rules between sections."""

from __future__ import annotations

from pathlib import Path

import pytest

from loginward.settings import (
    InvalidSettingError,
    Messages,
    Policy,
    Resource,
    Settings,
    Support,
)


def test_only_the_form_that_this_version_reads() -> None:
    with pytest.raises(InvalidSettingError):
        Settings(schema=2)


def test_paths_are_absolute_and_apart() -> None:
    with pytest.raises(InvalidSettingError):
        Settings(state_dir=Path("state"))
    with pytest.raises(InvalidSettingError):
        Settings(state_dir=Path("/x"), runtime_dir=Path("/x"))


def test_a_resource_names_clients_that_exist() -> None:
    mail = Resource(name="mail", clients=("wifi",), keep_while=("expired",))
    with pytest.raises(InvalidSettingError) as caught:
        Settings(policy=Policy(resources=(mail,)))
    assert caught.value.key == "policy.resources[0].clients"


@pytest.mark.parametrize("contact", ["", "a\nb", "\x1b[31m", "x" * 201])
def test_a_contact_is_one_clean_line(contact: str) -> None:
    with pytest.raises(InvalidSettingError):
        Support(contact=contact)


def test_a_language_is_a_tag() -> None:
    with pytest.raises(InvalidSettingError):
        Messages(language="../en")
