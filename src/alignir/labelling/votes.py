"""Votes: several labels of a pair become one.

Each takes `votes` (pairs, judges), a column a judge, NaN or <NA> where it has no label, and the grades of their scale,
rising; each gives a grade a row (Int64), <NA> where there is none. A missing label is no vote, and never a 0.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd


def majority(votes: pd.DataFrame, grades: Sequence[int]) -> pd.Series:
    """The grade that most judges gave, of a tie the lower one; <NA> where none gave any.

    >>> majority(pd.DataFrame([[3, 3, 1], [2, 1, None], [None, None, None]]), (0, 1, 2, 3)).tolist()
    [3, 1, <NA>]
    """
    values = _numbers(votes)
    counts = np.stack([(values == grade).sum(axis=1) for grade in grades], axis=1)
    most = counts.argmax(axis=1)  # the first of a tie, which is the lowest
    return _chosen(votes, grades, most, counts.max(axis=1) > 0)


def mean(votes: pd.DataFrame, grades: Sequence[int]) -> pd.Series:
    """The grade that is nearest to the mean of the labels, of two as near the lower one; <NA> where there is no label.

    >>> mean(pd.DataFrame([[3, 3, 1], [2, 1, None], [None, None, None]]), (0, 1, 2, 3)).tolist()
    [2, 1, <NA>]
    """
    values = _numbers(votes)
    labels, known = np.nansum(values, axis=1), (~np.isnan(values)).sum(axis=1)
    means = labels / np.maximum(known, 1)
    nearest = np.abs(means[:, None] - np.asarray(grades, dtype=float)).argmin(axis=1)
    return _chosen(votes, grades, nearest, known > 0)


def unanimous(votes: pd.DataFrame, grades: Sequence[int]) -> pd.Series:
    """The grade that every judge gave; <NA> where one gave another, or none.

    >>> unanimous(pd.DataFrame([[3, 3], [2, 1], [1, None]]), (0, 1, 2, 3)).tolist()
    [3, <NA>, <NA>]
    """
    values = _numbers(votes)
    alike = np.stack([(values == grade).all(axis=1) for grade in grades], axis=1)
    return _chosen(votes, grades, alike.argmax(axis=1), alike.max(axis=1))


VOTES: dict[str, Callable[[pd.DataFrame, Sequence[int]], pd.Series]] = {
    "majority": majority,
    "mean": mean,
    "unanimous": unanimous,
}


def _numbers(votes: pd.DataFrame) -> np.ndarray:
    return votes.astype("Float64").to_numpy(dtype=float, na_value=np.nan)


def _chosen(votes: pd.DataFrame, grades: Sequence[int], places: np.ndarray, known: np.ndarray) -> pd.Series:
    """The grades at these places, <NA> where nothing is known."""
    return pd.Series(np.asarray(grades)[places], index=votes.index, dtype="Int64").where(known)
