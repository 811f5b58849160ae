"""Unlabelled: the range of tau_b over the grades that missing labels could have."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from alignir.alignment.unlabelled import ranges
from alignir.data.ranked import as_runs, ranked
from alignir.evaluation.scores import evaluate

K = 4


def _case(rng: np.random.Generator, grades: tuple[int, ...], n_missing: int):
    """Random rankings of 4 systems, the baseline's labels and a judge's, of which some are missing."""
    documents = {f"q{q}": [f"d{d}" for d in range(6)] for q in range(3)}
    rows = [
        (f"s{s}", query_id, doc_id, float(score))
        for s in range(4)
        for query_id, doc_ids in documents.items()
        for doc_id, score in zip(rng.permutation(doc_ids)[:5], range(5, 0, -1), strict=False)
    ]
    runs = as_runs(ranked(pd.DataFrame(rows, columns=["system", "query_id", "doc_id", "score"])), list(documents))
    pairs = pd.DataFrame(
        [(query_id, doc_id) for query_id, doc_ids in documents.items() for doc_id in doc_ids],
        columns=["query_id", "doc_id"],
    )
    qrels = pairs.assign(relevance=rng.choice(grades, len(pairs)))
    labels = pairs.assign(relevance=pd.array(rng.choice(grades, len(pairs)), dtype="Int64"))
    labels.loc[rng.choice(len(pairs), n_missing, replace=False), "relevance"] = pd.NA
    return runs, qrels, labels


def _tau(labels: pd.DataFrame, runs, baseline: pd.DataFrame) -> float:
    sides = (side.groupby("system")["value"].mean().round(12) for side in (evaluate(labels, runs, MEASURES), baseline))
    return float(kendalltau(*sides).statistic)


MEASURES = [f"ndcg_cut_{K}"]


@pytest.mark.parametrize("grades", [(0, 1, 2, 3), (0, 1), (0, 2, 5), (1, 2, 3)])
@pytest.mark.parametrize("seed", range(3))
def test_every_filling_lies_within_the_bounds_and_some_reach_what_was_tried(seed, grades):
    rng = np.random.default_rng(seed)
    runs, qrels, labels = _case(rng, grades, n_missing=4)
    baseline = evaluate(qrels, runs, MEASURES)
    tried, bounds = ranges(labels, runs, evaluate(labels, runs, MEASURES), baseline, grades, K)
    every = []
    for filling in product(grades, repeat=4):
        filled = labels.copy()
        filled.loc[labels["relevance"].isna(), "relevance"] = filling
        every.append(_tau(filled, runs, baseline))
    every = [tau for tau in every if tau == tau]
    assert bounds.low <= min(every) + 1e-12
    assert max(every) <= bounds.high + 1e-12
    assert any(tried.low == pytest.approx(tau) for tau in every)
    assert any(tried.high == pytest.approx(tau) for tau in every)
    assert bounds.low <= tried.low + 1e-12
    assert tried.high <= bounds.high + 1e-12


def test_two_systems_have_exact_bounds():
    rng = np.random.default_rng(7)
    for _ in range(12):
        runs, qrels, labels = _case(rng, (0, 1, 2), n_missing=3)
        two = as_runs(runs.frame[runs.frame["system"].isin(["s0", "s1"])], runs.query_ids)
        baseline = evaluate(qrels, two, MEASURES)
        _, bounds = ranges(labels, two, evaluate(labels, two, MEASURES), baseline, (0, 1, 2), K)
        every = []
        for filling in product((0, 1, 2), repeat=3):
            filled = labels.copy()
            filled.loc[labels["relevance"].isna(), "relevance"] = filling
            every.append(_tau(filled, two, baseline))
        assert bounds == pytest.approx((np.nanmin(every), np.nanmax(every)))


def test_all_lowest_all_highest_and_per_system_extremes_are_tried():
    rng = np.random.default_rng(3)
    runs, qrels, labels = _case(rng, (0, 1, 2, 3), n_missing=9)
    baseline = evaluate(qrels, runs, MEASURES)
    tried, _ = ranges(labels, runs, evaluate(labels, runs, MEASURES), baseline, (0, 1, 2, 3), K)
    missing = labels["relevance"].isna()
    shown = {
        system: set(zip(top["query_id"], top["doc_id"], strict=True))
        for system, top in runs.top(K).frame.groupby("system")
    }
    pairs = pd.Series(list(zip(labels["query_id"], labels["doc_id"], strict=True)))
    fillings = [pairs.map(lambda _, grade=grade: grade) for grade in (0, 3)]
    for own in shown.values():
        fillings += [
            pairs.map(lambda pair, own=own: 3 * (pair in own)),
            pairs.map(lambda pair, own=own: 3 * (pair not in own)),
        ]
    taus = [
        _tau(labels.assign(relevance=labels["relevance"].mask(missing, filling)), runs, baseline)
        for filling in fillings
    ]
    assert tried.low <= np.nanmin(taus) + 1e-12
    assert tried.high >= np.nanmax(taus) - 1e-12


def test_without_missing_labels_both_are_tau_itself():
    runs, qrels, labels = _case(np.random.default_rng(1), (0, 1, 2, 3), n_missing=0)
    scores, baseline = evaluate(labels, runs, MEASURES), evaluate(qrels, runs, MEASURES)
    tau = _tau(labels, runs, baseline)
    assert ranges(labels, runs, scores, baseline, (0, 1, 2, 3), K) == (
        pytest.approx((tau, tau)),
        pytest.approx((tau, tau)),
    )


def test_a_judge_without_any_label_could_have_any_order_that_labels_can_make():
    runs, qrels, labels = _case(np.random.default_rng(2), (0, 1, 2, 3), n_missing=0)
    labels["relevance"] = pd.NA
    scores, baseline = evaluate(labels, runs, MEASURES), evaluate(qrels, runs, MEASURES)
    tried, bounds = ranges(labels, runs, scores, baseline, (0, 1, 2, 3), K)
    assert bounds == (-1.0, 1.0)
    assert -1 <= tried.low < tried.high <= 1
