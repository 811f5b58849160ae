"""Recordings: the recorded runs of an experiment, read once and told apart once, and what is asked of them together."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from alignir.frames import BASELINE, CEILING_AND_FLOORS
from alignir.tracking.apart import told_apart
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import NOBODY, Column, Judge, Labelled, Setting, UserModel

Key = TypeVar("Key")


@dataclass(frozen=True)
class Row:
    """One tau_b with all that identifies it."""

    judge: Judge
    setting: Setting
    users: UserModel
    n_systems: int  # that have a value on both sides
    n_queries: int
    offline: str
    reference: str
    tau_b: float
    p_value: float
    ci_low: float  # of the 95% bootstrap interval; NaN: not made
    ci_high: float
    run: Recorded  # that it was found by

    @property
    def column(self) -> Column:
        return Column(NOBODY if self.reference == BASELINE else self.users, self.reference)


class Recordings:
    """The runs, told apart, oldest cell first. Iterating gives them."""

    def __init__(self, runs: Iterable[Recorded]):
        self.runs = told_apart(runs)

    def __iter__(self) -> Iterator[Recorded]:
        return iter(self.runs)

    def __len__(self) -> int:
        return len(self.runs)

    @cached_property
    def rows(self) -> list[Row]:
        """Every tau_b; those of the baseline, the ceiling and the floors once for each setting and users."""
        found = {}
        for run in self.runs:
            for line in run.alignment.itertuples():
                judge = Judge(line.labels) if line.labels in (BASELINE, *CEILING_AND_FLOORS) else run.judge
                interval = getattr(line, "ci_low", math.nan), getattr(line, "ci_high", math.nan)
                numbers = line.tau_b, line.p_value, *interval
                sizes = line.n_systems, line.n_queries
                row = Row(judge, run.setting, run.users, *sizes, line.offline, line.reference, *numbers, run)
                found[judge, run.setting, run.users, row.offline, row.reference] = row  # the newest stays
        return list(found.values())

    def by_judge(self, key: Callable[[Recorded], Key]) -> dict[Key, dict[Judge, Recorded]]:
        """The newest run of each judge among those that share a key."""
        groups: dict[Key, dict[Judge, Recorded]] = {}
        for run in self.runs:
            groups.setdefault(key(run), {})[run.judge] = run
        return groups

    def by_setting(self) -> dict[Setting, dict[Judge, Recorded]]:
        return self.by_judge(lambda run: run.setting)

    def by_users(self) -> dict[tuple[Setting, UserModel], dict[Judge, Recorded]]:
        return self.by_judge(lambda run: (run.setting, run.users))

    def by_labels(self) -> dict[Labelled, dict[Judge, Recorded]]:
        return self.by_judge(lambda run: run.labelled)
