"""Alignment: do two sides put the systems in the same order?"""

from collections.abc import Mapping, Sequence
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
import pandas as pd

from alignir.alignment.bootstrap import NONE, Resampling
from alignir.alignment.ties import settled
from alignir.evaluation.scores import means
from alignir.formatting import counted
from alignir.frames import ALIGNMENT, ALL, BASELINE, NOISE


def tau_b(left: pd.Series, right: pd.Series) -> tuple[float, float]:
    """(Kendall's tau_b, two-sided p-value) of two series of systems' values, joined by system name, `settled`.

    Both NaN where fewer than two systems are on both sides, or where either side ties all systems: no order there.
    """
    from scipy.stats import kendalltau

    both = left.dropna().align(right.dropna(), join="inner")
    x, y = (settled(side.to_numpy(float)) for side in both)
    if min(len(np.unique(x)), len(np.unique(y))) < 2:
        return float("nan"), float("nan")
    found = kendalltau(x, y, variant="b")
    return float(found.statistic), float(found.pvalue)


class Side(NamedTuple):
    """One measure or metric: its rows, the queries that it knows, and the systems' means over these."""

    values: pd.DataFrame
    known: frozenset[str]
    means: pd.Series


Sides = dict[str, Side]  # by measure or metric


def sides(values: pd.DataFrame) -> Sides:
    """SCORES by measure, or ONLINE by metric: made once for all that is compared with them."""
    column = "metric" if "metric" in values else "measure"
    return {name: _side(values[values[column] == name]) for name in values[column].unique()}


def against_baseline(
    scores: pd.DataFrame | Sides, baseline: pd.DataFrame | Sides, resampling: Resampling = NONE
) -> pd.DataFrame:
    """ALIGNMENT of systems' mean SCORES under two sets of labels: one row a measure."""
    left, right = _as_sides(scores), _as_sides(baseline)
    rows = [_row(measure, BASELINE, left[measure], right[measure], resampling) for measure in left]
    return pd.DataFrame(rows, columns=ALIGNMENT)


def against_users(
    scores: pd.DataFrame | Sides, online: pd.DataFrame | Sides, resampling: Resampling = NONE
) -> pd.DataFrame:
    """ALIGNMENT of systems' mean SCORES with each metric of ONLINE; tau is raw, also where lower is better."""
    left, right = _as_sides(scores), _as_sides(online)
    rows = [_row(measure, metric, left[measure], right[metric], resampling) for measure, metric in product(left, right)]
    return pd.DataFrame(rows, columns=ALIGNMENT)


def between_draws(draws: list[pd.DataFrame]) -> pd.DataFrame:
    """How far independent draws of the same users agree on the order of the systems: one row a metric of ONLINE.

    tau_b is the mean over all pairs of draws, ci_low and ci_high hold the middle 95% of them; NaN where no pair has an
    order. No judge can be expected to agree with sampled metrics better than they do with themselves: what is missing
    to 1 is noise.
    """
    systems = [means(draw, "metric") for draw in draws]
    taus = {
        metric: [tau_b(left[metric], right[metric])[0] for left, right in combinations(systems, 2)]
        for metric in draws[0]["metric"].unique()
    }
    return spread(taus, len(draws))


def against_exact(exact: pd.DataFrame, draws: list[pd.DataFrame]) -> pd.DataFrame:
    """How far sampled users order the systems as endless traffic would: one row a metric, as in `between_draws`."""
    truth, systems = means(exact, "metric"), [means(draw, "metric") for draw in draws]
    taus = {metric: [tau_b(truth[metric], draw[metric])[0] for draw in systems] for metric in exact["metric"].unique()}
    return spread(taus, len(draws))


def spread(taus: Mapping[str, Sequence[float] | np.ndarray], draws: int) -> pd.DataFrame:
    """NOISE: the mean of each metric's taus and the ends of their middle 95%, undefined ones left out."""
    rows = []
    for metric, values in taus.items():
        known = [tau for tau in values if tau == tau] or [np.nan]
        rows.append((metric, np.mean(known), *np.percentile(known, (2.5, 97.5)), draws))
    return pd.DataFrame(rows, columns=NOISE)


def standard_error(taus: np.ndarray) -> float:
    """That of the mean of drawn taus, undefined ones left out; 0 where fewer than two are defined: more say no more.

    >>> round(standard_error(np.array([0.1, 0.3, np.nan, 0.2])), 4)
    0.0577
    """
    known = taus[~np.isnan(taus)]
    return float(known.std(ddof=1) / np.sqrt(len(known))) if len(known) > 1 else 0.0


def _as_sides(values: pd.DataFrame | Sides) -> Sides:
    return values if isinstance(values, dict) else sides(values)


def _side(values: pd.DataFrame) -> Side:
    known = frozenset(values.loc[values["value"].notna(), "query_id"])
    return Side(values, known, values.groupby("system")["value"].mean())


def _row(offline: str, reference: str, left: Side, right: Side, resampling: Resampling) -> tuple:
    """One of ALIGNMENT."""
    if left.known != right.known and ALL not in left.known | right.known:
        left, right = map(_side, common(left.values, right.values))
    x, y = left.means, right.means
    n_systems = len(x.dropna().index.intersection(y.dropna().index))
    interval = resampling.interval(left.values, right.values)
    n_queries = len(min(left.known, right.known, key=lambda known: ALL in known))
    return offline, reference, *tau_b(x, y), *interval, n_systems, n_queries


def common(left: pd.DataFrame, right: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two long frames (SCORES or ONLINE, one measure or metric each) on the queries that both know.

    A side knows a query where some system has a value. Means over different queries cannot be compared: one query that
    a judge labelled, out of many, would be held against the mean of them all. A side with one value a system for all
    queries together (query_id "all") knows them all.
    """
    known, others = (set(side.loc[side["value"].notna(), "query_id"]) for side in (left, right))
    both = known | others if {ALL} in (known, others) else known & others
    return left[left["query_id"].isin(both)], right[right["query_id"].isin(both)]


def why_undefined(left: pd.Series, right: pd.Series) -> str:
    """Why tau_b of these is not a number."""
    left, right = left.dropna().align(right.dropna(), join="inner")
    if len(left) < 2:
        return f"{counted(len(left), 'system')} {'has' if len(left) == 1 else 'have'} a value on both sides"
    return f"all {len(left)} systems tie on one side, so there is no order"


def smallest_step(n_systems: int) -> float:
    """How far one swap of neighbours moves tau among n systems without ties."""
    return 4 / (n_systems * (n_systems - 1)) if n_systems > 1 else np.nan
