"""Rankings made of rankings: fusion and re-ranking by hand, by brute force, and by what must hold."""

import io
from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from conftest import rankings_of

from alignir.data import collections
from alignir.data.ranked import ranked
from alignir.errors import InputError
from alignir.evaluation.scores import evaluate
from alignir.frames import RUNS
from alignir.retrieval import bm25
from alignir.retrieval.fusion import fuse, rerank


def run(text: str) -> pd.DataFrame:
    """RUNS from `system query_id doc_id score` lines."""
    names = ["system", "query_id", "doc_id", "score"]
    table = pd.read_csv(io.StringIO(text), sep=r"\s+", names=names, dtype={"score": float})
    return ranked(table.assign(rank=0)[RUNS])


def order(runs: pd.DataFrame) -> list[str]:
    return runs.sort_values("rank")["doc_id"].tolist()


@pytest.fixture(scope="module")
def demo():
    """The demo, and the RUNS of eight BM25 on it."""
    dataset = collections.demo("demo")
    grid = {"scoring": ["lucene", "bm25+"], "k1_b": [[0.9, 0.4]], "stem": [False, True], "stop": [False, True]}
    return dataset, bm25.bm25(dataset, **grid, k=100)


TWO = run("""
    a q1 d1 9
    a q1 d2 8
    a q1 d3 7
    b q1 d3 2
    b q1 d1 1
    b q2 d5 1
""")


def test_reciprocal_rank_fusion_is_as_by_hand():
    fused = fuse(TWO, ["a", "b"], k=60, depth=100)
    assert list(fused["system"].unique()) == ["a+b"]
    assert order(fused[fused["query_id"] == "q1"]) == ["d1", "d3", "d2"]
    by_hand = {"d1": 1 / 61 + 1 / 62, "d3": 1 / 63 + 1 / 61, "d2": 1 / 62, "d5": 1 / 61}
    assert fused.set_index("doc_id")["score"].to_dict() == pytest.approx(by_hand)


def test_fusion_keeps_the_best_results_of_each_query():
    fused = fuse(TWO, ["a", "b"], depth=2)
    assert fused.groupby("query_id")["doc_id"].apply(list).to_dict() == {"q1": ["d1", "d3"], "q2": ["d5"]}


def test_fusion_of_many_systems_is_as_by_brute_force(demo):
    _, runs = demo
    members = sorted(runs["system"].unique())[::3]
    expected = defaultdict(float)
    for row in runs.itertuples():
        if row.system in members:
            expected[row.query_id, row.doc_id] += 1 / (7 + row.rank)
    fused = fuse(runs, members, k=7, depth=1000)
    assert fused.set_index(["query_id", "doc_id"])["score"].to_dict() == pytest.approx(dict(expected))


def test_fusion_does_not_depend_on_scores_or_on_the_order_of_members():
    louder = TWO.assign(score=TWO["score"] * 100 + 5)
    expected = fuse(TWO, ["a", "b"]).drop(columns="system")
    pd.testing.assert_frame_equal(fuse(louder, ["a", "b"]).drop(columns="system"), expected)
    pd.testing.assert_frame_equal(fuse(TWO, ["b", "a"]).drop(columns="system"), expected)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (["a", "c"], "no system is called c; there are a, b"),
        (["a"], "needs two systems"),
        (["a", "a"], "needs two systems"),
    ],
)
def test_a_fusion_needs_two_systems_that_exist(members, message):
    with pytest.raises(InputError, match=message):
        fuse(TWO, members)


FIVE = run("".join(f"a q1 d{n} {9 - n}\n" for n in range(1, 6)))


def labels(**grades) -> pd.DataFrame:
    return pd.DataFrame(
        {"query_id": "q1", "doc_id": list(grades), "relevance": pd.array(list(grades.values()), dtype="Int64")}
    )


def test_reranking_orders_the_top_by_grade_and_leaves_the_rest():
    assert order(rerank(FIVE, labels(d1=0, d2=1, d3=2, d4=3, d5=3), depth=4)) == ["d4", "d3", "d2", "d1", "d5"]


def test_ties_keep_their_order():
    assert order(rerank(FIVE, labels(d1=0, d2=3, d3=3, d4=0, d5=3), depth=5)) == ["d2", "d3", "d5", "d1", "d4"]
    pd.testing.assert_series_equal(rerank(FIVE, labels(d1=2, d2=2, d3=2), 5)["doc_id"], FIVE["doc_id"])


def test_a_passage_without_a_label_keeps_its_rank():
    assert order(rerank(FIVE, labels(d1=0, d3=1, d4=3), depth=4)) == ["d4", "d2", "d3", "d1", "d5"]
    assert order(rerank(FIVE, labels(d1=0, d2=None, d3=1, d4=3), depth=4)) == ["d4", "d2", "d3", "d1", "d5"]


def test_a_passage_without_a_label_can_go_last():
    found = rerank(FIVE, labels(d1=0, d3=1, d4=3), depth=4, unlabelled="last")
    assert order(found) == ["d4", "d3", "d1", "d2", "d5"]
    assert order(rerank(FIVE, labels(d5=2, d3=None), depth=5, unlabelled="last")) == ["d5", "d1", "d2", "d3", "d4"]
    with pytest.raises(InputError, match="unlabelled=first: expected one of keep, last"):
        rerank(FIVE, labels(d1=0), 5, "first")


def test_the_expected_grade_decides_before_the_label_where_there_is_one():
    expected = labels(d1=1, d2=1, d3=2).assign(expected=[0.6, 1.4, np.nan])
    assert order(rerank(FIVE, expected, depth=5)) == ["d3", "d2", "d1", "d4", "d5"]


def test_scores_of_a_reranked_run_give_its_order_in_any_tool():
    found = rerank(FIVE, labels(d1=0, d2=1, d3=2, d4=3), depth=4)
    assert found.set_index("doc_id")["score"].to_dict() == {"d4": 5, "d3": 4, "d2": 3, "d1": 2, "d5": 1}


@pytest.mark.parametrize("depth", [1, 7, 100])
def test_reranking_is_as_by_brute_force(demo, depth):
    dataset, runs = demo
    grade = dataset.qrels.set_index(["query_id", "doc_id"])["relevance"].to_dict()
    found = rerank(runs, dataset.qrels, depth).groupby(["system", "query_id"])["doc_id"].apply(list)
    for (system, query_id), result in runs.groupby(["system", "query_id"]):
        expected = result["doc_id"].tolist()
        places = [place for place, doc in enumerate(expected[:depth]) if (query_id, doc) in grade]
        best = sorted((expected[place] for place in places), key=lambda doc: -grade[query_id, doc])
        for place, doc in zip(places, best, strict=True):
            expected[place] = doc
        assert found[system, query_id] == expected


def test_reranking_by_the_true_grades_never_lowers_ndcg(demo):
    dataset, runs = demo
    query_ids, names = list(dataset.queries.index), sorted(runs["system"].unique())
    before = evaluate(dataset.qrels, rankings_of(runs, query_ids, names))["value"]
    after = evaluate(dataset.qrels, rankings_of(rerank(runs, dataset.qrels, 20), query_ids, names))["value"]
    assert (after >= before - 1e-9).all()
    assert after.mean() > before.mean() + 0.01


@pytest.mark.parametrize("depth", [0, -1, 2.5, "x", None])
def test_the_depth_is_a_whole_number_from_1(depth):
    with pytest.raises(InputError, match="expected a depth in whole results from 1"):
        rerank(FIVE, labels(d1=1), depth)
