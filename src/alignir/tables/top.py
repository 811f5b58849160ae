"""Tables of the top: are the best systems in the baseline's order, too? Columns of Table 1, and a table of its own."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from alignir.alignment.bootstrap import NONE, Resampling
from alignir.alignment.tau import smallest_step
from alignir.alignment.top import among_best, ceilings
from alignir.formatting import Number, full, interval, number
from alignir.frames import BASELINE, RESAMPLED
from alignir.tables.choices import DIGITS
from alignir.tables.comparison import sides_of
from alignir.tables.names import (
    in_order,
    judge_name,
    judge_titles,
    plain_names,
    plain_settings,
    setting_titles,
)
from alignir.tables.notes import interval_note, measure_notes, query_notes, size_note
from alignir.tables.table import Definition, Table
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import Judge, Setting

RECORDS = ["model", "prompt", "top", "tau_b", "ci_low", "ci_high", "ceiling"]


class Tau(NamedTuple):
    """tau_b with its 95% interval."""

    tau_b: float
    ci_low: float
    ci_high: float


class Top(NamedTuple):
    """What judges reach among the best systems of one setting."""

    ks: list[int]  # how many of the best, the most first; all of them are none of these
    taus: dict[tuple[Judge, int], Tau]  # the baseline's with itself, too
    ceilings: dict[int, float]  # by k, all systems too
    known: dict[str, int]  # how many of the n_queries that the baseline knows each judge does, by its name
    n_queries: int

    @property
    def titles(self) -> list[str]:
        return [f"top {k}" for k in self.ks]

    def ceiling(self, k: int, digits: int = DIGITS) -> str:
        """The ceiling, and nothing where there is none, as without resamples."""
        value = self.ceilings.get(k, math.nan)
        return number(value, digits) if value == value else ""

    def cells(self, judge: Judge, digits: int = DIGITS) -> list[str]:
        """What a judge's line of Table 1 has under the titles; ° beside a tau that cannot be told from 0."""
        if judge.model == RESAMPLED:
            return [self.ceiling(k, digits) for k in self.ks]
        if judge.model == BASELINE:
            return [number(self.taus[judge, k].tau_b, digits) for k in self.ks]
        return [_cell(self.taus.get((judge, k)), digits) for k in self.ks]


def of_setting(
    setting: Setting, runs: dict[Judge, Recorded], top: Sequence[int] | None = None, with_all: bool = False
) -> Top:
    """The judges of a setting among its k best systems, k as `top` says or, for None, as the newest run does.

    `with_all`: among all systems, too.
    """
    newest, ks = list(runs.values())[-1], fewer(setting, runs, top)
    if not ks and not with_all:
        return Top([], {}, {}, {}, 0)
    reference, judges = sides_of(runs)
    resampling, every = Resampling.recorded(newest.params), [setting.n_systems, *ks]
    found = among_best(judges, reference, every if with_all else ks, resampling)
    own = among_best({Judge(BASELINE): reference}, reference, ks, NONE)  # 1, and undefined where the k best tie
    taus = {
        (row.judge, row.top): Tau(row.tau_b, row.ci_low, row.ci_high)
        for row in (*found.itertuples(), *own.itertuples())
    }
    people, *each = (~np.isnan(side).all(axis=0) for side in (reference, *judges.values()))
    known = {judge_name(judge): int((side & people).sum()) for judge, side in zip(judges, each, strict=True)}
    return Top(ks, taus, ceilings(reference, every, resampling), known, int(people.sum()))


def fewer(setting: Setting, runs: dict[Judge, Recorded], top: Sequence[int] | None = None) -> list[int]:
    """How many of the best systems are looked at, the most first: what is asked for, of fewer than all of them."""
    asked = list(runs.values())[-1].top if top is None else top
    return sorted({k for k in asked if k < setting.n_systems}, reverse=True)


def _cell(tau: Tau | None, digits: int) -> str:
    if tau is None:
        return ""
    return Number(f"{number(tau.tau_b, digits)}{'°' if tau.ci_low <= 0 <= tau.ci_high else ''}", tau.tau_b)


def top_note(found: Top) -> str:
    """What the columns are, and how fine a tau of so few systems is."""
    steps = ", ".join(f"{smallest_step(k):.3f} of {k}" for k in found.ks)
    return f"top k: tau_b among the k best systems by the baseline labels; one swap is {steps}"


def top_tables(recordings: Recordings, top: Sequence[int] | None = None, digits: int = DIGITS) -> list[Table]:
    """tau_b of every judge among all systems and the k best, with its interval and the ceiling; a table a setting."""
    by_setting = recordings.by_setting()
    settings = sorted(by_setting)
    columns, names = plain_settings(settings)
    records = Table("Alignment among the best systems (Kendall's tau_b)", [*columns, *RECORDS], [])
    return [
        _table(setting, name, by_setting[setting], top, digits, records)
        for setting, name in zip(settings, names, strict=True)
    ]


def _table(
    setting: Setting,
    name: list[str],
    runs: dict[Judge, Recorded],
    top: Sequence[int] | None,
    digits: int,
    records: Table,
) -> Table:
    """The table of a setting; its lines are added to the records, too. One system has no order and no line."""
    title = f"Alignment among the best systems (Kendall's tau_b), {setting_titles([setting])[0]}"
    columns = ["model", "prompt", "top", "tau_b", "95% interval", "ceiling", "step"]
    if setting.n_systems < 2:
        return Table(title, columns, [], [size_note([setting])], records)
    found, lines = of_setting(setting, runs, top, with_all=True), []
    for judge in in_order(runs):
        for k in (setting.n_systems, *found.ks):
            tau, ceiling = found.taus.get((judge, k), Tau(*[math.nan] * 3)), found.ceilings[k]
            which = "all" if k == setting.n_systems else str(k)
            reach = interval(tau.ci_low, tau.ci_high, digits)
            cells = [_cell(tau, digits), reach, number(ceiling, digits), number(smallest_step(k), 3)]
            lines.append([*judge_titles(judge), which, *cells])
            records.rows.append([*name, *plain_names(judge), which, *map(full, (*tau, ceiling))])
    notes = [
        size_note([setting]),
        *query_notes(found.known, found.n_queries),
        *measure_notes(runs.values()),
        Definition(
            "top: among so many of the best systems by the baseline labels of all queries; step: one swap of neighbours"
        ),
        Definition(
            "ceiling: the baseline labels of queries drawn anew, as many, against those of all of them, the mean of "
            "the resamples: how far so many queries settle the order; a judge of the same queries can stand above"
        ),
        *([interval_note(list(runs.values()))] if any("[" in line[4] for line in lines) else []),
    ]
    if any("°" in line[3] for line in lines):
        notes.append("° cannot be told from 0, which is in the 95% interval")
    return Table(title, columns, lines, notes, records)
