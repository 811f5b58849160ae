"""Worklist: which pairs should a person grade first, to learn most of where judges and the baseline part?"""

from typing import NamedTuple

import numpy as np

from alignir.alignment.bootstrap import taus
from alignir.evaluation.ndcg import Places, ndcg


class Graded(NamedTuple):
    """Grades (P,) of the same pairs by two sides; NaN where one has none, which counts as nothing gained."""

    judge: np.ndarray
    baseline: np.ndarray


def weight(judges: list[Graded], places: Places) -> np.ndarray:
    """How much of a pair's disagreement reaches the order of the systems: (P,), 0 or more, a mean over the J judges.

        w_p = 1/J sum_j |g_jp - b_p| |tau_j - tau_j(p)|

    g_jp is judge j's grade of pair p and b_p the baseline's, tau_j is tau_b of the systems' mean nDCG@k by the judge's
    grades with that by the baseline's, and tau_j(p) the same once the judge's grade of this one pair is the baseline's.
    A pair that one of the two has no grade for adds 0, as does a tau that is undefined.

    >>> places = Places(shown=np.array([[[0, 1]], [[1, 0]]]), judged=np.array([[0, 1]]))
    >>> weight([Graded(np.array([1.0, 2.0]), np.array([1.0, 0.0]))], places)  # the judge has both systems reversed
    array([0., 4.])
    """
    found = np.zeros(len(judges[0].judge))
    for each in judges:
        apart = np.nan_to_num(np.abs(each.judge - each.baseline))
        found += apart * np.abs(tau_changes(each, places))
    return found / len(judges)


def tau_changes(graded: Graded, places: Places) -> np.ndarray:
    """tau_j(p) - tau_j of `weight` for every pair: (P,)."""
    judge, baseline = (np.nan_to_num(side).clip(min=0) for side in graded)
    known = _known(graded.judge, places) & _known(graded.baseline, places)
    by_judge, by_baseline = ndcg(judge, places)[:, known], ndcg(baseline, places)[:, known]
    reference, before = (
        by_baseline.mean(axis=1)[None],
        taus(by_judge.mean(axis=1)[None], by_baseline.mean(axis=1)[None]),
    )
    found = np.zeros(len(judge))
    for column, query in enumerate(np.flatnonzero(known)):
        rows = _rows(places, query)
        rows = rows[(graded.judge != graded.baseline)[rows] & ~np.isnan(graded.judge + graded.baseline)[rows]]
        if len(rows):
            values = np.repeat(by_judge[None], len(rows), axis=0)  # (pairs, systems, queries)
            values[:, :, column] = _with_each(judge, baseline, rows, query, places)
            found[rows] = np.nan_to_num(taus(values.mean(axis=2), reference) - before)
    return found


def _with_each(judge: np.ndarray, baseline: np.ndarray, rows: np.ndarray, query: int, places: Places) -> np.ndarray:
    """The systems' nDCG of one query by the judge's grades, with the baseline's of each of the rows: (rows, S)."""
    of_query = Places(places.shown[:, [query]], places.judged[[query]])
    found = np.empty((len(rows), len(places.shown)))
    for place, row in enumerate(rows):
        changed = judge.copy()
        changed[row] = baseline[row]
        found[place] = ndcg(changed, of_query)[:, 0]
    return found


def _known(grades: np.ndarray, places: Places) -> np.ndarray:
    """The queries with a grade: (Q,) of bool."""
    return np.array([not np.isnan(grades[_rows(places, query)]).all() for query in range(len(places.judged))])


def _rows(places: Places, query: int) -> np.ndarray:
    judged = places.judged[query]
    return judged[judged >= 0]
