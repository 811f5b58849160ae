"""Pairs: would a judge have decided between two systems as users did?"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from alignir.alignment.significance import ALPHA, paired_t

LEVEL = 0.95


class Share(NamedTuple):
    """k of n, with Wilson's 95% interval of k / n; NaN where n is 0."""

    k: int
    n: int

    @property
    def value(self) -> float:
        return self.k / self.n if self.n else np.nan

    @property
    def interval(self) -> tuple[float, float]:
        """As if the n were independent.

        >>> [round(end, 3) for end in Share(8, 10).interval]
        [0.49, 0.943]
        """
        from scipy.stats import binomtest

        if not self.n:
            return np.nan, np.nan
        ends = binomtest(self.k, self.n).proportion_ci(LEVEL, method="wilson")
        return float(ends.low), float(ends.high)


class Agreement(NamedTuple):
    """How far a judge decides as users did, over pairs of systems."""

    signs: Share  # same sign of both differences, of the pairs with a difference for users
    decided: Share  # the same of pairs that users decided: their interval leaves 0 out
    missed: Share  # of these, pairs that the judge does not decide
    wrong: Share  # of these, pairs that the judge decides the other way
    unproven: Share  # of pairs that users did not decide though their interval is known, those that the judge does


def judged(outcomes: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """OUTCOMES with what a judge says of each pair: `judged`, the difference of mean scores, and paired t's `p_value`.

    `scores`: a row a system, a column a query, NaN where there is no score. Pairs of which one has none are left out.
    """
    outcomes = outcomes[outcomes["system_a"].isin(scores.index) & outcomes["system_b"].isin(scores.index)]
    found = []
    for a, b in zip(outcomes["system_a"], outcomes["system_b"], strict=True):
        both = scores.loc[[a, b]].dropna(axis=1).to_numpy(float)
        _, p_value = paired_t(both)
        found.append((np.mean(both[0] - both[1]) if both.size else np.nan, p_value[0]))
    values = pd.DataFrame(found, columns=["judged", "p_value"], index=outcomes.index)
    return pd.concat([outcomes, values.astype(float)], axis=1).dropna(subset="judged")


def agreement(pairs: pd.DataFrame, alpha: float = ALPHA) -> Agreement:
    """Of pairs as `judged` gives them, of one metric. The judge decides where its p is at most alpha, each pair alone.

    A judge that ties two systems has no sign, and does not agree. Pairs whose interval is unknown count for signs only.

    >>> pairs = [(0.2, 0.1, 0.3, 0.05, 0.01), (0.2, 0.1, 0.3, -0.05, 0.01), (0.1, -0.1, 0.3, 0.05, 0.5)]
    >>> found = agreement(pd.DataFrame(pairs, columns=["difference", "ci_low", "ci_high", "judged", "p_value"]))
    >>> found.signs, found.decided, found.missed, found.wrong
    (Share(k=2, n=3), Share(k=1, n=2), Share(k=0, n=2), Share(k=1, n=2))
    """
    users, judge = np.sign(pairs["difference"]), np.sign(pairs["judged"])
    known = pairs["ci_low"].notna()
    by_users = known & ((pairs["ci_low"] > 0) | (pairs["ci_high"] < 0))
    by_judge = pairs["p_value"] <= alpha
    different, same = users != 0, users == judge

    def share(some: pd.Series, of: pd.Series) -> Share:
        return Share(int((some & of).sum()), int(of.sum()))

    return Agreement(
        share(same, different),
        share(same, by_users),
        share(~by_judge, by_users),
        share(by_judge & ~same, by_users),
        share(by_judge, known & ~by_users),
    )
