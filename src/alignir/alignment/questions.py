"""Questions: does a judge's tau_b rise with its size, and where does a tau with users come from?"""

import numpy as np

from alignir.alignment.bootstrap import taus


def slope(parameters: np.ndarray, found: np.ndarray) -> np.ndarray:
    """How much tau_b rises for ten times the parameters: (1 + B,), from sizes (J,) and taus (J, 1 + B).

    The taus are as `bootstrap.joint_taus` makes them, the sample's first, then those of its resamples. Least squares of
    tau on log10 of the size, each judge with the same weight. NaN where a tau is, and where all sizes are one.

    >>> slope(np.array([1, 10, 100]), np.array([[0.5], [0.6], [0.7]])).round(4)
    array([0.1])
    """
    size = np.log10(parameters)
    size = size - size.mean()
    return size @ found / (size @ size) if size.any() else np.full(found.shape[1], np.nan)


def by_query(scores: np.ndarray, online: np.ndarray) -> np.ndarray:
    """tau_b of the systems for each query alone, (Q,), from values (S, Q); NaN where a side ties all systems.

    >>> by_query(np.array([[0.1, 0.2], [0.3, 0.2]]), np.array([[1.0, 1.0], [2.0, 2.0]]))
    array([ 1., nan])
    """
    return taus(scores.T, online.T)


def without_each(scores: np.ndarray, online: np.ndarray) -> np.ndarray:
    """tau_b without each of the systems, (S,), from their means (S,).

    >>> without_each(np.array([1, 2, 3, 4]), np.array([1, 2, 3, 0])).round(4)
    array([-0.3333, -0.3333, -0.3333,  1.    ])
    """
    rest = np.where(np.eye(len(scores), dtype=bool), np.nan, scores)
    return taus(rest, online[None].astype(float))
