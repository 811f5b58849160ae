"""Top: do two sides put the best systems in the same order? Decisions are made among these; most of tau_b is not.

Sides are arrays (systems, queries) with the same rows and columns, NaN where there is no value.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from alignir.alignment.bootstrap import Resampling, ends, plain_means, sample_and_resamples, taus, weighted_means

AMONG = ["judge", "top", "tau_b", "ci_low", "ci_high"]

Sides = Mapping[Any, np.ndarray]


def best(reference: np.ndarray, k: int) -> np.ndarray:
    """The rows of the k best systems by their means of reference (S, Q), the best first; of a tie the earlier row.

    >>> best(np.array([[0.1, 0.1], [0.2, 0.4], [0.3, 0.1]]), 2)
    array([1, 2])
    """
    means = plain_means(reference)
    return np.argsort(-means, kind="stable")[: min(k, np.count_nonzero(~np.isnan(means)))]  # NaN sorts last


def among_best(judges: Sides, reference: np.ndarray, ks: Sequence[int], resampling: Resampling) -> pd.DataFrame:
    """tau_b with the reference among its k best systems, and the 95% interval: AMONG, a row a judge and k.

    Which systems these are is settled once, by all queries that the reference knows, so that every judge and every
    resample is about the same k. tau_b and interval are then those of `bootstrap.tau_interval` for these systems, on
    the queries that both sides know, by the same draws: for k of all systems they are Table 1's. Resamples of systems
    are drawn from the k.

    >>> people = np.array([[0.9], [0.8], [0.2], [0.1]])
    >>> judge = np.array([[0.5], [0.6], [0.2], [0.1]])  # has the two best the wrong way round
    >>> among_best({"judge": judge}, people, [2, 4], Resampling(B=0))["tau_b"].round(3).tolist()
    [-1.0, 0.667]
    """
    rows = best(reference, max(ks, default=0))
    alike: dict[bytes, list[Hashable]] = {}  # judges that know the same queries: the reference is resampled once
    for judge, values in judges.items():
        known = ~(np.isnan(values).all(axis=0) | np.isnan(reference).all(axis=0))
        alike.setdefault(known.tobytes(), []).append(judge)
    found: dict[tuple[Hashable, int], np.ndarray] = {}
    for same, some in alike.items():
        queries = np.frombuffer(same, dtype=bool)
        sides = [side[:, queries] for side in (reference, *(judges[judge] for judge in some))]
        for k, (people, *others) in _resampled(sides, rows, ks, resampling):
            found |= {(judge, k): taus(means, people) for judge, means in zip(some, others, strict=True)}
    lines = [(*each, found[each][0], *ends(found[each], resampling.method)) for each in product(judges, ks)]
    return pd.DataFrame(lines, columns=AMONG)


def ceilings(reference: np.ndarray, ks: Sequence[int], resampling: Resampling) -> dict[int, float]:
    """By k: the mean tau_b of the reference on resampled queries with itself on all, among its k best systems.

    As a resample is to the sample, the sample is to all queries there could be: an estimate of how far the reference's
    labels of so many queries order these systems as its labels of all such queries would. Only one side is noisy: two
    samples of queries agree less with each other. A judge can stand above it, which labels the very queries that it is
    measured on and shares their noise. NaN without resamples, and for a single query.

    >>> close, apart = [0.50, 0.51, 0.49], [0.9, 0.5, 0.1]  # scores of three queries by system
    >>> noise = np.random.default_rng(0).normal(0, 0.1, (3, 20))
    >>> [round(ceilings(np.array(means)[:, None] + noise, [3], Resampling(99))[3], 1) for means in (close, apart)]
    [0.6, 1.0]
    """
    found, rows = {}, best(reference, max(ks, default=0))
    for k, (means,) in _resampled([reference], rows, ks, resampling._replace(over="queries")):
        among = taus(means, means[:1])[1:]
        known = among[~np.isnan(among)]
        found[k] = float(known.mean()) if len(known) else np.nan
    return found


def _resampled(
    sides: Sequence[np.ndarray], rows: np.ndarray, ks: Sequence[int], resampling: Resampling
) -> Iterator[tuple[int, list[np.ndarray]]]:
    """For each k the means of every side in the first k rows, in the sample and in its resamples: (1 + B, k) each.

    Systems are drawn in the order that the sides have, so that for all of them the draws are those of Table 1.
    """
    if resampling.over == "queries":
        weights = sample_and_resamples(sides[0].shape[1], resampling)
        means = [weighted_means(side[rows], weights) for side in sides]
        for k in ks:
            yield k, [each[:, :k] for each in means]
    else:
        plain = [plain_means(side) for side in sides]
        for k in ks:
            some = np.sort(rows[:k])
            drawn = some[sample_and_resamples(len(some), resampling)]
            yield k, [each[drawn] for each in plain]
