"""Families: does a judge favour systems that are built on its own kind of model?"""

import numpy as np
import pandas as pd

from alignir.alignment.bootstrap import Resampling, matrices, resampled_taus
from alignir.alignment.comparison import certainty
from alignir.alignment.tau import common


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
    (tau_all, *all_resampled), (tau, *resampled) = (
        resampled_taus(side, right, resampling.rng(), resampling.B, resampling.over) for side in (left, others)
    )
    difference = tau - tau_all
    low, high, _ = certainty(difference, np.subtract(resampled, all_resampled), resampling.method)
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
