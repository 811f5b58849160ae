"""Rates: hits over trials, by kind of result or by rank, kept away from 0 and 1."""

import numpy as np

EDGE = 1e-6  # rates stay this far from 0 and 1, where expectation maximisation would divide by nothing


def rates_by_kind(
    kinds: np.ndarray, hits: np.ndarray, trials: np.ndarray, n_kinds: int, shrinkage: float
) -> tuple[float, ...]:
    """hits / trials of each kind, from 0 to n_kinds - 1; arrays (m,) of the kind, the hits and the trials of a result.

    `shrinkage` is the weight, in trials, of the mean of all kinds in each kind's rate. A kind without a trial gets it.

    >>> rates_by_kind(np.array([0, 0, 1]), np.array([1, 0, 1]), np.array([1, 1, 2]), 3, 0.0)
    (0.5, 0.5, 0.5)
    """
    hits, trials = np.bincount(kinds, hits, n_kinds), np.bincount(kinds, trials, n_kinds)
    mean = ratio(hits.sum(), trials.sum(), 0.0)
    return tuple(clip(shares(hits + shrinkage * mean, trials + shrinkage, mean)).tolist())


def shares(hits: np.ndarray, trials: np.ndarray, otherwise: float) -> np.ndarray:
    """hits / trials, arrays (m,); `otherwise` where there is no trial.

    >>> shares(np.array([1, 0]), np.array([2, 0]), 0.9).tolist()
    [0.5, 0.9]
    """
    return np.divide(hits, trials, out=np.full(len(hits), float(otherwise)), where=trials > 0)


def ratio(hits: float, trials: float, otherwise: float) -> float:
    """hits / trials; `otherwise` where there is no trial.

    >>> ratio(1, 2, 0.9), ratio(0, 0, 0.9)
    (0.5, 0.9)
    """
    return float(hits / trials) if trials > 0 else otherwise


def clip(values: np.ndarray) -> np.ndarray:
    """The values, at least EDGE and at most 1 - EDGE.

    >>> clip(np.array([0.0, 0.5])).tolist()
    [1e-06, 0.5]
    """
    return np.clip(values, EDGE, 1 - EDGE)


def clipped_ratio(hits: float, trials: float, otherwise: float) -> float:
    """`ratio`, kept from 0 and 1 like `clip`.

    >>> clipped_ratio(0, 2, 0.9)
    1e-06
    """
    return float(clip(np.array(ratio(hits, trials, otherwise))))
