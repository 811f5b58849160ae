"""Tables of files of labels that nobody recorded: how far they agree with a baseline, and with each other."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from alignir.alignment.bootstrap import Resampling
from alignir.alignment.tau import smallest_step
from alignir.data.ranked import Runs
from alignir.data.scales import Scale
from alignir.evaluation import agreement
from alignir.evaluation.names import title
from alignir.formatting import count, counted, full, number, with_interval
from alignir.frames import ALIGNMENT, BASELINE
from alignir.tables.labels import STATISTICS, STATISTICS_NOTE, square, statistics
from alignir.tables.table import Table
from alignir.users.metrics import metric_title


class Labels(NamedTuple):
    """What a file of labels says."""

    name: str
    labels: pd.DataFrame  # query_id, doc_id, relevance:Int64|<NA>
    scale: Scale


def with_baseline(baseline: Labels, judges: Sequence[Labels]) -> Table:
    """A row a judge: pairs that it shares with the baseline, and every statistic of agreement with it."""
    lines = []
    for judge in judges:
        sides = (baseline.labels, judge.labels, baseline.scale, judge.scale)
        found = agreement.agreement(*sides) | agreement.details(*sides)
        shared = len(agreement.joined(baseline.labels, judge.labels))
        lines.append([judge.name, count(shared), *statistics(found)])
    notes = [
        f"pairs: that both have a label for; kappa: Cohen's, on the grades; {STATISTICS_NOTE}",
        *_scales([baseline, *judges]),
    ]
    title = f"Agreement with {baseline.name}"
    return Table(title, ["labels", "pairs", "kappa", "kappa, relevant", *STATISTICS], lines, notes)


def of_every_two(judges: Sequence[Labels]) -> list[Table]:
    """kappa on grades, and of relevant or not, of every two judges."""
    labels, scales = {each.name: each.labels for each in judges}, {each.name: each.scale for each in judges}
    alike = len({scale.grades for scale in scales.values()}) == 1
    alpha = agreement.alpha_among(labels) if alike else math.nan
    relevant = {
        each.name: each.labels.assign(relevance=(each.labels["relevance"] >= each.scale.relevant_from).astype("Int64"))
        for each in judges
    }
    notes = [f"Krippendorff's ordinal alpha of all: {number(alpha)}", *_scales(judges)]
    return [
        square("Cohen's kappa of every two, on the grades", "labels", agreement.matrix(labels, scales=scales), notes),
        square("Cohen's kappa of every two, relevant or not", "labels", agreement.matrix(relevant), []),
    ]


def alignment(
    found: dict[str, list[pd.DataFrame]],
    runs: Runs,
    resampling: Resampling,
    sides: Sequence[Labels],
    heads: Mapping[str, str],
    every_number: bool,
) -> list[Table]:
    """A row a set of labels and measure, from ALIGNMENT by name; with `every_number` one row a number, for programs.

    `heads`: what metrics of users are called by their definition.
    """
    rows = [(name, row) for name, frames in found.items() for frame in frames for row in frame.itertuples(index=False)]
    if every_number:
        lines = [[name, *(_plain(value) for value in row)] for name, row in rows]
        return [Table("Alignment (Kendall's tau_b)", ["labels", *ALIGNMENT], lines)]
    references = list(dict.fromkeys(row.reference for _, row in rows))
    lines = []
    for name, measure in dict.fromkeys((name, row.offline) for name, row in rows):
        cells = {row.reference: row for of, row in rows if (of, row.offline) == (name, measure)}
        taus = [
            with_interval(cells[each].tau_b, cells[each].ci_low, cells[each].ci_high) if each in cells else ""
            for each in references
        ]
        lines.append([name, title(measure), *taus])
    titles = [sides[0].name if each == BASELINE else metric_title(each, heads) for each in references]
    notes = [
        f"tau_b of {counted(len(runs.systems), 'system')} on {counted(len(runs.query_ids), 'query')}; one swap is "
        f"{smallest_step(len(runs.systems)):.4f}; in brackets: 95% interval, {resampling.text}",
        *_scales(sides),
    ]
    return [Table(f"Alignment with {sides[0].name} (Kendall's tau_b)", ["labels", "measure", *titles], lines, notes)]


def _plain(value) -> str:
    return full(value) if isinstance(value, float) else str(value)


def _scales(sides: Sequence[Labels]) -> list[str]:
    """Where each draws its line, and that grades of different scales are not compared."""
    texts = [f"{side.name} {side.scale.text}, from {side.scale.relevant_from}" for side in sides]
    apart = len({side.scale.grades for side in sides}) > 1
    return [f"scales, and the first relevant grade: {'; '.join(texts)}"] + (
        ["grades are compared where both have the same ones: – elsewhere"] if apart else []
    )
