"""Significance: which system beats which, and do two sides draw the same conclusions?"""

import numpy as np
import pandas as pd

ALPHA = 0.05  # what p must not exceed, wherever a difference is called significant
UNSURE = f"cannot be told from 0: p > {ALPHA}, or 0 is in the 95% interval"  # what ° beside a tau says
OUTCOMES = ("concordant", "discordant", "missed", "false_alarm", "neither")


def pairwise(left: np.ndarray, reference: np.ndarray, alpha: float = ALPHA) -> pd.DataFrame:
    """Do left (S, Q) and reference (S, Q) agree on who beats whom? `count` and `share` of all pairs of systems.

    concordant   significant on both sides, the same system is better
    discordant   significant on both sides, but the other is better
    missed       significant in the reference only
    false_alarm  significant in left only
    neither      significant on neither side

    A side's test is the two-sided paired t-test over its queries, significant where Holm's p over all of that side's
    pairs is at most alpha. Holm and not Benjamini-Hochberg: pairs that share a system depend on each other in either
    direction, under which Holm holds and Benjamini-Hochberg need not; and each single "A beats B" is a claim that
    somebody acts on. Pairs without a test on either side (fewer than two queries in common) are left out of all counts;
    the shares are NaN where no pair is left.
    """
    (t_left, p_left), (t_reference, p_reference) = paired_t(left), paired_t(reference)
    tested = ~np.isnan(p_left) & ~np.isnan(p_reference)
    here, there = (holm(p) <= alpha for p in (p_left, p_reference))  # NaN is not
    same = np.sign(t_left) == np.sign(t_reference)
    found = (here & there & same, here & there & ~same, ~here & there, here & ~there, ~here & ~there)
    counts = np.array([np.count_nonzero(outcome & tested) for outcome in found])
    shares = counts / counts.sum() if counts.any() else np.nan
    return pd.DataFrame({"count": counts, "share": shares}, index=pd.Index(OUTCOMES, name="outcome"))


def paired_t(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(t, two-sided p) of the paired t-test of every two rows of values (S, Q), in the order of np.triu_indices(S, 1).

    Positive where the earlier row is better. A query that either lacks (NaN) takes no part. Two rows that are equal
    throughout have t 0 and p 1, where scipy's ttest_rel has NaN; NaN for fewer than two queries.
    """
    return t_test(*differences(values))


def t_test(mean: np.ndarray, variance: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`paired_t` from what `differences` gives."""
    from scipy.stats import t as student

    with np.errstate(invalid="ignore", divide="ignore"):
        statistic = np.where((mean == 0) & (variance == 0), 0, mean / np.sqrt(variance / n))
    return statistic, 2 * student.sf(np.abs(statistic), np.where(n > 1, n - 1, np.nan))


def differences(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(mean, variance, n) of the differences of every two rows of values (S, Q) over the n columns that both have.

    In the order of np.triu_indices(S, 1), the earlier row less the later one. The variance is that of a sample, with
    n - 1; NaN for fewer than two.

    >>> [each.tolist() for each in differences(np.array([[0.5, 0.9, 0.4], [0.25, 0.15, np.nan]]))]
    [[0.5], [0.125], [2]]
    """
    means, variances, counts = [np.empty(0)], [np.empty(0)], [np.empty(0, dtype=int)]
    for row in range(len(values) - 1):  # each against those after it: all pairs at once may not fit in memory
        apart = values[row] - values[row + 1 :]
        valued = ~np.isnan(apart)
        n = valued.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(valued, apart, 0).sum(axis=1) / n
            squares = (np.where(valued, apart - mean[:, None], 0) ** 2).sum(axis=1)
            variances.append(np.where(n > 1, squares / (n - 1), np.nan))
        means.append(mean)
        counts.append(n)
    return np.concatenate(means), np.concatenate(variances), np.concatenate(counts)


def holm(p_values: np.ndarray) -> np.ndarray:
    """Holm's step-down adjusted p-values (Scandinavian Journal of Statistics, 1979); NaN takes no part and stays NaN.

    The k-th smallest of m is multiplied by m - k + 1; none is smaller than the one before it, or larger than 1.
    """
    p_values = np.asarray(p_values, dtype=float)
    order = np.argsort(p_values)[: np.count_nonzero(~np.isnan(p_values))]  # NaN sorts last
    adjusted = np.full(p_values.shape, np.nan)
    adjusted[order] = np.maximum.accumulate(p_values[order] * np.arange(len(order), 0, -1)).clip(max=1)
    return adjusted
