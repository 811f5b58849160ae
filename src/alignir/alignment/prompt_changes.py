"""Iterations: when a prompt is changed, which labels move, and does agreement with the baseline change with them?"""

import numpy as np
import pandas as pd

from alignir.alignment.bootstrap import Resampling, query_weights
from alignir.alignment.comparison import certainty, compare
from alignir.data.scales import FOUR, Scale
from alignir.evaluation.agreement import joined
from alignir.frames import PAIR

NO_LABEL = "no label"
EFFECT = ["before", "after", "difference", "ci_low", "ci_high", "p_value"]


def side_by_side(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """query_id, doc_id, before, after: the labels (Int64, <NA>: none) of the pairs in both LABELS, in their order."""
    both = before[[*PAIR, "relevance"]].merge(
        after[[*PAIR, "relevance"]], on=PAIR, suffixes=("_before", "_after"), validate="one_to_one"
    )
    both = both.rename(columns={"relevance_before": "before", "relevance_after": "after"})
    return both.astype({"before": "Int64", "after": "Int64"})


def flow(both: pd.DataFrame, scale: Scale = FOUR) -> pd.DataFrame:
    """Counts of pairs: rows the label before, columns the label after, each a grade of the scale or "no label"."""
    states = [*scale.grades, NO_LABEL]
    sides = (both[side].astype(object).where(both[side].notna(), NO_LABEL) for side in ("before", "after"))
    return pd.crosstab(*sides).reindex(index=states, columns=states, fill_value=0)


def moved(both: pd.DataFrame) -> pd.DataFrame:
    """The pairs whose label differs, with `move`: after - before, in grades; <NA> if it was lost or gained.

    The furthest moves come first, lost and gained labels last, and what moved equally far stays in its order.
    """
    differs = (both["before"] != both["after"]).fillna(both["before"].isna() != both["after"].isna())
    pairs = both[differs.astype(bool)].assign(move=lambda pair: pair["after"] - pair["before"])
    order = pairs["move"].abs().astype(float).sort_values(ascending=False, kind="stable", na_position="last")
    return pairs.loc[order.index].reset_index(drop=True)


def effect_on_kappa(
    baseline: pd.DataFrame,
    before: pd.DataFrame,
    after: pd.DataFrame,
    resampling: Resampling,
    relevant_from: tuple[int, int] | None = None,
) -> pd.Series:
    """EFFECT on Cohen's kappa of LABELS with the baseline's QRELS: difference = after - before.

    Each side's kappa is of all pairs that it has a label for, as `agreement.kappa` has it, of grades or of relevant or
    not, from `relevant_from` of either side. Queries are resampled with all their pairs, the same ones on both sides,
    also where the setting is to resample systems: kappa has none. Interval and p-value are those of
    `comparison.compare`. NaN where a kappa is undefined, where there is one query only, and without resamples.
    """
    sides = [joined(baseline, labels) for labels in (before, after)]
    if relevant_from is not None:
        first = dict(zip(("baseline", "label"), relevant_from, strict=True))
        sides = [side.assign(**{name: (side[name] >= first[name]).astype(int) for name in first}) for side in sides]
    query_ids = sorted(set().union(*(side["query_id"] for side in sides)))
    grades = sorted(set().union(*(set(side[name]) for side in sides for name in ("baseline", "label"))))
    counts = [_counts(side, query_ids, grades) for side in sides]
    kappas = [_kappas(count.sum(axis=0)[None])[0] for count in counts]
    drawn = np.array([])
    if len(query_ids) > 1:
        weights = query_weights(len(query_ids), resampling.B, resampling.rng())
        left, right = (_kappas(np.tensordot(weights, count, axes=1)) for count in counts)
        drawn = right - left
    difference = kappas[1] - kappas[0]
    return pd.Series([*kappas, difference, *certainty(difference, drawn, resampling.method)], EFFECT)


def effect_on_tau(
    baseline: pd.DataFrame, before: pd.DataFrame, after: pd.DataFrame, resampling: Resampling
) -> pd.Series:
    """EFFECT on tau_b between the systems' mean SCORES and the baseline's: difference = after - before.

    All three are of one measure and the same systems; see `comparison.compare`.
    """
    sides = {"before": before, "after": after, "baseline": baseline}
    values = {side: scores.pivot(index="system", columns="query_id", values="value") for side, scores in sides.items()}
    reference = values.pop("baseline")
    judges = {side: table.loc[reference.index, reference.columns].to_numpy() for side, table in values.items()}
    pair = {"after": judges["after"], "before": judges["before"]}
    (found,) = compare(pair, {"baseline": reference.to_numpy()}, resampling).itertuples()
    return pd.Series(
        [found.tau_right, found.tau_left, found.difference, found.ci_low, found.ci_high, found.p_value], EFFECT
    )


def _counts(both: pd.DataFrame, query_ids: list[str], grades: list[int]) -> np.ndarray:
    """Pairs by query, baseline's grade and label: (Q, G, G)."""
    counts = np.zeros((len(query_ids), len(grades), len(grades)))
    queries = pd.Index(query_ids).get_indexer(both["query_id"])
    np.add.at(counts, (queries, *(np.searchsorted(grades, both[name]) for name in ("baseline", "label"))), 1)
    return counts


def _kappas(counts: np.ndarray) -> np.ndarray:
    """Cohen's kappa of each of B confusion matrices (B, G, G): (observed - expected) / (1 - expected), shape (B,).

    Times the squared number of pairs, which keeps numerator and denominator whole, so that 0 is 0.
    """
    n = counts.sum(axis=(1, 2))
    observed = n * np.trace(counts, axis1=1, axis2=2)
    expected = (counts.sum(axis=1) * counts.sum(axis=2)).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return (observed - expected) / (n**2 - expected)
