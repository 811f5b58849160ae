"""Circularity: what is left of alignment where systems re-rank their results by the labels that then score them?

Sides are mean scores (systems, 2) as frames with the columns `baseline` and `judge`, a row a system: `before`, and
`after` all systems have re-ranked. Systems do not see each other, so that any choice of them is rows of the two.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from alignir.alignment.bootstrap import Resampling, choices, matrices, middle, taus
from alignir.alignment.comparison import change
from alignir.alignment.tau import common
from alignir.frames import BASELINE

JUDGE = "judge"
SIDES = [BASELINE, JUDGE]
HIGH = 0.95  # of nDCG by the judge: systems so near to its ideal ranking are hardly told apart by it
CIRCLE = ["re_ranked", "tau_b", "ci_low", "ci_high", "above", *SIDES, "draws"]


def circle(
    before: pd.DataFrame, after: pd.DataFrame, counts: Iterable[int], draws: int, rng: np.random.Generator
) -> pd.DataFrame:
    """tau_b of the two sides where so many systems re-rank: one row a count.

    CIRCLE: re_ranked; tau_b, the mean over all choices of so many systems, or `draws` random ones, and ci_low and
    ci_high, the middle 95% of them; above, the mean number of systems whose score by the judge is over HIGH; the
    systems' mean score by either side; draws, the number of choices. Taus that are undefined are left out.

    >>> before = pd.DataFrame({"baseline": [0.2, 0.4, 0.6], "judge": [0.3, 0.5, 0.7]})
    >>> after = pd.DataFrame({"baseline": [0.3, 0.5, 0.6], "judge": [0.99, 0.98, 0.97]})
    >>> circle(before, after, (0, 1, 3), 100, np.random.default_rng(0))[["tau_b", "above"]].round(3).values.tolist()
    [[1.0, 0.0], [0.333, 1.0], [-1.0, 3.0]]
    """
    plain, changed = before[SIDES].to_numpy(float), after.loc[before.index, SIDES].to_numpy(float)
    rows = []
    for count in counts:
        chosen, _ = choices(len(plain), count, draws, rng)
        mixed = np.where(chosen[:, :, None], changed, plain)  # (choices, systems, sides)
        found = taus(mixed[:, :, 0], mixed[:, :, 1])
        known = found[~np.isnan(found)]
        ends = (np.mean(known), *middle(known, 0.95)) if len(known) else (np.nan,) * 3
        above = (mixed[:, :, 1] > HIGH).sum(axis=1).mean()
        rows.append((count, *ends, above, *np.nanmean(mixed, axis=(0, 1)), len(chosen)))
    return pd.DataFrame(rows, columns=CIRCLE)


def alone(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """What each system wins where it alone re-ranks and all others stay as they are: a row a system.

    For either side: SIDE_before and SIDE_after, its mean score; SIDE_rank_before and SIDE_rank_after among all systems,
    from 1, the best; systems that tie share the better rank.

    >>> before = pd.DataFrame({"baseline": [0.2, 0.4, 0.6], "judge": [0.3, 0.5, 0.7]}, index=["a", "b", "c"])
    >>> found = alone(before, before + 0.3)
    >>> found[["judge_rank_before", "judge_rank_after"]].values.tolist()
    [[3, 2], [2, 1], [1, 1]]
    """
    columns: dict[str, pd.Series] = {}
    for side in SIDES:
        plain, changed = before[side], after.loc[before.index, side]
        columns |= {f"{side}_before": plain, f"{side}_after": changed}
        for when, scores in (("before", plain), ("after", changed)):
            better = plain.to_numpy()[None, :] > scores.to_numpy()[:, None]  # itself too, where it has lost
            np.fill_diagonal(better, False)
            columns[f"{side}_rank_{when}"] = pd.Series(1 + better.sum(axis=1), index=before.index)
    return pd.DataFrame(columns)


def loss(
    before: tuple[pd.DataFrame, pd.DataFrame], after: tuple[pd.DataFrame, pd.DataFrame], resampling: Resampling
) -> dict[str, float]:
    """What re-ranking by all systems does to tau_b; (SCORES by the judge, by the baseline) of one measure, each time.

    before, after: tau_b; difference = after - before, with its 95% interval, ci_low and ci_high, from the same
    resamples for both; NaN without resamples.
    """
    plain, changed = (matrices(*common(*sides)) for sides in (before, after))
    return change((plain.left, plain.right), (changed.left, changed.right), resampling)._asdict()
