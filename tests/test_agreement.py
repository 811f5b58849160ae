"""Agreement of labels: kappa by its formula, and where it is undefined."""

import math

import pandas as pd
import pytest

from alignir import agreement
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
    table = agreement.confusion(both)
    assert table.shape == (4, 4)
    assert table.loc[3, 0] == table.loc[3, 3] == table.loc[0, 1] == 1
    assert agreement.distribution(frame([3, 3, pd.NA])).tolist() == [0, 0, 0, 2]
