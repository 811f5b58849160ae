"""nDCG of many sets of grades: to the last digits what pytrec_eval says of each."""

import numpy as np
import pandas as pd
import pytest
import pytrec_eval
from conftest import rankings_of

from alignir.data.ranked import IDS, ranked
from alignir.evaluation.ndcg import ndcg, places
from alignir.evaluation.scores import evaluate

SYSTEMS, QUERIES = ["a", "b", "c"], [f"q{number}" for number in range(8)]


@pytest.fixture(params=[False, True], ids=["strings", "categories"])
def collection(request):
    """(pairs, RUNS): queries of 1 to 30 pairs, one without any; scores that tie, results that nobody judged, 0 to 15
    of them.
    """
    rng = np.random.default_rng(0)
    pairs = [(query, f"d{d}") for number, query in enumerate(QUERIES[:-1]) for d in range([1, 3, 30][number % 3])]
    pairs = pd.DataFrame(pairs, columns=["query_id", "doc_id"]).sample(frac=1, random_state=0, ignore_index=True)
    lines = [
        (system, query, f"d{d}", float(rng.integers(0, 6)))
        for system in SYSTEMS
        for query in QUERIES
        for d in rng.permutation(35)[: rng.integers(0, 16)]
    ]
    runs = ranked(pd.DataFrame(lines, columns=["system", "query_id", "doc_id", "score"]))
    return pairs, runs.astype(dict.fromkeys(IDS, "category")) if request.param else runs


def by_trec_eval(qrels: pd.DataFrame, runs: pd.DataFrame, measure: str) -> np.ndarray:
    """(systems, queries): pytrec_eval on dictionaries; 0 for a query that a system lacks, NaN for one without pairs."""
    judged: dict[str, dict[str, int]] = {}
    for pair in qrels.itertuples():
        judged.setdefault(pair.query_id, {})[pair.doc_id] = pair.relevance
    evaluator = pytrec_eval.RelevanceEvaluator(judged, {measure})
    found = np.full((len(SYSTEMS), len(QUERIES)), np.nan)
    for row, system in enumerate(SYSTEMS):
        ranking: dict[str, dict[str, float]] = {}
        for line in runs[runs["system"] == system].itertuples():
            ranking.setdefault(line.query_id, {})[line.doc_id] = line.score
        values = evaluator.evaluate(ranking)
        found[row] = [values.get(query, {measure: 0.0})[measure] if query in judged else np.nan for query in QUERIES]
    return found


@pytest.mark.parametrize("k", [1, 5, 10])
def test_it_is_trec_evals(collection, k):
    """With negative grades, and queries that have nothing relevant."""
    (qrels, runs), rng = collection, np.random.default_rng(k)
    where = places(qrels, rankings_of(runs, QUERIES, SYSTEMS), 10)
    for number in range(20):
        grades = rng.choice([0, 0, 0, 1, 2, 3, *([-1] * (number % 2))], len(qrels))
        expected = by_trec_eval(qrels.assign(relevance=grades), runs, f"ndcg_cut_{k}")
        np.testing.assert_allclose(ndcg(grades, where, k), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("measure", "of_trec_eval"), [("ndcg_exp_cut_5", "ndcg_cut_5"), ("ndcg_cut_200", "ndcg_cut_200")]
)
def test_other_gains_and_depths_are_trec_evals_too(collection, measure, of_trec_eval):
    qrels, runs = collection
    qrels = qrels.assign(relevance=np.random.default_rng(1).choice([0, 1, 2, 3], len(qrels)))
    found = evaluate(qrels, rankings_of(runs, QUERIES, SYSTEMS), ("ndcg_cut_3", measure))
    found = found.loc[found["measure"] == measure, "value"].to_numpy().reshape(len(SYSTEMS), -1)
    gains = qrels.assign(relevance=2 ** qrels["relevance"] - 1) if "exp" in measure else qrels
    np.testing.assert_allclose(found, by_trec_eval(gains, runs, of_trec_eval), rtol=0, atol=1e-12)
