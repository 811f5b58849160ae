"""The explorer's pairs on TREC DL 2019 with 8 judges: how large they make the page, and where umbrela goes wrong."""

import json
from collections import Counter

import pytest

from alignir.data import collections, trec
from alignir.explore.library import library
from alignir.explore.page import ANSWERS
from alignir.explore.pairs import pairs_of
from alignir.explore.strings import Strings, within
from alignir.notebook.session import read_runs

JUDGES = (
    "umbrela_gpt4_zeroshot",
    "genquery_similarity_llama3-8b",
    "4prompts_llama70b",
    "4prompts_llama3-8b",
    "4prompts_flant5-large",
    "baseline3210_llama3-8b",
    "sun_decomposed_llama3-8b",
    "sun_decomposed_flant5-large",
)
LONG = 600  # letters of an answer with reasons


@pytest.fixture(scope="module")
def page(dl19):
    """(the columns of the pairs, all texts that the page has, the queries), each answer long and its own."""
    dataset = collections.folder("dl19", dl19)
    runs = read_runs(dl19 / "runs").of(dataset.queries.index)
    labels = []
    for judge in JUDGES:
        found = trec.read_qrels(dl19 / "llm_labels" / f"{judge}.qrels.gz")
        said = (judge + found["query_id"] + found["doc_id"]).str.ljust(LONG, ".")
        labels.append(found.assign(status="ok", response=said))
    passages, answers = Strings(), Strings()
    pairs = pairs_of(dataset, labels, [True] * 8, runs, runs.systems, "ndcg_cut_10", passages, answers)
    return pairs, passages.texts, answers.texts, dataset.queries


def test_the_page_is_under_20_mb_whatever_judges_answer(page):
    pairs, passages, answers, _ = page
    assert len(pairs["doc_id"]) == 9260
    assert sum(map(len, answers)) > 40e6
    shown, letters = within(answers, ANSWERS)
    assert letters == 100
    data = json.dumps([pairs, passages, shown], separators=(",", ":"))
    assert len(data) + len(library().script) + len(library().style) < 20e6


def test_nearly_all_that_people_call_3_and_umbrela_0_is_in_two_queries(page):
    pairs, *_, queries = page
    called = Counter(
        queries.iloc[query]
        for query, people, umbrela in zip(pairs["query"], pairs["baseline"], pairs["labels"][0], strict=True)
        if people == 3 and umbrela == 0
    )
    (first, second) = called.most_common(2)
    assert first[0] == "what is the daily life of thai people"
    assert (first[1] + second[1], called.total()) == (131, 136)
