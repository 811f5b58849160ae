"""Fitting: the parameters of a click model, estimated from a session log.

Attraction and satisfaction are estimated by grade where the results have grades, else by query-document pair, with
shrinkage towards the mean of all pairs. Expectation maximisation throughout, but for the cascade model, whose estimate
is a matter of counting; the counting estimates of SDBN and DCM that the papers give are there too (`count`).
"""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from alignir.data.scales import FOUR, Scale
from alignir.errors import one_of
from alignir.frames import PAIR, QRELS
from alignir.users.click_models import CCM, DBN, DCM, PBM, SDBN, UBM, Cascade
from alignir.users.dwell import Dwell
from alignir.users.fit_browsing import TOLERANCE, fit_pbm, fit_ubm
from alignir.users.fit_stepwise import Posterior, posterior, start_ccm, start_dbn, start_dcm, start_sdbn
from alignir.users.goodness_of_fit import log_likelihood
from alignir.users.pages import Pages, rates
from alignir.users.rates import EDGE, clip, shares

MODELS = ("dbn", "sdbn", "cascade", "dcm", "ccm", "pbm", "ubm")
COUNTED = ("sdbn", "dcm")
M = TypeVar("M", DBN, SDBN, DCM, CCM)


def fit(
    name: str, pages: Pages, shrinkage: float = 0.0, iterations: int = 200
) -> DBN | SDBN | Cascade | DCM | CCM | PBM | UBM:
    """The model `name` (of MODELS, else an InputError) with the parameters that make the pages' clicks most likely.

    `shrinkage` is the weight of the mean of all kinds in each kind's attraction and satisfaction, counted in
    examinations and in clicks. Kinds and ranks that the pages say nothing of get the mean, or what they started with.
    What clicks cannot tell is 0: satisfaction in PBM and UBM. Examination of rank 1 (without a click before) is 1:
    only its product with attraction shows.

    >>> grades = np.random.default_rng(0).integers(0, 4, (20_000, 10))
    >>> clicks = DBN().sample(grades, 1, np.random.default_rng(1)).clicks[:, 0, :]
    >>> round(fit("dbn", Pages(grades, clicks, None)).continuation, 2)
    0.9
    """
    match name:
        case "cascade":
            return _cascade(pages, shrinkage)
        case "pbm":
            return fit_pbm(pages, shrinkage, iterations)
        case "ubm":
            return fit_ubm(pages, shrinkage, iterations)
        case "dbn":
            return _maximised(*start_dbn(pages, shrinkage), pages, iterations)
        case "sdbn":
            return _maximised(*start_sdbn(pages, shrinkage), pages, iterations)
        case "dcm":
            return _maximised(*start_dcm(pages, shrinkage), pages, iterations)
        case "ccm":
            return _maximised(*start_ccm(pages, shrinkage), pages, iterations)
    raise one_of("name", name, MODELS)


def count(name: str, pages: Pages, shrinkage: float = 0.0) -> SDBN | DCM:
    """SDBN (Chapelle and Zhang, algorithm 1) or DCM (Guo et al., section 4.2), estimated by counting.

    Results down to the last click count as examined, all of them where there is no click; the last click counts as
    the satisfying one. Quick, and biased by its own model: a user may go on after the last click and find nothing.
    Any other `name` is an InputError.

    >>> pages = Pages(np.array([[3, 1], [3, 1]]), np.array([[True, True], [True, False]]), None)
    >>> count("sdbn", pages).satisfaction[3]
    0.5
    """
    if name not in COUNTED:
        raise one_of("name", name, COUNTED)
    ranks = np.arange(pages.kinds.shape[1])
    last = pages.last_click[:, None]
    attraction = rates(pages, pages.clicks, pages.shown & ((ranks <= last) | (last < 0)), shrinkage)
    if name == "sdbn":
        return SDBN(attraction, rates(pages, pages.clicks & (ranks == last), pages.clicks, shrinkage))
    left = (pages.clicks & (ranks == last)).sum(axis=0)
    return DCM(attraction, tuple(clip(1 - shares(left, pages.clicks.sum(axis=0), left.sum() / max(1, len(last))))))


def dwell_by_grade(log: pd.DataFrame, qrels: pd.DataFrame, scale: Scale = FOUR) -> Dwell | None:
    """The log-normal law of the known dwell times; None where a grade has fewer than two (of more than 0 s).

    >>> log = pd.DataFrame({"query_id": "q", "doc_id": list("00112233"), "dwell_s": [10.0, 10, 20, 20, 40, 40, 60, 60]})
    >>> qrels = pd.DataFrame({"query_id": "q", "doc_id": list("0123"), "relevance": range(4)})
    >>> [round(mean) for mean in dwell_by_grade(log, qrels).mean]
    [10, 20, 40, 60]
    """
    known = log[log["dwell_s"] > 0].merge(qrels[QRELS], on=PAIR, how="left")
    grades = known["relevance"].fillna(scale.grades[0]).astype(int)
    if (grades.value_counts().reindex(scale.grades, fill_value=0) < 2).any():
        return None
    logarithms = np.log(known["dwell_s"])
    means = logarithms.groupby(grades).mean()
    sigma = float(np.sqrt(((logarithms - means.reindex(grades).to_numpy()) ** 2).mean()))
    return Dwell(tuple(float(np.exp(mean + sigma**2 / 2)) for mean in means.reindex(scale.grades)), sigma)


def _cascade(pages: Pages, shrinkage: float) -> Cascade:
    """By counting: what is above the first click was seen and skipped; further clicks are beyond the model."""
    clicked_above = np.cumsum(pages.clicks, axis=1) - pages.clicks > 0
    return Cascade(rates(pages, pages.clicks & ~clicked_above, pages.shown & ~clicked_above, shrinkage))


def _maximised(start: M, update: Callable[[Posterior], M], pages: Pages, iterations: int) -> M:
    """Expectation and maximisation in turn until nothing moves, extrapolating from every two (SQUAREM).

    Varadhan and Roland, Scandinavian Journal of Statistics 2008. An extrapolation that makes the clicks less likely is
    not taken. Plain steps would need some ten times as many.
    """

    def step(model: M) -> M:
        return update(posterior(model.steps(pages.kinds), pages))

    model, likelihood = start, -np.inf
    for _ in range(0, iterations, 3):
        once = step(model)
        twice = step(once)
        origin, first, second = map(_parameters, (model, once, twice))
        if np.abs(second - first).max() < TOLERANCE:
            return twice
        change = first - origin
        curvature = second - first - change
        length = -np.sqrt((change**2).sum() / max((curvature**2).sum(), EDGE**2))
        far = _with_parameters(model, clip(origin - 2 * length * change + length**2 * curvature))
        ahead = log_likelihood(far, pages).sum()
        if length < -1 and ahead >= likelihood:
            model, likelihood = step(far), ahead
        else:
            model, likelihood = twice, log_likelihood(twice, pages).sum()
    return model


def _parameters(model: M) -> np.ndarray:
    return np.concatenate([np.atleast_1d(getattr(model, field.name)) for field in fields(model)])


def _with_parameters(model: M, values: np.ndarray) -> M:
    """The same kind of model with these parameters, in the order of `_parameters`."""
    found: dict[str, Any] = {}
    start = 0
    for field in fields(model):
        size = np.size(getattr(model, field.name))
        piece = values[start : start + size].tolist()
        found[field.name] = tuple(piece) if np.ndim(getattr(model, field.name)) else piece[0]
        start += size
    return type(model)(**found)
