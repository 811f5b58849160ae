"""nDCG of many sets of grades of the same pairs: trec_eval's, without telling it rankings and pairs anew for each."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from alignir.data.ranked import Runs


class Places(NamedTuple):
    """Where pairs stand, as their rows in QRELS; -1 where there is none."""

    shown: np.ndarray  # (systems, queries, k): the first k results of every ranking
    judged: np.ndarray  # (queries, most pairs of a query)


def places(qrels: pd.DataFrame, runs: Runs, k: int) -> Places:
    """Of the pairs of QRELS, in rankings that are cut at k."""
    rows = np.arange(len(qrels))
    shown = runs.grades(qrels.assign(relevance=rows), k, unjudged=-1)
    query = pd.Index(runs.query_ids).get_indexer(qrels["query_id"])
    number = qrels.groupby("query_id").cumcount().to_numpy()
    judged = np.full((len(runs.query_ids), max(k, number.max(initial=-1) + 1)), -1)
    judged[query[query >= 0], number[query >= 0]] = rows[query >= 0]
    return Places(shown, judged)


def ndcg(relevance: np.ndarray, places: Places, k: int | None = None) -> np.ndarray:
    """nDCG@k (systems, queries) by these grades of the pairs, in the order of QRELS: linear gain, as trec_eval has it.

    `k` is at most that of the places, and their own by default. A grade below 0 gains nothing. 0 where a query has
    nothing relevant; NaN where it has no pair at all.

    >>> places = Places(shown=np.array([[[1, 0]], [[-1, 1]]]), judged=np.array([[0, 1]]))
    >>> ndcg(np.array([0, 2]), places).round(3).tolist()
    [[1.0], [0.631]]
    """
    gains = np.append(relevance, 0).clip(0)  # the last one for -1
    k = places.shown.shape[2] if k is None else k
    best = -np.sort(-gains[places.judged], axis=1)[:, :k]
    found, most = np.zeros(places.shown.shape[:2]), np.zeros(len(best))
    for rank in range(k):  # summed rank by rank, as trec_eval does: equal rankings are equal to the last bit
        found += gains[places.shown[:, :, rank]] / np.log2(rank + 2)
        most += best[:, rank] / np.log2(rank + 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.where(most > 0, found / most, 0)
    values[:, (places.judged < 0).all(axis=1)] = np.nan
    return values
