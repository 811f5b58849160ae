"""Scores: how good each system is for each query, under one set of labels, as trec_eval measures it."""

import numpy as np
import pandas as pd

from alignir.errors import InputError, one_of
from alignir.frames import PAIR, SCORES

NDCG = "ndcg_cut_10"
MISSING = ("drop", "zero", "fallback")


def judged(labels: pd.DataFrame, missing: str = "drop") -> pd.DataFrame:
    """QRELS from labels: a pair without a label becomes unjudged (`drop`) or grade 0 (`zero`).

    `fallback` is how labels are made, by asking again; what has none even then is unjudged.
    """
    if missing not in MISSING:
        raise one_of("way with missing labels", missing, MISSING)
    labels = labels[["query_id", "doc_id", "relevance"]]
    labels = labels.dropna(subset="relevance") if missing != "zero" else labels.fillna({"relevance": 0})
    return labels.astype({"relevance": int}).reset_index(drop=True)


def evaluate(
    labels: pd.DataFrame,
    runs: pd.DataFrame,
    query_ids: list[str],
    systems: list[str],
    measures: tuple[str, ...] = (NDCG,),
    missing: str = "drop",
) -> pd.DataFrame:
    """SCORES of every system for every query by pytrec_eval; `measures` are trec_eval's names.

    A query that a system returned nothing for scores 0, also where it returned nothing at all: trec_eval leaves it out,
    which would flatter the system.
    A query without any label is NaN for all systems: nothing is known there.
    """
    import pytrec_eval

    qrels = _nested(judged(labels, missing), "relevance", int)
    try:
        evaluator = pytrec_eval.RelevanceEvaluator(qrels, set(measures))
    except ValueError as error:
        raise InputError(f"measures={list(measures)}: {error}") from error
    rows, by_system = [], dict(list(runs.groupby("system")))
    for system in systems:
        scored = evaluator.evaluate(_nested(by_system[system], "score", float)) if system in by_system else {}
        for query_id in query_ids:
            for measure in measures:
                found = scored.get(query_id, {}).get(measure, 0.0)
                rows.append((system, query_id, measure, found if query_id in qrels else np.nan))
    return pd.DataFrame(rows, columns=SCORES)


def judged_at(
    labels: pd.DataFrame, runs: pd.DataFrame, query_ids: list[str], systems: list[str], k: int = 10
) -> pd.Series:
    """The share of each system's first `k` results for these queries that have a label: 0 to 1, by system.

    All its results count alike, so a query with few results weighs less. What has no label counts as not relevant in
    every measure here, which is to the disadvantage of the systems that the labels' pool did not know.
    NaN where a system returned nothing.
    """
    first = runs[(runs["rank"] <= k) & runs["query_id"].isin(query_ids)]
    known = pd.MultiIndex.from_frame(labels.loc[labels["relevance"].notna(), PAIR])
    labelled = pd.MultiIndex.from_frame(first[PAIR]).isin(known)
    return pd.Series(labelled, index=first["system"], dtype=float).groupby(level=0).mean().reindex(systems)


def _nested(frame: pd.DataFrame, column: str, kind: type) -> dict[str, dict]:
    """{query_id: {doc_id: value}} in plain Python numbers, as pytrec_eval wants them."""
    nested: dict[str, dict] = {}
    for query_id, doc_id, value in zip(*(frame[name].tolist() for name in (*PAIR, column)), strict=True):
        nested.setdefault(query_id, {})[doc_id] = kind(value)
    return nested


def means(values: pd.DataFrame, by: str = "measure") -> pd.DataFrame:
    """One row a system, one column a measure (or metric): the mean over queries, undefined values left out."""
    return values.pivot_table(index="system", columns=by, values="value", aggfunc="mean", dropna=False)
