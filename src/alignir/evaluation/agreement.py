"""Agreement: do two sets of labels give the same grades to the same pairs?"""

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd

from alignir.data.scales import FOUR, Scale
from alignir.frames import CALIBRATION, PAIR

NAMES = ("kappa", "kappa_relevant", "kappa_quadratic", "alpha", "exact", "mae", "bias")


def joined(baseline: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """query_id, doc_id, baseline, label: the pairs that have both, joined by their ids."""
    both = baseline[[*PAIR, "relevance"]].merge(labels[[*PAIR, "relevance"]], on=PAIR, suffixes=("_baseline", "_label"))
    both = both.rename(columns={"relevance_baseline": "baseline", "relevance_label": "label"})
    return both.dropna().astype({"baseline": int, "label": int}).reset_index(drop=True)


def kappa(both: pd.DataFrame, relevant_from: tuple[int, int] | None = None, weights: str | None = None) -> float:
    """Cohen's kappa on the grades, or on "relevant", which starts at `relevant_from` of either side: 1 at most, 0 by
    chance.

    `weights="quadratic"`: grades two apart disagree four times as much as neighbours (Cohen, Psychological Bulletin
    1968).
    NaN where both sides know one and the same grade only: chance alone would agree wholly.
    """
    from sklearn.metrics import cohen_kappa_score

    left, right = both["baseline"], both["label"]
    if relevant_from is not None:
        left, right = ((side >= first).astype(int) for side, first in zip((left, right), relevant_from, strict=True))
    if len(both) == 0 or (left.nunique() == right.nunique() == 1 and left.iloc[0] == right.iloc[0]):
        return float("nan")
    # scikit-learn weighs by the places of grades in the list: one that nobody gave must keep its own
    grades = range(min(left.min(), right.min()), max(left.max(), right.max()) + 1)
    return float(cohen_kappa_score(left, right, labels=list(grades), weights=weights))


def kappa_quadratic(both: pd.DataFrame) -> float:
    """Cohen's kappa with quadratic weights on the grades."""
    return kappa(both, weights="quadratic")


def alpha(both: pd.DataFrame) -> float:
    """Krippendorff's alpha for ordinal grades of two sides, see `alpha_among`."""
    return _alpha(both[["baseline", "label"]])


def alpha_among(labels_by_judge: dict[str, pd.DataFrame]) -> float:
    """Krippendorff's alpha for ordinal grades of any number of judges (Content Analysis, 2004): 1 at most, 0 by chance.

    A pair counts with the labels that it has, from two on. NaN where those are all one grade: nothing could disagree.
    """
    sides = {judge: labels.set_index(PAIR)["relevance"] for judge, labels in labels_by_judge.items()}
    return _alpha(pd.DataFrame(sides))


def _alpha(graded: pd.DataFrame) -> float:
    """Of one row a pair, one column a judge."""
    import krippendorff

    graded = graded[graded.notna().sum(axis=1) >= 2].astype(float).to_numpy()
    if len(np.unique(graded[~np.isnan(graded)])) < 2:
        return float("nan")
    return float(krippendorff.alpha(graded.T, level_of_measurement="ordinal"))


def per_grade(both: pd.DataFrame, grades: Sequence[int]) -> pd.DataFrame:
    """For each grade: precision and recall of the label with the baseline as the truth, and counts of pairs.

    precision  of the pairs with this label, the share whose baseline has the grade; NaN where no label is this grade
    recall     of the pairs of this baseline grade, the share with the same label; NaN where no baseline is this grade
    """
    from sklearn.metrics import precision_score, recall_score

    sides, table = (both["baseline"], both["label"]), {"precision": np.nan, "recall": np.nan}
    settings = {"labels": list(grades), "average": None, "zero_division": np.nan}
    if len(both):
        table = {"precision": precision_score(*sides, **settings), "recall": recall_score(*sides, **settings)}
    table |= {side: both[side].value_counts().reindex(list(grades), fill_value=0) for side in ("baseline", "label")}
    return pd.DataFrame(table, index=pd.Index(grades, name="grade"))


def spread(both: pd.DataFrame, statistic: Callable[[pd.DataFrame], float] = kappa) -> dict[str, float]:
    """How a statistic of the joined pairs varies over queries: q25, median, q75, n_queries and n_undefined.

    The quartiles are of the queries where the statistic is defined, NaN where it is nowhere; n_undefined counts the
    other ones, such as those where both sides know one grade only. A query without a joined pair is no query here.
    """
    values = _kappas(both) if statistic is kappa else [statistic(group) for _, group in both.groupby("query_id")]
    values = np.array(values, dtype=float)
    defined = values[~np.isnan(values)]
    quartiles = np.quantile(defined, [0.25, 0.5, 0.75]) if len(defined) else [np.nan] * 3
    return {
        **dict(zip(("q25", "median", "q75"), map(float, quartiles), strict=True)),
        "n_queries": len(values),
        "n_undefined": len(values) - len(defined),
    }


def _kappas(both: pd.DataFrame) -> np.ndarray:
    """`kappa` on the grades of each query, of all at once: kappa = (agreed - by chance) / (1 - by chance)."""
    distinct, places = np.unique(both[["baseline", "label"]].to_numpy(int), return_inverse=True)
    query, n = pd.factorize(both["query_id"])[0], len(distinct)
    n_queries, places = query.max(initial=-1) + 1, places.reshape(-1, 2)
    cells = np.ravel_multi_index((query, *places.T), (n_queries, n, n))
    shares = np.bincount(cells, minlength=n_queries * n * n).reshape(n_queries, n, n).astype(float)
    pairs = shares.sum(axis=(1, 2))
    agreed = np.trace(shares, axis1=1, axis2=2) * pairs
    by_chance = (shares.sum(axis=1) * shares.sum(axis=2)).sum(axis=1)
    with np.errstate(invalid="ignore"):  # all pairs of one and the same grade
        return (agreed - by_chance) / (pairs**2 - by_chance)


def matrix(
    labels_by_judge: dict[str, pd.DataFrame],
    statistic: Callable[[pd.DataFrame], float] = kappa,
    scales: Mapping[str, Scale] | None = None,
) -> pd.DataFrame:
    """A statistic of every two judges' joined pairs: the row's judge as the baseline, the column's as the label.

    Kappa is the same either way round and is computed once. NaN of judges whose scales have different grades.
    """
    judges = list(labels_by_judge)
    graded = pd.DataFrame({judge: labels.set_index(PAIR)["relevance"] for judge, labels in labels_by_judge.items()})
    values = pd.DataFrame(np.nan, index=judges, columns=judges)
    for row, column in product(range(len(judges)), repeat=2):
        if scales and scales[judges[row]].grades != scales[judges[column]].grades:
            continue
        if statistic is kappa and column < row:
            values.iat[row, column] = values.iat[column, row]
        else:
            both = graded.iloc[:, [row, column]].set_axis(["baseline", "label"], axis=1).dropna().astype(int)
            values.iat[row, column] = statistic(both)
    return values


def confusion(both: pd.DataFrame, baseline: Scale, labels: Scale) -> pd.DataFrame:
    """Counts of pairs: rows the baseline's grade, columns the label's."""
    table = pd.crosstab(both["baseline"], both["label"])
    table = table.reindex(index=list(baseline.grades), columns=list(labels.grades), fill_value=0)
    return table.rename_axis(index="baseline", columns="label")


def calibration(baseline: pd.DataFrame, labels: pd.DataFrame, scale: Scale, bins: int = 6) -> pd.DataFrame:
    """Mean expected and mean baseline grade of the pairs that have both, by bins of the expected grade: CALIBRATION.

    The bins are of one width on the labels' scale, from low to (and only the last up to) high. NaN: a bin is empty.
    """
    both = (
        baseline[[*PAIR, "relevance"]].merge(labels[[*PAIR, "expected"]], on=PAIR).dropna().astype({"expected": float})
    )
    edges = np.linspace(scale.grades[0], scale.highest, bins + 1)
    place = np.clip(np.digitize(both["expected"], edges) - 1, 0, bins - 1)
    of_bin = both.groupby(place)
    table = pd.DataFrame({"low": edges[:-1], "high": edges[1:]})
    table["pairs"] = of_bin.size().reindex(table.index, fill_value=0)
    table["expected"], table["baseline"] = of_bin["expected"].mean(), of_bin["relevance"].mean()
    return table[CALIBRATION]


def calibration_error(table: pd.DataFrame) -> float:
    """How far expected grades are from the baseline's, on one scale: mean |baseline - expected| of bins, by pairs.

    The expected calibration error of Naeini, Cooper and Hauskrecht (AAAI 2015), on grades. NaN without pairs.
    """
    known = table[table["pairs"] > 0]
    if known.empty:
        return float("nan")
    return float(np.average((known["baseline"] - known["expected"]).abs(), weights=known["pairs"]))


def distribution(labels: pd.DataFrame, scale: Scale) -> pd.Series:
    """Counts of labels by grade of their scale, missing labels left out."""
    counts = labels["relevance"].dropna().astype(int).value_counts()
    return counts.reindex(list(scale.grades), fill_value=0).rename_axis("grade")


def agreement(
    baseline: pd.DataFrame, labels: pd.DataFrame, baseline_scale: Scale = FOUR, scale: Scale = FOUR
) -> dict[str, float]:
    """By NAMES: kappa (on the grades), kappa_relevant (relevant or not, each side by its own scale), kappa_quadratic,
    alpha (Krippendorff's, ordinal), exact (share of same grades), mae and bias (mean of label - baseline).

    What compares grades is NaN where the two scales have different ones: they mean different things.
    """
    both = joined(baseline, labels)
    found = dict.fromkeys(NAMES, np.nan)
    found["kappa_relevant"] = kappa(both, (baseline_scale.relevant_from, scale.relevant_from))
    if baseline_scale.grades == scale.grades:
        difference = both["label"] - both["baseline"]
        found |= {"kappa": kappa(both), "kappa_quadratic": kappa_quadratic(both), "alpha": alpha(both)}
        if len(both):
            found |= {"exact": float((difference == 0).mean()), "mae": float(difference.abs().mean())}
            found["bias"] = float(difference.mean())
    return found


def details(
    baseline: pd.DataFrame, labels: pd.DataFrame, baseline_scale: Scale = FOUR, scale: Scale = FOUR
) -> dict[str, float]:
    """precision_G and recall_G of each grade G, and how kappa varies over queries: kappa_q25, _median and _q75.

    Nothing where the two scales have different grades.
    """
    if baseline_scale.grades != scale.grades:
        return {}
    both = joined(baseline, labels)
    by_grade, over_queries = per_grade(both, scale.grades), spread(both)
    found = {f"{name}_{grade}": by_grade.loc[grade, name] for name in ("precision", "recall") for grade in scale.grades}
    found |= {f"kappa_{name}": over_queries[name] for name in ("q25", "median", "q75")}
    return {name: float(value) for name, value in found.items()}


def missing(labels: pd.DataFrame) -> float:
    """The share of pairs that have no label, 0 to 1; NaN without pairs."""
    return float(labels["relevance"].isna().mean()) if len(labels) else float("nan")
