"""Ranks: scores, intervals and tests as scipy has them, ranks by counting, and what DL19's queries can show."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from alignir.alignment import ranks
from alignir.alignment.bootstrap import Resampling
from alignir.data import collections
from alignir.evaluation import scores
from alignir.retrieval import run_files


def values(n_systems: int = 8, n_queries: int = 20) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.linspace(0, 1, n_systems)[rng.permutation(n_systems), None] + rng.normal(0, 0.4, (n_systems, n_queries))


NAMES = list("abcdefgh")


def test_a_rank_is_one_and_the_number_of_better_systems():
    means = np.array([[0.3, 0.9, 0.3, 0.1], [0.0, 0.0, 0.0, 0.0]])
    expected = [[1 + sum(other > one for other in row) for one in row] for row in means]
    assert ranks.ranks(means).tolist() == expected == [[2, 1, 2, 4], [1, 1, 1, 1]]


def test_scores_have_scipys_t_interval_and_ranks_that_of_single_resamples():
    table, resampling = values(), Resampling(200, seed=3)
    found = ranks.standing(table, NAMES, resampling)
    low, high = stats.t.interval(0.95, 19, table.mean(axis=1), stats.sem(table, axis=1))
    assert found[["score", "ci_low", "ci_high"]].to_numpy() == pytest.approx(
        np.column_stack([table.mean(axis=1), low, high])
    )
    drawn = np.random.default_rng(3).integers(0, 20, (200, 20))
    of_each = np.array([stats.rankdata(-table[:, each].mean(axis=1), method="min") for each in drawn])
    ordered = np.sort(of_each, axis=0)
    assert found["rank_low"].tolist() == ordered[4].tolist()  # the fifth of 200 is the first with 2.5% up to it
    assert found["rank_high"].tolist() == ordered[194].tolist()
    assert (found["rank_low"] <= found["rank"]).all()
    assert (found["rank"] <= found["rank_high"]).all()


def test_resamples_of_systems_do_not_rank_copies():
    table = values()
    by = [ranks.standing(table, NAMES, Resampling(50, over)) for over in ("queries", "systems")]
    assert by[0].equals(by[1])


def test_without_resamples_and_with_one_query_there_are_no_intervals():
    assert ranks.standing(values(), NAMES, Resampling(B=0))[["rank_low", "rank_high"]].isna().all(axis=None)
    one = ranks.standing(values(8, 1), NAMES, Resampling(B=20))
    assert one[["ci_low", "ci_high", "rank_low", "rank_high"]].isna().all(axis=None)
    assert sorted(one["rank"]) == list(range(1, 9))
    assert one[["beats", "beaten_by"]].isna().all(axis=None)  # no test was made


def test_who_beats_whom_is_scipys_paired_t_test_with_holms_correction():
    table = values()
    found = ranks.beats(table, NAMES).set_index(["better", "worse"])
    assert len(found) == 28
    p_values = {}
    for one, other in combinations(range(8), 2):
        better, worse = (one, other) if table[one].mean() > table[other].mean() else (other, one)
        tested = stats.ttest_rel(table[better], table[worse])
        row = found.loc[(NAMES[better], NAMES[worse])]
        expected = [tested.statistic * stats.sem(table[better] - table[worse]), *tested.confidence_interval(0.95)]
        assert row[["difference", "ci_low", "ci_high"]].tolist() == pytest.approx(expected)
        assert row["p_value"] == pytest.approx(tested.pvalue)
        p_values[NAMES[better], NAMES[worse]] = tested.pvalue
    significant, tried = set(), sorted(p_values, key=p_values.get)
    for place, pair in enumerate(tried):  # Holm: the k-th smallest of m against alpha / (m - k + 1), until one fails
        if p_values[pair] > 0.05 / (28 - place):
            break
        significant.add(pair)
    assert set(found.index[found["p_holm"] <= 0.05]) == significant
    assert 0 < len(significant) < 28
    standing = ranks.standing(table, NAMES, Resampling(B=0)).set_index("system")
    for name in NAMES:
        assert standing.loc[name, "beats"] == sum(better == name for better, _ in significant)
        assert standing.loc[name, "beaten_by"] == sum(worse == name for _, worse in significant)


def test_the_smallest_difference_is_found_with_power_80_percent():
    """By the noncentral t distribution: two systems whose differences by query vary as the pooled ones do."""
    table = values(5, 30)
    found = ranks.shown(table)
    pairs = [one - other for one, other in combinations(table, 2)]
    spread = np.sqrt(np.mean([pair.var(ddof=1) for pair in pairs]))
    critical, centre = stats.t.ppf(0.975, 29), found.smallest / spread * np.sqrt(30)
    power = stats.nct.sf(critical, 29, centre) + stats.nct.cdf(-critical, 29, centre)
    assert power == pytest.approx(0.8, abs=0.002)
    assert found.median == pytest.approx(np.median([abs(pair.mean()) for pair in pairs]))
    assert found.pairs == 10
    assert ranks.shown(table[:1]).pairs == 0
    single = ranks.shown(table[:, :1])
    assert np.isnan([single.smallest, single.apart]).all()
    assert single.median == pytest.approx(np.median([abs(pair[0]) for pair in pairs]))


def test_a_tenth_of_the_noise_shows_a_tenth_of_the_difference():
    table = values()
    centre = table.mean(axis=1, keepdims=True)
    assert ranks.shown(centre + (table - centre) / 10).smallest == pytest.approx(ranks.shown(table).smallest / 10)


def test_dl19s_queries_cannot_tell_its_best_15_systems_apart(dl19):
    dataset = collections.folder("dl19", dl19)
    found = scores.evaluate(dataset.qrels, run_files.run_files(dataset, None, ["*"], [], "error"))
    table = found.pivot(index="system", columns="query_id", values="value")
    best = table.loc[table.mean(axis=1).nlargest(15).index].to_numpy()
    showing = ranks.shown(best)
    assert showing.smallest == pytest.approx(0.052, abs=0.0005)
    assert showing.median == pytest.approx(0.013, abs=0.0005)
    assert (showing.apart, showing.pairs) == (0, 105)
