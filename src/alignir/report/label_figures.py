"""Figures of labels, one for each dataset and number of labelled pairs."""

from collections.abc import Iterator
from functools import partial

import pandas as pd

from alignir.figures import labels as figures
from alignir.frames import BASELINE, SECOND
from alignir.report.figure import JUDGES, Figure, pages
from alignir.tables.names import BOUNDS, in_order, judge_name, labelled_title
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import Labelled

CALIBRATED = "agreement/calibration_error"  # the metric of runs whose judge gave probabilities
Runs = dict[str, Recorded]  # the newest of each judge, by its name


def labels(recordings: Recordings) -> Iterator[Figure]:
    for labelled, runs in _labelled(recordings):
        yield Figure(_place(labelled), partial(_distribution, labelled_title(labelled), runs))


def confusion(recordings: Recordings) -> Iterator[Figure]:
    for labelled, runs in _labelled(recordings):
        for page, some in pages(runs, JUDGES):
            yield Figure((*_place(labelled), page), partial(_confusion, labelled_title(labelled), some))


def calibration(recordings: Recordings) -> Iterator[Figure]:
    for labelled, runs in _labelled(recordings):
        calibrated = {judge: run for judge, run in runs.items() if CALIBRATED in run.metrics}
        if calibrated:
            for page, some in pages(calibrated, JUDGES):
                yield Figure((*_place(labelled), page), partial(_calibration, labelled_title(labelled), some))


def _labelled(recordings: Recordings) -> Iterator[tuple[Labelled, Runs]]:
    by_labels = recordings.by_labels()
    for labelled in sorted(by_labels):
        runs = by_labels[labelled]
        yield labelled, {judge_name(judge): runs[judge] for judge in in_order(runs)}


def _place(labelled: Labelled) -> tuple[str, ...]:
    return labelled.dataset, str(labelled.n_pairs), labelled.apart


def _distribution(title: str, runs: Runs):
    some = next(iter(runs.values()))
    grades = sorted({*some.baseline_scale.grades, *(grade for run in runs.values() for grade in run.scale.grades)})
    counts = {BOUNDS[BASELINE]: [some.metrics.get(f"labels/{BASELINE}/{grade}", 0) for grade in grades] + [0]}
    people = next((run.metrics for run in runs.values() if f"labels/{SECOND}/0" in run.metrics), None)
    if people:
        counts[BOUNDS[SECOND]] = [people.get(f"labels/{SECOND}/{grade}", 0) for grade in grades] + [0]
    for judge, run in runs.items():
        graded = [run.metrics.get(f"labels/{grade}", 0) for grade in grades]
        counts[judge] = [*graded, run.metrics["n_pairs"] - sum(graded)]
    table = pd.DataFrame(counts, index=[*grades, "none"])
    table = table if table.loc["none"].any() else table.drop("none")
    return figures.distribution_figure(table, f"Labels, {title}")


def _confusion(title: str, runs: Runs):
    tables = {judge: run.frame("confusion.csv").set_index(BASELINE) for judge, run in runs.items()}
    tables = {judge: table.rename(columns=int) for judge, table in tables.items()}
    return figures.confusion_figure(tables, f"Judges' labels against baseline labels, {title}")


def _calibration(title: str, runs: Runs):
    tables = {judge: run.frame("calibration.csv") for judge, run in runs.items()}
    return figures.calibration_figure(tables, f"Calibration of expected grades, {title}")
