"""Pooled: which judge orders systems most like a reference over several datasets together, and which are worse?"""

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from alignir.alignment.bootstrap import Resampling
from alignir.alignment.comparison import Sides, certainty, enough, paired_taus
from alignir.alignment.significance import holm

POOLED = ["judge", "tau_b", "ci_low", "ci_high", "spread", "best", "difference", "p_value", "p_holm"]
HERE = "reference"


def pooled(datasets: Sequence[tuple[Sides, np.ndarray]], resampling: Resampling) -> pd.DataFrame:
    """POOLED, a row a judge, best first, of (judges by name, reference) as `comparison` takes them, for each dataset.

    All datasets have the same judges. With tau_d a judge's tau_b on dataset d of D, on the queries that both know:

        tau_b  = mean of tau_d           spread = sqrt(sum (tau_d - tau_b)^2 / (D - 1))
        ci     = tau_b +- the 95% quantile of |tau_b* - tau_b|, tau_b* the mean of taus of resamples

    Each dataset is resampled on its own, so that the interval is about other queries for these datasets, and the spread
    about other datasets. difference, p_value and p_holm are to the best judge, as in `comparison.against_best`, of the
    mean over datasets of differences on the queries that both judges and the reference know; NaN for the best.

    >>> people = np.array([[0.9], [0.8], [0.2], [0.1]])
    >>> found = pooled([({"good": people, "half": side}, people) for side in (people, -people)], Resampling(B=0))
    >>> found[["judge", "tau_b", "spread"]].round(3).values.tolist()
    [['good', 1.0, 0.0], ['half', 0.0, 1.414]]
    """
    names = list(datasets[0][0])
    used = enough(resampling, len(names) - 1)
    own = [_taus(datasets, [(name, name) for name in names], used, place) for place in range(len(datasets))]
    rows: dict[Hashable, tuple] = {}
    for name in names:
        taus = np.stack([of_one[name, name][0] for of_one in own])
        mean = taus.mean(axis=0)
        low, high, _ = certainty(mean[0], mean[1:], used.method)
        spread = taus[:, 0].std(ddof=1) if len(taus) > 1 else np.nan
        rows[name] = (name, mean[0], *np.clip((low, high), -1, 1), spread)
    names.sort(key=lambda name: -np.nan_to_num(rows[name][1], nan=-2))
    best, *others = names
    pairs = [_taus(datasets, [(name, best) for name in others], used, place) for place in range(len(datasets))]
    lines = [(*rows[best], best, 0.0, np.nan)]
    for name in others:
        apart = np.mean([left - right for left, right in (of_one[name, best] for of_one in pairs)], axis=0)
        lines.append((*rows[name], best, apart[0], certainty(apart[0], apart[1:], used.method)[2]))
    found = pd.DataFrame(lines, columns=POOLED[:-1])
    return found.assign(p_holm=holm(found["p_value"].to_numpy()))


def _taus(
    datasets: Sequence[tuple[Sides, np.ndarray]], pairs: list, resampling: Resampling, place: int
) -> dict[tuple, tuple[np.ndarray, np.ndarray]]:
    """By pair of judges their taus on a dataset: the sample's, then those of its resamples, which it has of its own."""
    judges, reference = datasets[place]
    triples = [(HERE, *pair) for pair in pairs]
    found = paired_taus(judges, {HERE: reference}, triples, resampling._replace(seed=resampling.seed + place))
    return {triple[1:]: both for triple, both in found.items()}
