"""Rows: every tau_b of the recorded runs, with all that names it."""

import math
from dataclasses import dataclass

from alignir.formatting import full
from alignir.frames import ALIGNMENT
from alignir.tables.names import (
    BOUNDS,
)
from alignir.tables.table import Table
from alignir.tracking.runs import GROUPS, Recorded, told_apart

ALIGNMENT_CSV = [*GROUPS, *ALIGNMENT]


@dataclass(frozen=True)
class Row:
    """One tau_b with all that names it."""

    names: dict[str, str]  # by group; the model is one of BOUNDS for labels that no judge gave
    setting: tuple  # what the systems were compared on: the same for all rows of a table's column
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
    def judge(self) -> tuple[str, str]:
        return self.names["model"], self.names["prompt"]


def alignment_rows(recorded: list[Recorded]) -> list[Row]:
    """Every tau_b of the recorded runs; those of the BOUNDS once for each setting and user model."""
    rows = {}
    for run in told_apart(recorded):
        for line in run.alignment.itertuples():
            names = run.names
            if line.labels in BOUNDS:
                names = {**names, "model": line.labels, "prompt": ""}
            interval = (getattr(line, "ci_low", math.nan), getattr(line, "ci_high", math.nan))  # of older runs: none
            found = (line.offline, line.reference, line.tau_b, line.p_value, *interval)
            row = Row(names, run.setting, line.n_systems, line.n_queries, *found, run)
            rows[tuple(names.values()), row.setting, row.offline, row.reference] = row  # the newest stays
    return list(rows.values())


def alignment_table(recorded: list[Recorded]) -> Table:
    """One row a run and pair of measures, the numbers in full."""
    rows = [
        [
            *(row.names[group] for group in GROUPS),
            row.offline,
            row.reference,
            full(row.tau_b),
            full(row.p_value),
            full(row.ci_low),
            full(row.ci_high),
            str(row.n_systems),
            str(row.n_queries),
        ]
        for row in alignment_rows(recorded)
    ]
    return Table("Alignment (Kendall's tau_b)", ALIGNMENT_CSV, rows)
