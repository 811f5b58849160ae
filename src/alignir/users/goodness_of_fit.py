"""Goodness of fit: how likely a click model holds the clicks of a log, and how well it predicts them."""

import numpy as np

from alignir.users.click_models import PBM, UBM
from alignir.users.pages import Pages
from alignir.users.rates import EDGE, clip, shares
from alignir.users.stepwise import Stepwise


def log_likelihood(model: Stepwise | PBM | UBM, pages: Pages) -> np.ndarray:
    """ln P(the clicks of each page) (n,), finite also for what the model holds impossible (P is kept from 0).

    >>> from alignir.users.click_models import Cascade
    >>> pages = Pages(np.array([[3, 0]]), np.array([[True, False]]), None)
    >>> np.exp(log_likelihood(Cascade(), pages)).round(3).tolist()
    [0.875]
    """
    n, k = pages.kinds.shape
    if isinstance(model, (PBM, UBM)):
        return happened(_given_last(model, pages), pages).sum(axis=1)
    steps = model.steps(pages.kinds).arrays((n, k))
    here, left = np.ones(n), np.zeros(n)  # P(clicks so far; the user still reads, or has left)
    for rank in range(k):
        a, s, t1, t2, t3 = (values[:, rank] for values in steps)
        onward = (1 - s) * t2 + s * t3
        clicked = pages.clicks[:, rank]
        left = np.where(clicked, here * a * (1 - onward), left + here * (1 - a) * (1 - t1))
        here = np.where(clicked, here * a * onward, here * (1 - a) * t1)
    return np.log(np.maximum(here + left, EDGE**2))


def perplexity(chances: np.ndarray, pages: Pages) -> np.ndarray:
    """Perplexity of the clicks at each rank (k,), given P(click) (n, k): 1 is perfect, 2 a coin.

    2^(-mean of log2 P(what happened)), as click models are compared (Dupret and Piwowarski, SIGIR 2008); NaN at a rank
    where nothing is shown.

    >>> pages = Pages(np.array([[3, 0]]), np.array([[True, False]]), None)
    >>> perplexity(np.array([[0.5, 0.2]]), pages).tolist()
    [2.0, 1.25]
    """
    return np.exp(-shares(happened(chances, pages).sum(axis=0), pages.shown.sum(axis=0), np.nan))


def happened(chances: np.ndarray, pages: Pages) -> np.ndarray:
    """ln P(what happened) at each rank (n, k), given P(click) there, kept from 0; 0 where nothing is shown.

    >>> pages = Pages(np.array([[3, 0, -1]]), np.array([[True, False, False]]), None)
    >>> np.exp(happened(np.array([[0.5, 0.2, 0.2]]), pages)).round(3).tolist()
    [[0.5, 0.8, 1.0]]
    """
    p = clip(chances)
    return np.where(pages.shown, np.where(pages.clicks, np.log(p), np.log(1 - p)), 0.0)


def constant(pages: Pages, by_rank: bool) -> np.ndarray:
    """P(click) (k,) of users who click at a constant rate, the same at every rank or each its own: what to beat.

    >>> pages = Pages(np.array([[3, 0], [3, 0]]), np.array([[True, False], [False, False]]), None)
    >>> constant(pages, by_rank=False).tolist(), constant(pages, by_rank=True).tolist()
    ([0.25, 0.25], [0.5, 0.0])
    """
    clicks, n = pages.clicks.sum(axis=0), pages.shown.sum(axis=0)
    mean = clicks.sum() / max(1, n.sum())
    return shares(clicks, n, mean) if by_rank else np.full(len(n), mean)


def _given_last(model: PBM | UBM, pages: Pages) -> np.ndarray:
    """P(click) at each rank (n, k) in PBM and UBM, given the clicks above."""
    k = pages.kinds.shape[1]
    table = np.zeros((k, k))
    for rank in range(k):
        table[rank, : rank + 1] = model.examination[rank]
    e = table[np.arange(k), pages.click_above]
    return e * np.append(model.attraction, 0.0)[pages.kinds]
