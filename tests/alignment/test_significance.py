"""Significance: t-tests as scipy's, Holm by hand, and the five outcomes on systems made for them."""

import warnings

import numpy as np
import pytest
from scipy.stats import ttest_rel

from alignir.alignment import significance


def test_holm_by_hand():
    """.01 x 4, .02 x 3, .03 x 2 and .04 x 1 give .04, .06, .06, .04; none is below the one before it."""
    assert significance.holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert significance.holm([0.7, 0.6]) == pytest.approx([1, 1])


def test_an_undefined_p_takes_no_part_in_holm():
    assert significance.holm([0.02, np.nan, 0.01]) == pytest.approx([0.02, np.nan, 0.02], nan_ok=True)
    assert significance.holm([]).shape == (0,)


def test_t_and_p_of_every_pair_are_scipys_also_with_undefined_values():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(7, 12))
    values[2, :5] = values[4, 3] = np.nan
    t, p = significance.paired_t(values)
    for place, (row, other) in enumerate(zip(*np.triu_indices(7, 1), strict=True)):
        expected = ttest_rel(values[row], values[other], nan_policy="omit")
        assert (t[place], p[place]) == pytest.approx((float(expected.statistic), float(expected.pvalue)), rel=1e-12)


def test_equal_systems_do_not_differ_and_a_constant_difference_is_certain():
    t, p = significance.paired_t(np.array([[0.25, 0.5, 1.0], [0.25, 0.5, 1.0], [0.5, 0.75, 1.25]]))
    assert t.tolist() == [0, -np.inf, -np.inf]
    assert p.tolist() == [1, 0, 0]


def sides():
    """Five systems over 40 queries, their means far apart for their noise, but for c in left, which varies wildly.

    Reference: a = e > b > c = d. Left: b > a > e > d, and c anywhere.
    """
    rng = np.random.default_rng(1)
    reference = np.array([3.0, 2, 1, 1, 3])[:, None] + rng.normal(0, 0.01, (5, 40))
    reference[3:] = reference[[2, 0]]
    left = np.array([2.0, 3, 1, 0.5, 1.5])[:, None] + rng.normal(0, 0.01, (5, 40))
    left[2] += rng.normal(0, 20, 40)
    return left, reference


def test_every_pair_has_the_outcome_that_it_was_made_for():
    left, reference = sides()
    expected = {
        "concordant": ["ad", "bd", "de"],
        "discordant": ["ab", "be"],
        "missed": ["ac", "bc", "ce"],
        "false_alarm": ["ae"],
        "neither": ["cd"],
    }
    for outcome, pairs in expected.items():
        for pair in pairs:
            rows = ["abcde".index(name) for name in pair]
            assert significance.pairwise(left[rows], reference[rows]).loc[outcome, "share"] == 1
    found = significance.pairwise(left, reference)
    assert found["count"].to_dict() == {outcome: len(pairs) for outcome, pairs in expected.items()}
    assert found["share"].tolist() == pytest.approx([0.3, 0.2, 0.3, 0.1, 0.1])


def test_the_sides_swapped_swap_missed_and_false_alarm():
    left, reference = sides()
    found = significance.pairwise(reference, left)["count"]
    assert found[["missed", "false_alarm"]].tolist() == [1, 3]


def test_outcomes_are_those_of_scipys_tests_with_holm_pair_by_pair():
    rng = np.random.default_rng(2)
    truth = rng.normal(0, 0.4, (12, 1))
    left, reference = (truth + rng.normal(0, 0.3, (12, 1)) + rng.normal(size=(12, 30)) for _ in range(2))
    pairs = list(zip(*np.triu_indices(12, 1), strict=True))
    tests = [[ttest_rel(side[i], side[j]) for i, j in pairs] for side in (left, reference)]
    adjusted = []
    for side in tests:
        order = sorted(range(len(pairs)), key=lambda place: side[place].pvalue)
        rejected = set()
        for step, place in enumerate(order):
            if side[place].pvalue > 0.05 / (len(pairs) - step):
                break
            rejected.add(place)
        adjusted.append(rejected)
    here, there = adjusted
    same = {k for k in here & there if np.sign(tests[0][k].statistic) == np.sign(tests[1][k].statistic)}
    expected = [len(same), len(here & there) - len(same), len(there - here), len(here - there)]
    found = significance.pairwise(left, reference)
    assert found["count"].tolist() == [*expected, len(pairs) - sum(expected)]
    assert found["share"].sum() == pytest.approx(1)
    assert min(expected[0], *expected[2:]) > 0


def test_with_one_query_there_is_no_test_and_no_share():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = significance.pairwise(np.ones((3, 1)), np.ones((3, 1)))
    assert found["count"].sum() == 0
    assert found["share"].isna().all()
