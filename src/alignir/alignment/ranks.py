"""Ranks: how good is each system, where does it stand, whom does it beat, and what can these queries show at all?

Values are arrays (systems, queries) in which every system has a value for every query.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from alignir.alignment.bootstrap import Resampling, plain_means, query_weights, weighted_means
from alignir.alignment.significance import ALPHA, differences, holm, t_test
from alignir.alignment.ties import settled

STANDING = ["system", "score", "ci_low", "ci_high", "rank", "rank_low", "rank_high", "beats", "beaten_by"]
BEATS = ["better", "worse", "difference", "ci_low", "ci_high", "p_value", "p_holm"]
LEVEL, POWER = 0.95, 0.8
MIDDLE = (0.025, 0.975)  # where the middle LEVEL of resamples begins and ends


def ranks(means: np.ndarray) -> np.ndarray:
    """1 + the number of systems with a higher mean, along the last axis: of a tie all have the best rank.

    >>> ranks(np.array([0.5, 0.7, 0.5, 0.1]))
    array([2, 1, 2, 4])
    """
    from scipy.stats import rankdata

    return rankdata(-settled(means), method="min", axis=-1).astype(int)


def standing(values: np.ndarray, systems: Sequence[str], resampling: Resampling) -> pd.DataFrame:
    """STANDING, a row a system: its mean score, its rank, and how many systems it beats, in the order of the rows.

    ci        mean +- t(.975, Q - 1) s / sqrt(Q): the t-interval over the queries
    rank      as `ranks` has it; its interval is the middle 95% of the ranks in resamples of the queries, whatever the
              setting resamples: a system has no rank among copies of itself
    beats, beaten_by
              of `beats`, the pairs with Holm's p <= ALPHA

    Share of the 95% intervals of ranks that hold the true one, the mean over 46 systems (measured on normal
    populations, two of them with the moments of DL19): .95 to .98 for 43 and 200 queries, of the single system held
    least often .81; where systems are all but equal .83 to .89, and .06 of a single one: resampling draws ranks to the
    middle. The bounds 1 + beaten_by to S - beats held all of them, and are 1.4 to 2.7 times as wide.
    Intervals of ranks are NaN without resamples; for a single query they, ci, beats and beaten_by are.

    >>> found = standing(np.array([[0.1, 0.2, 0.3], [0.9, 1.0, 0.8]]), ["bad", "good"], Resampling(B=50))
    >>> found[["system", "rank", "rank_low", "rank_high", "beats", "beaten_by"]].values.tolist()
    [['bad', 2, 2, 2, 0, 1], ['good', 1, 1, 1, 1, 0]]
    """
    means = plain_means(values)
    reach = _reach(values.var(axis=1, ddof=1) if values.shape[1] > 1 else np.nan, values.shape[1])
    low, high = _ranks_of_resamples(values, resampling)
    found = beats(values, systems)
    significant = found[found["p_holm"] <= ALPHA]
    none = 0 if values.shape[1] > 1 else np.nan  # no test was made
    wins, losses = (significant[side].value_counts().reindex(systems, fill_value=none) for side in ("better", "worse"))
    columns = [
        systems,
        means,
        means - reach,
        means + reach,
        ranks(means),
        low,
        high,
        wins.to_numpy(),
        losses.to_numpy(),
    ]
    return pd.DataFrame(dict(zip(STANDING, columns, strict=True)))


def _ranks_of_resamples(values: np.ndarray, resampling: Resampling) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the middle 95% of every system's ranks in resamples of the queries: (S,) each."""
    n_systems, n_queries = values.shape
    if not resampling.B or n_queries < 2:
        return np.full(n_systems, np.nan), np.full(n_systems, np.nan)
    drawn = ranks(weighted_means(values, query_weights(n_queries, resampling.B, resampling.rng())))
    low, high = np.quantile(drawn, MIDDLE, axis=0, method="inverted_cdf")
    return low, high


def beats(values: np.ndarray, systems: Sequence[str]) -> pd.DataFrame:
    """Who beats whom: BEATS, a row a pair of systems, the most certain first.

    The system with the higher mean is `better`; difference is its mean less the other's, with its 95% t-interval over
    the queries, mean +- t(.975, Q - 1) s / sqrt(Q) of the differences by query. p_value is that of the two-sided paired
    t-test, p_holm Holm's over all pairs: as in `significance.pairwise`, A beats B where it is at most ALPHA.

    >>> beats(np.array([[0.1, 0.2, 0.3], [0.9, 1.0, 0.8]]), ["bad", "good"])[["better", "worse"]].values.tolist()
    [['good', 'bad']]
    """
    mean, variance, n = differences(values)
    _, p_values = t_test(mean, variance, n)
    reach = _reach(variance, values.shape[1])
    first, second = (np.asarray(systems, dtype=object)[side] for side in np.triu_indices(len(systems), 1))
    better, worse = np.where(mean < 0, (second, first), (first, second))
    size = np.abs(mean)
    columns = [better, worse, size, size - reach, size + reach, p_values, holm(p_values)]
    found = pd.DataFrame(dict(zip(BEATS, columns, strict=True)))
    return found.sort_values(["p_value", "difference"], ascending=[True, False], kind="stable", ignore_index=True)


def _reach(variance: np.ndarray | float, n: int):
    """How far the 95% t-interval of a mean of n values with this variance reaches to either side; NaN for one value."""
    from scipy.stats import t as student

    return student.ppf((1 + LEVEL) / 2, n - 1) * np.sqrt(variance / n) if n > 1 else np.nan


class Shown(NamedTuple):
    """What queries can show of systems."""

    smallest: float  # difference that they show
    median: float  # of the differences that there are
    apart: float  # how many pairs of which one beats the other
    pairs: int


def shown(values: np.ndarray) -> Shown:
    """What these queries can show: the smallest difference of two means that a paired t-test finds with power .8.

    smallest = (t(1 - ALPHA / 2, Q - 1) + t(POWER, Q - 1)) s / sqrt(Q), without a correction for several pairs; s^2 is
    the variance of the differences by query, the mean over all pairs of the systems (pooled, as in Sakai's topic set
    size design, Information Retrieval 2016). median: of the absolute differences of the pairs; apart: how many of them
    have Holm's p <= ALPHA, over the pairs of these systems. NaN for fewer than two systems or queries, but with a
    single query for the median.

    >>> shown(np.array([[0.5, 0.75, 0.25], [0.75, 0.5, 0.625]]))
    Shown(smallest=1.024..., median=0.125, apart=0, pairs=1)
    """
    from scipy.stats import t as student

    n_queries = values.shape[1]
    mean, variance, n = differences(values)
    if not len(mean):
        return Shown(np.nan, np.nan, 0, 0)
    if n_queries < 2:
        return Shown(np.nan, float(np.median(np.abs(mean))), np.nan, len(mean))
    both = student.ppf(1 - ALPHA / 2, n_queries - 1) + student.ppf(POWER, n_queries - 1)
    apart = int(np.count_nonzero(holm(t_test(mean, variance, n)[1]) <= ALPHA))
    return Shown(float(both * np.sqrt(variance.mean() / n_queries)), float(np.median(np.abs(mean))), apart, len(mean))
