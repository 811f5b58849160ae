"""Worklist: what a pair's disagreement does to tau, against everything scored again for each pair."""

import numpy as np
import pandas as pd
import pytest
from conftest import rankings_of

from alignir.alignment.tau import tau_b
from alignir.alignment.worklist import Graded, tau_changes, weight
from alignir.data.ranked import ranked
from alignir.evaluation.ndcg import places
from alignir.evaluation.scores import evaluate, means

SYSTEMS, QUERIES, DOCS = [f"s{n}" for n in range(7)], [f"q{n}" for n in range(4)], [f"d{n}" for n in range(9)]


@pytest.fixture(scope="module")
def collection():
    """(pairs with the grades of the baseline and two judges, some missing; rankings): the last query has no label."""
    rng = np.random.default_rng(3)
    rows = [(query, doc, *rng.integers(0, 4, 3).astype(float)) for query in QUERIES for doc in DOCS[:-1]]
    pairs = pd.DataFrame(rows, columns=["query_id", "doc_id", "baseline", "one", "two"])
    pairs.loc[pairs.index % 7 == 3, "one"] = np.nan
    pairs.loc[pairs["query_id"] == QUERIES[-1], "two"] = np.nan
    pairs.loc[pairs.index % 11 == 5, "baseline"] = np.nan
    retrieved = [(s, q, d, rng.normal()) for s in SYSTEMS for q in QUERIES for d in DOCS if rng.random() < 0.7]
    runs = ranked(pd.DataFrame(retrieved, columns=["system", "query_id", "doc_id", "score"]))
    return pairs, rankings_of(runs, QUERIES, SYSTEMS)


def tau_of(pairs, grades: pd.Series, runs) -> float:
    """tau_b with the baseline by pytrec_eval's nDCG@3 and scipy."""
    sides = []
    for values in (grades, pairs["baseline"]):
        labels = pairs[["query_id", "doc_id"]].assign(relevance=values.astype("Int64"))
        sides.append(evaluate(labels, runs, ["ndcg_cut_3"]))
    unknown = {query for side in sides for query in side.loc[side["value"].isna(), "query_id"]}
    left, right = (means(side[~side["query_id"].isin(unknown)])["ndcg_cut_3"] for side in sides)
    return tau_b(left, right)[0]


@pytest.mark.parametrize("judge", ["one", "two"])
def test_the_change_of_tau_is_that_of_everything_scored_again(collection, judge):
    pairs, runs = collection
    at = places(pairs[["query_id", "doc_id"]], runs, 3)
    found = tau_changes(Graded(pairs[judge].to_numpy(), pairs["baseline"].to_numpy()), at)
    before, expected = tau_of(pairs, pairs[judge], runs), []
    for row in pairs.itertuples():
        grades = pairs[judge].copy()
        if not np.isnan(getattr(row, judge)) and not np.isnan(row.baseline):
            grades[row.Index] = row.baseline
        expected.append(tau_of(pairs, grades, runs) - before)
    assert np.count_nonzero(np.round(expected, 9)) > 5
    assert found == pytest.approx(expected, abs=1e-12)


def test_the_weight_is_the_mean_over_judges_of_disagreement_times_change(collection):
    pairs, runs = collection
    at = places(pairs[["query_id", "doc_id"]], runs, 3)
    judges = [Graded(pairs[judge].to_numpy(), pairs["baseline"].to_numpy()) for judge in ("one", "two")]
    by_hand = [np.abs(each.judge - each.baseline) * np.abs(tau_changes(each, at)) for each in judges]
    assert weight(judges, at) == pytest.approx(np.nan_to_num(by_hand).mean(axis=0))


def test_judges_that_agree_leave_nothing_to_weigh(collection):
    pairs, runs = collection
    at = places(pairs[["query_id", "doc_id"]], runs, 3)
    same = Graded(pairs["baseline"].to_numpy(), pairs["baseline"].to_numpy())
    assert not weight([same], at).any()
