"""Folders in BEIR's and MTEB's form, and umbrela's requests, are collections; a folder of another form is named."""

import gzip
import json

import pandas as pd
import pytest

from alignir.config import composed_cell
from alignir.data import collections
from alignir.data.beir import beir
from alignir.data.requests import requests
from alignir.errors import InputError
from alignir.experiment.inputs import read_inputs
from alignir.retrieval.bm25 import bm25

CORPUS = [
    {"_id": "d1", "title": "Cells", "text": "They divide.", "metadata": {"year": 1999}},
    {"_id": "d2", "title": "", "text": "Bones grow.", "metadata": {}},
    {"_id": "d3", "title": "Bones", "text": ""},
    {"_id": "d4", "title": "", "text": ""},
    {"_id": "d5", "title": "Cells", "text": "They move."},
]
QUERIES = [{"_id": "q1", "text": "Do cells divide?"}, {"_id": "q2", "text": "Do bones?"}, {"_id": "q3", "text": "x"}]
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t0\nq2\td3\t1\n"


def json_lines(rows) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "fruit" / "qrels").mkdir(parents=True)
    (tmp_path / "fruit" / "corpus.jsonl").write_text(json_lines(CORPUS))
    (tmp_path / "fruit" / "queries.jsonl").write_text(json_lines(QUERIES))
    (tmp_path / "fruit" / "qrels" / "test.tsv").write_text(QRELS)
    (tmp_path / "fruit" / "qrels" / "dev.tsv").write_text(QRELS.replace("q1\td1\t1\n", ""))
    return tmp_path / "fruit"


def test_a_folder_of_beir_is_read(folder):
    dataset = beir("fruit", folder)
    assert dataset.queries.to_dict() == {"q1": "Do cells divide?", "q2": "Do bones?"}
    assert dataset.unjudged == {"q3"}
    assert dataset.qrels.to_numpy().tolist() == [["q1", "d1", 1], ["q1", "d2", 0], ["q2", "d3", 1]]
    assert dataset.passages.to_dict() == {"d1": "Cells They divide.", "d2": "Bones grow.", "d3": "Bones"}
    assert dataset.passage_fields.loc["d1"].to_dict() == {"title": "Cells", "text": "They divide.", "year": "1999"}
    assert len(beir("fruit", folder, split="dev").qrels) == 2


def test_retrievers_search_the_whole_corpus_and_pools_find_texts_in_it(folder):
    dataset = beir("fruit", folder)
    assert list(dataset.collection.index) == ["d1", "d2", "d3", "d5"]
    runs = bm25(dataset, ["lucene"], [[0.9, 0.4]], [False], [False], 10)
    assert set(runs[runs["query_id"] == "q1"]["doc_id"]) == {"d1", "d5"}
    beyond = dataset.pairs(pd.DataFrame({"query_id": "q1", "doc_id": ["d5", "d4", "d9"], "relevance": 0}))
    assert beyond["passage"].fillna("").tolist() == ["Cells They move.", "", ""]


@pytest.mark.parametrize("ending", [".gz", ".parquet"])
def test_files_may_be_compressed_or_parquet(folder, ending):
    for file, rows in ((folder / "corpus.jsonl", CORPUS), (folder / "queries.jsonl", QUERIES)):
        file.unlink()
        if ending == ".gz":
            file.with_name(file.name + ".gz").write_bytes(gzip.compress(json_lines(rows).encode()))
        else:
            pd.DataFrame(rows)[["_id", *([] if "title" not in rows[0] else ["title"]), "text"]].to_parquet(
                file.with_suffix(".parquet")
            )
    (folder / "qrels" / "test.tsv").unlink()
    if ending == ".gz":
        (folder / "qrels" / "test.tsv.gz").write_bytes(gzip.compress(QRELS.encode()))
    else:
        rows = [line.split("\t") for line in QRELS.splitlines()[1:]]
        table = pd.DataFrame(rows, columns=QRELS.splitlines()[0].split("\t")).astype({"score": float})
        table.to_parquet(folder / "qrels" / "test.parquet")
    dataset = beir("fruit", folder)
    assert dataset.passages.to_dict() == {"d1": "Cells They divide.", "d2": "Bones grow.", "d3": "Bones"}
    assert dataset.qrels["relevance"].tolist() == [1, 0, 1]


def test_the_text_of_a_document_can_be_made_of_other_fields(folder):
    assert beir("fruit", folder, passage=["text", "title"]).passages["d1"] == "They divide. Cells"
    with pytest.raises(InputError, match=r"corpus\.jsonl: no passage has the field body; there are text, title, year"):
        beir("fruit", folder, passage=["body"])


def test_a_judged_document_without_a_text_stops_or_gets_no_label(folder):
    with open(folder / "qrels" / "test.tsv", "a") as file:
        file.write("q2\td4\t1\nq2\td9\t0\n")
    settings = ["dataset=beir", f"dataset.path={folder}", "model=lexical"]
    with pytest.raises(InputError, match=r"pool=qrels: 2 of 5 pairs have no text in .*corpus\.jsonl, .* passage d4"):
        read_inputs(composed_cell(settings))
    inputs = read_inputs(composed_cell([*settings, "without_text=skip"]))
    assert (len(inputs.pairs), len(inputs.dataset.qrels)) == (3, 5)
    assert "2 of 5 pairs of pool=qrels have no text and get no label" in inputs.notes
    assert len(inputs.dataset.fingerprint) == 64


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\n", "test.tsv:2: expected the 3 fields"),
        ("qrels/test.tsv", QRELS + "q9\td1\t1\n", "test.tsv:5: the query q9 has no text in"),
        ("queries.jsonl", '{"_id": "q1"}\n', "queries.jsonl:1: expected"),
        ("corpus.jsonl", '{"_id": "d1", "text": "x"}\nx\n', "corpus.jsonl:2: expected"),
    ],
)
def test_what_a_file_lacks_is_named(folder, file, text, message):
    (folder / file).write_text(text)
    with pytest.raises(InputError) as error:
        beir("fruit", folder)
    assert message in str(error.value)


def test_another_split_is_named(folder):
    with pytest.raises(InputError, match=r"no split train in .*qrels \(dataset\.split\): there are dev, test"):
        beir("fruit", folder, split="train")


def test_a_folder_of_another_form_says_what_reads_it(folder, small, tmp_path):
    with pytest.raises(InputError, match="read it with dataset=beir"):
        collections.folder("fruit", folder)
    with pytest.raises(InputError, match=r"found passages\.tsv, qrels\.txt, .*: read it with dataset=folder"):
        beir("small", small)
    with pytest.raises(InputError, match=r"expected a folder, found a file: take dataset=files \(dataset\.queries"):
        collections.folder("fruit", folder / "corpus.jsonl")
    (tmp_path / "asked.jsonl").write_text(json_lines(ASKED))
    with pytest.raises(InputError, match=r"take dataset=requests \(dataset\.path=FILE\)"):
        collections.folder("asked", tmp_path / "asked.jsonl")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no qrels in .*: expected qrels\.txt or .*found nothing"):
        collections.folder("empty", tmp_path / "empty")


ASKED = [
    {
        "query": {"text": "red apples", "qid": "q1"},
        "candidates": [
            {"docid": "d1", "score": 2.5, "doc": {"segment": "Apples are red.", "title": "Apples", "url": "u"}},
            {"docid": "d2", "score": 1.5, "doc": {"segment": "Pears are green."}},
        ],
    },
    {
        "query": {"text": "green pears", "qid": 2},
        "candidates": [
            {"docid": "d2", "doc": {"segment": "Pears are green."}},
            {"docid": "d3", "doc": {"segment": "No."}},
        ],
    },
]


@pytest.fixture
def asked(tmp_path):
    (tmp_path / "asked.jsonl").write_text(json_lines(ASKED))
    (tmp_path / "qrels.txt").write_text("q1 0 d1 3\nq1 0 d2 0\n2 0 d2 2\n2 0 d9 1\n7 0 d1 1\n")
    return tmp_path


def test_requests_are_the_pairs_that_they_ask_about(asked):
    dataset = requests("asked", asked / "asked.jsonl", asked / "qrels.txt")
    assert dataset.pairs().merge(dataset.qrels).to_numpy().tolist() == [
        ["q1", "d1", "red apples", "Apples are red.", 3],
        ["q1", "d2", "red apples", "Pears are green.", 0],
        ["2", "d2", "green pears", "Pears are green.", 2],
    ]
    assert dataset.passage_fields.loc["d1", ["title", "url"]].tolist() == ["Apples", "u"]
    assert dataset.passages["d3"] == "No."  # nobody judged it, and pool=runs@K can label it
    assert dataset.notes == (
        "asked: 1 of 4 pairs that are asked about have no baseline label",
        "asked: 2 of 5 labels are of pairs that are not asked about",
    )
    titled = requests("asked", asked / "asked.jsonl", asked / "qrels.txt", passage=["title", "segment"])
    assert titled.passages["d1"] == "Apples Apples are red."


@pytest.mark.parametrize("candidate", [{"text": "red"}, {"doc": "red"}, {"doc": {"contents": "red"}}])
def test_the_text_of_a_candidate_may_stand_elsewhere(asked, candidate):
    request = {"query": {"qid": "q1", "text": "x"}, "candidates": [{"docid": "d1", "score": 1, **candidate}]}
    (asked / "asked.jsonl").write_text(json.dumps(request) + "\n")
    assert requests("asked", asked / "asked.jsonl", asked / "qrels.txt").passages.to_dict() == {"d1": "red"}


def test_requests_may_lie_in_several_files(asked):
    (asked / "several").mkdir()
    for number, request in enumerate(ASKED):
        (asked / "several" / f"{number}.jsonl").write_text(json_lines([request]))
    dataset = requests("asked", asked / "several", asked / "qrels.txt")
    assert dataset.fingerprint == requests("asked", asked / "asked.jsonl", asked / "qrels.txt").fingerprint


def test_requests_need_baseline_labels(asked):
    with pytest.raises(InputError, match=r"no baseline labels: name a file of qrels with dataset\.qrels=FILE"):
        requests("asked", asked / "asked.jsonl")
    (asked / "qrels.txt").write_text("q1 0 d9 1\n")
    with pytest.raises(InputError, match="has a label for none of the 4 pairs that"):
        requests("asked", asked / "asked.jsonl", asked / "qrels.txt")


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"query": "red apples", "candidates": []}, "asked.jsonl:1: expected {"),
        ({"query": {"text": "x"}, "candidates": [{}]}, "found a query without id"),
        ({"query": {"qid": "q1", "text": "x"}, "candidates": ["a text"]}, "expected a candidate with docid and doc"),
        ({"query": {"qid": "q1", "text": "x"}, "candidates": [{"docid": "d"}]}, "found a candidate without text"),
        ({"query": {"qid": "q1", "text": "x"}, "candidates": [{"doc": {"segment": "x"}}]}, "candidate without id"),
        ({"query": {"qid": "q1", "text": "x"}, "candidates": []}, "found no candidate"),
        (
            {
                "query": {"qid": "q1", "text": "x"},
                "candidates": [{"docid": "d", "text": "x"}, {"docid": "d", "text": "y"}],
            },
            "the candidate d has another text than in",
        ),
    ],
)
def test_a_wrong_request_is_named_by_its_line(asked, request_, message):
    (asked / "asked.jsonl").write_text(json.dumps(request_) + "\n")
    with pytest.raises(InputError) as error:
        requests("asked", asked / "asked.jsonl", asked / "qrels.txt")
    assert message in str(error.value)
    assert "asked.jsonl" in str(error.value)


def test_topics_and_segments_of_trec_rag_are_files_of_any_name(tmp_path):
    (tmp_path / "segmented").mkdir()
    segment = {"docid": "s_0#1_2", "url": "u", "title": "Apples", "headings": "A\nB", "segment": "They are red."}
    with gzip.open(tmp_path / "segmented" / "msmarco_v2.1_doc_segmented_00.json.gz", "wt") as file:
        file.write(json_lines([{**segment, "start_char": 0, "end_char": 13}]))
    with gzip.open(tmp_path / "segmented" / "msmarco_v2.1_doc_segmented_01.json.gz", "wt") as file:
        file.write(json_lines([{**segment, "docid": "s_1#1_2", "segment": "They are not.", "start_char": 0}]))
    (tmp_path / "topics.rag.txt").write_text("2024-1\tare apples red\n2024-2\tnobody judged this\n")
    (tmp_path / "umbrela.qrels").write_text("2024-1 0 s_0#1_2 3\n2024-1 0 s_1#1_2 0\n")
    files = {"queries": "topics.rag.txt", "documents": "segmented", "qrels": "umbrela.qrels"}
    settings = [f"dataset.{name}={tmp_path / file}" for name, file in files.items()]
    dataset = composed_cell(["dataset=files", "model=lexical", "systems=bm25", *settings]).dataset()
    assert dataset.pairs()["passage"].tolist() == ["They are red.", "They are not."]
    assert dataset.passage_fields.loc["s_0#1_2", ["title", "headings", "end_char"]].tolist() == ["Apples", "A\nB", "13"]
    with pytest.raises(InputError, match=r"dataset\.qrels has no value: set dataset\.qrels="):
        composed_cell(["dataset=files", "model=lexical", *settings[:2]])
