"""Bootstrap: taus as scipy's, ties that stay ties, and intervals that hold what they should as often as they say."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from alignir.alignment import bootstrap
from alignir.alignment.tau import tau_b
from alignir.errors import InputError
from alignir.evaluation import scores
from alignir.frames import ONLINE, SCORES


def frame(values: np.ndarray, columns=SCORES, query_ids=None):
    """A long frame of values (systems, queries)."""
    query_ids = query_ids or [f"q{i}" for i in range(values.shape[1])]
    rows = [(f"s{i}", query_ids[j], "m", value) for (i, j), value in np.ndenumerate(values)]
    return pd.DataFrame(rows, columns=columns)


def noisy(rng, n_systems=20, n_queries=30):
    """Two sides (S, Q) of the same systems with some agreement."""
    quality = rng.normal(size=(n_systems, 1))
    return tuple(quality + rng.normal(size=(n_systems, n_queries)) for _ in range(2))


def test_matrices_join_systems_and_queries_by_name():
    left, right = frame(np.arange(12.0).reshape(3, 4)), frame(np.arange(12.0).reshape(3, 4))
    found = bootstrap.matrices(left[left["system"] != "s0"].sample(frac=1, random_state=0), right[::-1])
    assert (found.systems, found.query_ids) == (["s1", "s2"], ["q0", "q1", "q2", "q3"])
    assert found.left.tolist() == found.right.tolist() == [[4, 5, 6, 7], [8, 9, 10, 11]]


def test_the_means_are_those_of_scores_also_with_undefined_values():
    rng = np.random.default_rng(0)
    values, others = rng.random((2, 5, 6))
    values[:, 2] = np.nan  # a query without labels
    values[1, 4] = np.nan  # a metric undefined for one system and query
    values[3] = np.nan  # a system without any value
    left = frame(values)
    right = frame(others, ONLINE)
    right = right[right["query_id"] != "q5"]  # a query that one side lacks
    found = bootstrap.matrices(left, right)
    assert found.systems == ["s0", "s1", "s2", "s4"]
    expected = scores.means(left)["m"], scores.means(right, "metric")["m"]
    for side, means in zip((found.left, found.right), expected, strict=True):
        assert np.nanmean(side, axis=1) == pytest.approx(means[found.systems].to_numpy())
    tau = bootstrap.resampled_taus(found.left, found.right, rng, 10)[0]
    assert tau == pytest.approx(tau_b(*expected)[0])


@pytest.mark.parametrize("over", bootstrap.OVER)
@pytest.mark.parametrize("block", [bootstrap.BLOCK, 500])
def test_taus_of_judges_that_are_resampled_together_are_scipys_on_what_was_drawn(over, block, monkeypatch):
    """Also drawn in blocks, and with a system and a query that some side has no value for."""
    monkeypatch.setattr(bootstrap, "BLOCK", block)
    rng = np.random.default_rng(0)
    judges, references = rng.integers(0, 4, (3, 9, 7)).astype(float), rng.random((2, 9, 7))
    judges[1, 4] = references[0, :, 2] = references[1, 3, 3] = np.nan
    found = bootstrap.joint_taus(judges, references, np.random.default_rng(1), 40, over)
    n = 9 if over == "systems" else 7
    drawn = [np.arange(n), *np.random.default_rng(1).integers(0, n, (40, n))]

    def means(side, places):
        if over == "systems":
            return np.array([np.mean(row[~np.isnan(row)]) if (row == row).any() else np.nan for row in side])[places]
        taken = side[:, places]
        return np.array([np.mean(row[~np.isnan(row)]) if (row == row).any() else np.nan for row in taken])

    for judge, reference in np.ndindex(3, 2):
        for place, places in enumerate(drawn):
            left, right = means(judges[judge], places), means(references[reference], places)
            expected = kendalltau(left, right, nan_policy="omit").statistic
            assert found[judge, reference, place] == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_a_recorded_setting_is_read_and_what_it_lacks_is_the_default():
    params = {"bootstrap.B": "50", "bootstrap.over": "systems", "bootstrap.method": "percentile", "bootstrap.seed": "3"}
    assert bootstrap.Resampling.recorded(params) == (50, "systems", "percentile", 3)
    assert bootstrap.Resampling.recorded({"bootstrap.B": "0"}) == (0, "queries", "symmetric", 0)


@pytest.mark.parametrize("n_values", [3, 10, 10**6])
def test_taus_are_scipys_with_few_and_many_ties(n_values):
    left, right = np.random.default_rng(0).integers(0, n_values, (2, 200, 12)).astype(float)
    expected = [kendalltau(one, other, variant="b").statistic for one, other in zip(left, right, strict=True)]
    assert bootstrap.taus(left, right) == pytest.approx(np.array(expected), abs=1e-12, nan_ok=True)


@pytest.mark.filterwarnings("error")
def test_taus_leave_undefined_systems_out_and_have_none_where_a_side_ties_all():
    nan = np.nan
    left = np.array([[1, 2, 3, nan, 9], [1, 1, 1, 1, 1], [nan, nan, nan, nan, 1]])
    right = np.array([[1, 3, 2, 7, nan], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5]])
    assert bootstrap.taus(left, right) == pytest.approx([1 / 3, nan, nan], nan_ok=True)


def test_systems_that_tie_on_the_drawn_queries_tie_to_the_last_bit_in_every_resample():
    """Two identical systems, and one that differs from them on one query: they tie where that query is not drawn."""
    rng = np.random.default_rng(0)
    values = rng.random((40, 43))
    values[[7, 39]] = values[0]
    values[39, 5] += 1e-9
    weights = bootstrap.query_weights(43, 2000, rng)
    means = bootstrap.weighted_means(values, weights)
    assert (means[:, 7] == means[:, 0]).all()
    assert ((means[:, 39] == means[:, 0]) == (weights[:, 5] == 0)).all()
    assert 0.3 < (weights[:, 5] == 0).mean() < 0.43  # (1 - 1 / 43) ^ 43 = .36


def test_resampled_means_are_means_of_the_drawn_queries():
    values = np.array([[1.0, 2, np.nan, 4], [5, 6, 7, 8]])
    weights = np.array([[2.0, 0, 1, 1], [0, 0, 4, 0]])
    assert bootstrap.weighted_means(values, weights) == pytest.approx(np.array([[2, 6.25], [np.nan, 7]]), nan_ok=True)


def test_percentile_interval_is_that_of_tau_on_the_drawn_queries():
    left, right = noisy(np.random.default_rng(0))
    drawn = np.random.default_rng(1).integers(0, 30, (200, 30))
    taus = [kendalltau(left[:, queries].mean(axis=1), right[:, queries].mean(axis=1)).statistic for queries in drawn]
    found = bootstrap.tau_interval(left, right, np.random.default_rng(1), 200, 0.9, method="percentile")
    assert found == pytest.approx(tuple(np.quantile(taus, [0.05, 0.95])))


def test_over_systems_a_system_drawn_twice_forms_no_pair_with_itself():
    left, right = noisy(np.random.default_rng(0), n_systems=9)
    left, right = left.mean(axis=1), right.mean(axis=1)
    taus = []
    for drawn in np.random.default_rng(1).integers(0, 9, (200, 9)):
        pairs = [(i, j) for at, i in enumerate(drawn) for j in drawn[at + 1 :] if i != j]
        taus.append(np.mean([np.sign(left[i] - left[j]) * np.sign(right[i] - right[j]) for i, j in pairs]))
    rng = np.random.default_rng(1)
    found = bootstrap.tau_interval(left[:, None], right[:, None], rng, 200, over="systems", method="percentile")
    assert found == pytest.approx(tuple(np.quantile(taus, [0.025, 0.975])))


def test_a_side_with_one_value_a_system_stays_while_the_other_is_resampled():
    left, right = noisy(np.random.default_rng(0))
    totals = right.mean(axis=1, keepdims=True)
    found = bootstrap.matrices(frame(left), frame(totals, ONLINE, ["all"]))
    assert (found.left.shape, found.right.shape, found.query_ids[0]) == ((20, 30), (20, 1), "q0")
    alone = bootstrap.tau_interval(found.left, found.right, np.random.default_rng(2))
    repeated = bootstrap.tau_interval(found.left, np.repeat(found.right, 30, axis=1), np.random.default_rng(2))
    assert alone == pytest.approx(repeated)


@pytest.mark.filterwarnings("error")
def test_without_anything_to_resample_or_an_order_there_is_no_interval():
    left, right = noisy(np.random.default_rng(0))
    rng = np.random.default_rng(0)
    for sides in ((left[:, :1], right[:, :1]), (np.ones_like(left), right), (left[:1], right[:1])):
        for over in bootstrap.OVER if sides[0].shape[1] > 1 else ["queries"]:
            assert all(math.isnan(end) for end in bootstrap.tau_interval(*sides, rng, 20, over=over))


def test_an_unknown_choice_is_refused():
    left, right = noisy(np.random.default_rng(0))
    with pytest.raises(InputError, match="over=documents: expected one of queries, systems"):
        bootstrap.tau_interval(left, right, np.random.default_rng(0), over="documents")
    with pytest.raises(InputError, match="method=bca: expected one of symmetric, percentile"):
        bootstrap.tau_interval(left, right, np.random.default_rng(0), method="bca")


def samples(repetitions: int, rng, judge_errors: float = 0.04):
    """(the population's tau, left, right): 30 systems on 43 queries, half of the noise common to both sides."""
    for _ in range(repetitions):
        right = rng.normal(0.45, 0.09, 30)
        left = right + rng.normal(0, judge_errors, 30)
        common, *own = rng.normal(0, 0.15, (3, 30, 43))
        shown = [side[:, None] + common + noise for side, noise in zip((left, right), own, strict=True)]
        yield kendalltau(left, right).statistic, *shown


def test_95_percent_intervals_over_queries_hold_the_populations_tau_95_percent_of_the_time():
    """Percentile intervals do not: noise lowers the tau of the sample, and resampling lowers it once more."""
    held = {"symmetric": [], "percentile": []}
    for seed, (truth, left, right) in enumerate(samples(200, np.random.default_rng(0))):
        for method, found in held.items():
            rng = np.random.default_rng(seed)
            low, high = bootstrap.tau_interval(left, right, rng, 200, method=method)
            found.append(low <= truth <= high)
    error = 3 * math.sqrt(0.95 * 0.05 / 200)
    assert np.mean(held["symmetric"]) == pytest.approx(0.95, abs=error)
    assert np.mean(held["percentile"]) < 0.8


def test_95_percent_intervals_over_systems_hold_the_populations_tau_95_percent_of_the_time():
    """Systems from a normal distribution with correlation r have tau = 2 / pi arcsin r (Greiner)."""
    rng = np.random.default_rng(0)
    held = []
    for _ in range(200):
        left, right = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 40).T[:, :, None]
        low, high = bootstrap.tau_interval(left, right, rng, 200, over="systems")
        held.append(low <= 2 / math.pi * math.asin(0.9) <= high)
    assert np.mean(held) == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / 200))


def test_the_twins_of_dl19_tie_in_every_resample(dl19):
    """rankllm_bm25 and bm25base_p show the same top 10 for every query."""
    reference = pd.read_csv(dl19 / "reference" / "ndcg10_per_topic.tsv.gz", sep="\t", dtype={"qid": str})
    values = reference.pivot(index="system", columns="qid", values="ndcg_cut_10")
    assert values.shape == (46, 43)
    means = bootstrap.weighted_means(values.to_numpy(), bootstrap.query_weights(43, 1000, np.random.default_rng(0)))
    twins = values.index.get_indexer(["rankllm_bm25", "bm25base_p"])
    assert (means[:, twins[0]] == means[:, twins[1]]).all()
