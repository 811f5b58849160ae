"""Pools: which pairs are labelled, with which texts, and by which labels systems are then scored."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest
from conftest import rankings_of

from alignir.data import collections, pools
from alignir.data.ranked import ranked
from alignir.errors import InputError
from alignir.evaluation import scores
from alignir.frames import PAIR, QRELS
from alignir.retrieval import run_files
from alignir.retrieval.fusion import grades


@pytest.fixture
def read(small):
    """The small dataset with a third system that shows what nobody judged: d3 for q1, and d9, which has no text."""
    (small / "runs" / "late.run").write_text("q1 Q0 d3 1 9 t\nq1 Q0 d1 2 8 t\nq2 Q0 d9 1 9 t\n")
    dataset = collections.folder("small", small)
    return dataset, run_files.run_files(dataset, None, ["*"], [], "error").frame


def pairs(frame: pd.DataFrame) -> list[tuple[str, str]]:
    return list(frame[PAIR].itertuples(index=False, name=None))


JUDGED = [("q1", "d1"), ("q1", "d2"), ("q2", "d3"), ("q2", "d4")]


def test_a_pool_is_the_judged_pairs_or_what_systems_show_or_the_holes(read):
    dataset, runs = read
    assert pairs(pools.pooled("qrels", dataset.qrels, runs)) == JUDGED
    assert pairs(pools.pooled("runs@2", dataset.qrels, runs)) == sorted([*JUDGED, ("q1", "d3"), ("q2", "d9")])
    assert pairs(pools.pooled("holes@2", dataset.qrels, runs)) == [("q1", "d3"), ("q2", "d9")]
    assert pairs(pools.pooled("runs@1", dataset.qrels, runs)) == sorted([*JUDGED, ("q1", "d3"), ("q2", "d9")])


def test_runs_at_k_is_the_union_of_each_systems_first_k_and_holes_are_its_rest():
    rng = np.random.default_rng(0)
    rows = [
        (s, q, d, rng.random(), 0) for s in "abc" for q in ("q1", "q2") for d in rng.permutation(20).astype(str)[:9]
    ]
    runs = ranked(pd.DataFrame(rows, columns=["system", *PAIR, "score", "rank"]))
    every = sorted({(q, d) for q in ("q1", "q2") for d in map(str, range(20))})
    qrels = pd.DataFrame([(*pair, 1) for pair in every[::3]], columns=QRELS)
    by_score = pd.DataFrame(rows, columns=runs.columns).sort_values("score", ascending=False)
    first = set(pairs(by_score.groupby(["system", "query_id"]).head(4)))
    assert pairs(pools.pooled("runs@4", qrels, runs)) == sorted(first)
    assert pairs(pools.pooled("holes@4", qrels, runs)) == sorted(first - set(pairs(qrels)))


@pytest.mark.parametrize("pool", ["", "runs", "runs@", "runs@0", "holes@-1", "holes@1.5", "qrels@3", "top@3"])
def test_an_unknown_pool_is_refused(read, pool):
    dataset, runs = read
    with pytest.raises(InputError, match=r"pool=.*: expected one of qrels, runs@K, holes@K, with a whole K from 1"):
        pools.pooled(pool, dataset.qrels, runs)


def test_a_filled_hole_counts_beside_the_baseline_labels(read):
    dataset, runs = read
    model = pd.DataFrame([("q1", "d3", 3), ("q2", "d9", pd.NA)], columns=QRELS).astype({"relevance": "Int64"})
    filled = pools.filled("holes@2", dataset.qrels, model)
    found = scores.evaluate(filled, rankings_of(runs, ["q1", "q2"], ["late"])).set_index("query_id")["value"]
    ideal = 3 + 3 / np.log2(3) + 1 / np.log2(4)  # d1, d3, d2
    assert found["q1"] == pytest.approx((3 + 3 / np.log2(3)) / ideal)
    assert found["q2"] == 0  # d9 has no label: unjudged
    assert pools.filled("runs@2", dataset.qrels, model) is model


def test_texts_beyond_the_collection_are_read_where_a_pool_needs_them(small, read):
    with gzip.open(small / "passages_more.jsonl.gz", "wt") as file:
        file.write(json.dumps({"doc_id": "d9", "text": "pears"}) + "\n" + json.dumps({"doc_id": "d8", "text": "x"}))
    (small / "passages_other.tsv").write_text("d7\tnot needed\n")
    dataset = collections.folder("small", small)
    assert list(dataset.passages.index) == ["d1", "d2", "d3", "d4"]  # what bm25 searches stays the same
    found = dataset.pairs(pools.pooled("holes@2", dataset.qrels, read[1]))
    assert found.to_numpy().tolist() == [
        ["q1", "d3", "red apples", "green pears"],
        ["q2", "d9", "green pears", "pears"],
    ]
    assert dataset.fingerprint == read[0].fingerprint


def test_a_passage_that_nobody_has_a_text_of_has_none(read):
    dataset, runs = read
    passages = dataset.pairs(pools.pooled("holes@2", dataset.qrels, runs))["passage"]
    assert passages[0] == "green pears"
    assert pd.isna(passages[1])


def test_holes_of_dl19_are_where_the_published_judged_shares_say(dl19):
    dataset = collections.folder("dl19", dl19)
    runs = run_files.run_files(dataset, None, ["*"], [], "error").frame
    holes = pools.pooled("holes@10", dataset.qrels, runs)
    first = runs[runs["rank"] <= 10].merge(holes, on=PAIR).groupby("system").size()
    sizes = runs[runs["rank"] <= 10].groupby("system").size()
    published = pd.read_csv(dl19 / "systems.tsv", sep="\t").set_index("system")["judged10"]
    judged = 1 - first.reindex(sizes.index, fill_value=0) / sizes
    assert judged.to_dict() == pytest.approx(published.to_dict(), abs=5.1e-5)


def test_filled_labels_keep_the_grade_that_was_expected():
    qrels = pd.DataFrame([("q1", "d1", 3)], columns=["query_id", "doc_id", "relevance"])
    labels = qrels.assign(doc_id="d2", relevance=pd.array([1], dtype="Int64"), expected=1.4)
    assert pools.filled("qrels", qrels, labels) is labels
    found = pools.filled("holes@10", qrels, labels).set_index("doc_id")
    assert found["relevance"].tolist() == [3, 1]
    assert grades(found).to_dict() == {"d1": 3, "d2": 1.4}
