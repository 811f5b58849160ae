"""Candidates: systems of the demo that rank each query's judged passages without knowing their grades."""

import json
from dataclasses import replace
from inspect import signature
from itertools import pairwise
from math import log

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT

from alignir.data import collections
from alignir.errors import InputError
from alignir.evaluation.scores import evaluate
from alignir.retrieval.candidates import candidates

SETTINGS = yaml.safe_load((ROOT / "conf" / "systems" / "candidates.yaml").read_text())
SETTINGS = {name: value for name, value in SETTINGS.items() if not name.startswith("_")}


@pytest.fixture(scope="module")
def demo():
    return collections.demo("demo")


@pytest.fixture(scope="module")
def runs(demo):
    return candidates(demo, **SETTINGS)


def test_the_function_and_its_file_have_the_same_settings():
    defaults = {name: each.default for name, each in signature(candidates).parameters.items() if name != "dataset"}
    assert json.loads(json.dumps(defaults)) == SETTINGS


def order(runs, system: str, query_id: str) -> list[str]:
    frame = runs.frame
    return frame.loc[(frame["system"] == system) & (frame["query_id"] == query_id), "doc_id"].tolist()


def test_every_system_shows_five_judged_passages_of_every_query(demo, runs):
    assert len(runs.systems) == 28
    assert (runs.frame.groupby(["system", "query_id"]).size() == 5).all()
    assert len(runs.frame) == 28 * 36 * 5
    assert len(runs.frame.merge(demo.qrels)) == len(runs.frame)


def test_no_system_knows_a_grade(demo, runs):
    other = replace(demo, qrels=demo.qrels.assign(relevance=demo.qrels["relevance"].to_numpy()[::-1]))
    pd.testing.assert_frame_equal(candidates(other, **SETTINGS).frame, runs.frame)


def test_quality_differs_clearly(demo, runs):
    """Steps of more than two standard errors of the mean difference over the queries."""
    values = evaluate(demo.qrels, runs).pivot(index="query_id", columns="system", values="value")
    steps = ("feedback-5", "bm25-words-k0.9-b0.4", "reversed-0.5", "reversed-1")
    for better, worse in pairwise(steps):
        difference = values[better] - values[worse]
        assert difference.mean() > 2 * difference.sem(), (better, worse)
    spoilt = [values[name].mean() for name in ("fused", *(f"reversed-{share:g}" for share in SETTINGS["spoilt"]))]
    assert spoilt == sorted(spoilt, reverse=True)


def test_spoilt_queries_of_a_smaller_share_are_among_those_of_a_larger_one(demo, runs):
    def spoilt(system: str) -> set[str]:
        return {query_id for query_id in demo.queries.index if order(runs, system, query_id) != kept[query_id]}

    kept = {query_id: order(runs, "fused", query_id) for query_id in demo.queries.index}
    sets = [spoilt(f"reversed-{share:g}") for share in SETTINGS["spoilt"]]
    assert [len(each) for each in sets] == [9, 18, 27, 36]
    assert all(one < other for one, other in pairwise(sets))


TEXTS = {"d1": "red apples grow on trees", "d2": "apples and pears", "d3": "trains to the north", "d4": "the pears"}


@pytest.fixture
def small(demo):
    """One query about apples with four passages."""
    qrels = pd.DataFrame({"query_id": "q", "doc_id": list(TEXTS), "relevance": [3, 2, 0, 1]})
    return replace(demo, queries=pd.Series({"q": "red apples"}), passages=pd.Series(TEXTS), qrels=qrels)


def small_runs(dataset, **settings):
    settings = {"dimensions": [2], "feedback": [1], "reranked": [], "spoilt": [1], "k": 4} | settings
    return candidates(dataset, **settings)


def test_bm25_is_as_by_hand(small):
    """Lucene's formula: idf = ln(1 + (N - n + .5) / (n + .5)), times f / (f + k1 (1 - b + b length / mean length))."""
    k1, b = 0.9, 0.4
    words = {doc_id: text.split() for doc_id, text in TEXTS.items()}
    mean = np.mean([len(each) for each in words.values()])

    def idf(term: str) -> float:
        n = sum(term in each for each in words.values())
        return log(1 + (4 - n + 0.5) / (n + 0.5))

    def score(doc_id: str) -> float:
        long = k1 * (1 - b + b * len(words[doc_id]) / mean)
        return sum(idf(term) / (1 + long) for term in ("red", "apples") if term in words[doc_id])

    frame = small_runs(small, k1_b=[[k1, b]]).frame
    found = frame[frame["system"] == "bm25-words-k0.9-b0.4"].set_index("doc_id")["score"]
    assert found.to_dict() == pytest.approx({doc_id: score(doc_id) for doc_id in TEXTS}, rel=1e-5)
    assert found["d3"] == found["d4"] == 0


def test_feedback_finds_what_shares_terms_with_the_best_passage_alone(small):
    """The query's best passage is d1, or d2; d4 has none of its terms, but one of d2's."""
    other = replace(small, queries=pd.Series({"q": "apples and"}))
    runs = small_runs(other)
    assert order(runs, "bm25-stems-k0.9-b0.4", "q")[0] == order(runs, "feedback-1", "q")[0] == "d2"
    scores = runs.frame[runs.frame["system"] == "feedback-1"].set_index("doc_id")["score"]
    assert scores["d4"] > 0 == scores["d3"]  # `pears`; `the` is shared by d3 and d4 alone


def test_what_cannot_be_ranked_is_named(small):
    with pytest.raises(InputError, match=r"reranked.*nobody"):
        small_runs(small, reranked=[["nobody", "lsa-2"]])
    empty = replace(small, passages=pd.Series(dict.fromkeys(TEXTS, " ")))
    with pytest.raises(InputError, match="no judged passage of demo has a text"):
        small_runs(empty)


def test_any_collection_can_be_ranked(small):
    """Also one that has fewer texts than dimensions."""
    runs = small_runs(small, dimensions=[100], feedback=[50])
    assert set(order(runs, "lsa-100", "q")) == set(order(runs, "feedback-50", "q")) == set(TEXTS)
