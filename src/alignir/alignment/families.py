"""Families: does a judge favour systems that are built on its own kind of model?"""

import numpy as np
import pandas as pd

from alignir.alignment.bootstrap import matrices, resampled_taus
from alignir.evaluation.measures import NDCG


def without(
    own: list[str], scores: pd.DataFrame, baseline: pd.DataFrame, seed: int = 0, B: int = 1000
) -> dict[str, float]:
    """Alignment of nDCG@10 between two SCORES with all systems, and without a judge's `own`.

    left_out: the number of its own systems; tau_all; tau_b of the others; difference = tau_b - tau_all with its ci_low
    and ci_high (95%, symmetric, from B resamples of the queries, the same ones for both); moved: 1 where 0 lies outside
    of that interval, 0 where it lies inside. NaN where one of the taus is undefined.
    A judge that is fair moves too, where its own systems happen to be easy or hard to order.
    """
    left, right, systems, _ = matrices(*(side[side["measure"] == NDCG] for side in (scores, baseline)))
    others = ~np.isin(systems, own)
    (tau_all, *all_resampled), (tau, *resampled) = (
        resampled_taus(left[kept], right[kept], np.random.default_rng(seed), B) for kept in (slice(None), others)
    )
    difference = tau - tau_all
    moves = np.abs(np.subtract(resampled, all_resampled) - difference)
    reach = np.quantile(moves[~np.isnan(moves)], 0.95) if np.isfinite(moves).any() else np.nan
    found = {
        "left_out": others.size - others.sum(),
        "tau_all": tau_all,
        "tau_b": tau,
        "difference": difference,
        "ci_low": difference - reach,
        "ci_high": difference + reach,
        "moved": np.nan if np.isnan(difference + reach) else abs(difference) > reach + 1e-12,
    }
    return {name: float(value) for name, value in found.items()}
