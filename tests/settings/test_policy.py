"""The rules between the keys of `policy`."""

from __future__ import annotations

import pytest

from loginward.settings import InvalidSettingError, Policy, Resource, Services


@pytest.mark.parametrize("name", ["s*do", "*", "a b", "", "su\n"])
def test_only_a_last_star_stands_for_a_family(name: str) -> None:
    with pytest.raises(InvalidSettingError):
        Services(local=(name,))


def test_a_service_cannot_both_converse_and_be_silent() -> None:
    with pytest.raises(InvalidSettingError, match="cron"):
        Services(asks_account=("cron",))


def test_root_is_always_exempt() -> None:
    with pytest.raises(InvalidSettingError, match="root"):
        Policy(exempt_users=("admin",))


def test_a_resource_is_told_apart() -> None:
    mail = Resource(name="mail", services=("dovecot",), keep_while=("locked",))
    with pytest.raises(InvalidSettingError, match="used twice"):
        Policy(resources=(mail, mail))
    other = Resource(name="other", services=("dovecot",), keep_while=("expired",))
    with pytest.raises(InvalidSettingError, match="one resource"):
        Policy(resources=(mail, other))
    with pytest.raises(InvalidSettingError):
        Resource(name="", services=("dovecot",))
    with pytest.raises(InvalidSettingError, match="needs services"):
        Resource(name="mail")
