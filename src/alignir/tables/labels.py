"""Tables of labels: how each judge's labels are distributed, and how far they agree."""

import math

from alignir.evaluation import agreement
from alignir.formatting import interval, number, share, share_of
from alignir.frames import BASELINE, GRADES, SECOND, STATUSES
from alignir.tables.judges import newest
from alignir.tables.names import (
    DATASETS,
    in_order,
    judge_name,
    judge_titles,
)
from alignir.tables.notes import label_notes
from alignir.tables.table import Table
from alignir.tracking.runs import Recorded

AGREEMENT = [*agreement.NAMES, *(f"kappa4_{name}" for name in ("q25", "median", "q75"))]
AGREEMENT += [f"{name}_{grade}" for name in ("precision", "recall") for grade in GRADES]


def label_tables(recorded: list[Recorded]) -> list[Table]:
    """The distribution of the labels of each judge beside the baseline's, for each dataset."""
    tables = []
    statuses = [status for status in STATUSES if status != "ok"]
    for (dataset, n_pairs), runs in _by_labels(recorded).items():
        seen = [status for status in statuses if any(run.metrics.get(f"status/{status}") for run in runs.values())]
        lines = []
        for judge in in_order(set(runs), ("basic", "zeshot")):
            metrics = runs[judge].metrics
            shares = [share(metrics[f"labels/{grade}"], n_pairs) for grade in GRADES]
            failed = [f"{metrics.get(f'status/{status}', 0):,.0f}" for status in seen]
            kappas = [number(metrics.get(f"agreement/{name}", math.nan), 4) for name in ("kappa4", "kappa_bin")]
            lines.append([*judge_titles(judge), *shares, *failed, *kappas])
        metrics = next(iter(runs.values())).metrics
        counts = [metrics[f"labels/{BASELINE}/{grade}"] for grade in GRADES]
        shares = [share(count, sum(counts)) for count in counts]
        lines.append([*judge_titles((BASELINE, "")), *shares, *["0"] * len(seen), "", ""])
        people = next((run.metrics for run in runs.values() if f"labels/{SECOND}/0" in run.metrics), None)
        if people:
            counts = [people[f"labels/{SECOND}/{grade}"] for grade in GRADES]
            kappas = [number(people[f"agreement/{SECOND}/{name}"], 4) for name in ("kappa4", "kappa_bin")]
            shares = [share(count, sum(counts)) for count in counts]
            lines.append([*judge_titles((SECOND, "")), *shares, *["0"] * len(seen), *kappas])
        columns = ["model", "prompt", *map(str, GRADES), *seen, "kappa", "kappa ≥ 2"]
        notes = [
            "0 to 3: the share of the pairs with this label"
            + ("; then: the pairs without one, by what became of the answer" if seen else ""),
            "kappa: Cohen's, with the baseline labels, of the pairs that have both; kappa ≥ 2: of relevant or not",
            *label_notes(list(runs.values())),
        ]
        title = f"Labels, {DATASETS.get(dataset, dataset)}: {n_pairs:,.0f} pairs"
        tables.append(Table(title, columns, lines, notes))
    return tables


def agreement_tables(recorded: list[Recorded]) -> list[Table]:
    """How far each judge's labels agree with the baseline's, and every two judges' with each other's."""
    columns = [
        "model",
        "prompt",
        "kappa",
        "kappa ≥ 2",
        "quadratic",
        "alpha",
        "exact",
        "MAE ↓",
        "bias",
        "kappa of a query",
    ]
    tables = []
    for (dataset, n_pairs), runs in _by_labels(recorded).items():
        lines = []
        judges = in_order(set(runs), ("basic", "zeshot"))
        for judge in judges:
            found = {name: runs[judge].metrics.get(f"agreement/{name}", math.nan) for name in AGREEMENT}
            median, low, high = (found[f"kappa4_{name}"] for name in ("median", "q25", "q75"))
            over_queries = f"{number(median, 2)} {interval(low, high, 2)}"
            grades = [f"{share_of(found[f'precision_{g}'])} / {share_of(found[f'recall_{g}'])}" for g in GRADES]
            numbers = [number(found[name], 4) for name in agreement.NAMES]
            lines.append([*judge_titles(judge), *numbers, over_queries, *grades])
        notes = [
            "kappa: Cohen's with the baseline labels, of the pairs that have both; ≥ 2: of relevant or not; quadratic: "
            "its weights; alpha: Krippendorff's, ordinal; exact: the share of equal labels; MAE: mean absolute error; "
            "bias: mean of label - baseline; kappa of a query: median and quartiles; ↓ lower is better",
            "0 to 3: of that grade's labels the share that is right / of the baseline's pairs the share that is found",
            *label_notes(list(runs.values())),
        ]
        title = f"Agreement of labels, {DATASETS.get(dataset, dataset)}: {n_pairs:,.0f} pairs"
        tables.append(Table(title, [*columns, *map(str, GRADES)], lines, notes))
        if len(judges) > 1:
            labels = {judge: runs[judge].frame("labels.parquet") for judge in judges}
            kappas = agreement.matrix(labels)
            lines = [
                [
                    str(place),
                    judge_name(judge),
                    *(number(kappas.loc[[judge], [other]].iat[0, 0], 4) for other in judges),
                ]
                for place, judge in enumerate(judges, 1)
            ]
            notes = [f"Krippendorff's ordinal alpha of all: {number(agreement.alpha_among(labels), 4)}"]
            title = f"Cohen's kappa of every two judges, {DATASETS.get(dataset, dataset)}: {n_pairs:,.0f} pairs"
            tables.append(Table(title, ["", "judge", *(str(place) for place, _ in enumerate(judges, 1))], lines, notes))
    return tables


def _by_labels(recorded: list[Recorded]) -> dict[tuple, dict[tuple, Recorded]]:
    """The newest run of each judge, by dataset and number of pairs: the systems make no difference to labels."""
    return newest(recorded, lambda run: (run.names["dataset"], run.metrics["n_pairs"]))
