"""Tables of systems: how good is each by whose labels, where it stands, whom it beats, what the queries can show."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from alignir.alignment.bootstrap import Resampling, plain_means
from alignir.alignment.ranks import LEVEL, POWER, beats, ranks, shown, standing
from alignir.alignment.significance import ALPHA
from alignir.alignment.top import best
from alignir.formatting import Number, Numbers, count, counted, full, number, signed
from alignir.frames import BASELINE
from alignir.tables.comparison import scores_of
from alignir.tables.names import BOUNDS, in_order, judge_name, plain_name, plain_settings, setting_titles
from alignir.tables.notes import measure_notes, query_notes, size_note
from alignir.tables.table import Table
from alignir.tables.top import fewer
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import Judge, Setting

RECORDS = {
    "system": ["labels", "system", "score", "ci_low", "ci_high", "rank", "rank_low", "rank_high"],
    "pair": ["labels", "better", "worse", "difference", "ci_low", "ci_high", "p_value", "p_holm"],
    "query": ["labels", "system", "query_id", "score"],
}


class Side(NamedTuple):
    """Whose labels, and the systems' scores by them: a row a system, a column a query that the baseline knows, too."""

    title: str
    name: str  # for programs
    scores: pd.DataFrame
    people: pd.DataFrame  # the same by the baseline labels


class Compared(NamedTuple):
    """A setting, and whose labels order its systems: the baseline's first, then each judge's."""

    setting: Setting
    title: str
    name: list[str]  # for programs
    runs: dict[Judge, Recorded]
    sides: list[Side]

    @property
    def notes(self) -> list[str]:
        untested = [side.title for side in self.sides if side.scores.shape[1] < 2]
        notes = [f"no test of a single query: {', '.join(untested)}"] if untested else []
        people, *judges = self.sides
        known = query_notes({side.title: side.scores.shape[1] for side in judges}, people.scores.shape[1])
        return [size_note([self.setting]), *known, *measure_notes(self.runs.values()), *notes]


def system_tables(recordings: Recordings, by: str = "system", top: Sequence[int] | None = None) -> list[Table]:
    """Systems by the baseline's labels and by each judge's, a table each for every setting.

    `by`: of what a table has a row. system: its score, its rank, and how many it beats, who moves most first; then what
    the queries can show among all systems and the k best, k as in tables.top. pair: who beats whom. query: the score of
    each system, where a judge is furthest from the baseline first. csv has all of them in one, every pair and query.
    """
    made: dict[str, Callable[[Compared, list[list[str]]], list[Table]]] = {
        "system": lambda compared, lines: [*_by_system(compared, lines), _shown(compared, top)],
        "pair": _by_pair,
        "query": _by_query,
    }
    by_setting = recordings.by_setting()
    settings = sorted(by_setting)
    columns, names = plain_settings(settings)
    records, tables = Table("Systems", [*columns, *RECORDS[by]], []), []
    for setting, title, name in zip(settings, setting_titles(settings), names, strict=True):
        runs = by_setting[setting]
        tables += made[by](Compared(setting, title, name, runs, sides(runs)), records.rows)
    return [Table(table.title, table.columns, table.rows, table.notes, records) for table in tables]


def sides(runs: dict[Judge, Recorded]) -> list[Side]:
    """The baseline's, then each judge's, in the order of tables."""
    people = scores_of(list(runs.values())[-1])[BASELINE].dropna(axis=1, how="all")
    found = [Side(BOUNDS[BASELINE], BASELINE, people, people)]
    for judge in in_order(runs):
        scores = scores_of(runs[judge])["model"].dropna(axis=1, how="all")
        both = people.columns.intersection(scores.columns)
        scores = scores.loc[people.index, both]
        found.append(Side(judge_name(judge), plain_name(judge), scores, people[both]))
    return found


def _of(side: Side) -> str:
    return side.title if side.name == BASELINE else f"labels of {side.title}"


def _by_system(compared: Compared, records: list[list[str]]) -> list[Table]:
    resampling = Resampling.recorded(list(compared.runs.values())[-1].params)._replace(over="queries")
    tables = []
    for side in compared.sides:
        found = standing(side.scores.to_numpy(), list(side.scores.index), resampling)
        found["moved"] = ranks(plain_means(side.people.to_numpy())) - found["rank"]
        found = found.iloc[np.lexsort((found["rank"], -found["moved"].abs()))]
        for row in found.itertuples():
            numbers = row.score, row.ci_low, row.ci_high, row.rank, row.rank_low, row.rank_high
            records.append([*compared.name, side.name, row.system, *map(_plain, numbers)])
        lines = [_line(row, moves=side.name != BASELINE) for row in found.itertuples()]
        columns = ["system", "score", "rank", "interval", "moved", "beats", "beaten"]
        tables.append(Table(f"Systems by {_of(side)}, {compared.title}", columns, lines))
    tables[0].notes.extend(
        [
            *compared.notes,
            f"score: the mean of the queries ± its {LEVEL:.0%} t-interval; rank: 1 and one for each better system; "
            f"interval: the middle {LEVEL:.0%} of a system's ranks: {resampling.text.replace(', symmetric', '')}",
            "moved: how many ranks higher than by the baseline labels; who moves most is first",
            f"beats, beaten: how many systems, by Holm's p ≤ {ALPHA} of paired t-tests of all pairs (--by pair)",
        ]
    )
    return tables


def _line(row, moves: bool) -> list[str]:
    known = row.rank_low == row.rank_low
    among = Numbers(
        f"{row.rank_low:.0f} to {row.rank_high:.0f}" if known else "–", low=row.rank_low, high=row.rank_high
    )
    moved = signed(row.moved, 0) if moves and row.moved else Number("0", 0) if moves else ""
    return [
        row.system,
        _with_reach(row.score, row.ci_high),
        count(row.rank),
        among,
        moved,
        count(row.beats),
        count(row.beaten_by),
    ]


def _shown(compared: Compared, top: Sequence[int] | None) -> Table:
    """What the queries can show of all systems, and of the k best by the baseline."""
    lines = []
    rows = best(compared.sides[0].scores.to_numpy(), compared.setting.n_systems)
    for side in compared.sides:
        values = side.scores.to_numpy()[rows]
        for k in (compared.setting.n_systems, *fewer(compared.setting, compared.runs, top)):
            found = shown(values[:k])
            numbers = number(found.smallest, 3), number(found.median, 3)
            of = "" if found.apart != found.apart else f" of {found.pairs:,}"
            apart = Numbers(f"{count(found.apart)}{of}", apart=found.apart, pairs=found.pairs)
            lines.append([side.title, "all" if k == compared.setting.n_systems else str(k), *numbers, apart])
    notes = [
        *compared.notes,
        "top: among so many of the best systems by the baseline labels",
        f"smallest: the difference of two scores that a paired t-test of these queries finds with power {POWER} at p ≤ "
        f"{ALPHA}, of two systems that differ from query to query as the pairs do on average",
        "median: of the differences that there are, over all pairs; pairs apart: of which one beats the other, by "
        f"Holm's p ≤ {ALPHA} of paired t-tests of these pairs",
    ]
    title = f"Smallest difference that these queries can show, {compared.title}"
    return Table(title, ["labels", "top", "smallest", "median", "pairs apart"], lines, notes)


def _by_pair(compared: Compared, records: list[list[str]]) -> list[Table]:
    tables = []
    for side in compared.sides:
        lines = []
        for row in beats(side.scores.to_numpy(), list(side.scores.index)).itertuples():
            numbers = row.difference, row.ci_low, row.ci_high, row.p_value, row.p_holm
            records.append([*compared.name, side.name, row.better, row.worse, *map(full, numbers)])
            if row.p_holm <= ALPHA:
                difference = _with_reach(row.difference, row.ci_high)
                lines.append([row.better, row.worse, difference, number(row.p_holm)])
        columns, n = ["better", "worse", "difference", "Holm"], len(side.scores)
        none = [] if lines or side.scores.shape[1] < 2 else [f"none of {counted(n * (n - 1) // 2, 'pair')}"]
        tables.append(Table(f"Who beats whom by {_of(side)}, {compared.title}", columns, lines, none))
    tables[0].notes.extend(
        [
            *compared.notes,
            f"pairs of systems with Holm's p ≤ {ALPHA} of the paired t-tests of all pairs, the most certain first; "
            f"difference: of their scores, ± its {LEVEL:.0%} t-interval over the queries (csv has all pairs)",
        ]
    )
    return tables


def _by_query(compared: Compared, records: list[list[str]]) -> list[Table]:
    tables = []
    for side in compared.sides:
        long = side.scores.stack().rename("score").to_frame()
        long["people"] = side.people.stack()
        long = long.rename_axis(["system", "query_id"]).reset_index()
        records += [[*compared.name, side.name, row.system, row.query_id, full(row.score)] for row in long.itertuples()]
        long["difference"] = long["score"] - long["people"]
        long = long.iloc[np.argsort(-long["difference"].abs(), kind="stable")]
        lines = [
            [row.query_id, row.system, number(row.people), number(row.score), signed(row.difference)]
            for row in long.itertuples()
        ]
        if side.name != BASELINE:
            columns = ["query", "system", "baseline", "judge", "difference"]
            notes = [*compared.notes, "the largest difference first"]
            tables.append(Table(f"Scores by query, {_of(side)}, {compared.title}", columns, lines, notes))
    return tables


def _with_reach(value: float, high: float) -> Number:
    """A number and how far its interval reaches to either side."""
    return Number(number(value, 3) + (f"±{high - value:.3f}" if high == high else ""), value)


def _plain(value: float) -> Number:
    """A rank without decimals, a score in full precision."""
    return Number("" if value != value else str(int(value)), value) if float(value).is_integer() else full(value)
