"""Ceiling and floors: labels that know as much as people do, or nothing, to read a judge's alignment by."""

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from alignir.alignment.bootstrap import plain_means, taus
from alignir.alignment.tau import Side, Sides, spread, standard_error
from alignir.data.collections import Dataset
from alignir.data.ranked import Runs
from alignir.data.scales import Scale
from alignir.evaluation.names import recorded_name
from alignir.evaluation.ndcg import ndcg, places
from alignir.evaluation.scores import evaluate
from alignir.experiment.cells import Cell
from alignir.frames import ALIGNMENT, ALL, LEXICAL, ONE_GRADE, PAIR, SECOND
from alignir.labelling.graders import Lexical

ERROR = 0.02  # the standard error of the mean tau of shuffled labels, below which no more are drawn
BLOCK = 100  # draws between two looks at it
SCORED = 20  # draws at most of a measure that trec_eval or ir_measures scores anew for each, in .1 s and more


class Labels(NamedTuple):
    """Labels that no judge gave."""

    labels: pd.DataFrame  # QRELS
    scale: Scale


def ceiling_and_floors(dataset: Dataset) -> dict[str, Labels]:
    """Sets of labels by name. All but the second are of judged pairs.

    second            other people's labels, where the dataset has them: what a judge can be expected to reach
    floor: lexical    the share of the query's terms in the passage: what reading no meaning at all reaches; only where
                      the dataset has texts
    floor: one grade  the first relevant grade for every judged pair: only how many judged results a system shows
    """
    qrels, scale, lexical = dataset.qrels, dataset.scale, Lexical()
    labels = {SECOND: Labels(dataset.second, scale)} if dataset.second is not None else {}
    known = dataset.pairs().dropna(subset="passage")  # a pair without a text has no label, like a judge's
    own = lexical.scale_beside(scale)
    if len(known):
        labels[LEXICAL] = Labels(known[PAIR].assign(relevance=lexical.grade(known, own)), own)
    return labels | {ONE_GRADE: Labels(qrels.assign(relevance=scale.relevant_from), scale)}


def shuffled(cell: Cell, dataset: Dataset, runs: Runs, references: Sides) -> pd.DataFrame:
    """ALIGNMENT of the baseline's grades, permuted over its pairs at random: the tau of labels without information.

    That need not be a tau of 0: systems still differ in how many judged results they show. tau_b is the mean of so many
    draws (the column `draws`) that its standard error is below ERROR with every reference, and at most of
    `floor.shuffles`; ci_low and ci_high hold the middle 95% of them.
    """
    rng, grades = np.random.default_rng(cell.shuffles.seed), dataset.qrels["relevance"].to_numpy()
    scored, most = _scored(cell, dataset, runs)
    labelled = pd.Index(runs.query_ids).isin(dataset.qrels["query_id"])
    known = {name: _known(side, runs, labelled) for name, side in references.items()}
    found = {name: np.empty(0) for name in references}
    n = 0
    while n < most and (not n or max(map(standard_error, found.values())) >= ERROR):
        draws = min(BLOCK, most - n)
        left = {name: np.empty((draws, len(runs.systems))) for name in known}
        for draw in range(draws):
            values = scored(rng.permutation(grades))
            for name, (queries, _) in known.items():
                left[name][draw] = plain_means(values[:, queries])
        n += draws
        for name, (_, means) in known.items():
            found[name] = np.append(found[name], taus(left[name], means[None]))
    table = spread(found, n).rename(columns={"metric": "reference"})
    sizes = [(np.count_nonzero(~np.isnan(means)), queries.sum()) for queries, means in known.values()]
    table[["n_systems", "n_queries"]] = sizes
    return table.assign(offline=recorded_name(cell.headline), p_value=np.nan)[[*ALIGNMENT, "draws"]]


def _scored(cell: Cell, dataset: Dataset, runs: Runs) -> tuple[Callable[[np.ndarray], np.ndarray], int]:
    """(values (systems, queries) of the headline measure by grades of the baseline's pairs, how many draws at most)."""
    qrels = dataset.qrels
    if cut := re.fullmatch(r"ndcg_cut_(\d+)", recorded_name(cell.headline)):
        where = places(qrels, runs.condensed(qrels) if cell.unjudged == "condensed" else runs, int(cut[1]))
        return lambda grades: ndcg(grades, where), cell.shuffles.n

    def by_measure(grades: np.ndarray) -> np.ndarray:
        labels = qrels.assign(relevance=grades)
        scores = evaluate(labels, runs, (cell.headline,), scale=dataset.scale, unjudged=cell.unjudged)
        return scores["value"].to_numpy().reshape(len(runs.systems), -1)

    return by_measure, min(cell.shuffles.n, SCORED)


def _known(side: Side, runs: Runs, labelled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(the queries that both the labels and a reference know, its systems' means of these); all where it has one value
    a system for all queries together.
    """
    values = side.values.pivot(index="system", columns="query_id", values="value").reindex(list(runs.systems))
    if list(values) == [ALL]:
        return labelled, values[ALL].to_numpy(float)
    values = values.reindex(columns=list(runs.query_ids)).to_numpy(float)
    queries = labelled & ~np.isnan(values).all(axis=0)
    return queries, plain_means(values[:, queries])
