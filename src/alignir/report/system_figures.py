"""Figures of systems, one for each setting, or each setting and whose users are compared with."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from alignir.alignment.significance import ALPHA
from alignir.alignment.top import AMONG
from alignir.evaluation.scores import means
from alignir.figures import systems as figures
from alignir.figures.curves import cost_figure, size_figure, top_figure
from alignir.figures.judges import judges_figure
from alignir.figures.online import SIDE_BY_SIDE, online_figure
from alignir.figures.taus import tau_figure
from alignir.frames import BASELINE
from alignir.report.answer import FLOORS
from alignir.report.figure import JUDGES, Figure, pages
from alignir.tables.best_judges import COSTS, PAIRS, costs, judged
from alignir.tables.names import (
    BOUNDS,
    headline_rows,
    headline_scores,
    heads_of,
    in_order,
    judge_name,
    judge_titles,
    online_order,
    setting_titles,
)
from alignir.tables.questions import sizes
from alignir.tables.rows import unsure
from alignir.tables.top import of_setting
from alignir.tracking.recordings import Recordings, Row
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import NOBODY

FEWEST, PLACES = 5, 20  # systems that a tau is drawn of, and about how many of these numbers of systems


class Compared(NamedTuple):
    """What one figure is about."""

    title: str
    runs: dict[str, Recorded]  # the newest of each judge, by its name
    rows: list[Row]  # by the headline measure
    measure: str  # what that is, for people


def judges(recordings: Recordings) -> Iterator[Figure]:
    for place, compared in _compared(recordings):
        if next(iter(compared.runs.values())).setting.n_systems > 1:
            yield Figure(place, partial(_judges, recordings, compared))


def scores(recordings: Recordings) -> Iterator[Figure]:
    for place, compared in _compared(recordings):
        for page, runs in pages(compared.runs, JUDGES):
            yield Figure((*place, page), partial(_scores, compared._replace(runs=runs)))


def ranks(recordings: Recordings) -> Iterator[Figure]:
    for place, compared in _compared(recordings):
        yield Figure(place, partial(_ranks, compared))


def top(recordings: Recordings) -> Iterator[Figure]:
    for place, compared in _compared(recordings):
        if next(iter(compared.runs.values())).setting.n_systems > FEWEST:
            for page, runs in pages(compared.runs, JUDGES):
                yield Figure((*place, page), partial(_top, compared._replace(runs=runs)))


def cost(recordings: Recordings) -> Iterator[Figure]:
    for place, compared in _compared(recordings):
        found = {judge: costs(recordings, run) for judge, run in compared.runs.items()}
        known = [cost for cost in COSTS if any(each[cost] == each[cost] for each in found.values())]
        if known:
            yield Figure(place, partial(_cost, compared, found, known))


def size(recordings: Recordings) -> Iterator[Figure]:
    for place, compared in _compared(recordings):
        if len(set(sizes(compared.runs.values()).values())) > 1:
            yield Figure(place, partial(_size, compared))


def online(recordings: Recordings) -> Iterator[Figure]:
    for place, compared in _compared(recordings, with_users=True):
        with_metrics = any(row.reference != BASELINE for row in compared.rows)
        for page, runs in pages(compared.runs, SIDE_BY_SIDE) if with_metrics else ():
            yield Figure((*place, page), partial(_online, compared._replace(runs=runs)))


def taus(recordings: Recordings) -> Iterator[Figure]:
    for place, compared in _compared(recordings, with_users=True):
        yield Figure(place, partial(_taus, compared))


def _compared(recordings: Recordings, with_users: bool = False) -> Iterator[tuple[tuple[str, ...], Compared]]:
    """What names it, and what it is about, of each setting, or of each setting and users."""
    newest = recordings.by_judge(lambda run: (run.setting, run.users if with_users else NOBODY))
    settings = sorted({setting for setting, _ in newest})
    titles = dict(zip(settings, setting_titles(settings), strict=True))
    rows = headline_rows(recordings)
    in_this_order = [(setting, users) for setting in settings for where, users in sorted(newest) if where == setting]
    for setting, users in in_this_order:
        runs = newest[setting, users]
        title = f"{titles[setting]}: {setting.n_systems:,} systems, {setting.n_queries:,} queries"
        judges = {judge_name(judge): runs[judge] for judge in in_order(runs)}
        here = [row for row in rows if row.setting == setting and users in (NOBODY, row.users)]
        about = title + (f", users: {users.title}" if with_users else "")
        yield (titles[setting], users.title), Compared(about, judges, here, next(iter(runs.values())).headline)


def _judges(recordings: Recordings, compared: Compared):
    runs = {run.judge: run for run in compared.runs.values()}
    found = judged(recordings, next(iter(runs.values())).setting, runs)
    columns = ["judge", *AMONG[2:], "worse"]
    lines = [
        (judge_name(judge), *(line[name] for name in AMONG[2:]), line["p_holm"] <= ALPHA and line["difference"] < 0)
        for judge, line in found.lines.items()
    ]
    known = {row.judge: row for row in compared.rows if row.reference == BASELINE}
    floors = [
        (judge_name(judge), *(getattr(known[judge], name) for name in AMONG[2:]), False)
        for judge in in_order(known)
        if judge.model in FLOORS
    ]
    title = f"tau_b of {compared.measure}, {compared.title}"
    return judges_figure(
        pd.DataFrame(lines, columns=columns), pd.DataFrame(floors, columns=columns), found.ceiling, title
    )


def _scores(compared: Compared):
    values = {
        judge_name(row.judge): (row.tau_b, row.ci_low, row.ci_high)
        for row in compared.rows
        if row.reference == BASELINE
    }
    taus = pd.DataFrame.from_dict(values, orient="index", columns=["tau_b", "ci_low", "ci_high"])
    return figures.scores_figure(
        _means(compared.runs), taus, f"{compared.measure} of systems, {compared.title}", compared.measure
    )


def _ranks(compared: Compared):
    return figures.ranks_figure(_means(compared.runs), f"Ranks of systems by {compared.measure}, {compared.title}")


def _top(compared: Compared):
    runs = {run.judge: run for run in compared.runs.values()}
    setting = next(iter(runs.values())).setting
    ks = np.linspace(FEWEST, setting.n_systems, min(PLACES, setting.n_systems - FEWEST + 1)).astype(int)
    found = of_setting(setting, runs, ks.tolist(), with_all=True)
    rows = [(judge_name(judge), k, *tau) for (judge, k), tau in found.taus.items() if judge.model != BASELINE]
    taus = pd.DataFrame(rows, columns=AMONG)
    title = f"tau_b of {compared.measure} among the k best systems, {compared.title}"
    return top_figure(taus, pd.Series(found.ceilings), title)


def _cost(compared: Compared, found: dict[str, dict[str, float]], known: list[str]):
    taus = {judge_name(row.judge): row for row in compared.rows if row.reference == BASELINE}
    rows = [
        {"judge": judge, **{name: getattr(taus[judge], name) for name in AMONG[2:]}, **found[judge]}
        for judge in found
        if any(found[judge][cost] == found[judge][cost] for cost in known)
    ]
    of = {"tokens": "of a pair", **dict.fromkeys(("seconds", "price"), f"of {PAIRS:,} pairs")}
    title = f"tau_b of {compared.measure} over what judges cost, {compared.title}"
    return cost_figure(pd.DataFrame(rows), {cost: of[cost] for cost in known}, title)


def _size(compared: Compared):
    known, rows = sizes(compared.runs.values()), []
    for row in compared.rows:
        if row.reference == BASELINE and row.judge in known:
            rows.append((*judge_titles(row.judge), known[row.judge], row.tau_b, row.ci_low, row.ci_high))
    judges = pd.DataFrame(rows, columns=["model", "prompt", "billions", *AMONG[2:]])
    return size_figure(judges, f"tau_b of {compared.measure} over size, {compared.title}")


def _online(compared: Compared):
    runs, rows = compared.runs, compared.rows
    first = next(iter(runs.values()))
    online = means(first.frame("online.parquet"), "metric")  # the same for all: users act on the baseline labels
    online = online[[metric for metric in _references(rows) if metric in online]]
    scores = _means(runs)
    taus = _grid(rows, _tau).T.reindex(index=online.columns, columns=scores.columns)
    return online_figure(
        scores,
        online,
        taus,
        f"Online metrics over {compared.measure}, {compared.title}",
        compared.measure,
        heads_of(first),
    )


def _taus(compared: Compared):
    taus, doubted = _grid(compared.rows, _tau), _grid(compared.rows, unsure).eq(True)
    title = f"Kendall's tau_b of {compared.measure}, {compared.title}"
    return tau_figure(taus, doubted, title, len(compared.runs), heads_of(next(iter(compared.runs.values()))))


def _means(runs: dict[str, Recorded]) -> pd.DataFrame:
    """Mean scores by the headline measure, a row a system: by the baseline labels, then by each judge's."""
    sides: dict[str, pd.Series] = {}
    for judge, run in runs.items():
        found = means(headline_scores(run), "labels")
        sides.setdefault(BOUNDS[BASELINE], found[BASELINE])
        sides[judge] = found["model"]
    return pd.DataFrame(sides)


def _tau(row: Row) -> float:
    return row.tau_b


def _grid(rows: list[Row], value: Callable[[Row], float]) -> pd.DataFrame:
    """A value of the rows, a row a judge (labels that no judge gave last), a column a reference, the baseline first."""
    values = {(row.judge, row.reference): value(row) for row in rows}
    judges, references = in_order({row.judge for row in rows}), _references(rows)
    table = [[values.get((judge, name), float("nan")) for name in references] for judge in judges]
    return pd.DataFrame(table, index=[judge_name(judge) for judge in judges], columns=references)


def _references(rows: list[Row]) -> list[str]:
    """The baseline, then the metrics in the order of Table 2."""
    found = {row.column for row in rows if row.reference != BASELINE}
    return [BASELINE, *dict.fromkeys(column.metric for column in sorted(found, key=online_order))]
