"""Commits to a disk that comes and goes."""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from loginward.sqlite.commits import GroupCommit
from loginward.sqlite.faults import NotWritable

T = TypeVar("T")


class FlappingCommits:
    """Stands before real commits; a fifth fails before it begins, and a seventh once it has run."""

    def __init__(self, commits: GroupCommit, seed: int) -> None:
        self._commits = commits
        self._seed = seed
        self._numbers = itertools.count()

    def run(self, function: Callable[[sqlite3.Connection], T]) -> T:
        luck = random.Random(f"{self._seed} {next(self._numbers)}").random()
        if luck < 0.2:
            raise NotWritable("the disk is full")
        if luck > 0.85:

            def run_in_vain(connection: sqlite3.Connection) -> T:
                function(connection)
                raise NotWritable("the disk is full")

            return self._commits.run(run_in_vain)
        return self._commits.run(function)
