"""Tables of labels: how each judge's labels are distributed, and how far they agree."""

import math

import pandas as pd

from alignir.data.scales import Scale
from alignir.evaluation import agreement
from alignir.formatting import Number, Numbers, count, number, share, share_of, with_interval
from alignir.frames import BASELINE, SECOND, STATUSES
from alignir.tables.names import BOUNDS, in_order, judge_name, judge_titles, labelled_title
from alignir.tables.notes import label_notes
from alignir.tables.table import Table
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import Judge, Labelled

KAPPAS = ("kappa", "kappa_relevant")
STATISTICS = ("quadratic", "alpha", "exact", "MAE ↓", "bias", "kappa of a query")  # behind the two kappas
STATISTICS_NOTE = (
    "quadratic: its weights; alpha: Krippendorff's, ordinal; exact: the share of equal labels; MAE: mean absolute "
    "error; bias: mean of label - baseline; kappa of a query: median and quartiles; ↓ lower is better"
)


def label_tables(recordings: Recordings) -> list[Table]:
    """The distribution of the labels of each judge beside the baseline's, for each dataset."""
    by_labels = recordings.by_labels()
    return [_distribution(labelled, by_labels[labelled]) for labelled in sorted(by_labels)]


def _distribution(labelled: Labelled, runs: dict[Judge, Recorded]) -> Table:
    statuses = [status for status in STATUSES if status != "ok"]
    seen = [status for status in statuses if any(_count(run, status) for run in runs.values())]
    lines, level, grades = [], _level(runs), _grades(runs)
    for judge in in_order(runs):
        metrics = runs[judge].metrics
        counts = [metrics.get(f"labels/{grade}") for grade in grades]
        shares = ["" if each is None else share(each, labelled.n_pairs) for each in counts]
        failed = [count(_count(runs[judge], status)) for status in seen]
        kappas = [number(metrics.get(f"agreement/{name}", math.nan)) for name in KAPPAS]
        lines.append([*judge_titles(judge), *shares, *failed, *kappas])
    metrics = next(iter(runs.values())).metrics
    lines.append(_of_people(metrics, BASELINE, grades, seen, ["", ""]))
    people = next((run.metrics for run in runs.values() if f"labels/{SECOND}/0" in run.metrics), None)
    if people:
        kappas = [number(people[f"agreement/{SECOND}/{name}"]) for name in KAPPAS]
        lines.append(_of_people(people, SECOND, grades, seen, kappas))
    notes = [
        f"{grades[0]} to {grades[-1]}: the share of the pairs with this label"
        + ("; then: the pairs without one, by what became of the answer" if seen else ""),
        f"kappa: Cohen's, with the baseline labels, of the pairs that have both; {level}: of relevant or not",
        *_scale_notes(runs),
        *label_notes(list(runs.values())),
    ]
    columns = ["model", "prompt", *map(str, grades), *seen, "kappa", level]
    return Table(f"Labels, {labelled_title(labelled)}", columns, lines, notes)


def _scales(runs: dict[Judge, Recorded]) -> list[Scale]:
    """Of the baseline, then of every judge."""
    return [next(iter(runs.values())).baseline_scale, *(run.scale for run in runs.values())]


def _grades(runs: dict[Judge, Recorded]) -> list[int]:
    """All that a side can have, in rising order."""
    return sorted({grade for scale in _scales(runs) for grade in scale.grades})


def _level(runs: dict[Judge, Recorded]) -> str:
    """What kappa of relevant or not is called: by the first relevant grade, where it is the same on all sides."""
    levels = {scale.relevant_from for scale in _scales(runs)}
    return f"kappa ≥ {levels.pop()}" if len(levels) == 1 else "kappa, relevant"


def _scale_notes(runs: dict[Judge, Recorded]) -> list[str]:
    """The scales of the sides, where they are not all one."""
    if len(set(_scales(runs))) == 1:
        return []
    sides = {BOUNDS[BASELINE]: _scales(runs)[0], **{judge_name(judge): runs[judge].scale for judge in in_order(runs)}}
    texts = [f"{name} {scale.text}, relevant from {scale.relevant_from}" for name, scale in sides.items()]
    return [f"scales: {'; '.join(texts)}; grades are compared where both sides have the same ones"]


def _count(run: Recorded, status: str) -> float:
    """How many answers came to this; 0 of a status that there was none of when the run was recorded."""
    return run.metrics.get(f"status/{status}", 0)


def _of_people(metrics: dict[str, float], whose: str, grades: list[int], seen: list[str], kappas: list) -> list[str]:
    counts = [metrics.get(f"labels/{whose}/{grade}") for grade in grades]
    total = sum(filter(None, counts))
    shares = ["" if each is None else share(each, total) for each in counts]
    return [*judge_titles(Judge(whose)), *shares, *[count(0)] * len(seen), *kappas]


def agreement_tables(recordings: Recordings) -> list[Table]:
    """How far each judge's labels agree with the baseline's, and every two judges' with each other's."""
    tables, by_labels = [], recordings.by_labels()
    for labelled in sorted(by_labels):
        runs = by_labels[labelled]
        tables.append(_with_baseline(labelled, runs))
        if len(runs) > 1:
            tables.append(_of_every_two(labelled, runs))
    return tables


def _with_baseline(labelled: Labelled, runs: dict[Judge, Recorded]) -> Table:
    lines, level, grades = [], _level(runs), _grades(runs)
    for judge in in_order(runs):
        found = {name.removeprefix("agreement/"): value for name, value in runs[judge].metrics.items()}
        by_grade = [_precision_and_recall(found, grade) for grade in grades]
        lines.append([*judge_titles(judge), *statistics(found), *by_grade])
    notes = [
        f"kappa: Cohen's with the baseline labels, of the pairs that have both; {level}: of relevant or not; "
        f"{STATISTICS_NOTE}",
        f"{grades[0]} to {grades[-1]}: of that grade's labels the share that is right / of the baseline's pairs the "
        "share that is found",
        *_scale_notes(runs),
        *label_notes(list(runs.values())),
    ]
    columns = ["model", "prompt", "kappa", level, *STATISTICS, *map(str, grades)]
    return Table(f"Agreement of labels, {labelled_title(labelled)}", columns, lines, notes)


def statistics(found: dict[str, float]) -> list[Number]:
    """The cells of the two kappas and of `STATISTICS`, from what `agreement` and `details` give."""
    median, low, high = (found.get(f"kappa_{name}", math.nan) for name in ("median", "q25", "q75"))
    return [*(number(found.get(name, math.nan)) for name in agreement.NAMES), with_interval(median, low, high, 2)]


def _precision_and_recall(found: dict[str, float], grade: int) -> Numbers:
    precision, recall = (found.get(f"{name}_{grade}", math.nan) for name in ("precision", "recall"))
    if f"precision_{grade}" not in found:
        return Numbers("", precision=precision, recall=recall)
    return Numbers(f"{share_of(precision)} / {share_of(recall)}", precision=precision, recall=recall)


def _of_every_two(labelled: Labelled, runs: dict[Judge, Recorded]) -> Table:
    labels = {judge_name(judge): runs[judge].frame("labels.parquet") for judge in in_order(runs)}
    scales = {judge_name(judge): run.scale for judge, run in runs.items()}
    kappas = agreement.matrix(labels, scales=scales)
    alike = len({scale.grades for scale in scales.values()}) == 1
    notes = [f"Krippendorff's ordinal alpha of all: {number(agreement.alpha_among(labels) if alike else math.nan)}"]
    notes += _scale_notes(runs)
    title = f"Cohen's kappa of every two judges, {labelled_title(labelled)}"
    return square(title, "judge", kappas, notes)


def square(title: str, called: str, values: pd.DataFrame, notes: list[str]) -> Table:
    """A square of values, a row and a column each; a column has its row's number for a head."""
    lines = [[Number(str(place), place), name, *map(number, values.loc[name])] for place, name in enumerate(values, 1)]
    return Table(title, ["", called, *(str(place) for place, _ in enumerate(values, 1))], lines, notes)
