"""Correlations: other answers than tau_b to how alike two sides order the systems, most of them top-weighted.

Each takes two series of systems' values, higher is better (turn the sign where lower is), joined by system name; a
system that lacks a value on either side takes no part. NaN where fewer than two systems are left, and where either side
ties them all: no order there. `left` is what is judged, `reference` what it is judged by.
"""

import numpy as np
import pandas as pd

from alignir.alignment.ties import settled
from alignir.errors import InputError, one_of

TIES = ("a", "b")


def spearman(left: pd.Series, reference: pd.Series) -> float:
    """Spearman's rho, ties at their mean rank, -1 to 1."""
    from scipy.stats import spearmanr

    left, reference = _joined(left, reference)
    return float(spearmanr(left, reference).statistic) if _ordered(left, reference) else np.nan


def pearson(left: pd.Series, reference: pd.Series) -> float:
    """Pearson's correlation of the values themselves, -1 to 1."""
    from scipy.stats import pearsonr

    left, reference = _joined(left, reference)
    return float(pearsonr(left, reference).statistic) if _ordered(left, reference) else np.nan


def tau_ap(left: pd.Series, reference: pd.Series, ties: str = "b") -> float:
    """AP correlation (Yilmaz, Aslam and Robertson, SIGIR 2008), which weighs swaps at the top of left more; -1 to 1.

    With C_i the systems above left's i-th that reference too puts above it: 2 / (n - 1) sum_{i>1} C_i / (i - 1) - 1.
    Ties as Urbano and Marrero (ICTIR 2017):

    a  left estimates a true order: the mean over all ways to break left's ties. NaN where the reference has ties.
    b  two judges of equal standing: the mean of both directions. A tie group stands at its first rank p and leaves its
       own members out, 2 / (n - t_1) sum_{p_i>1} C_i / (p_i - 1) - 1, t_1 the size of the group at the top. Pairs that
       the other side alone ties count as not agreed.
    """
    if ties not in TIES:
        raise one_of("ties", ties, TIES)
    left, reference = _joined(left, reference)
    if not _ordered(left, reference) or (ties == "a" and len(np.unique(reference)) < len(reference)):
        return np.nan
    if ties == "b":
        return (_tau_ap_leaving_ties(left, reference) + _tau_ap_leaving_ties(reference, left)) / 2
    agreed, first, size = _above(left, reference), _first_rank(left), _group_size(left)
    total = 0.0
    for above, p, t in zip(agreed, first, size, strict=True):
        # The system is equally often at each of its group's ranks; half of the group that is above it is so rightly.
        ranks = np.arange(max(p, 2), p + t)
        total += ((above + (ranks - p) / 2) / (ranks - 1)).sum() / t
    return float(2 / (len(left) - 1) * total - 1)


def _tau_ap_leaving_ties(left: np.ndarray, reference: np.ndarray) -> float:
    first = _first_rank(left)
    below = first > 1
    return float(2 * (_above(left, reference)[below] / (first[below] - 1)).mean() - 1)


def rbo(left: pd.Series, reference: pd.Series, p: float = 0.9, ties: str = "b") -> float:
    """Rank-biased overlap of the two orders from the top, extrapolated; 0 to 1 (1: the same order).

    Webber, Moffat and Zobel (TOIS 2010): with A_d the overlap of the two top d, as a share of d, and n systems,
    RBO_EXT = (1 - p) / p sum_{d=1}^n A_d p^d + A_n p^n. Both sides order the same systems, so A_n = 1, and
    opposite orders too are above 0. p in (0, 1) is the chance to go on to the next rank: the first 10 ranks weigh 86%
    at p = .9.
    Ties as Corsi and Urbano (SIGIR 2024), where c is the share of a tied system that is in the top d, its chance to be:

    a  A_d = sum c_left c_reference / d: the mean over all ways to break the ties of both sides.
    b  A_d = sum c_left c_reference / sqrt(sum c_left^2 sum c_reference^2): equal orders agree wholly, ties and all.
    """
    if ties not in TIES:
        raise one_of("ties", ties, TIES)
    if not 0 < p < 1:
        raise InputError(f"p: expected a probability above 0 and below 1, found {p}")
    left, reference = _joined(left, reference)
    if not _ordered(left, reference):
        return np.nan
    depths = np.arange(1, len(left) + 1)
    x, y = (((depths[:, None] - _first_rank(v) + 1) / _group_size(v)).clip(0, 1) for v in (left, reference))
    norm = depths if ties == "a" else np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    agreement = (x * y).sum(axis=1) / norm
    return float((1 - p) / p * (agreement * p**depths).sum() + p ** len(left))


def same_best(left: pd.Series, reference: pd.Series) -> float:
    """Do both name the same best system? Systems best on both sides / on either side: 0 to 1, 0 or 1 without ties."""
    left, reference = _joined(left, reference)
    if not _ordered(left, reference):
        return np.nan
    best, also = left == left.max(), reference == reference.max()
    return float((best & also).sum() / (best | also).sum())


def largest_drop(left: pd.Series, reference: pd.Series) -> float:
    """The most ranks that a system stands lower in left than in the reference; ties stand at their mean rank.

    0 (the same order) to n - 1 (the reference's best is left's last).
    """
    from scipy.stats import rankdata

    left, reference = _joined(left, reference)
    return float((rankdata(-left) - rankdata(-reference)).max()) if _ordered(left, reference) else np.nan


def every(left: pd.Series, reference: pd.Series) -> dict[str, float]:
    """All of them by name, tau_ap and rbo with both ways with ties."""
    found = {"spearman": spearman(left, reference), "pearson": pearson(left, reference)}
    for ties in TIES:
        found |= {f"tau_ap_{ties}": tau_ap(left, reference, ties), f"rbo_{ties}": rbo(left, reference, ties=ties)}
    return found | {"same_best": same_best(left, reference), "largest_drop": largest_drop(left, reference)}


def _joined(left: pd.Series, reference: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Both sides' values, `settled`, of the systems that have one on both, in the same order."""
    left, reference = left.dropna().align(reference.dropna(), join="inner")
    return settled(left.to_numpy(float)), settled(reference.to_numpy(float))


def _ordered(left: np.ndarray, reference: np.ndarray) -> bool:
    """Whether neither side ties all systems."""
    return len(np.unique(left)) > 1 and len(np.unique(reference)) > 1


def _above(left: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """For each system, how many are above it on both sides."""
    return ((left[None, :] > left[:, None]) & (reference[None, :] > reference[:, None])).sum(axis=1)


def _first_rank(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, highest first; a tie group stands at the first of its ranks."""
    from scipy.stats import rankdata

    return rankdata(-values, method="min")


def _group_size(values: np.ndarray) -> np.ndarray:
    """For each system, how many have its value."""
    return (values[:, None] == values[None, :]).sum(axis=1)
