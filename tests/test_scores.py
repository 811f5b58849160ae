"""Scores: nDCG@10 as a formula, as trec_eval's rules, and as published for TREC DL 2019."""

from math import log2

import numpy as np
import pandas as pd
import pytest

from alignir import datasets, scores, systems, trec
from alignir.errors import InputError
from alignir.frames import QRELS


@pytest.fixture
def read(small):
    dataset = datasets.folder("small", small)
    return dataset, systems.runs(dataset, None, ["*"], [], "error")


def value(frame, system, query_id):
    (found,) = frame.loc[(frame["system"] == system) & (frame["query_id"] == query_id), "value"]
    return found


def test_ndcg_has_linear_gain(read):
    dataset, runs = read
    found = scores.evaluate(dataset.qrels, runs, ["q1", "q2"], ["bad", "good"])
    assert value(found, "good", "q1") == pytest.approx(1.0)
    assert value(found, "bad", "q1") == pytest.approx((1 + 3 / log2(3)) / (3 + 1 / log2(3)))
    assert value(found, "bad", "q2") == pytest.approx(1 / log2(3))


def test_a_query_that_a_system_lacks_scores_zero(read):
    dataset, runs = read
    lacking = runs[~((runs["system"] == "good") & (runs["query_id"] == "q2"))]
    found = scores.evaluate(dataset.qrels, lacking, ["q1", "q2"], ["bad", "good"])
    assert value(found, "good", "q2") == 0
    assert scores.means(found).loc["good", scores.NDCG] == pytest.approx(0.5)


def test_shifting_every_score_changes_nothing(read):
    dataset, runs = read
    shifted = scores.evaluate(dataset.qrels, runs.assign(score=runs["score"] + 5), ["q1", "q2"], ["bad", "good"])
    assert shifted.equals(scores.evaluate(dataset.qrels, runs, ["q1", "q2"], ["bad", "good"]))


def labels(*grades):
    pairs = [("q1", "d1"), ("q1", "d2"), ("q2", "d3"), ("q2", "d4")]
    frame = pd.DataFrame([(*pair, grade) for pair, grade in zip(pairs, grades, strict=True)], columns=QRELS)
    return frame.astype({"relevance": "Int64"})


def test_a_missing_label_is_unjudged_and_no_zero():
    dropped = scores.judged(labels(3, pd.NA, 2, 0))
    assert len(dropped) == 3
    assert scores.judged(labels(3, pd.NA, 2, 0), "zero")["relevance"].tolist() == [3, 0, 2, 0]
    with pytest.raises(InputError, match="there are: drop, zero, fallback"):
        scores.judged(labels(3, 1, 2, 0), "guess")


def test_a_query_without_any_label_is_undefined_and_left_out_of_the_mean(read):
    _, runs = read
    found = scores.evaluate(labels(3, 1, pd.NA, pd.NA), runs, ["q1", "q2"], ["bad", "good"])
    assert np.isnan(value(found, "good", "q2"))
    assert scores.means(found).loc["good", scores.NDCG] == pytest.approx(1.0)


def test_an_unknown_measure_is_refused(read):
    dataset, runs = read
    with pytest.raises(InputError, match="measures="):
        scores.evaluate(dataset.qrels, runs, ["q1", "q2"], ["bad", "good"], ("ndcg@ten",))


def test_ndcg_of_all_46_dl19_systems_is_as_published(dl19):
    dataset = datasets.folder("dl19", dl19)
    runs = systems.runs(dataset, None, ["*"], [], "error")
    found = scores.means(
        scores.evaluate(dataset.qrels, runs, list(dataset.queries.index), sorted(set(runs["system"])))
    )[scores.NDCG]
    published = pd.read_csv(dl19 / "systems.tsv", sep="\t").set_index("system")["ndcg10"]
    assert len(found) == len(published) == 46
    assert found.round(4).to_dict() == pytest.approx(published.to_dict(), abs=1e-9)


def test_per_topic_ndcg_of_every_system_is_as_computed_elsewhere(dl19):
    dataset = datasets.folder("dl19", dl19)
    runs = systems.runs(dataset, None, ["*"], [], "error")
    found = scores.evaluate(dataset.qrels, runs, list(dataset.queries.index), sorted(set(runs["system"])))
    reference = pd.read_csv(dl19 / "reference" / "ndcg10_per_topic.tsv.gz", sep="\t", dtype={"qid": str})
    both = found.merge(reference, left_on=["system", "query_id"], right_on=["system", "qid"])
    assert len(both) == 46 * 43
    assert (both["value"] - both["ndcg_cut_10"]).abs().max() < 1e-6


def test_real_run_files_keep_their_order(dl19):
    for name in ("rankllm_repllama", "p_bert"):  # one with ties, one without
        run = trec.read_run(dl19 / "runs" / f"{name}.run.gz", name)
        in_file: dict[str, list[str]] = {}
        for _, line in trec.lines(dl19 / "runs" / f"{name}.run.gz"):
            in_file.setdefault(line.split()[0], []).append(line.split()[2])
        assert {query_id: group["doc_id"].tolist() for query_id, group in run.groupby("query_id")} == in_file


def test_the_judged_share_counts_results_that_have_a_label(read):
    dataset, runs = read
    known = dataset.qrels[dataset.qrels["doc_id"] != "d4"]
    lacking = runs[~((runs["system"] == "bad") & (runs["query_id"] == "q2"))]
    shares = scores.judged_at(known, lacking, ["q1", "q2"], ["bad", "good", "none"])
    assert shares.drop("none").to_dict() == {"bad": 2 / 2, "good": 3 / 4}
    assert np.isnan(shares["none"])
    assert scores.judged_at(known, runs, ["q2"], ["bad", "good"], k=1).to_dict() == {"bad": 0, "good": 1}


def test_a_missing_label_is_not_judged(read):
    _, runs = read
    assert scores.judged_at(labels(3, pd.NA, 2, 0), runs, ["q1", "q2"], ["good"])["good"] == 3 / 4


def test_judged_shares_of_all_46_dl19_systems_are_as_published(dl19):
    dataset = datasets.folder("dl19", dl19)
    runs = systems.runs(dataset, None, ["*"], [], "error")
    published = pd.read_csv(dl19 / "systems.tsv", sep="\t").set_index("system")
    for k in (10, 20):
        shares = scores.judged_at(dataset.qrels, runs, list(dataset.queries.index), list(published.index), k)
        assert shares.to_dict() == pytest.approx(published[f"judged{k}"].to_dict(), abs=5.1e-5)
