"""Fitting PBM and UBM to pages by expectation maximisation.

Examination is independent from result to result, given its place: the rank, and in the UBM the last click above it.
"""

import numpy as np

from alignir.users.click_models import PBM, UBM
from alignir.users.pages import Pages, first_attraction
from alignir.users.rates import EDGE, clip, rates_by_kind, shares

TOLERANCE = 1e-5  # a step that moves every parameter by less is the last


def fit_pbm(pages: Pages, shrinkage: float, iterations: int) -> PBM:
    """The PBM that makes the clicks most likely; satisfaction, which clicks do not tell, is 0.

    >>> pages = Pages(np.array([[3, 0]] * 4), np.array([[True, False]] * 3 + [[False, True]]), None)
    >>> round(fit_pbm(pages, 0.0, 200).attraction[3], 3)
    0.75
    """
    k = pages.kinds.shape[1]
    attraction, examination = _fitted(pages, np.zeros((1, k), dtype=int), shrinkage, iterations)
    return PBM(attraction, (0.0,) * pages.n_kinds, tuple(examination[:, 0].tolist()))


def fit_ubm(pages: Pages, shrinkage: float, iterations: int) -> UBM:
    """The UBM that makes the clicks most likely; satisfaction, which clicks do not tell, is 0.

    >>> pages = Pages(np.array([[3, 0]] * 4), np.array([[True, False]] * 3 + [[False, True]]), None)
    >>> [len(row) for row in fit_ubm(pages, 0.0, 200).examination]
    [1, 2]
    """
    attraction, examination = _fitted(pages, pages.click_above, shrinkage, iterations)
    rows = tuple(tuple(examination[rank, : rank + 1].tolist()) for rank in range(len(examination)))
    return UBM(attraction, (0.0,) * pages.n_kinds, rows)


def _fitted(
    pages: Pages, last_click: np.ndarray, shrinkage: float, iterations: int
) -> tuple[tuple[float, ...], np.ndarray]:
    """(attraction by kind, examination (k, k) by rank and by `last_click` (n, k), the number that it depends on).

    Examination of rank 1 is 1: only its product with attraction shows.
    """
    k = pages.kinds.shape[1]
    places = (np.arange(k) * k + last_click + np.zeros_like(pages.kinds))[pages.shown]
    clicks = pages.clicks[pages.shown]
    # all that matters is how often each kind was shown and clicked in each place
    cells, cell = np.unique(pages.kinds[pages.shown] * (k * k) + places, return_inverse=True)
    kinds, places = np.divmod(cells, k * k)
    shown, clicked = np.bincount(cell), np.bincount(cell, clicks)
    a, e = np.array(first_attraction(pages)), np.full(k * k, 0.5)
    e[0] = 1.0
    for _ in range(iterations):
        before = np.concatenate([a, e])
        unclicked = (shown - clicked) / np.maximum(1 - a[kinds] * e[places], EDGE)
        attracted = clicked + unclicked * a[kinds] * (1 - e[places])
        examined = clicked + unclicked * e[places] * (1 - a[kinds])
        a = np.array(rates_by_kind(kinds, attracted, shown, pages.n_kinds, shrinkage))
        e = clip(shares(np.bincount(places, examined, k * k), np.bincount(places, shown, k * k), 0.5))
        e[0] = 1.0
        if np.abs(np.concatenate([a, e]) - before).max() < TOLERANCE:
            break
    return tuple(a.tolist()), e.reshape(k, k)
