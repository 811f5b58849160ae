"""Qrels are read in every form in use, to the same labels, and every mistake is named by file and line."""

import gzip

import pandas as pd
import pytest

from alignir.data import trec
from alignir.errors import InputError

LABELS = [["q1", "d1", 3], ["q1", "d,2", 0], ["q2", "d1", 1]]
FORMS = {
    "trec.txt": "q1 0 d1 3\nq1 Q0 d,2 0\nq2 0 d1 1\n",
    "tabs.txt": "q1\t0\td1\t3\nq1\tQ0\td,2\t0\nq2\t0\td1\t1\n",
    "any.name": "q1 0 d1 3\nq1 Q0 d,2 0\nq2 0 d1 1\n",
    "negative.qrels": "q1 0 d1 3\nq1 Q0 d,2 -1\nq2 0 d1 1\n",
    "three.txt": "q1 d1 3\nq1 d,2 0\nq2 d1 1\n",
    "three.tsv": "q1\td1\t3\nq1\td,2\t0\nq2\td1\t1\n",
    "beir.tsv": "query-id\tcorpus-id\tscore\nq1\td1\t3\nq1\td,2\t0\nq2\td1\t1\n",
    "spaces.txt": "query_id iter docno rel\nq1 0 d1 3\nq1 0 d,2 0\nq2 0 d1 1\n",
    "turned.tsv": "label\tDocNo\tnote\tQID\n3\td1\t\tq1\n0\td,2\tnot at all\tq1\n1\td1\t\tq2\n",
    "header.csv": 'qid,docno,label\nq1,d1,3\nq1,"d,2",0\nq2,d1,1\n',
    "lines.jsonl": '{"qid": "q1", "docid": "d1", "grade": 3}\n{"qid": "q1", "docid": "d,2", "grade": 0}\n'
    '{"grade": 1, "qid": "q2", "docid": "d1"}\n',
}


@pytest.mark.parametrize("name", FORMS)
def test_qrels_are_the_same_in_every_form(tmp_path, name):
    (tmp_path / name).write_text(FORMS[name])
    assert trec.read_qrels(tmp_path / name).to_numpy().tolist() == LABELS
    with gzip.open(tmp_path / f"{name}.gz", "wt") as file:
        file.write(FORMS[name])
    assert trec.read_qrels(tmp_path / f"{name}.gz").to_numpy().tolist() == LABELS


@pytest.mark.parametrize("text", ["q1,0,d1,3\nq2,0,d1,1\n", "q1,d1,3\nq2,d1,1\n", "q1, d1, 3\nq2, d1, 1\n"])
def test_commas_need_no_header(tmp_path, text):
    (tmp_path / "x.csv").write_text(text)
    assert trec.read_qrels(tmp_path / "x.csv").to_numpy().tolist() == [["q1", "d1", 3], ["q2", "d1", 1]]


@pytest.mark.parametrize("kind", ["int64", "float64"])
def test_qrels_are_read_from_parquet(tmp_path, kind):
    table = pd.DataFrame(LABELS, columns=["query-id", "corpus-id", "score"]).astype({"score": kind})
    table.to_parquet(tmp_path / "x.parquet")
    assert trec.read_qrels(tmp_path / "x.parquet").to_numpy().tolist() == LABELS


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.tsv", "query-id\tcorpus-id\tscore\nq1\td1\n", "x.tsv:2: expected the 3 fields query-id, corpus-id, score"),
        ("x.tsv", "query-id\tcorpus-id\tscore\nq1\td1\thigh\n", "x.tsv:2: expected a whole number as relevance"),
        ("x.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td1\t1\n", "x.tsv:3: the pair q1 d1 is already in line 2"),
        ("x.tsv", "query-id\tcorpus-id\tscore\n", "x.tsv: expected qrels lines, found none"),
        ("x.tsv", "query-id\tcorpus-id\nq1\td1\n", "x.tsv:1: expected 'query_id iteration doc_id relevance'"),
        ("x.txt", "qid docno rel\nq1 d1\n", "x.txt:2: expected 'qid docno rel', found 'q1 d1'"),
        ("x.csv", "q1,d1\n", "x.csv:1: expected 'query_id iteration doc_id relevance', found 'q1,d1'"),
        ("x.jsonl", '{"qid": "q1", "docid": "d1"}\n', "x.jsonl:1: expected a query_id, a doc_id and a relevance"),
        ("x.jsonl", '{"qid": "q1", "docid": "d1", "score": null}\n', "x.jsonl:1: expected a whole number as relevance"),
        ("x.jsonl", '{"qid": "q1", "docid": "", "score": 1}\n', "x.jsonl:1: expected qid and docid, found"),
        ("x.jsonl", "[]\n", 'x.jsonl:1: expected {"query_id": ..., "doc_id": ..., "relevance": ...}, found'),
        ("x.parquet", "", "x.parquet: cannot be read as parquet"),
    ],
)
def test_what_a_file_lacks_is_named_by_its_line(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as error:
        trec.read_qrels(tmp_path / name)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_row_of_parquet_is_named(tmp_path):
    pd.DataFrame({"qid": ["q1", "q1"], "docno": ["d1", "d2"], "label": [1.0, 0.5]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InputError, match=r"x\.parquet: row 2: expected a whole number as relevance, found 0\.5"):
        trec.read_qrels(tmp_path / "x.parquet")
