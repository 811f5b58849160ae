"""Comparison: differences and p-values as scipy's taus give them, enough resamples for Holm, few false marks."""

import math
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import kendalltau

from alignir.alignment import comparison
from alignir.alignment.bootstrap import Resampling
from alignir.alignment.significance import ALPHA

REFERENCE = "baseline"


def noisy(rng, n_systems=20, n_queries=30):
    """Two sides (S, Q) of the same systems with some agreement."""
    quality = rng.normal(size=(n_systems, 1))
    return tuple(quality + rng.normal(size=(n_systems, n_queries)) for _ in range(2))


def compare(judges, reference, **setting):
    return comparison.compare(judges, {REFERENCE: reference}, Resampling(**setting))


def against_best(judges, reference, **setting):
    return comparison.against_best(judges, {REFERENCE: reference}, Resampling(**setting))


def three_judges():
    rng = np.random.default_rng(0)
    reference, good = noisy(rng)
    judges = {"good": good, "bad": good + 2 * rng.normal(size=good.shape), "worse": rng.normal(size=good.shape)}
    return judges, reference


def by_hand(judges, reference, drawn, over):
    """{judge: scipy's tau_b with the reference in each of the draws}"""

    def tau(judge, places):
        left, right = (
            side[:, places].mean(axis=1) if over == "queries" else side.mean(axis=1)[places]
            for side in (judge, reference)
        )
        return kendalltau(left, right).statistic

    return {name: np.array([tau(judge, places) for places in drawn]) for name, judge in judges.items()}


@pytest.mark.parametrize("over", ["queries", "systems"])
@pytest.mark.parametrize("method", ["symmetric", "percentile"])
def test_compare_is_its_formulas_on_what_was_drawn(over, method):
    judges, reference = three_judges()
    table = compare(judges, reference, B=600, over=over, method=method, seed=1)
    n = 30 if over == "queries" else 20
    drawn = [np.arange(n), *np.random.default_rng(1).integers(0, n, (600, n))]
    taus = by_hand(judges, reference, drawn, over)
    assert list(zip(table["left"], table["right"], strict=True)) == list(combinations(judges, 2))
    assert set(table["reference"]) == {REFERENCE}
    for row in table.itertuples():
        difference, *resampled = taus[row.left] - taus[row.right]
        moved = np.abs(np.array(resampled) - difference)
        assert (row.tau_left, row.tau_right) == pytest.approx((taus[row.left][0], taus[row.right][0]))
        assert row.difference == pytest.approx(difference)
        assert row.p_value == pytest.approx((1 + sum(moved > abs(difference) - 1e-9)) / 601)
        reach = np.quantile(moved, 0.95)
        ends = {
            "symmetric": (difference - reach, difference + reach),
            "percentile": tuple(np.quantile(resampled, [0.025, 0.975])),
        }
        assert (row.ci_low, row.ci_high) == pytest.approx(ends[method])
    assert table["p_holm"].min() == pytest.approx(min(1, 3 * table["p_value"].min()))
    assert table.set_index(["left", "right"]).loc[("good", "worse"), "p_holm"] < 0.05


def test_every_reference_is_compared_and_corrected_by_itself():
    judges, reference = three_judges()
    both = comparison.compare(judges, {"one": reference, "other": -reference[:, :1]}, Resampling())
    for name, values in (("one", reference), ("other", -reference[:, :1])):
        alone = comparison.compare(judges, {name: values}, Resampling())
        assert both[both["reference"] == name].reset_index(drop=True).equals(alone)


def test_judges_of_equal_means_differ_significantly_in_no_more_than_five_percent_of_samples():
    rng = np.random.default_rng(0)
    p_values = []
    for seed in range(100):
        alike, right = equal_judges(2, 43, rng)
        p_values.append(compare(alike, right, B=99, seed=seed)["p_value"].item())
    assert np.mean(np.array(p_values) <= 0.05) <= 0.05 + 3 * math.sqrt(0.95 * 0.05 / 100)


def test_equal_judges_do_not_differ():
    left, right = noisy(np.random.default_rng(0))
    found = compare({"one": left, "same": left.copy()}, right).iloc[0]
    assert found[["difference", "ci_low", "ci_high", "p_value"]].tolist() == [0, 0, 0, 1]


@pytest.mark.filterwarnings("error")
def test_without_a_tau_or_a_resample_there_is_no_certainty():
    left, right = noisy(np.random.default_rng(0))
    certainty = ["ci_low", "ci_high", "p_value", "p_holm"]
    found = compare({"one": left, "tied": np.ones_like(left)}, right)
    assert found[["tau_right", "difference", *certainty]].isna().all(axis=None)
    for B, queries in ((0, 30), (100, 1)):
        found = compare({"one": left[:, :queries], "other": left[::-1, :queries]}, right[:, :queries], B=B)
        assert found["difference"].notna().all()
        assert found[certainty].isna().all(axis=None)
    assert against_best({"one": left, "other": left[::-1]}, right, B=0)["p_holm"].isna().all()
    assert against_best({"one": np.ones_like(left), "other": np.ones_like(left)}, right).empty


def test_judges_are_compared_on_the_queries_that_all_sides_know():
    left, right = noisy(np.random.default_rng(0))
    few = left[::-1].copy()
    few[:, 10:] = np.nan
    reference = right.copy()
    reference[:, 0] = np.nan
    found = compare({"all": left, "few": few, "none": np.full_like(left, np.nan)}, reference)
    same = compare({"all": left[:, 1:10], "few": few[:, 1:10]}, reference[:, 1:10])
    assert found.loc[0, "tau_left"] == pytest.approx(
        kendalltau(left[:, 1:10].mean(axis=1), right[:, 1:10].mean(axis=1)).statistic
    )
    assert found.loc[0, "tau_right"] == pytest.approx(same["tau_right"].item())
    assert found.loc[[1, 2], "p_value"].isna().all()


def test_resamples_grow_until_holm_can_find_something_and_a_set_number_is_the_least():
    assert comparison.enough(Resampling(50), 1).B == 50  # nothing is corrected
    assert comparison.enough(Resampling(), 5).B == 1000
    assert comparison.enough(Resampling(), 55).B == 11_000
    assert comparison.enough(Resampling(30_000), 55).B == 30_000
    assert comparison.enough(Resampling(0), 55).B == 0
    for comparisons in (2, 10, 55, 190, 1770, 10_000):
        smallest = comparisons / (1 + comparison.enough(Resampling(20), comparisons).B)
        assert smallest <= (ALPHA / 10 if comparisons <= 100 else ALPHA / 2)


def reversed_one_among(n: int):
    """n judges that see what the reference sees, with some noise, of which the last has it the wrong way round."""
    rng = np.random.default_rng(0)
    reference = np.linspace(0, 1, 30)[:, None] + rng.normal(0, 0.1, (30, 43))
    judges = {number: reference + rng.normal(0, 0.1, reference.shape) for number in range(n)}
    judges[n - 1] = -judges[n - 1]
    return judges, reference


def test_of_11_judges_the_one_that_reverses_the_systems_is_found_worse_than_every_other():
    judges, reference = reversed_one_among(11)
    pairs = compare(judges, reference)
    assert pairs.loc[pairs["right"] == 10, "tau_right"].max() < -0.9
    assert len(pairs) == 55
    assert set(pairs.loc[pairs["p_holm"] <= ALPHA, "right"]) == {10}
    assert (pairs.loc[pairs["right"] == 10, "p_holm"] <= ALPHA / 10).all()
    best = against_best(judges, reference)
    assert best.loc[best["p_holm"] <= ALPHA, "judge"].tolist() == [10]


def test_the_comparisons_with_the_best_are_those_of_compare_and_only_they_are_corrected_for():
    judges, reference = three_judges()
    pairs = compare(judges, reference, B=2000).set_index(["left", "right"])
    found = against_best(judges, reference, B=2000).set_index("judge")
    assert list(found.index) == ["bad", "worse"]
    assert set(found["best"]) == {"good"}
    for judge in found.index:
        pair = pairs.loc[("good", judge)]
        assert found.loc[judge, "p_value"] == pair["p_value"]
        assert (found.loc[judge, "tau"], found.loc[judge, "tau_best"]) == (pair["tau_right"], pair["tau_left"])
        assert found.loc[judge, "difference"] == -pair["difference"]
    small, large = sorted(found["p_value"])
    assert sorted(found["p_holm"]) == pytest.approx([2 * small, max(2 * small, large)])


def test_the_best_has_the_lowest_tau_where_lower_is_better():
    judges, reference = three_judges()
    references = {"up": reference, "down": -reference}
    found = comparison.against_best(judges, references, Resampling(), {"down"})
    up, down = (found[found["reference"] == name].drop(columns="reference") for name in references)
    assert set(up["best"]) == set(down["best"]) == {"good"}
    assert up["p_holm"].tolist() == down["p_holm"].tolist()


def equal_judges(n: int, n_queries: int, rng):
    """n judges whose systems have the same true means, and a reference that half of their noise is common to."""
    right = rng.normal(0.45, 0.09, 30)
    left = right + rng.normal(0, 0.04, 30)
    common, *own = rng.normal(0, 0.15, (1 + 1 + n, 30, n_queries))
    reference, *noise = own
    judges = {number: left[:, None] + common + each for number, each in enumerate(noise)}
    return judges, right[:, None] + common + reference


@pytest.mark.parametrize("n_judges", [2, 6])
def test_judges_that_are_as_good_as_the_best_are_seldom_called_worse(n_judges):
    """The share of samples in which any is; the best is chosen by the same data. scripts/bench/marks.py has more."""
    rng, samples = np.random.default_rng(0), 150
    any_marked = 0
    for seed in range(samples):
        judges, reference = equal_judges(n_judges, 43, rng)
        any_marked += (against_best(judges, reference, B=200, seed=seed)["p_holm"] <= ALPHA).any()
    assert any_marked / samples <= ALPHA
