"""Agreement of labels: kappa and alpha by their formulas and as published, and where they are undefined."""

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from alignir.data.scales import FOUR, Scale
from alignir.evaluation import agreement
from alignir.frames import QRELS


def frame(grades, kind="Int64"):
    rows = [("q", f"d{i}", grade) for i, grade in enumerate(grades)]
    return pd.DataFrame(rows, columns=QRELS).astype({"relevance": kind})


def test_kappa_by_its_formula():
    left, right = [0, 0, 1, 2, 3, 3], [0, 1, 1, 2, 3, 0]
    observed = 4 / 6
    expected = sum(left.count(g) * right.count(g) for g in range(4)) / 36
    both = agreement.joined(frame(left), frame(right))
    assert agreement.kappa(both) == pytest.approx((observed - expected) / (1 - expected))


def test_pairs_without_a_label_take_no_part():
    both = agreement.joined(frame([0, 1, 2]), frame([0, pd.NA, 3]))
    assert both[["baseline", "label"]].to_numpy().tolist() == [[0, 0], [2, 3]]
    found = agreement.agreement(frame([0, 1, 2]), frame([0, pd.NA, 3]))
    assert (found["exact"], found["mae"], found["bias"]) == (0.5, 0.5, 0.5)


def test_one_grade_only_or_no_pair_at_all_has_no_kappa():
    assert math.isnan(agreement.kappa(agreement.joined(frame([1, 1]), frame([1, 1]))))
    found = agreement.agreement(frame([1, 2]), frame([pd.NA, pd.NA]))
    assert all(math.isnan(value) for value in found.values())


def test_constant_labels_against_varied_ones_agree_as_by_chance():
    assert agreement.kappa(agreement.joined(frame([0, 1, 2, 3]), frame([1, 1, 1, 1]))) == 0


def test_confusion_and_distribution_have_all_grades():
    both = agreement.joined(frame([0, 3, 3]), frame([1, 3, 0]))
    table = agreement.confusion(both, FOUR, FOUR)
    assert table.shape == (4, 4)
    assert table.loc[3, 0] == table.loc[3, 3] == table.loc[0, 1] == 1
    assert agreement.distribution(frame([3, 3, pd.NA]), FOUR).tolist() == [0, 0, 0, 2]


def test_quadratic_kappa_by_its_formula_also_where_nobody_gave_a_grade():
    """1 - sum (a - b)^2 over the pairs / the same over all pairings of left's with right's grades, as by chance."""
    left, right = [0, 0, 1, 3, 3, 0], [0, 1, 1, 3, 0, 0]
    observed = sum((a - b) ** 2 for a, b in zip(left, right, strict=True)) / 6
    expected = sum((a - b) ** 2 for a in left for b in right) / 36
    both = agreement.joined(frame(left), frame(right))
    assert agreement.kappa_quadratic(both) == pytest.approx(1 - observed / expected)
    assert agreement.agreement(frame(left), frame(right))["kappa_quadratic"] == agreement.kappa_quadratic(both)


def ordinal_alpha(left: list[int], right: list[int]) -> float:
    """1 - observed / expected disagreement of two judges without gaps, from Krippendorff's definition.

    Two grades differ by the square of how many labels lie between their middles.
    """
    pooled = left + right

    def differ(a, b):
        low, high = min(a, b), max(a, b)
        between = sum(low <= grade <= high for grade in pooled)
        return (between - (pooled.count(a) + pooled.count(b)) / 2) ** 2

    observed = np.mean([differ(a, b) for a, b in zip(left, right, strict=True)])
    pairings = [(i, j) for i in range(len(pooled)) for j in range(len(pooled)) if i != j]
    return 1 - observed / np.mean([differ(pooled[i], pooled[j]) for i, j in pairings])


def test_alpha_by_its_definition():
    left, right = [0, 0, 1, 2, 3, 3, 1], [0, 1, 1, 2, 3, 0, 3]
    found = agreement.agreement(frame(left), frame(right))["alpha"]
    assert found == pytest.approx(ordinal_alpha(left, right))


def test_alpha_of_four_judges_with_gaps_is_as_published():
    """Krippendorff, Computing Krippendorff's Alpha-Reliability: four observers, twelve units, ordinal alpha .815."""
    nan = pd.NA
    observers = {
        "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
        "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
        "C": [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
        "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
    }
    found = agreement.alpha_among({judge: frame(grades) for judge, grades in observers.items()})
    assert round(found, 3) == 0.815


@pytest.mark.filterwarnings("error")
def test_alpha_without_two_grades_or_two_judges_is_undefined():
    assert math.isnan(agreement.alpha_among({"a": frame([1, 1, 2]), "b": frame([1, 1, pd.NA])}))
    assert math.isnan(agreement.alpha_among({"a": frame([0, 1, 2])}))
    assert math.isnan(agreement.alpha(agreement.joined(frame([pd.NA]), frame([1]))))


@pytest.mark.filterwarnings("error")
def test_precision_and_recall_of_each_grade():
    found = agreement.per_grade(agreement.joined(frame([0, 0, 0, 1, 3]), frame([0, 0, 1, 1, 2])), FOUR.grades)
    nan = float("nan")
    assert found["precision"].tolist() == pytest.approx([1, 1 / 2, 0, nan], nan_ok=True)
    assert found["recall"].tolist() == pytest.approx([2 / 3, 1, nan, 0], nan_ok=True)
    assert found[["baseline", "label"]].to_numpy().tolist() == [[3, 2], [1, 2], [0, 1], [1, 0]]
    assert (
        agreement.per_grade(agreement.joined(frame([pd.NA]), frame([1])), FOUR.grades)[["precision", "recall"]]
        .isna()
        .all(axis=None)
    )


@pytest.mark.filterwarnings("error")
def test_kappa_of_each_query_is_scikit_learns():
    rng = np.random.default_rng(0)
    both = pd.DataFrame(rng.choice([-1, 0, 1, 3], (400, 2)), columns=["baseline", "label"])
    both["query_id"] = rng.integers(0, 100, 400).astype(str)
    expected = [agreement.kappa(group) for _, group in both.groupby("query_id", sort=False)]
    np.testing.assert_allclose(agreement._kappas(both), expected, rtol=0, atol=1e-12)


def test_spread_is_over_the_queries_where_kappa_is_defined():
    """Three queries: kappa 1; by chance, 0; and one grade only, undefined."""
    grades = {"q1": ([0, 1], [0, 1]), "q2": ([0, 1], [1, 1]), "q3": ([2, 2], [2, 2])}
    left, right = (
        pd.concat([frame(sides[place]).assign(query_id=query_id) for query_id, sides in grades.items()])
        for place in (0, 1)
    )
    found = agreement.spread(agreement.joined(left, right))
    assert found == {"q25": 0.25, "median": 0.5, "q75": 0.75, "n_queries": 3, "n_undefined": 1}
    nowhere = agreement.spread(agreement.joined(frame([1]), frame([1])))
    assert math.isnan(nowhere["median"])
    assert (nowhere["n_queries"], nowhere["n_undefined"]) == (1, 1)


def test_matrix_holds_every_judge_against_every_other_joined_by_their_ids():
    judges = {"a": frame([0, 1, 2, 3]), "b": frame([0, 1, 2, 0])[::-1], "c": frame([pd.NA, 1, 1, 3])}
    found = agreement.matrix(judges, lambda both: float((both["label"] - both["baseline"]).sum()))
    assert found.loc["a"].to_dict() == {"a": 0, "b": -3, "c": -1}
    assert found.loc["c", "a"] == 1
    assert agreement.matrix(judges).loc["a", "b"] == agreement.kappa(agreement.joined(judges["a"], judges["b"]))


def test_sides_on_other_scales_are_compared_by_what_is_relevant_only():
    people, judge = frame([0, 1, 2, 3, 3]), frame([0, 0, 1, 1, 0])
    found = agreement.agreement(people, judge, FOUR, Scale((0, 1), 1))
    assert found["kappa_relevant"] == cohen_kappa_score([0, 0, 1, 1, 1], [0, 0, 1, 1, 0])
    assert all(value != value for name, value in found.items() if name != "kappa_relevant")
    assert agreement.details(people, judge, FOUR, Scale((0, 1), 1)) == {}
    same = agreement.agreement(people, judge, FOUR, Scale((0, 1, 2, 3), 1))  # another line on the same grades
    assert same["kappa"] == cohen_kappa_score([0, 1, 2, 3, 3], [0, 0, 1, 1, 0])
    assert same["kappa_relevant"] == cohen_kappa_score([0, 0, 1, 1, 1], [0, 0, 1, 1, 0])
    table = agreement.confusion(agreement.joined(people, judge), FOUR, Scale((0, 1), 1))
    assert table.to_numpy().tolist() == [[1, 0], [1, 0], [0, 1], [1, 1]]
