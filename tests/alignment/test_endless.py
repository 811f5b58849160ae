"""The trials of the tau of endless queries that scripts/bench/coverage.py measures do what they say."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau

BENCH = Path(__file__).parents[2] / "scripts" / "bench"


@pytest.fixture(scope="module")
def endless():
    spec = importlib.util.spec_from_file_location("endless", BENCH / "endless.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_agreement_of_pairs_is_that_of_draws_from_their_posterior(endless):
    differences, noise = np.array([[[0.3, -0.1], [0.5, 0.4]]]), np.array([[[0.2, 0.1, 0.3], [0.1, 0.0, 0.2]]])
    covariances, shares = np.array([[[0.5, 0.3, 0.4], [0.05, 0.01, 0.1]]]), np.array([[0.7, 0.3]])
    rng = np.random.default_rng(0)
    expected = []
    for shown, error in zip(differences[0], noise[0], strict=True):
        within = error[[0, 1, 1, 2]].reshape(2, 2)
        parts = [
            rng.multivariate_normal([0, 0], each[[0, 1, 1, 2]].reshape(2, 2), int(share * 1_000_000))
            for share, each in zip(shares[0], covariances[0], strict=True)
        ]
        true = np.concatenate(parts)
        off = shown - true
        chances = np.exp(-0.5 * np.einsum("ni,ij,nj->n", off, np.linalg.inv(within), off))
        expected.append(np.average(np.sign(true).prod(axis=1), weights=chances))
    found = endless._agreement(differences, noise, covariances, shares)
    assert found == pytest.approx([np.mean(expected)], abs=0.02)


def test_noise_of_a_pair_is_the_covariance_of_its_differences(endless):
    left, right = np.random.default_rng(0).normal(size=(2, 4, 9))
    weights = np.ones((2, 9))
    weights[1, :3] = 0
    differences, noise = endless._differences(left, right, weights)
    for group, known in enumerate(weights.astype(bool)):
        apart = np.stack([left[0, known] - left[2, known], right[0, known] - right[2, known]])
        assert differences[group, 1] == pytest.approx(apart.mean(axis=1))
        assert noise[group, 1] == pytest.approx((np.cov(apart) / known.sum())[[0, 0, 1], [0, 1, 1]])


def test_who_knows_prior_and_noise_has_the_posterior_of_a_conjugate_normal(endless):
    """One system's side: precision 1 / prior + 1 / noise."""
    prior, noise = np.diag([4.0, 1.0]), np.diag([2.0, 3.0])
    drawn = endless._given(np.array([1.0, -2.0]), prior, noise, np.random.default_rng(0), 200_000)
    assert drawn.mean(axis=0) == pytest.approx([4 / 6, -2 / 4], abs=0.02)
    assert drawn.var(axis=0) == pytest.approx([4 * 2 / 6, 1 * 3 / 4], rel=0.02)


@pytest.mark.parametrize("method", ["posterior", "pairs"])
def test_with_hardly_any_noise_a_trial_finds_the_samples_tau(endless, method):
    rng = np.random.default_rng(0)
    right = rng.normal(size=20)
    left = right + rng.normal(size=20)
    sides = [means[:, None] + 1e-4 * rng.normal(size=(20, 40)) for means in (left, right)]
    found = endless.posterior(*sides, rng) if method == "posterior" else endless.pairs(*sides)
    assert found.estimate == pytest.approx(kendalltau(left, right).statistic, abs=0.01)
    assert found.high - found.low < 0.02


@pytest.mark.parametrize("method", ["posterior", "pairs"])
def test_noise_that_lowers_a_samples_tau_is_taken_out_again(endless, method):
    rng = np.random.default_rng(0)
    right = rng.normal(0, 0.09, 40)
    left = right + rng.normal(0, 0.03, 40)
    truth = kendalltau(left, right).statistic
    errors = []
    for _ in range(10):
        sides = [means[:, None] + rng.normal(0, 0.25, (40, 43)) for means in (left, right)]
        sample = kendalltau(*(side.mean(axis=1) for side in sides)).statistic
        found = endless.posterior(*sides, rng) if method == "posterior" else endless.pairs(*sides)
        errors.append((sample - truth, found.estimate - truth))
    of_sample, of_method = np.abs(np.mean(errors, axis=0))
    assert of_method < of_sample / 2
