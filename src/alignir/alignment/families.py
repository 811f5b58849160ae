"""Families: does a judge favour systems that are built on its own kind of model, or on another?"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from alignir.alignment.bootstrap import Resampling, choices, matrices, sample_and_resamples, weighted_means
from alignir.alignment.comparison import certainty, change
from alignir.alignment.tau import common

PERMUTATIONS = 10_000  # of systems' labels: all there are, where they are fewer
KINDS = ("score", "rank")
SHIFTS = ["family", "n_systems", *(f"{kind}{what}" for kind in KINDS for what in ("", "_low", "_high", "_p"))]


def shifts(
    scores: pd.DataFrame, baseline: pd.DataFrame, families: Mapping[str, Sequence[str]], resampling: Resampling
) -> pd.DataFrame:
    """How a judge moves a family of systems against all others, of two SCORES of one measure: SHIFTS, a row a family.

    With d the systems' mean score by the judge less that by the baseline, on the queries of both,

        score = mean of d in the family - mean of d outside

    above 0 where the judge is milder to the family than to others, in units of the measure. `rank` is the same with d
    the rank by the baseline less that by the judge (1 is best, ties at their mean rank), in ranks: above 0 where the
    family stands higher by the judge. A scale that is wider or milder as a whole moves scores, and no ranks.

    _low and _high: the 95% interval from B resamples of the queries, by `resampling.method` as `comparison.certainty`
    makes it; NaN without resamples. _p: two-sided, how often a random choice of as many systems is moved as far,

        p = number of |score*| >= |score| / number of choices            all choices, where there are PERMUTATIONS
        p = (1 + number of |score*| >= |score|) / (1 + PERMUTATIONS)     else random ones

    A family of one among n systems cannot have a p below 1 / n. NaN for a family of no system or of all.

    >>> scores = pd.DataFrame({"system": list("abcd"), "query_id": "q", "measure": "m", "value": [0.9, 0.3, 0.4, 0.5]})
    >>> baseline = scores.assign(value=[0.2, 0.3, 0.4, 0.5])
    >>> found = shifts(scores, baseline, {"own": ["a"]}, Resampling(B=0))
    >>> found[["n_systems", "score", "score_p", "rank", "rank_p"]].round(3).values.tolist()
    [[1.0, 0.7, 0.25, 4.0, 0.25]]
    """
    left, right, systems, query_ids = matrices(*common(scores, baseline))
    drawn = sample_and_resamples(len(query_ids), resampling._replace(over="queries"))
    judged, people = weighted_means(left, drawn), weighted_means(right, drawn)  # (1 + B, S)
    moved = {"score": judged - people, "rank": _ranks(people) - _ranks(judged)}
    rows = []
    for family, members in families.items():
        own = np.isin(systems, list(members))
        row: list = [family, int(own.sum())]
        for kind in KINDS:
            found = _against_others(moved[kind], own[None])
            low, high, _ = certainty(found[0], found[1:], resampling.method)
            row += [found[0], low, high, _p_value(moved[kind][0], own, resampling.rng())]
        rows.append(row)
    return pd.DataFrame(rows, columns=SHIFTS)


def _against_others(moved: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The mean of moved (b, S) where own (b, S) says so, less that of the others: (b,); one row stands for all."""
    known = ~np.isnan(moved)
    values = np.where(known, moved, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (values * own).sum(axis=1) / (known & own).sum(axis=1) - (values * ~own).sum(axis=1) / (
            known & ~own
        ).sum(axis=1)


def _p_value(moved: np.ndarray, own: np.ndarray, rng: np.random.Generator) -> float:
    """Of moved (S,), two-sided: how often a random family of this size is moved as far against the others."""
    observed = abs(_against_others(moved[None], own[None])[0])
    if np.isnan(observed):
        return np.nan
    random, every = choices(len(moved), int(own.sum()), PERMUTATIONS, rng)
    found = np.abs(_against_others(moved[None], random))
    as_far = np.count_nonzero(found >= observed - 1e-12)  # equal shifts come out of different sums
    return as_far / len(found) if every else (1 + as_far) / (1 + len(found))


def _ranks(means: np.ndarray) -> np.ndarray:
    """Ranks of systems in each row of means (b, S), 1 the highest, ties at their mean rank; NaN where there is none."""
    from scipy.stats import rankdata

    return rankdata(-means, axis=1, nan_policy="omit")


def without(own: list[str], scores: pd.DataFrame, baseline: pd.DataFrame, resampling: Resampling) -> dict[str, float]:
    """Alignment of two SCORES of one measure with all systems, and without a judge's `own`, on the queries of both.

    left_out: the number of its own systems; tau_all; tau_b of the others; difference = tau_b - tau_all with its 95%
    interval, ci_low and ci_high, from resamples of the queries or of all systems, the same ones for both; moved: 1
    where 0 lies outside of that interval, 0 where it lies inside. NaN where one of the taus is undefined; the interval
    and `moved` also without resamples.
    A judge that is fair moves too, where its own systems happen to be easy or hard to order.
    """
    sides = common(scores, baseline)
    left, right, systems, _ = matrices(*sides)
    is_own = np.isin(systems, own)
    others = np.where(is_own[:, None], np.nan, left)  # a system without a value takes no part
    tau_all, tau, difference, low, high = change((left, right), (others, right), resampling)
    found = {
        "left_out": is_own.sum(),
        "tau_all": tau_all,
        "tau_b": tau,
        "difference": difference,
        "ci_low": low,
        "ci_high": high,
        "moved": np.nan if np.isnan(low) else low > 1e-12 or high < -1e-12,
    }
    return {name: float(value) for name, value in found.items()}
