"""Pooled: judges over several datasets, against scipy, numpy and the comparison on one dataset."""

import numpy as np
import pytest
from scipy.stats import kendalltau

from alignir.alignment.bootstrap import Resampling
from alignir.alignment.comparison import against_best
from alignir.alignment.pooled import pooled


def seen(truth: np.ndarray, rng, noise: float) -> np.ndarray:
    return truth + rng.normal(0, noise, truth.shape)


def made(rng, n_systems: int, n_queries: int, **noise: float):
    truth = np.linspace(0, 1, n_systems)[:, None] + rng.normal(0, 0.3, (n_systems, n_queries))
    return {name: seen(truth, rng, size) for name, size in noise.items()}, truth


def tau(judge: np.ndarray, truth: np.ndarray) -> float:
    known = ~np.isnan(judge).all(axis=0)
    return kendalltau(judge[:, known].mean(axis=1), truth[:, known].mean(axis=1)).statistic


def test_the_mean_and_the_spread_are_those_of_scipys_taus_on_the_queries_that_a_judge_knows():
    rng = np.random.default_rng(0)
    datasets = [made(rng, n, q, good=0.1, fair=1, blind=9) for n, q in ((8, 20), (12, 15), (10, 30))]
    datasets[1][0]["fair"][:, :5] = np.nan
    found = pooled(datasets, Resampling(B=99)).set_index("judge")
    for name, row in found.iterrows():
        taus = [tau(judges[name], truth) for judges, truth in datasets]
        assert row["tau_b"] == pytest.approx(np.mean(taus))
        assert row["spread"] == pytest.approx(np.std(taus, ddof=1))
        assert -1 <= row["ci_low"] <= row["tau_b"] <= row["ci_high"] <= 1
    assert list(found.index) == ["good", "fair", "blind"]
    assert set(found["best"]) == {"good"}
    assert np.isnan(found.loc["good", "p_holm"])
    assert found.loc["blind", "p_holm"] < 0.05


def test_of_one_dataset_it_is_the_comparison_with_the_best():
    judges, truth = made(np.random.default_rng(1), 12, 30, good=0.2, other=0.8, third=1.5)
    found = pooled([(judges, truth)], Resampling(B=200)).iloc[1:].set_index("judge")
    expected = against_best(judges, {"people": truth}, Resampling(B=200)).set_index("judge").loc[found.index]
    for column in ("difference", "p_value", "p_holm"):
        assert found[column].to_numpy() == pytest.approx(expected[column].to_numpy())
    assert found["spread"].isna().all()


def test_datasets_are_resampled_on_their_own():
    """The same twice: were both drawn alike, the interval would be as wide as of one; so it is narrower by sqrt(2)."""
    judges, truth = made(np.random.default_rng(2), 12, 30, good=1.0)
    once, twice = (pooled([(judges, truth)] * n, Resampling(B=2000)).iloc[0] for n in (1, 2))
    width = [each["tau_b"] - each["ci_low"] for each in (once, twice)]
    assert width[1] < 0.85 * width[0]


def test_a_difference_that_no_dataset_shows_is_shown_by_several():
    rng = np.random.default_rng(3)
    datasets = [made(rng, 15, 12, good=0.3, fair=1.1) for _ in range(6)]
    alone = [against_best(judges, {"p": truth}, Resampling(B=300))["p_holm"].item() for judges, truth in datasets]
    assert pooled(datasets, Resampling(B=300))["p_holm"].iloc[1] < np.median(alone)


def test_a_judge_without_an_order_is_last_and_without_resamples_there_are_no_intervals():
    judges, truth = made(np.random.default_rng(4), 6, 10, good=0.2)
    judges = {"tied": np.ones_like(truth), **judges}
    found = pooled([(judges, truth)] * 2, Resampling(B=0))
    assert found["judge"].tolist() == ["good", "tied"]
    assert np.isnan(found["tau_b"].iloc[1])
    assert found[["ci_low", "p_value", "p_holm"]].isna().all(axis=None)
