"""Ties: systems of equal means are level, in whatever order the terms of the means were added up."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, spearmanr

from alignir.alignment.bootstrap import query_weights, resampled_taus
from alignir.alignment.correlations import same_best, spearman
from alignir.alignment.ranks import ranks
from alignir.alignment.tau import against_baseline, tau_b
from alignir.alignment.ties import settled
from alignir.frames import SCORES


@pytest.fixture
def thirds() -> tuple[np.ndarray, np.ndarray]:
    """How many of three results are relevant, by two judges: whole numbers (systems, queries), exact in any order."""
    rng = np.random.default_rng(1)
    return rng.integers(0, 4, (30, 7)), rng.integers(0, 4, (30, 7))


def frame(counts: np.ndarray) -> pd.DataFrame:
    rows = [(f"s{s:02}", f"q{q}", "P_3", value / 3) for (s, q), value in np.ndenumerate(counts)]
    return pd.DataFrame(rows, columns=SCORES)


def test_tau_of_thirds_is_that_of_their_counts(thirds):
    one, other = thirds
    expected = kendalltau(one.sum(axis=1), other.sum(axis=1)).statistic
    means = [(side / 3).mean(axis=1) for side in thirds]
    assert kendalltau(*means).statistic != pytest.approx(expected)  # the bits that this is about
    (row,) = against_baseline(frame(one), frame(other)).itertuples()
    assert row.tau_b == pytest.approx(expected, abs=1e-12)
    assert tau_b(*map(pd.Series, means))[0] == pytest.approx(expected, abs=1e-12)


def test_so_are_those_of_resamples(thirds):
    one, other = thirds
    found = resampled_taus(one / 3, other / 3, np.random.default_rng(5), 40)
    weights = np.vstack([np.ones(7), query_weights(7, 40, np.random.default_rng(5))])
    expected = [kendalltau(weight @ one.T, weight @ other.T).statistic for weight in weights]
    assert found == pytest.approx(np.array(expected), abs=1e-12)


def test_so_are_ranks_and_other_correlations(thirds):
    one, other = (pd.Series(side.mean(axis=1) / 3) for side in thirds)
    assert spearman(one, other) == pytest.approx(spearmanr(*(side.sum(axis=1) for side in thirds)).statistic, abs=1e-12)
    counts = thirds[0].sum(axis=1)
    assert ranks((thirds[0] / 3).mean(axis=1)).tolist() == [1 + int((counts > count).sum()) for count in counts]
    both = pd.Series([0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1, 0.2])
    assert both[0] != both[1]
    assert same_best(both, pd.Series([0.6, 0.6, 0.1])) == 1.0


def test_what_differs_stays_different_at_any_size():
    for size in (1e-9, 1.0, 3e5):
        values = settled(size * np.array([0.3, 0.3 + 1e-9, np.nan]))
        assert values[0] < values[1]
        assert np.isnan(values[2])
    assert settled(np.zeros(3)).tolist() == [0, 0, 0]
    assert settled(np.array([])).size == 0
