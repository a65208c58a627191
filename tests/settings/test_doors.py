"""The rules between the keys of `doors`."""

from __future__ import annotations

import pytest

from loginward.settings import AdminDoor, InvalidSettingError, LoginPeer


def test_a_role_is_made_of_known_rights() -> None:
    assert AdminDoor(roles={"helpdesk": ("unlock",)}).roles["helpdesk"] == ("unlock",)
    with pytest.raises(InvalidSettingError) as caught:
        AdminDoor(roles={"helpdesk": ("unlok",)})
    assert caught.value.key == "roles.helpdesk"
    assert "unlock" in caught.value.problem


def test_no_role_is_given_what_everybody_may() -> None:
    """It would look as if the others could not."""
    with pytest.raises(InvalidSettingError, match="'activate-self' is no right"):
        AdminDoor(roles={"helpdesk": ("activate-self",)})


@pytest.mark.parametrize("user", ["", "root"])
def test_a_peer_is_somebody_other_than_root(user: str) -> None:
    with pytest.raises(InvalidSettingError):
        LoginPeer(user=user, services=("dovecot",))


def test_a_peer_names_its_services() -> None:
    with pytest.raises(InvalidSettingError, match="at least 1"):
        LoginPeer(user="dovecot", services=())
