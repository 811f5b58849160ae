"""Scores: how good each system is for each query, under one set of labels, as trec_eval measures it."""

import re
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from alignir.data.ranked import Runs, as_runs
from alignir.data.scales import FOUR, Scale
from alignir.errors import one_of
from alignir.evaluation.by_ir_measures import by_ir_measures
from alignir.evaluation.measures import (
    GDEVAL_HIGHEST,
    check_measures,
    expected_reciprocal_rank,
    rank_biased_precision,
)
from alignir.evaluation.names import (
    CUT,
    ERR,
    EXPONENTIAL,
    GDEVAL_ERR,
    NDCG,
    NDCG_CUT,
    RBP,
    TREC_EVAL,
    recorded_names,
)
from alignir.evaluation.ndcg import ndcg, places
from alignir.frames import PAIR, SCORES

MISSING = ("drop", "zero", "fallback")
UNJUDGED = ("not_relevant", "condensed")

NEAR = 100  # ranks that are looked at as one array
KEPT = 2_000_000  # results, of which dicts are kept: about 250 MB
_kept: WeakKeyDictionary[Runs, list[dict[str, dict]]] = WeakKeyDictionary()


def judged(labels: pd.DataFrame, missing: str = "drop") -> pd.DataFrame:
    """QRELS from labels: a pair without a label becomes unjudged (`drop`) or grade 0 (`zero`).

    `fallback` is how labels are made, by asking again; what has none even then is unjudged.
    """
    if missing not in MISSING:
        raise one_of("missing", missing, MISSING)
    labels = labels[["query_id", "doc_id", "relevance"]]
    labels = labels.dropna(subset="relevance") if missing != "zero" else labels.fillna({"relevance": 0})
    return labels.astype({"relevance": int}).reset_index(drop=True)


def evaluate(
    labels: pd.DataFrame,
    runs: Runs | pd.DataFrame,
    measures: Sequence[str] = (NDCG,),
    missing: str = "drop",
    scale: Scale = FOUR,
    unjudged: str = "not_relevant",
) -> pd.DataFrame:
    """SCORES of every system for every query, by the names that `names.recorded_name` gives to `measures`.

    trec_eval's names         by pytrec_eval; but nDCG down to the rank 100 by `ndcg`, which says the same sooner
    ndcg_exp, ndcg_exp_cut_K  nDCG with gain 2^grade - 1 instead of trec_eval's grade: its nDCG on grades so mapped
    rbp_P                     `rank_biased_precision` with persistence P
    err_K                     `expected_reciprocal_rank` of the top K
    ir_measures' names        by ir_measures, from the grade that they name, ERR@K as gdeval has it: with 4 as the
                              highest grade of any scale

    Other binary measures count what is relevant on the labels' scale (trec_eval's -l); nDCG, G and ERR do not.
    A query that a system returned nothing for scores 0, also where it returned nothing at all: trec_eval leaves it out,
    which would flatter the system. Results that these labels do not judge are `unjudged`: not_relevant, or condensed:
    left out of the rankings before they are scored, by whatever measure.
    A query without any label is NaN for all systems: nothing is known there.
    """
    check_measures(measures)
    runs, measures = as_runs(runs), recorded_names(measures)
    qrels = judged(labels, missing)
    if unjudged not in UNJUDGED:
        raise one_of("unjudged", unjudged, UNJUDGED)
    if unjudged == "condensed":
        runs = runs.condensed(qrels)
    cuts = [re.fullmatch(CUT, measure) for measure in measures]
    if all(cuts):  # what lies deeper changes nothing, and takes most of the time
        runs = runs.top(max(int(cut["k"] or cut["at"]) for cut in cuts if cut))
    values = _by_ndcg(qrels, runs, measures)
    names = [measure for measure in measures if re.fullmatch(TREC_EVAL, measure) and measure not in values]
    values |= _by_trec_eval(qrels, runs, names, scale.relevant_from)
    exponential = {m.replace("_exp", ""): m for m in measures if re.fullmatch(EXPONENTIAL, m) and m not in values}
    gains = qrels.assign(relevance=_exponential(qrels["relevance"]))
    found = _by_trec_eval(gains, runs, list(exponential), scale.relevant_from)
    values |= {exponential[name]: scored for name, scored in found.items()}
    if by_rank := [measure for measure in measures if re.fullmatch("|".join((RBP, ERR, GDEVAL_ERR)), measure)]:
        grades = runs.grades(qrels, max(1, runs.frame["rank"].max()) if len(runs.frame) else 1).clip(min=0)
        values |= {measure: _by_rank(measure, grades, scale) for measure in by_rank}
    others = [measure for measure in measures if measure not in values]
    values |= by_ir_measures(_nested(qrels, "relevance", int), runs, others, scale.highest)

    table = np.stack([values[measure] for measure in measures], axis=-1)  # (systems, queries, measures)
    table[:, ~pd.Index(runs.query_ids).isin(qrels["query_id"])] = np.nan  # np.isin compares every id with every other
    n_systems, n_queries, n_measures = table.shape
    columns = (
        np.repeat(runs.systems, n_queries * n_measures),
        np.tile(np.repeat(runs.query_ids, n_measures), n_systems),
        np.tile(measures, n_systems * n_queries),
        table.ravel(),
    )
    return pd.DataFrame(dict(zip(SCORES, columns, strict=True)))


def _rankings(runs: Runs) -> list[dict[str, dict]]:
    """{query_id: {doc_id: score}} of each system, kept while the runs are: many sets of labels score the same ones."""
    if runs not in _kept:
        by_system = {
            system: _nested(run, "score", float) for system, run in runs.frame.groupby("system", observed=True)
        }
        rankings = [by_system.get(system, {}) for system in runs.systems]
        if len(runs.frame) > KEPT:
            return rankings
        _kept[runs] = rankings
    return _kept[runs]


def _by_ndcg(qrels: pd.DataFrame, runs: Runs, measures: Sequence[str]) -> dict[str, np.ndarray]:
    """By measure, of those that are nDCG down to a rank up to NEAR: values of shape (systems, queries)."""
    cuts = {measure: found for measure in measures if (found := re.fullmatch(NDCG_CUT, measure))}
    cuts = {measure: cut for measure, cut in cuts.items() if int(cut["k"]) <= NEAR}
    if not cuts:
        return {}
    where = places(qrels, runs, max(int(cut["k"]) for cut in cuts.values()))
    grades = qrels["relevance"].to_numpy()
    return {
        measure: ndcg(_exponential(grades) if cut["exp"] else grades, where, int(cut["k"]))
        for measure, cut in cuts.items()
    }


def _exponential(grades):
    return 2**grades - 1


def _by_trec_eval(qrels: pd.DataFrame, runs: Runs, names: list[str], relevant_from: int) -> dict[str, np.ndarray]:
    """By measure: values of shape (systems, queries), 0 for a query that a system returned nothing for."""
    import pytrec_eval

    if not names:
        return {}
    rankings, query_ids = _rankings(runs), runs.query_ids
    evaluator = pytrec_eval.RelevanceEvaluator(_nested(qrels, "relevance", int), set(names), relevant_from)
    nothing = dict.fromkeys(names, 0.0)
    values = np.zeros((len(names), len(rankings), len(query_ids)))
    for place, ranking in enumerate(rankings):
        scored = evaluator.evaluate(ranking)
        rows = [scored.get(query_id, nothing) for query_id in query_ids]
        values[:, place] = [[row[name] for row in rows] for name in names]
    return dict(zip(names, values, strict=True))


def _by_rank(measure: str, grades: np.ndarray, scale: Scale) -> np.ndarray:
    """RBP or ERR of grades (systems, queries, ranks), of shape (systems, queries)."""
    if found := re.fullmatch(RBP, measure):
        values = [rank_biased_precision(rows >= scale.relevant_from, float(found[1])) for rows in grades]
    elif found := re.fullmatch(GDEVAL_ERR, measure):
        values = [expected_reciprocal_rank(rows[:, : int(found[1])], GDEVAL_HIGHEST) for rows in grades]
    else:
        cutoff = int(re.sub(ERR, r"\1", measure))
        values = [expected_reciprocal_rank(rows[:, :cutoff], scale.highest) for rows in grades]
    return np.array(values)


def judged_at(labels: pd.DataFrame, runs: Runs, k: int = 10) -> pd.Series:
    """The share of each system's first `k` results for these queries that have a label: 0 to 1, by system.

    All its results count alike, so a query with few results weighs less. What has no label counts as not relevant in
    every measure here, which is to the disadvantage of the systems that the labels' pool did not know.
    NaN where a system returned nothing.
    """
    known = labels.loc[labels["relevance"].notna(), PAIR].assign(relevance=1)
    first = runs.grades(known, k)
    with np.errstate(invalid="ignore"):
        shares = (first > 0).sum(axis=(1, 2)) / (first >= 0).sum(axis=(1, 2))
    return pd.Series(shares, index=pd.Index(runs.systems, name="system"))


def _nested(frame: pd.DataFrame, column: str, kind: type) -> dict[str, dict]:
    """{query_id: {doc_id: value}} in plain Python numbers, as pytrec_eval wants them."""
    nested: dict[str, dict] = {}
    values = frame[column].astype(kind).tolist()
    for query_id, doc_id, value in zip(frame["query_id"].tolist(), frame["doc_id"].tolist(), values, strict=True):
        nested.setdefault(query_id, {})[doc_id] = value
    return nested


def means(values: pd.DataFrame, by: str = "measure") -> pd.DataFrame:
    """One row a system, one column a measure (or metric): the mean over queries, undefined values left out."""
    return values.pivot_table(index="system", columns=by, values="value", aggfunc="mean", dropna=False)
