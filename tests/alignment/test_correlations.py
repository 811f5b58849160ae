"""Correlations: published examples, brute force over all ways to break ties, and where they are undefined."""

import math
from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from alignir.alignment import correlations
from alignir.errors import InputError

EVERY = [
    correlations.spearman,
    correlations.pearson,
    correlations.tau_ap,
    correlations.rbo,
    correlations.same_best,
    correlations.largest_drop,
]

# The example of ircor, the R package by the authors of the treatment of ties: x the truth, y the estimate.
X = pd.Series([0.06, 0.2, 0.27, 0.37, 0.57, 0.63, 0.66, 0.9, 0.91, 0.94], index=list("abcdefghij"))
Y = pd.Series([0.37, 0.06, 0.2, 0.27, 0.57, 0.66, 0.63, 0.91, 0.9, 0.94], index=list("abcdefghij"))


def tied(values):
    return (values * 5).round() / 5


def series(**values):
    return pd.Series(values, dtype=float)


def orders(values: pd.Series) -> list[list[str]]:
    """All orders, best first, that break the ties of these values."""
    groups = [list(group.index) for _, group in sorted(values.groupby(values), reverse=True)]
    return [[name for part in parts for name in part] for parts in product(*map(permutations, groups))]


def test_tau_ap_is_as_published():
    assert correlations.tau_ap(Y, X, "a") == pytest.approx(0.7491182, abs=5e-8)
    assert correlations.tau_ap(tied(Y), X, "a") == pytest.approx(0.6074515, abs=5e-8)
    assert correlations.tau_ap(tied(Y), tied(X), "b") == pytest.approx(0.6269841, abs=5e-8)


def test_tau_ap_a_is_the_mean_over_all_ways_to_break_the_ties():
    left, reference = series(a=3, b=3, c=2, d=1, e=1, f=1), series(a=5, b=3, c=6, d=1, e=4, f=2)

    def without_ties(order):
        rightly = [
            sum(reference[above] > reference[name] for above in order[:i]) / i for i, name in enumerate(order) if i
        ]
        return 2 * sum(rightly) / (len(order) - 1) - 1

    expected = np.mean([without_ties(order) for order in orders(left)])
    assert correlations.tau_ap(left, reference, "a") == pytest.approx(expected)


def test_tau_ap_b_without_ties_is_the_mean_of_both_directions():
    both = correlations.tau_ap(Y, X, "a") + correlations.tau_ap(X, Y, "a")
    assert correlations.tau_ap(Y, X, "b") == correlations.tau_ap(X, Y, "b") == pytest.approx(both / 2)


def test_tau_ap_a_needs_a_reference_without_ties():
    assert math.isnan(correlations.tau_ap(X, tied(X), "a"))


def test_a_swap_at_the_top_costs_more_tau_ap_and_rbo_than_one_at_the_bottom():
    reference = series(a=4, b=3, c=2, d=1)
    top, bottom = series(a=3, b=4, c=2, d=1), series(a=4, b=3, c=1, d=2)
    assert correlations.tau_ap(top, reference) < correlations.tau_ap(bottom, reference) < 1
    assert correlations.rbo(top, reference) < correlations.rbo(bottom, reference) < 1


def rbo_by_hand(one: list[str], other: list[str], p: float) -> float:
    """Webber et al.'s equation 30, of orders without ties."""
    n = len(one)
    overlap = [len(set(one[:d]) & set(other[:d])) for d in range(1, n + 1)]
    return overlap[-1] / n * p**n + (1 - p) / p * sum(x / d * p**d for d, x in enumerate(overlap, start=1))


def test_rbo_without_ties_is_as_its_formula():
    expected = rbo_by_hand(orders(X)[0], orders(Y)[0], 0.8)
    assert correlations.rbo(Y, X, 0.8, "a") == correlations.rbo(Y, X, 0.8, "b") == pytest.approx(expected)


def test_rbo_a_is_the_mean_over_all_ways_to_break_the_ties_of_both_sides():
    left, reference = series(a=3, b=3, c=2, d=1, e=1), series(a=1, b=2, c=2, d=2, e=0)
    expected = np.mean([rbo_by_hand(one, other, 0.9) for one in orders(left) for other in orders(reference)])
    assert correlations.rbo(left, reference, 0.9, "a") == pytest.approx(expected)


def test_rbo_b_with_ties_by_hand():
    """Of a = b > c and a > b > c: left has a and b by half at depth 1, so A_1 = .5 / sqrt(.5); then all agree."""
    found = correlations.rbo(series(a=2, b=2, c=1), series(a=3, b=2, c=1), 0.9, "b")
    assert found == pytest.approx(0.1 / 0.9 * (math.sqrt(0.5) * 0.9 + 0.9**2 + 0.9**3) + 0.9**3)


def test_equal_orders_agree_wholly_ties_and_all():
    for same in (X, tied(X)):
        assert correlations.rbo(same, 2 * same) == pytest.approx(1)
        assert correlations.tau_ap(same, 2 * same) == correlations.same_best(same, 2 * same) == 1
        assert correlations.largest_drop(same, 2 * same) == 0


def test_spearman_is_pearson_of_the_mean_ranks():
    left, reference = tied(Y), tied(X)
    assert correlations.spearman(left, reference) == pytest.approx(
        np.corrcoef(rankdata(left), rankdata(reference))[0, 1]
    )
    assert correlations.pearson(left, reference) == pytest.approx(np.corrcoef(left, reference)[0, 1])


def test_same_best_is_the_overlap_of_the_best():
    assert correlations.same_best(series(a=3, b=2, c=1), series(a=9, b=8, c=8.5)) == 1
    assert correlations.same_best(series(a=3, b=2, c=1), series(a=8, b=9, c=8.5)) == 0
    assert correlations.same_best(series(a=3, b=3, c=1), series(a=8, b=9, c=8.5)) == 0.5


def test_largest_drop_counts_ranks_and_ties_stand_at_their_mean():
    reference = series(a=4, b=3, c=2, d=1)
    assert correlations.largest_drop(series(a=1, b=4, c=3, d=2), reference) == 3
    assert correlations.largest_drop(series(a=3, b=3, c=3, d=1), reference) == 1  # a falls from 1 to 2


@pytest.mark.parametrize("correlation", EVERY)
def test_systems_are_joined_by_name_and_one_without_a_value_takes_no_part(correlation):
    expected = correlation(Y, X)
    shuffled = pd.concat([X[::-1], series(z=1)])
    assert correlation(pd.concat([Y, series(z=np.nan, y=5)]), shuffled) == pytest.approx(expected)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("correlation", EVERY)
@pytest.mark.parametrize(
    ("left", "reference"),
    [
        (series(a=1, b=1), series(a=1, b=2)),
        (series(a=1, b=2), series(a=1, b=1)),
        (series(a=1), series(a=1)),
        (series(a=1, b=np.nan), series(a=1, b=2)),
        (series(), series()),
    ],
)
def test_without_an_order_there_is_no_number(correlation, left, reference):
    assert math.isnan(correlation(left, reference))


def test_an_impossible_choice_is_refused():
    with pytest.raises(InputError, match="ties=c: expected one of a, b"):
        correlations.tau_ap(X, Y, "c")
    with pytest.raises(InputError, match="p: expected"):
        correlations.rbo(X, Y, 1.0)
