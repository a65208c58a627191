"""Who asks: where a new password can be typed."""

from __future__ import annotations

import pytest

from loginward.core.policy import Asker, ServiceKind


@pytest.mark.parametrize("kind", ServiceKind)
def test_only_a_service_that_converses_opens_a_change_by_itself(kind):
    assert Asker(service=kind).can_change == (kind is ServiceKind.CONVERSES)


@pytest.mark.parametrize("kind", ServiceKind)
@pytest.mark.parametrize("way", [{"changing": True}, {"inline_change": True}])
def test_a_change_that_is_asked_for_or_held_by_the_door_needs_no_service(kind, way):
    assert Asker(service=kind, **way).can_change


@pytest.mark.parametrize("kind", ServiceKind)
def test_only_systemd_user_lets_expiry_pass(kind):
    assert kind.judges_expiry == (kind is not ServiceKind.SESSION_MANAGER)
