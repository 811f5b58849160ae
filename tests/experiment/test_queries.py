"""Query selection: each strategy's definition, chances that are what they should be, and mistakes that are named."""

import logging
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from conftest import DATA, rankings_of
from scipy.stats import chisquare, kendalltau

from alignir.alignment import selection
from alignir.config import composed_cell
from alignir.data import collections, frequencies
from alignir.errors import InputError
from alignir.evaluation.measures import NDCG
from alignir.evaluation.scores import evaluate
from alignir.experiment import queries
from alignir.experiment.inputs import read_inputs
from alignir.frames import RUNS, SCORES


def dataset(judged: dict[str, int]) -> collections.Dataset:
    """A dataset with so many judged pairs for each query."""
    rows = [(query_id, f"{query_id}-{i}", i % 4) for query_id, n in judged.items() for i in range(n)]
    texts = pd.Series({query_id: "text" for query_id in judged}, dtype=object)
    return collections.Dataset(
        "d", texts, pd.Series(dtype=object), pd.DataFrame(rows, columns=["query_id", "doc_id", "relevance"])
    )


def scored(values: np.ndarray) -> tuple[collections.Dataset, pd.DataFrame]:
    """A dataset of queries q00, q01, ... and SCORES with these values (S, Q)."""
    rows = [(f"s{i}", f"q{j:02}", NDCG, value) for (i, j), value in np.ndenumerate(values)]
    frame = pd.DataFrame(rows, columns=SCORES).sample(frac=1, random_state=0)  # joined by name, so order is nothing
    return dataset({f"q{j:02}": 1 for j in range(values.shape[1])}), frame


def test_most_judged_takes_the_queries_with_the_most_pairs_and_of_a_tie_the_first_name():
    assert queries.most_judged(dataset({"b": 2, "a": 2, "c": 5, "d": 1}), 2) == ["c", "a"]
    assert queries.most_judged(dataset({"a": 2, "c": 5, "d": 1, "b": 2}), 3) == ["c", "a", "b"]


def test_discriminative_takes_the_queries_that_set_systems_furthest_apart():
    values = np.array([[0.5, 0.0, 0.2], [0.5, 1.0, 0.4], [0.5, 0.5, 0.6]])
    assert queries.discriminative(*scored(values), n=2) == ["q01", "q02"]


def test_greedy_is_forward_selection_by_scipys_tau_b():
    values = np.random.default_rng(0).integers(0, 6, (8, 9)) / 5  # many ties
    full, chosen = values.mean(axis=1), []
    while len(chosen) < 9:
        rest = [query for query in range(9) if query not in chosen]
        taus = [
            kendalltau(values[:, [*chosen, query]].mean(axis=1).round(9), full.round(9)).statistic for query in rest
        ]
        chosen.append(rest[int(np.argmax(np.round(taus, 9)))])
    assert queries.greedy(*scored(values), n=5) == [f"q{query:02}" for query in chosen[:5]]


def test_greedy_takes_the_first_of_equals_and_what_gives_no_order_last():
    rising, tied = np.linspace(0, 1, 10), np.full(10, 0.5)
    values = np.array([tied, -0.1 * rising, rising, tied, rising]).T
    assert selection.greedy_order(values, 1).tolist() == [2]
    assert selection.greedy_order(values[:, [0, 1, 3]], 1).tolist() == [1]
    assert selection.greedy_order(values[:, [0, 3, 0]], 3).tolist() == [0, 1, 2]


def test_greedy_warns_that_it_is_optimistic(caplog):
    with caplog.at_level(logging.WARNING):
        queries.greedy(*scored(np.random.default_rng(0).random((4, 5))), n=2)
    assert "chosen with the very systems that they compare" in caplog.text


def test_stratified_takes_the_same_share_of_hard_and_easy_queries():
    difficulty = np.arange(12) / 12
    data, scores = scored(np.tile(difficulty, (3, 1)))
    for seed in range(20):
        chosen = [int(name[1:]) for name in queries.stratified(data, scores, 8, seed, 4)]
        assert np.bincount(np.array(chosen) // 3).tolist() == [2, 2, 2, 2]
    assert queries.stratified(data, scores, 8, 1, 4) == queries.stratified(data, scores, 8, 1, 4)
    assert queries.stratified(data, scores, 8, 1, 4) != queries.stratified(data, scores, 8, 2, 4)


@pytest.mark.parametrize(("n", "strata"), [(5, 4), (2, 4), (9, 4), (11, 4), (3, 1), (4, 11)])
def test_from_strata_gives_every_query_the_same_chance(n, strata):
    rng = np.random.default_rng(0)
    values = rng.random(11)
    drawn = [selection.from_strata(values, n, strata, rng) for _ in range(4000)]
    assert all(len(set(one)) == n for one in drawn)
    counts = np.bincount(np.concatenate(drawn), minlength=11)
    if n == 11:
        assert (counts == 4000).all()
    else:
        error = 4 * np.sqrt(n / 11 * (1 - n / 11) / 4000)
        assert counts / 4000 == pytest.approx(n / 11, abs=error)


def test_inclusion_is_proportional_to_size_up_to_certainty():
    assert selection.inclusion(np.array([1, 2, 3, 4]), 2) == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert selection.inclusion(np.array([90, 1, 2, 7]), 2) == pytest.approx([1, 0.1, 0.2, 0.7])
    assert selection.inclusion(np.array([90, 10, 1, 1]), 3) == pytest.approx([1, 1, 0.5, 0.5])  # 10 follows 90
    assert selection.inclusion(np.array([5, 1, 9]), 3) == pytest.approx([1, 1, 1])
    assert selection.inclusion(np.array([0, 4, 4]), 1) == pytest.approx([0, 0.5, 0.5])


def test_traffic_draws_each_query_as_often_as_its_share_of_the_traffic_says(tmp_path):
    data, counts = dataset(dict.fromkeys("abcdef", 1)), {"a": 30, "b": 1, "c": 2, "d": 3, "e": 4, "f": 0}
    file = tmp_path / "frequencies.tsv"
    file.write_text("".join(f"{name}\t{count}\n" for name, count in counts.items()))
    draws = [queries.traffic(data, file, 3, seed) for seed in range(4000)]
    assert all(len(set(draw)) == 3 for draw in draws)
    found = pd.Series(np.concatenate(draws)).value_counts().reindex(counts, fill_value=0) / 4000
    # a is certain, and b to e share the other two places: 2 x (1, 2, 3, 4) / 10
    assert found.to_numpy() == pytest.approx([1, 0.2, 0.4, 0.6, 0.8, 0], abs=4 * np.sqrt(0.25 / 4000))
    assert queries.traffic(data, file, 3, 5) == queries.traffic(data, file, 3, 5)


def test_random_order_lets_every_two_queries_be_drawn_together():
    """In a fixed order systematic sampling would never draw neighbours."""
    rng = np.random.default_rng(0)
    drawn = [tuple(sorted(selection.systematic(np.full(5, 0.4), rng).tolist())) for _ in range(4000)]
    counts = pd.Series(drawn).value_counts()
    assert set(counts.index) == set(combinations(range(5), 2))
    assert chisquare(counts).pvalue > 0.001


def test_frequencies_may_have_comments_and_a_header(tmp_path):
    file = tmp_path / "frequencies.tsv"
    file.write_text("# a comment\n\nquery\tquery count\n7\t3\n8\t0\n")
    assert frequencies.read_frequencies(file).to_dict() == {"7": 3, "8": 0}


def test_real_query_frequencies_are_read_whole():
    file = DATA / "clicks" / "clara2_query_count.tsv"
    if not file.is_file():
        pytest.skip(f"needs the real data in {file}, which is not part of the repository")
    found = frequencies.read_frequencies(file)
    rows = [line.split("\t") for line in file.read_text().splitlines()[4:]]
    assert found.to_dict() == {query_id: int(count) for query_id, count in rows}
    assert len(found) > 1500


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\t1\nb\tmany\n", r":2: expected 'query_id<TAB>count' with a count from 0, found 'b\\tmany'"),
        ("a 1\nb 2\n", r":1: expected 'query_id<TAB>count'"),
        ("a\t1\nb\t-2\n", ":2: expected"),
        ("a\tnan\nb\t2\n", ":1: expected"),
        ("a\tinf\nb\t2\n", ":1: expected"),
        ("a\t1\t2\nb\t2\n", ":1: expected"),
        ("query\tcount\nq\tcount\n", ":2: expected"),
        ("a\t1\nb\t2\na\t3\n", ":3: the query_id a is already in line 1"),
        ("# nothing\n", "expected 'query_id<TAB>count' lines, found none"),
        ("a\t1\n", "has no frequency for the query b of d; 1 of 2 such queries in all"),
        ("a\t1\nb\t0\n", "n=2, but only 1 query with a frequency above 0"),
    ],
)
def test_a_mistake_in_a_frequency_file_is_named(tmp_path, text, message):
    file = tmp_path / "frequencies.tsv"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        queries.traffic(dataset({"a": 1, "b": 1}), file, 2, 0)


def test_traffic_without_a_file_and_impossible_numbers_are_refused():
    data, scores = scored(np.ones((2, 3)))
    with pytest.raises(InputError, match=r"queries\.path=FILE"):
        queries.traffic(data, None, 1, 0)
    with pytest.raises(InputError, match=r"^strata=4: expected 1 to 3"):
        queries.stratified(data, scores, 2, 0, 4)
    for strategy in (queries.most_judged, queries.discriminative, queries.greedy):
        for n in (0, 4):
            with pytest.raises(InputError, match=rf"^n={n}: expected 1 to 3"):
                strategy(*((data, scores) if strategy is not queries.most_judged else (data,)), n=n)


def test_a_strategy_gets_scores_only_where_it_asks_for_them():
    data = dataset({"a": 4, "b": 4})
    runs = pd.DataFrame([("s", "a", "a-3", 1.0, 1), ("s", "b", "b-0", 1.0, 1)], columns=RUNS)
    assert queries.select(lambda dataset: ["a"], data, runs.iloc[:0]) == ["a"]
    given = []
    queries.select(lambda dataset, scores: given.append(scores), data, runs)
    pd.testing.assert_frame_equal(given[0], evaluate(data.qrels, rankings_of(runs, ["a", "b"], ["s"])))


@pytest.mark.parametrize("strategy", ["most_judged", "stratified", "discriminative", "greedy"])
def test_every_strategy_selects_from_the_command_line(strategy):
    found = [
        list(read_inputs(composed_cell(["model=lexical", f"queries={strategy}", "queries.n=5"])).dataset.queries.index)
        for _ in range(2)
    ]
    assert len(set(found[0])) == 5
    assert found[0] == found[1]
