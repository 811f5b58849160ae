"""nDCG of many sets of grades: to the last digits what pytrec_eval says of each."""

import numpy as np
import pandas as pd
import pytest
from conftest import rankings_of

from alignir.data.ranked import ranked
from alignir.evaluation.ndcg import ndcg, places
from alignir.evaluation.scores import evaluate


@pytest.mark.parametrize("k", [1, 5, 10])
def test_it_is_trec_evals(k):
    """Queries of 1 to 30 pairs, rankings with holes, of 0 to 15 results, one query without any pair."""
    rng = np.random.default_rng(k)
    queries = [f"q{number}" for number in range(8)]
    pairs = [(query, f"d{d}") for number, query in enumerate(queries[:-1]) for d in range([1, 3, 30][number % 3])]
    qrels = pd.DataFrame(pairs, columns=["query_id", "doc_id"]).sample(frac=1, random_state=0, ignore_index=True)
    lines = [
        (system, query, f"d{d}", rng.random())
        for system in ("a", "b", "c")
        for query in queries
        for d in rng.permutation(35)[: rng.integers(0, 16)]
    ]
    runs = rankings_of(
        ranked(pd.DataFrame(lines, columns=["system", "query_id", "doc_id", "score"])), queries, ["a", "b", "c"]
    )
    where = places(qrels, runs, k)
    for _ in range(20):
        grades = rng.choice([0, 0, 0, 1, 2, 3], len(qrels))
        expected = evaluate(qrels.assign(relevance=grades), runs, (f"ndcg_cut_{k}",))["value"].to_numpy().reshape(3, -1)
        np.testing.assert_allclose(ndcg(grades, where), expected, rtol=0, atol=1e-12)
