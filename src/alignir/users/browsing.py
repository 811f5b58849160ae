"""Browsing users: each rank is examined or not, by its place alone (PBM) or by the last click above it too (UBM).

Nobody leaves: users look at the first k ranks here and there. What both models need beside their own formulas.
"""

from collections.abc import Callable, Sequence

import numpy as np

from alignir.users.behaviour import Sessions


def walk(
    attraction: np.ndarray, examination: Sequence[Sequence[float]], kept: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """P(click) and P(first click) at each rank (n, k), P(the last click is at none, 1, ..., k) (n, k + 1), in the UBM.

    `attraction` is (n, k); row r of `examination` has e_{r,p} for the last click at p = 0 (none), ..., r - 1. Each
    result is the share of sessions left when a click at a rank lets the share `kept` (n, k) of them stay.

    >>> clicks, first, last = walk(np.array([[0.5, 0.5]]), [[1.0], [0.8, 0.9]], np.ones((1, 2)))
    >>> clicks.round(3).tolist(), last.round(3).tolist()
    ([[0.5, 0.425]], [[0.3, 0.275, 0.425]])
    """
    n, k = attraction.shape
    clicks, first, last = (np.zeros((n, width), kept.dtype) for width in (k, k, k + 1))
    last[:, 0] = 1.0
    for rank in range(k):
        clicked = last[:, : rank + 1] * np.array(examination[rank]) * attraction[:, rank, None]
        clicks[:, rank], first[:, rank] = clicked.sum(axis=1), clicked[:, 0]
        last[:, : rank + 1] -= clicked
        last[:, rank + 1] = clicks[:, rank] * kept[:, rank]
    return clicks, first, last


def sample_ranks(
    satisfaction: np.ndarray,
    chance: Callable[[int, np.ndarray], np.ndarray],
    sessions: int,
    rng: np.random.Generator,
) -> Sessions:
    """`sessions` sessions on each of n rankings, where P(click at rank) is `chance(rank, last)`, rank from 0.

    `last` (n, sessions) is the rank, from 1, of the click before, or 0; `chance` gives an array that broadcasts to its
    shape. A click satisfies with probability `satisfaction` (n, k).

    >>> sample_ranks(np.ones((1, 2)), lambda rank, last: np.ones((1, 1)), 1, np.random.default_rng(0)).clicks.tolist()
    [[[True, True]]]
    """
    n, k = satisfaction.shape
    last = np.zeros((n, sessions), dtype=np.int16)
    satisfied = np.zeros((n, sessions), dtype=bool)
    clicks = np.zeros((k, n, sessions), dtype=bool)
    for rank in range(k):
        drawn, here = rng.random((n, sessions), dtype=np.float32), chance(rank, last)
        clicks[rank] = drawn < here
        satisfied |= drawn < here * satisfaction[:, rank, None]
        last[clicks[rank]] = rank + 1
    return Sessions(np.moveaxis(clicks, 0, 2), satisfied)
