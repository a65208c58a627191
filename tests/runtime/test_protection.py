"""Protected groups that cannot be seen: asked for now, and remembered for who must not wait."""

from __future__ import annotations

import threading

import pytest

from loginward.directory.port import HiddenGroup
from loginward.errors import DirectoryUnavailable
from loginward.runtime import protection as module
from loginward.runtime.protection import Protection
from tests.doubles.clock import FixedWall

TOLD = ("directory.service_account sees no member of the protected group staff",)


class Groups:
    """A directory that hides what it is told to, once it may answer."""

    def __init__(self, *hidden):
        self.hidden, self.asked, self.down = hidden, [], False
        self.may_answer = threading.Event()
        self.may_answer.set()

    def hidden_groups(self, names, deadline):
        self.asked.append(names)
        assert self.may_answer.wait(10)
        if self.down:
            raise DirectoryUnavailable("connect")
        return tuple(HiddenGroup(name, "directory.service_account") for name in self.hidden)


def test_each_hidden_group_is_one_sentence_and_the_account_is_named():
    groups = Groups("staff")
    assert Protection(groups, FixedWall()).hidden(["staff", "wheel"]) == TOLD
    assert groups.asked == [{"staff", "wheel"}]


def test_without_protected_groups_nobody_is_asked():
    groups = Groups("staff")
    made = Protection(groups, FixedWall())
    assert (made.hidden(()), made.last(()), groups.asked) == ((), (), [])


def test_who_does_not_wait_is_told_what_was_found_last_and_by_whomever():
    groups = Groups("staff")
    made = Protection(groups, FixedWall())
    assert made.last(["staff"]) == TOLD
    assert made.last(["staff"]) == TOLD
    assert len(groups.asked) == 1, "once a minute is enough"
    groups.hidden = ()
    assert made.hidden(["staff"]) == ()
    assert made.last(["staff"]) == ()


def test_other_groups_after_a_reload_are_looked_at_anew():
    groups = Groups("staff")
    made = Protection(groups, FixedWall())
    assert made.last(["staff"]) == TOLD
    groups.hidden = ()
    assert made.last(["wheel"]) == ()
    assert groups.asked == [{"staff"}, {"wheel"}]


def test_a_silent_directory_holds_nobody_up_and_is_asked_by_one_alone(monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE_S", 0.01)
    groups = Groups("staff")
    groups.may_answer.clear()
    made = Protection(groups, FixedWall())
    assert [made.last(["staff"]) for _ in range(3)] == [()] * 3
    assert len(groups.asked) == 1
    looking = made._looking
    groups.may_answer.set()
    looking.join(10)
    assert made.last(["staff"]) == TOLD


def test_a_directory_that_is_away_is_a_fault_for_who_asks_and_nothing_known_for_who_looks():
    groups = Groups("staff")
    groups.down = True
    made = Protection(groups, FixedWall())
    with pytest.raises(DirectoryUnavailable):
        made.hidden(["staff"])
    assert made.last(["staff"]) == ()
    groups.down = False
    assert made.last(["staff"]) == TOLD
