"""Simulation: what happens in a session with a click model on rankings of grades, in expectation or by sampling."""

from collections.abc import Callable, Iterator

import numpy as np

from alignir.data.scales import FOUR
from alignir.users.behaviour import ClickModel
from alignir.users.dwell import Dwell
from alignir.users.metrics import Metrics, PerSession

AT_ONCE = 1 << 17  # sessions in memory at a time: few enough to stay in the processor's cache


def exact(model: ClickModel, grades: np.ndarray, kinds: np.ndarray, dwell: Dwell, metrics: Metrics) -> PerSession:
    """Expectations for rankings of grades (n, k), -1 = no result shown; the model sees `kinds` (n, k) of results.

    Kinds are the grades, or the numbers of query-document pairs.

    >>> from alignir.users.click_models import DBN
    >>> grades = np.array([[3, 0]])
    >>> exact(DBN(), grades, grades, Dwell(), Metrics()).seconds.round(2).tolist()
    [52.71]
    """
    behaviour, ranks = model.expect(kinds), np.arange(1, grades.shape[1] + 1)
    clicks = behaviour.clicks.sum(axis=1)
    long = np.full(len(grades), np.nan)  # worth its time only where it is asked for
    if metrics.success == "dwell":
        long = model.marked(kinds, dwell.at_least(metrics.long_dwell, grades))
    return PerSession(
        results=(grades >= 0).sum(axis=1),
        clicks=clicks,
        timed=clicks,
        seconds=(behaviour.clicks * dwell.expect(grades)).sum(axis=1),
        satisfied=behaviour.satisfied,
        long=long,
        no_click=behaviour.no_click,
        first=behaviour.first @ ranks,
        last=behaviour.last @ ranks,
        **_nothing(grades, metrics),
    )


def sampled(
    model: ClickModel,
    grades: np.ndarray,
    kinds: np.ndarray,
    dwell: Dwell,
    metrics: Metrics,
    sessions: int,
    rng: np.random.Generator,
    advance: Callable[[int], object] = lambda done: None,
) -> PerSession:
    """Averages over `sessions` sampled sessions on each ranking, else as `exact`; memory does not grow with them.

    `advance` is told how many more sessions are done, whenever some are.

    >>> from alignir.users.click_models import DBN
    >>> grades = np.array([[3, 0]])
    >>> found = sampled(DBN(), grades, grades, Dwell(), Metrics(), 1000, np.random.default_rng(0))
    >>> bool(abs(found.clicks[0] - 0.896) < 0.05)
    True
    """
    n, _ = grades.shape
    sums = {name: np.zeros(n) for name in ("clicks", "seconds", "satisfied", "long", "no_click", "first", "last")}
    for rows, size in _pieces(n, sessions):
        for name, values in _sums(model, grades[rows], kinds[rows], dwell, metrics.long_dwell, size, rng).items():
            sums[name][rows] += values
        advance(len(grades[rows]) * size)
    means = {name: values / sessions for name, values in sums.items()}
    return PerSession(results=(grades >= 0).sum(axis=1), timed=means["clicks"], **means, **_nothing(grades, metrics))


def _pieces(n: int, sessions: int) -> Iterator[tuple[slice, int]]:
    """(rows, sessions on each) so that no more than AT_ONCE sessions are in memory."""
    rows = max(1, AT_ONCE // sessions)
    for start in range(0, n, rows):
        for done in range(0, sessions, AT_ONCE):
            yield slice(start, start + rows), min(AT_ONCE, sessions - done)


def _sums(model, grades, kinds, dwell: Dwell, long_dwell: float, sessions: int, rng) -> dict[str, np.ndarray]:
    drawn = model.sample(kinds, sessions, rng)
    n = len(grades)
    ranks, rows, places = np.nonzero(np.moveaxis(drawn.clicks, 2, 0))  # ranks ascend
    seconds = dwell.sample(grades[rows, ranks], rng)
    long = np.zeros((n, sessions), dtype=bool)
    enough = seconds >= long_dwell
    long[rows[enough], places[enough]] = True
    first, last = np.zeros((n, sessions), dtype=np.int16), np.zeros((n, sessions), dtype=np.int16)
    last[rows, places] = ranks + 1  # of several values for one place, the last one stays
    first[rows[::-1], places[::-1]] = ranks[::-1] + 1
    return {
        "clicks": np.bincount(rows, minlength=n),
        "seconds": np.bincount(rows, seconds, minlength=n),
        "satisfied": drawn.satisfied.sum(axis=1),
        "long": long.sum(axis=1),
        "no_click": (last == 0).sum(axis=1),
        "first": first.sum(axis=1),
        "last": last.sum(axis=1),
    }


def _nothing(grades: np.ndarray, metrics: Metrics) -> dict[str, np.ndarray]:
    """Where nothing relevant, and where nothing at all is shown."""
    first = FOUR.relevant_from if metrics.relevant_from is None else metrics.relevant_from
    return {
        "no_relevant": (grades < first).all(axis=1).astype(float),
        "no_results": (grades < 0).all(axis=1).astype(float),
    }
