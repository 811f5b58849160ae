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
from alignir.experiment import inputs, references, results
from alignir.experiment.floors import ceiling_and_floors
from alignir.frames import LEXICAL, ONE_GRADE, PAIR, SCORES, SECOND, SHUFFLED
from alignir.labelling import graders
from alignir.retrieval import bm25


@pytest.fixture(scope="module")
def demo():
    dataset = collections.demo("demo")
    runs = bm25.bm25(dataset, ["lucene"], [[0.9, 0.4], [1.6, 0.9], [0.5, 0.1]], [False, True], [False, True], 100)
    return dataset, runs


def test_shuffling_keeps_the_pairs_and_the_grades_and_parts_them(demo):
    qrels = demo[0].qrels
    draws = ceiling_and_floors(demo[0], 3, np.random.default_rng(0))[SHUFFLED].draws
    assert len(draws) == 3
    for draw in draws:
        assert draw[PAIR].equals(qrels[PAIR])
        assert Counter(draw["relevance"]) == Counter(qrels["relevance"])
        assert not draw["relevance"].equals(qrels["relevance"])
    assert not draws[0].equals(draws[1])
    again = ceiling_and_floors(demo[0], 3, np.random.default_rng(0))[SHUFFLED].draws
    assert all(one.equals(other) for one, other in zip(draws, again, strict=True))
    assert SHUFFLED not in ceiling_and_floors(demo[0], 0, np.random.default_rng(0))


def test_shuffled_labels_agree_with_the_baseline_by_chance(demo):
    (draw,) = ceiling_and_floors(demo[0], 1, np.random.default_rng(0))[SHUFFLED].draws
    same = (draw["relevance"] == demo[0].qrels["relevance"]).mean()
    shares = demo[0].qrels["relevance"].value_counts(normalize=True)
    assert same == pytest.approx((shares**2).sum(), abs=4 * 0.5 / np.sqrt(len(draw)))


def test_one_grade_leaves_nothing_but_where_judged_results_are(demo):
    dataset, runs = demo
    (labels,) = ceiling_and_floors(dataset, 0, np.random.default_rng(0))[ONE_GRADE].draws
    found = scores.evaluate(labels, rankings_of(runs, list(dataset.queries.index), sorted(set(runs["system"]))))
    judged = set(dataset.qrels[PAIR].itertuples(index=False, name=None))
    ideal = sum(1 / log2(rank + 1) for rank in range(1, 11))  # every query of the demo has ten judged passages
    for row in found.iloc[::7].itertuples():
        top = runs[(runs["system"] == row.system) & (runs["query_id"] == row.query_id) & (runs["rank"] <= 10)]
        gain = sum(1 / log2(r.rank + 1) for r in top.itertuples() if (r.query_id, r.doc_id) in judged)
        assert row.value == pytest.approx(gain / ideal)


def test_the_lexical_floor_is_the_lexical_grader(demo):
    (labels,) = ceiling_and_floors(demo[0], 0, np.random.default_rng(0))[LEXICAL].draws
    assert labels["relevance"].equals(graders.Lexical((0.25, 0.5, 0.75)).grade(demo[0].pairs()))


def test_the_average_of_draws_is_the_mean_of_scipys_taus():
    rng = np.random.default_rng(1)
    truth, draws = rng.random(8), rng.random((4, 8))

    def frame(values):
        rows = [(f"s{number}", "q", measures.NDCG, value) for number, value in enumerate(values)]
        return pd.DataFrame(rows, columns=SCORES)

    aligned = [tau.against_baseline(frame(draw), frame(truth)) for draw in draws]
    found = tau.average(aligned)
    assert found["tau_b"].item() == pytest.approx(np.mean([kendalltau(draw, truth).statistic for draw in draws]))
    assert np.isnan(found["p_value"].item())
    assert tau.average(aligned[:1]) is aligned[0]
    tied = tau.against_baseline(frame(np.ones(8)), frame(truth))
    assert tau.average([tied, *aligned])["tau_b"].item() == found["tau_b"].item()
    assert np.isnan(tau.average([tied, tied])["tau_b"].item())


def test_a_second_set_of_labels_goes_with_the_selected_queries(small):
    (small / "other.txt").write_text("q1 0 d1 2\nq1 0 d2 2\nq2 0 d3 1\n")
    dataset = collections.folder("small", small, second=small / "other.txt")
    (labels,) = ceiling_and_floors(dataset.of(["q1"]), 0, np.random.default_rng(0))[SECOND].draws
    assert labels.to_numpy().tolist() == [["q1", "d1", 2], ["q1", "d2", 2]]
    assert SECOND not in ceiling_and_floors(collections.folder("small", small), 0, np.random.default_rng(0))


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
