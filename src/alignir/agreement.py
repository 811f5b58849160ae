"""Agreement: do two sets of labels give the same grades to the same pairs?"""

import numpy as np
import pandas as pd

from alignir.frames import GRADES, PAIR


def joined(baseline: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """query_id, doc_id, baseline, label: the pairs that have both, joined by their ids."""
    both = baseline[[*PAIR, "relevance"]].merge(labels[[*PAIR, "relevance"]], on=PAIR, suffixes=("_baseline", "_label"))
    both = both.rename(columns={"relevance_baseline": "baseline", "relevance_label": "label"})
    return both.dropna().astype({"baseline": int, "label": int}).reset_index(drop=True)


def kappa(both: pd.DataFrame, relevant_from: int | None = None) -> float:
    """Cohen's kappa on the four grades, or on "relevant" when that starts at `relevant_from`.

    NaN where both sides know one and the same grade only: chance alone would agree wholly.
    """
    from sklearn.metrics import cohen_kappa_score

    left, right = both["baseline"], both["label"]
    if relevant_from is not None:
        left, right = left >= relevant_from, right >= relevant_from
    if len(both) == 0 or (left.nunique() == right.nunique() == 1 and left.iloc[0] == right.iloc[0]):
        return float("nan")
    return float(cohen_kappa_score(left, right))


def confusion(both: pd.DataFrame) -> pd.DataFrame:
    """Counts of pairs: rows the baseline's grade, columns the label's, 0 to 3."""
    table = pd.crosstab(both["baseline"], both["label"]).reindex(index=GRADES, columns=GRADES, fill_value=0)
    return table.rename_axis(index="baseline", columns="label")


def distribution(labels: pd.DataFrame) -> pd.Series:
    """Counts of labels by grade 0 to 3, missing labels left out."""
    return labels["relevance"].dropna().astype(int).value_counts().reindex(GRADES, fill_value=0).rename_axis("grade")


def agreement(baseline: pd.DataFrame, labels: pd.DataFrame) -> dict[str, float]:
    """kappa4, kappa_bin (relevant from 2), exact (share of same grades), mae and bias (mean of label - baseline)."""
    both = joined(baseline, labels)
    difference = both["label"] - both["baseline"]
    return {
        "kappa4": kappa(both),
        "kappa_bin": kappa(both, relevant_from=2),
        "exact": float((difference == 0).mean()) if len(both) else np.nan,
        "mae": float(difference.abs().mean()) if len(both) else np.nan,
        "bias": float(difference.mean()) if len(both) else np.nan,
    }
