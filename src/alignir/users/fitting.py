"""Fitting: the parameters of a click model, estimated from a session log.

Attraction and satisfaction are estimated by grade where the results have grades, else by query-document pair, with
shrinkage towards the mean of all pairs. Expectation maximisation throughout, but for the cascade model, whose estimate
is a matter of counting; the counting estimates of SDBN and DCM that the papers give are there too (`count`).
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from alignir.errors import InputError, one_of
from alignir.frames import GRADES, PAGE, PAIR, QRELS
from alignir.users.click_models import CCM, DBN, DCM, PBM, SDBN, UBM, Cascade
from alignir.users.dwell import Dwell

MODELS = ("dbn", "sdbn", "cascade", "dcm", "ccm", "pbm", "ubm")
COUNTED = ("sdbn", "dcm")
EDGE = 1e-6  # parameters stay this far from 0 and 1, where expectation maximisation would divide by nothing
TOLERANCE = 1e-5  # a step that moves every parameter by less is the last


@dataclass(frozen=True)
class Pages:
    """The sessions of a log as arrays: n sessions, k ranks."""

    kinds: np.ndarray  # (n, k) the grade, or the number of the query-document pair; -1 where nothing is shown
    clicks: np.ndarray  # (n, k) bool
    pairs: pd.DataFrame | None  # query_id, doc_id of each number; None: kinds are grades

    @property
    def n_kinds(self) -> int:
        """With one more than there are pairs: the last is any pair that is not among them."""
        return len(GRADES) if self.pairs is None else len(self.pairs) + 1

    @property
    def shown(self) -> np.ndarray:
        return self.kinds >= 0


def pages_by_grade(log: pd.DataFrame, qrels: pd.DataFrame, depth: int) -> Pages:
    """The pages of LOG down to `depth`; a result that is not judged counts as grade 0, as in simulation."""
    log = log.merge(qrels[QRELS], on=PAIR, how="left")
    return _laid_out(log, log["relevance"].fillna(0).to_numpy(dtype=int), depth, None)


def pages_by_pair(log: pd.DataFrame, depth: int, pairs: pd.DataFrame | None = None) -> Pages:
    """The pages of LOG down to `depth`; `pairs` are those of other pages, if these are to be numbered alike."""
    if pairs is None:
        top = log[(log["rank"] <= depth).fillna(False)]
        pairs = top[PAIR].drop_duplicates().reset_index(drop=True)
    numbers = pd.MultiIndex.from_frame(pairs[PAIR]).get_indexer(pd.MultiIndex.from_frame(log[PAIR]))
    return _laid_out(log, np.where(numbers < 0, len(pairs), numbers), depth, pairs)


def _laid_out(log: pd.DataFrame, kind: np.ndarray, depth: int, pairs: pd.DataFrame | None) -> Pages:
    page = log.groupby(PAGE, sort=False).ngroup().to_numpy()
    if len(page) == 0:
        raise InputError("the log has no session to fit to")
    kinds = np.full((page.max() + 1, depth), -1, order="F")  # a rank's column in one piece: all work goes by rank
    clicks = np.zeros(kinds.shape, dtype=bool, order="F")
    rank = log["rank"].fillna(0).to_numpy(dtype=int)
    here = (rank >= 1) & (rank <= depth)
    kinds[page[here], rank[here] - 1] = kind[here]
    clicks[page[here], rank[here] - 1] = log["clicked"].to_numpy(dtype=bool)[here]
    return Pages(kinds, clicks, pairs)


def fit(name: str, pages: Pages, shrinkage: float = 0.0, iterations: int = 200):
    """The model `name` (of MODELS) with the parameters that make the pages' clicks most likely.

    `shrinkage` is the weight of the mean of all kinds in each kind's attraction and satisfaction, counted in
    examinations and in clicks. Kinds and ranks that the pages say nothing of get the mean, or what they started with.
    What clicks cannot tell is 0: satisfaction in PBM and UBM. Examination of rank 1 (without a click before) is 1:
    only its product with attraction shows.
    """
    if name not in MODELS:
        raise one_of("user model to fit", name, MODELS)
    if name == "cascade":
        return _cascade(pages, shrinkage)
    if name in ("pbm", "ubm"):
        return _browsing(name, pages, shrinkage, iterations)
    model, maximise = {"dbn": _dbn, "sdbn": _sdbn, "dcm": _dcm, "ccm": _ccm}[name](pages, shrinkage)
    return _accelerated(model, lambda model: maximise(_hidden(model.steps(pages.kinds), pages)), pages, iterations)


def count(name: str, pages: Pages, shrinkage: float = 0.0):
    """SDBN (Chapelle and Zhang, algorithm 1) or DCM (Guo et al., section 4.2), estimated by counting.

    Results down to the last click count as examined, all of them where there is no click; the last click counts as
    the satisfying one. Quick, and biased by its own model: a user may go on after the last click and find nothing.
    """
    if name not in COUNTED:
        raise one_of("user model to fit by counting", name, COUNTED)
    ranks = np.arange(pages.kinds.shape[1])
    last = _last(pages)[:, None]
    attraction = _rates(pages, pages.clicks, pages.shown & ((ranks <= last) | (last < 0)), shrinkage)
    if name == "sdbn":
        return SDBN(attraction, _rates(pages, pages.clicks & (ranks == last), pages.clicks, shrinkage))
    left = (pages.clicks & (ranks == last)).sum(axis=0)
    return DCM(attraction, tuple(_clip(1 - _share(left, pages.clicks.sum(axis=0), left.sum() / max(1, len(last))))))


def log_likelihood(model, pages: Pages) -> np.ndarray:
    """ln P(the clicks of each page) (n,), finite also for what the model holds impossible (P is kept from 0)."""
    n, k = pages.kinds.shape
    if isinstance(model, (PBM, UBM)):
        return happened(_given_last(model, pages), pages).sum(axis=1)
    steps = _broadcast(model.steps(pages.kinds), (n, k))
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
    """
    return np.exp(-_share(happened(chances, pages).sum(axis=0), pages.shown.sum(axis=0), np.nan))


def happened(chances: np.ndarray, pages: Pages) -> np.ndarray:
    """ln P(what happened) at each rank (n, k), given P(click) there, kept from 0; 0 where nothing is shown."""
    p = _clip(chances)
    return np.where(pages.shown, np.where(pages.clicks, np.log(p), np.log(1 - p)), 0.0)


def constant(pages: Pages, by_rank: bool) -> np.ndarray:
    """P(click) (k,) of users who click at a constant rate, at every rank the same or each its own: what to beat."""
    clicks, n = pages.clicks.sum(axis=0), pages.shown.sum(axis=0)
    mean = clicks.sum() / max(1, n.sum())
    return _share(clicks, n, mean) if by_rank else np.full(len(n), mean)


def _accelerated(model, step: Callable, pages: Pages, iterations: int):
    """Repeat the step until nothing moves, extrapolating from every two (SQUAREM; Varadhan and Roland, 2008).

    An extrapolation that makes the clicks less likely is not taken. Plain steps would need some ten times as many.
    """
    likelihood = -np.inf
    for _ in range(0, iterations, 3):
        once = step(model)
        twice = step(once)
        start, first, second = map(_parameters, (model, once, twice))
        if np.abs(second - first).max() < TOLERANCE:
            return twice
        change = first - start
        curvature = second - first - change
        length = -np.sqrt((change**2).sum() / max((curvature**2).sum(), EDGE**2))
        far = _with_parameters(model, _clip(start - 2 * length * change + length**2 * curvature))
        ahead = log_likelihood(far, pages).sum()
        if length < -1 and ahead >= likelihood:
            model, likelihood = step(far), ahead
        else:
            model, likelihood = twice, log_likelihood(twice, pages).sum()
    return model


def _parameters(model) -> np.ndarray:
    return np.concatenate([np.atleast_1d(getattr(model, field.name)) for field in fields(model)])


def _with_parameters(model, values: np.ndarray):
    """The same kind of model with these parameters, in the order of `_parameters`."""
    found, start = {}, 0
    for field in fields(model):
        size = np.size(getattr(model, field.name))
        piece = values[start : start + size].tolist()
        found[field.name] = tuple(piece) if np.ndim(getattr(model, field.name)) else piece[0]
        start += size
    return type(model)(**found)


def dwell_by_grade(log: pd.DataFrame, qrels: pd.DataFrame) -> Dwell | None:
    """The log-normal law of the known dwell times; None where a grade has fewer than two (of more than 0 s)."""
    known = log[log["dwell_s"] > 0].merge(qrels[QRELS], on=PAIR, how="left")
    grades = known["relevance"].fillna(0).astype(int)
    if (grades.value_counts().reindex(GRADES, fill_value=0) < 2).any():
        return None
    logarithms = np.log(known["dwell_s"])
    means = logarithms.groupby(grades).mean()
    sigma = float(np.sqrt(((logarithms - means.reindex(grades).to_numpy()) ** 2).mean()))
    return Dwell(tuple(float(np.exp(mean + sigma**2 / 2)) for mean in means.reindex(GRADES)), sigma)


@dataclass(frozen=True)
class _Hidden:
    """What the clicks leave open, given a model: posterior probabilities."""

    examined: np.ndarray  # (n, k) P(examined)
    satisfied: np.ndarray  # (n, k) P(clicked and satisfied)
    after_skip: tuple[float, float]  # expected times that users went on, and that they could; the same below
    after_click: tuple[float, float]
    after_satisfied: tuple[float, float]


def _hidden(steps, pages: Pages) -> _Hidden:
    """The expectation step for users who read from the top."""
    n, k = pages.kinds.shape
    a, s, t1, t2, t3 = _broadcast(steps, (n, k))
    clicks, last = pages.clicks, _last(pages)
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
    return _Hidden(examined, satisfied, *((went[name], could[name]) for name in went))


# Each gives a model to start with and the maximisation step: the model that the hidden quantities make most likely.


def _dbn(pages: Pages, shrinkage: float) -> tuple[DBN, Callable]:
    def update(hidden: _Hidden) -> DBN:
        went, could = np.add(hidden.after_skip, hidden.after_click)
        return DBN(*_attracted_and_satisfied(pages, hidden, shrinkage), _clipped(_ratio(went, could, 0.9)))

    return DBN(_start(pages), (0.5,) * pages.n_kinds, 0.9), update


def _sdbn(pages: Pages, shrinkage: float) -> tuple[SDBN, Callable]:
    def update(hidden: _Hidden) -> SDBN:
        return SDBN(*_attracted_and_satisfied(pages, hidden, shrinkage))

    return SDBN(_start(pages), (0.5,) * pages.n_kinds), update


def _dcm(pages: Pages, shrinkage: float) -> tuple[DCM, Callable]:
    k = pages.kinds.shape[1]

    def update(hidden: _Hidden) -> DCM:
        attraction, _ = _attracted_and_satisfied(pages, hidden, shrinkage)
        leaves = _share(hidden.satisfied.sum(axis=0), pages.clicks.sum(axis=0), 0.5)
        if k > 1:
            leaves[-1] = leaves[-2]  # nothing below the last rank tells who left there
        return DCM(attraction, tuple(_clip(1 - leaves)))

    return DCM(_start(pages), (0.5,) * k), update


def _ccm(pages: Pages, shrinkage: float) -> tuple[CCM, Callable]:
    def update(hidden: _Hidden) -> CCM:
        # relevance decides twice: whether an examined result is clicked, and whether a clicked one satisfies
        relevance = _rates(pages, pages.clicks + hidden.satisfied, hidden.examined + pages.clicks, shrinkage)
        goes_on = (hidden.after_skip, hidden.after_click, hidden.after_satisfied)
        return CCM(relevance, tuple(_clipped(_ratio(went, could, 0.5)) for went, could in goes_on))

    return CCM(_start(pages), (0.9, 0.5, 0.5)), update


def _attracted_and_satisfied(pages: Pages, hidden: _Hidden, shrinkage: float) -> tuple[tuple, tuple]:
    attraction = _rates(pages, pages.clicks, hidden.examined, shrinkage)
    return attraction, _rates(pages, hidden.satisfied, pages.clicks, shrinkage)


def _cascade(pages: Pages, shrinkage: float) -> Cascade:
    """By counting: what is above the first click was seen and skipped; further clicks are beyond the model."""
    clicked_above = np.cumsum(pages.clicks, axis=1) - pages.clicks > 0
    return Cascade(_rates(pages, pages.clicks & ~clicked_above, pages.shown & ~clicked_above, shrinkage))


def _browsing(name: str, pages: Pages, shrinkage: float, iterations: int):
    """PBM and UBM: examination is independent, given the rank and (UBM) the last click."""
    k = pages.kinds.shape[1]
    places = _places(name, pages)[pages.shown]
    kinds, clicks = pages.kinds[pages.shown], pages.clicks[pages.shown]
    # all that matters is how often each kind was shown and clicked in each place
    cells, cell = np.unique(kinds * (k * k) + places, return_inverse=True)
    kinds, places = np.divmod(cells, k * k)
    shown, clicked = np.bincount(cell), np.bincount(cell, clicks)
    a, e = np.array(_start(pages)), np.full(k * k, 0.5)
    e[0] = 1.0
    for _ in range(iterations):
        before = np.concatenate([a, e])
        unclicked = (shown - clicked) / np.maximum(1 - a[kinds] * e[places], EDGE)
        attracted = clicked + unclicked * a[kinds] * (1 - e[places])
        examined = clicked + unclicked * e[places] * (1 - a[kinds])
        a = np.array(_rates_of(kinds, attracted, shown, pages.n_kinds, shrinkage))
        e = _clip(_share(np.bincount(places, examined, k * k), np.bincount(places, shown, k * k), 0.5))
        e[0] = 1.0
        if np.abs(np.concatenate([a, e]) - before).max() < TOLERANCE:
            break
    never = (0.0,) * pages.n_kinds
    attraction = tuple(a.tolist())
    if name == "pbm":
        return PBM(attraction, never, tuple(e[np.arange(k) * k].tolist()))
    return UBM(attraction, never, tuple(tuple(e[rank * k : rank * k + rank + 1].tolist()) for rank in range(k)))


def _places(name: str, pages: Pages) -> np.ndarray:
    """The number of the place of each result (n, k): k times its rank, and in the UBM the last click above it."""
    k = pages.kinds.shape[1]
    ranks = np.broadcast_to(np.arange(k), pages.kinds.shape)
    return ranks * k + (_click_above(pages) if name == "ubm" else 0)


def _click_above(pages: Pages) -> np.ndarray:
    """The rank (from 1) of the last click above each rank, 0 where there is none; (n, k)."""
    clicked = np.where(pages.clicks, np.arange(1, pages.kinds.shape[1] + 1), 0)
    return np.insert(np.maximum.accumulate(clicked, axis=1)[:, :-1], 0, 0, axis=1)


def _given_last(model, pages: Pages) -> np.ndarray:
    """P(click) at each rank (n, k) in PBM and UBM, given the clicks above."""
    k = pages.kinds.shape[1]
    table = np.zeros((k, k))
    for rank in range(k):
        table[rank, : rank + 1] = model.examination[rank]
    e = table[np.arange(k), _click_above(pages)]
    return e * np.append(model.attraction, 0.0)[pages.kinds]


def _start(pages: Pages) -> tuple[float, ...]:
    """Attraction to start with: twice the click-through rate of each kind, since not everything shown is examined."""
    rates = np.array(_rates(pages, pages.clicks, pages.shown, 1.0))
    return tuple(np.clip(2 * rates, 0.01, 0.9).tolist())


def _rates(pages: Pages, hits: np.ndarray, trials: np.ndarray, shrinkage: float) -> tuple[float, ...]:
    """sum of hits / sum of trials for each kind, shrunk towards their mean; kinds without a trial get it."""
    shown = pages.shown
    return _rates_of(pages.kinds[shown], hits[shown], trials[shown], pages.n_kinds, shrinkage)


def _rates_of(kinds, hits, trials, n_kinds: int, shrinkage: float) -> tuple[float, ...]:
    hits, trials = np.bincount(kinds, hits, n_kinds), np.bincount(kinds, trials, n_kinds)
    mean = _ratio(hits.sum(), trials.sum(), 0.0)
    return tuple(_clip(_share(hits + shrinkage * mean, trials + shrinkage, mean)).tolist())


def _share(hits: np.ndarray, trials: np.ndarray, otherwise: float) -> np.ndarray:
    return np.divide(hits, trials, out=np.full(len(hits), float(otherwise)), where=trials > 0)


def _ratio(hits: float, trials: float, otherwise: float) -> float:
    return float(hits / trials) if trials > 0 else otherwise


def _clip(values: np.ndarray) -> np.ndarray:
    return np.clip(values, EDGE, 1 - EDGE)


def _clipped(value: float) -> float:
    return float(_clip(np.array(value)))


def _last(pages: Pages) -> np.ndarray:
    """The place of the last click (n,), from 0; -1 without a click."""
    return np.where(pages.clicks, np.arange(pages.kinds.shape[1]), -1).max(axis=1)


def _broadcast(steps, shape: tuple[int, int]) -> tuple[np.ndarray, ...]:
    return tuple(np.broadcast_to(getattr(steps, field.name), shape) for field in fields(steps))
