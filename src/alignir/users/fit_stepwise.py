"""Fitting DBN, SDBN, DCM and CCM to pages: the two steps of expectation maximisation, one model at a time.

Clicks leave open who examined what, and who was satisfied. The expectation step (`posterior`) says how likely each is
under a model; the maximisation step of a model makes what is now known most likely.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from alignir.users.click_models import CCM, DBN, DCM, SDBN
from alignir.users.pages import Pages, first_attraction, rates
from alignir.users.rates import EDGE, clip, clipped_ratio, shares
from alignir.users.stepwise import Steps


@dataclass(frozen=True)
class Posterior:
    """What the clicks leave open, given a model: posterior probabilities, and expected counts over all pages."""

    examined: np.ndarray  # (n, k) P(examined)
    satisfied: np.ndarray  # (n, k) P(clicked and satisfied)
    after_skip: tuple[float, float]  # expected times that users went on, and that they could; the same below
    after_click: tuple[float, float]
    after_satisfied: tuple[float, float]


def posterior(steps: Steps, pages: Pages) -> Posterior:
    """The expectation step for users who read from the top: a pass up the ranks and one down (forward-backward).

    A click says that everything above it was examined, and that the users went on there. Below the last click they
    left, or went on and clicked on nothing more. Chapelle and Zhang (WWW 2009) fit the DBN in this way.

    >>> from alignir.users.click_models import Cascade
    >>> pages = Pages(np.array([[3, 0]]), np.array([[True, False]]), None)
    >>> posterior(Cascade().steps(pages.kinds), pages).examined.tolist()
    [[1.0, 0.0]]
    """
    n, k = pages.kinds.shape
    a, s, t1, t2, t3 = steps.arrays((n, k))
    clicks, last = pages.clicks, pages.last_click
    quiet = np.ones((n, k + 1), order="F")  # P(no click from this rank on, once it is examined)
    for rank in range(k - 1, -1, -1):
        quiet[:, rank] = (1 - a[:, rank]) * (1 - t1[:, rank] * (1 - quiet[:, rank + 1]))
    examined, satisfied = np.zeros((n, k), order="F"), np.zeros((n, k), order="F")
    here = np.ones(n)
    went, could = dict.fromkeys(("skip", "click", "satisfied"), 0.0), dict.fromkeys(("skip", "click", "satisfied"), 0.0)
    for rank in range(k):
        examined[:, rank] = here
        clicked, above = clicks[:, rank], rank < last
        # P(not satisfied or satisfied, and all that is known below), when users go on and whatever they do
        on_2, on_3 = (1 - s[:, rank]) * t2[:, rank], s[:, rank] * t3[:, rank]
        below = quiet[:, rank + 1]
        any_2 = np.where(above, on_2, (1 - s[:, rank]) * (1 - t2[:, rank] * (1 - below)))
        any_3 = np.where(above, on_3, s[:, rank] * (1 - t3[:, rank] * (1 - below)))
        on_2, on_3 = np.where(above, on_2, on_2 * below), np.where(above, on_3, on_3 * below)
        total = np.maximum(any_2 + any_3, EDGE**2)
        satisfied[:, rank] = np.where(clicked, any_3 / total, 0)
        on_1 = np.where(above, 1.0, t1[:, rank] * below / np.maximum(1 - t1[:, rank] * (1 - below), EDGE**2))
        if rank + 1 < k:
            informed = pages.shown[:, rank + 1]  # going on can only be told where there is something to go on to
            for name, happens, goes in (
                ("skip", here * ~clicked, here * ~clicked * on_1),
                ("click", clicked * any_2 / total, clicked * on_2 / total),
                ("satisfied", clicked * any_3 / total, clicked * on_3 / total),
            ):
                went[name] += goes[informed].sum()
                could[name] += happens[informed].sum()
        here = np.where(clicked, (on_2 + on_3) / total, here * on_1)
    return Posterior(examined, satisfied, *((went[name], could[name]) for name in went))


# Each gives a model to start with, and the maximisation step: the model that the posterior makes most likely.


def start_dbn(pages: Pages, shrinkage: float) -> tuple[DBN, Callable[[Posterior], DBN]]:
    """The DBN: attraction, satisfaction and the continuation that all results share.

    >>> start_dbn(Pages(np.array([[3, 0]]), np.array([[True, False]]), None), 0.0)[0].continuation
    0.9
    """

    def update(found: Posterior) -> DBN:
        went, could = np.add(found.after_skip, found.after_click)
        return DBN(*_attracted_and_satisfied(pages, found, shrinkage), clipped_ratio(went, could, 0.9))

    return DBN(first_attraction(pages), (0.5,) * pages.n_kinds, 0.9), update


def start_sdbn(pages: Pages, shrinkage: float) -> tuple[SDBN, Callable[[Posterior], SDBN]]:
    """The SDBN: attraction and satisfaction.

    >>> start_sdbn(Pages(np.array([[3, 0]]), np.array([[True, False]]), None), 0.0)[0].satisfaction
    (0.5, 0.5, 0.5, 0.5)
    """

    def update(found: Posterior) -> SDBN:
        return SDBN(*_attracted_and_satisfied(pages, found, shrinkage))

    return SDBN(first_attraction(pages), (0.5,) * pages.n_kinds), update


def start_dcm(pages: Pages, shrinkage: float) -> tuple[DCM, Callable[[Posterior], DCM]]:
    """The DCM: attraction, and continuation by rank. Who left at the last rank is not known: as at the rank above.

    >>> start_dcm(Pages(np.array([[3, 0]]), np.array([[True, False]]), None), 0.0)[0].continuation
    (0.5, 0.5)
    """
    k = pages.kinds.shape[1]

    def update(found: Posterior) -> DCM:
        attraction, _ = _attracted_and_satisfied(pages, found, shrinkage)
        leaves = shares(found.satisfied.sum(axis=0), pages.clicks.sum(axis=0), 0.5)
        if k > 1:
            leaves[-1] = leaves[-2]  # nothing below the last rank tells who left there
        return DCM(attraction, tuple(clip(1 - leaves)))

    return DCM(first_attraction(pages), (0.5,) * k), update


def start_ccm(pages: Pages, shrinkage: float) -> tuple[CCM, Callable[[Posterior], CCM]]:
    """The CCM: relevance, and the three continuations.

    >>> start_ccm(Pages(np.array([[3, 0]]), np.array([[True, False]]), None), 0.0)[0].continuation
    (0.9, 0.5, 0.5)
    """

    def update(found: Posterior) -> CCM:
        # relevance decides twice: whether an examined result is clicked, and whether a clicked one satisfies
        relevance = rates(pages, pages.clicks + found.satisfied, found.examined + pages.clicks, shrinkage)
        t1, t2, t3 = (
            clipped_ratio(went, could, 0.5)
            for went, could in (found.after_skip, found.after_click, found.after_satisfied)
        )
        return CCM(relevance, (t1, t2, t3))

    return CCM(first_attraction(pages), (0.9, 0.5, 0.5)), update


def _attracted_and_satisfied(pages: Pages, found: Posterior, shrinkage: float) -> tuple[tuple, tuple]:
    attraction = rates(pages, pages.clicks, found.examined, shrinkage)
    return attraction, rates(pages, found.satisfied, pages.clicks, shrinkage)
