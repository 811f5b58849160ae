"""Top: tau among the best systems as scipy and single resamples have it, the ceiling, and DL19's numbers."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from alignir.alignment import top
from alignir.alignment.bootstrap import Resampling, tau_interval
from alignir.data import collections, trec
from alignir.evaluation import scores
from alignir.retrieval import run_files


def two_sides(n_systems: int = 12, n_queries: int = 25) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    people = np.linspace(0, 1, n_systems)[:, None] + rng.normal(0, 0.5, (n_systems, n_queries))
    people = people[rng.permutation(n_systems)]
    return people, people + rng.normal(0, 0.7, people.shape)


def test_the_best_are_those_with_the_highest_means_and_a_system_without_a_value_is_none_of_them():
    people, _ = two_sides()
    assert top.best(people, 4).tolist() == np.argsort(people.mean(axis=1))[::-1][:4].tolist()
    people[top.best(people, 1)] = np.nan
    assert len(top.best(people, 12)) == 11
    assert top.best(np.ones((3, 2)), 2).tolist() == [0, 1]


@pytest.mark.parametrize("k", [2, 5, 11])
def test_tau_among_the_best_is_scipys_of_these_systems_alone(k):
    people, judge = two_sides()
    (row,) = top.among_best({"a": judge}, people, [k], Resampling(B=0)).itertuples()
    rows = np.argsort(people.mean(axis=1))[-k:]
    expected = kendalltau(judge.mean(axis=1)[rows], people.mean(axis=1)[rows]).statistic
    assert (row.judge, row.top, row.tau_b) == ("a", k, pytest.approx(expected))
    assert np.isnan([row.ci_low, row.ci_high]).all()


@pytest.mark.parametrize("over", ["queries", "systems"])
@pytest.mark.parametrize("method", ["symmetric", "percentile"])
def test_the_interval_is_that_of_the_same_draws_for_these_systems_alone_and_for_all_that_of_table_1(over, method):
    people, judge = two_sides()
    resampling = Resampling(200, over, method, 3)
    for row in top.among_best({"a": judge, "b": people}, people, [6, 12], resampling)[:2].itertuples():
        rows = np.sort(top.best(people, row.top))
        found = tau_interval(judge[rows], people[rows], resampling.rng(), 200, over=over, method=method)
        assert (row.ci_low, row.ci_high) == pytest.approx(found, abs=1e-12)


def test_the_systems_stay_those_of_the_full_sample_in_every_resample():
    """Of the two best of the sample, taus are 1 or -1; those of the two best of each resample would mix others in."""
    people, judge = two_sides()
    resampling = Resampling(300, method="percentile")
    (row,) = top.among_best({"a": judge}, people, [2], resampling).itertuples()
    rng, pair = resampling.rng(), top.best(people, 2)
    drawn = rng.integers(0, 25, (300, 25))
    apart = [np.sign(np.diff(side[pair][:, drawn].mean(axis=2), axis=0)[0]) for side in (people, judge)]
    expected = np.quantile(apart[0] * apart[1], [0.025, 0.975])
    assert (row.ci_low, row.ci_high) == pytest.approx(tuple(expected))


def test_a_judge_is_measured_on_the_queries_that_it_knows_and_among_the_same_systems_as_the_others():
    people, judge = two_sides()
    few = judge.copy()
    few[:, 9:] = np.nan
    found = top.among_best({"all": judge, "few": few}, people, [5], Resampling(50)).set_index("judge")
    rows = top.best(people, 5)
    expected = kendalltau(judge[rows, :9].mean(axis=1), people[rows, :9].mean(axis=1)).statistic
    assert found.loc["few", "tau_b"] == pytest.approx(expected)
    whole = top.among_best({"all": judge}, people, [5], Resampling(50)).set_index("judge")
    pd.testing.assert_series_equal(found.loc["all"], whole.loc["all"])


def test_the_ceiling_is_the_mean_tau_of_resampled_queries_with_all():
    people, _ = two_sides()
    found = top.ceilings(people, [4, 12], Resampling(100, seed=5))
    drawn = np.random.default_rng(5).integers(0, 25, (100, 25))
    for k, ceiling in found.items():
        sample = people[top.best(people, k)]
        taus = [kendalltau(sample[:, each].mean(axis=1), sample.mean(axis=1)).statistic for each in drawn]
        assert ceiling == pytest.approx(np.mean(taus))
    assert np.isnan(top.ceilings(people, [4], Resampling(B=0))[4])
    assert np.isnan(top.ceilings(people[:, :1], [4], Resampling(20))[4])
    assert top.ceilings(people, [4], Resampling(100, over="systems", seed=5))[4] == found[4]


def test_where_all_of_the_best_tie_there_is_no_order():
    people, judge = np.repeat([1.0, 1, 0], 4).reshape(3, 4), two_sides(3, 4)[1]
    (row,) = top.among_best({"a": judge}, people, [2], Resampling(20)).itertuples()
    assert np.isnan([row.tau_b, row.ci_low, row.ci_high]).all()
    assert np.isnan(top.ceilings(people, [2], Resampling(20))[2])


@pytest.fixture(scope="module")
def sides(dl19) -> dict[str, np.ndarray]:
    """nDCG@10 (46, 43) by people's labels, and by those of judges."""
    dataset = collections.folder("dl19", dl19)
    runs = run_files.run_files(dataset, None, ["*"], [], "error")
    labels = {"people": dataset.qrels}
    labels |= {judge: trec.read_qrels(dl19 / "llm_labels" / f"{judge}.qrels.gz") for judge in DL19}
    frames = {name: scores.evaluate(some, runs) for name, some in labels.items()}
    return {
        name: frame.pivot(index="system", columns="query_id", values="value").to_numpy()
        for name, frame in frames.items()
    }


ALL, *KS = 46, 20, 15, 10
DL19 = {
    "umbrela_gpt4_zeroshot": [0.870, 0.811, 0.714, 0.422],
    "4prompts_flant5-large": [0.874, 0.684, 0.600, 0.289],
    "sun_decomposed_flant5-large": [0.890, 0.695, 0.695, 0.511],
    "4prompts_llama70b": [0.863, 0.811, 0.714, 0.511],
    "genquery_similarity_llama3-8b": [0.725, 0.379, 0.524, 0.378],
}


def test_dl19s_judges_agree_less_with_people_the_better_the_systems_are(sides):
    judges = {judge: sides[judge] for judge in DL19}
    found = top.among_best(judges, sides["people"], [ALL, *KS], Resampling(B=0))
    found = found.pivot(index="judge", columns="top", values="tau_b")
    for judge, expected in DL19.items():
        assert found.loc[judge, [ALL, *KS]].tolist() == pytest.approx(expected, abs=5.1e-4)


def test_so_does_the_order_by_peoples_labels_of_resampled_queries(sides):
    found = top.ceilings(sides["people"], [ALL, *KS], Resampling())
    assert list(found.values()) == pytest.approx([0.88, 0.71, 0.58, 0.56], abs=0.01)
