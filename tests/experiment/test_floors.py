"""Bounds: labels that no judge gave, by what they are made of and by the alignment that is left to them."""

from collections import Counter
from math import log2

import numpy as np
import pandas as pd
import pytest
from conftest import rankings_of
from scipy.stats import kendalltau

from alignir.alignment import tau
from alignir.config import composed_cell
from alignir.data import collections
from alignir.errors import InputError
from alignir.evaluation import measures, scores
from alignir.experiment import floors, inputs, references, results
from alignir.experiment.floors import ceiling_and_floors
from alignir.frames import ALL, LEXICAL, ONE_GRADE, ONLINE, PAIR, SECOND, SHUFFLED
from alignir.labelling import graders
from alignir.retrieval import bm25


@pytest.fixture(scope="module")
def demo():
    everything = collections.demo("demo")
    dataset = everything.of(everything.queries.index[:12])  # the fewer, the more draws it takes
    runs = bm25.bm25(dataset, ["lucene"], [[0.9, 0.4], [1.6, 0.9], [0.5, 0.1]], [False, True], [False, True], 100)
    return dataset, runs


def test_shuffled_labels_are_scored_as_trec_eval_does_and_their_mean_tau_is_sure(demo):
    """The draws again, one by one, by pytrec_eval and scipy; so many that their mean is known to .02."""
    cell = composed_cell(["model=lexical"])
    dataset = demo[0]
    runs = rankings_of(demo[1], list(dataset.queries.index), sorted(set(demo[1]["system"])))
    people = scores.evaluate(dataset.qrels, runs)
    (found,) = floors.shuffled(cell, dataset, runs, {"baseline": tau.sides(people)[measures.NDCG]}).itertuples()
    rng, truth, taus = np.random.default_rng(0), scores.means(people)[measures.NDCG], []
    for _ in range(int(found.draws)):
        grades = rng.permutation(dataset.qrels["relevance"].to_numpy())
        assert Counter(grades) == Counter(dataset.qrels["relevance"])
        drawn = scores.evaluate(dataset.qrels.assign(relevance=grades), runs)
        taus.append(kendalltau(scores.means(drawn)[measures.NDCG], truth).statistic)
    assert found.tau_b == pytest.approx(np.mean(taus), abs=1e-9)
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(np.percentile(taus, (2.5, 97.5))), abs=1e-9)
    assert np.std(taus, ddof=1) / np.sqrt(len(taus)) < 0.02
    assert np.std(taus[:-100], ddof=1) / np.sqrt(len(taus) - 100) >= 0.02
    assert np.isnan(found.p_value)
    assert (found.n_systems, found.n_queries) == (12, 12)


@pytest.mark.parametrize("users", ["one value", "some queries"])
def test_shuffled_labels_meet_users_on_the_queries_that_both_know(demo, users):
    dataset = demo[0]
    runs = rankings_of(demo[1], list(dataset.queries.index), sorted(set(demo[1]["system"])))
    rng = np.random.default_rng(1)
    asked = [ALL] if users == "one value" else list(dataset.queries.index)[:5]
    rows = [(system, query, "m", rng.random()) for system in runs.systems[1:] for query in asked]
    online = tau.sides(pd.DataFrame(rows, columns=ONLINE))
    cell = composed_cell(["model=lexical", "floor.shuffles=2"])
    (found,) = floors.shuffled(cell, dataset, runs, online).itertuples()
    rng, aligned = np.random.default_rng(0), []
    for _ in range(2):
        labels = dataset.qrels.assign(relevance=rng.permutation(dataset.qrels["relevance"].to_numpy()))
        aligned.append(tau.against_users(scores.evaluate(labels, runs), online))
    assert found.tau_b == pytest.approx(np.mean([each["tau_b"].item() for each in aligned]))
    assert [found.n_systems, found.n_queries] == aligned[0][["n_systems", "n_queries"]].iloc[0].tolist()
    assert found.draws == 2


def test_another_measure_is_drawn_less_often(demo):
    runs = rankings_of(demo[1], list(demo[0].queries.index), sorted(set(demo[1]["system"])))
    people = tau.sides(scores.evaluate(demo[0].qrels, runs, ("map",)))
    found = floors.shuffled(composed_cell(["model=lexical", "headline=map"]), demo[0], runs, people)
    assert found["draws"].tolist() == [floors.SCORED]
    assert found["tau_b"].between(-1, 1).all()


def test_one_grade_leaves_nothing_but_where_judged_results_are(demo):
    dataset, runs = demo
    labels = ceiling_and_floors(dataset)[ONE_GRADE].labels
    found = scores.evaluate(labels, rankings_of(runs, list(dataset.queries.index), sorted(set(runs["system"]))))
    judged = set(dataset.qrels[PAIR].itertuples(index=False, name=None))
    ideal = sum(1 / log2(rank + 1) for rank in range(1, 11))  # every query of the demo has ten judged passages
    for row in found.iloc[::7].itertuples():
        top = runs[(runs["system"] == row.system) & (runs["query_id"] == row.query_id) & (runs["rank"] <= 10)]
        gain = sum(1 / log2(r.rank + 1) for r in top.itertuples() if (r.query_id, r.doc_id) in judged)
        assert row.value == pytest.approx(gain / ideal)


def test_the_lexical_floor_is_the_lexical_grader(demo):
    labels = ceiling_and_floors(demo[0])[LEXICAL].labels
    assert labels["relevance"].equals(graders.Lexical((0.25, 0.5, 0.75)).grade(demo[0].pairs()))


def test_a_second_set_of_labels_goes_with_the_selected_queries(small):
    (small / "other.txt").write_text("q1 0 d1 2\nq1 0 d2 2\nq2 0 d3 1\n")
    dataset = collections.folder("small", small, second=small / "other.txt")
    labels = ceiling_and_floors(dataset.of(["q1"]))[SECOND].labels
    assert labels.to_numpy().tolist() == [["q1", "d1", 2], ["q1", "d2", 2]]
    assert SECOND not in ceiling_and_floors(collections.folder("small", small))


def test_a_second_set_of_labels_without_a_pair_in_common_is_refused(small):
    (small / "other.txt").write_text("q1 0 d4 2\n")
    with pytest.raises(InputError, match="has a label for none of the 4 judged pairs"):
        collections.folder("small", small, second=small / "other.txt")
    with pytest.raises(InputError, match=r"no second set of labels \(dataset.second=FILE\) at"):
        collections.folder("small", small, second=small / "nowhere.txt")


def test_bounds_that_are_kept_for_a_sweep_are_those_of_a_cell_alone():
    def bounds_of(*settings):
        cell = composed_cell(["model=lexical", "bootstrap.B=20", "floor.shuffles=2", *settings])
        found = results.compute(cell, inputs.read_inputs(cell)).alignment
        return found[found["labels"].isin((LEXICAL, SHUFFLED, ONE_GRADE))].reset_index(drop=True)

    first, other = bounds_of(), bounds_of("floor.seed=1")
    kept = bounds_of("prompt=basic")
    references._kept.clear()
    pd.testing.assert_frame_equal(kept, bounds_of("prompt=basic"), check_exact=True)
    pd.testing.assert_frame_equal(kept, first, check_exact=True)
    assert not other["tau_b"].equals(first["tau_b"])
    assert not bounds_of("user_model=pbm")["tau_b"].equals(first["tau_b"])
