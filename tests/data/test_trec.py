"""TREC's files are read as trec_eval reads them, and every mistake is named by file and line."""

import gzip

import numpy as np
import pytest

from alignir.data import trec
from alignir.errors import InputError


def write(path, text):
    path.write_text(text)
    return path


def test_negative_grades_count_as_zero(tmp_path):
    qrels = trec.read_qrels(write(tmp_path / "qrels.txt", "q1 0 d1 -1\nq1 0 d2 -2\nq1 0 d3 3\n"))
    assert qrels["relevance"].tolist() == [0, 0, 3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q1 0 d1\n", "qrels.txt:1: expected 'query_id iteration doc_id relevance', found 'q1 0 d1'"),
        ("q1 0 d1 1\nq1 0 d2 high\n", "qrels.txt:2: expected a whole number as relevance, found 'high'"),
        ("q1 0 d1 1\nq1 0 d2 2.0\n", "qrels.txt:2: expected a whole number as relevance, found '2.0'"),
        ("q1 0 d1 4\n", "qrels.txt:1: expected a relevance from 0 to 3, found 4"),
        ("q1 0 d1 -3\n", "qrels.txt:1: expected a relevance from 0 to 3, found -3"),
        ("q1 0 d1 1\n\nq1 0 d1 1\n", "qrels.txt:3: the pair q1 d1 is already in line 1"),
        ("\n", "qrels.txt: expected qrels lines, found none"),
    ],
)
def test_wrong_qrels_are_named(tmp_path, text, message):
    with pytest.raises(InputError) as error:
        trec.read_qrels(write(tmp_path / "qrels.txt", text))
    assert message in str(error.value)


@pytest.mark.parametrize(("duplicates", "grade"), [("first", 1), ("last", 0), ("mode", 0), ("max", 3)])
def test_a_pair_that_stands_several_times(tmp_path, duplicates, grade):
    file = write(tmp_path / "qrels.txt", "q1 0 d1 1\nq1 0 d1 0\nq1 0 d1 3\nq1 0 d1 0\nq2 0 d1 2\n")
    assert trec.read_qrels(file, duplicates)["relevance"].tolist() == [grade, 2]


def test_the_mode_of_a_tie_is_the_lower_grade(tmp_path):
    file = write(tmp_path / "qrels.txt", "q1 0 d1 3\nq1 0 d1 1\n")
    assert trec.read_qrels(file, "mode")["relevance"].tolist() == [1]


RUN = "q1 Q0 a 1 2.0 tag\nq1 Q0 b 2 2.0 tag\nq1 Q0 c 3 5 tag\nq2 Q0 a 1 1e-3 tag\n"


@pytest.mark.parametrize("text", [RUN, RUN.replace(" ", "\t"), RUN.replace(" ", "   "), "\n" + RUN, "\ufeff" + RUN])
def test_a_run_is_ranked_by_score_then_doc_id_descending(tmp_path, text):
    run = trec.read_run(write(tmp_path / "x.run", text), "x")
    assert run[["query_id", "doc_id", "rank"]].to_numpy().tolist() == [
        ["q1", "c", 1],
        ["q1", "b", 2],
        ["q1", "a", 3],
        ["q2", "a", 1],
    ]
    assert run["system"].unique().tolist() == ["x"]


def test_scores_that_differ_less_than_a_float32_tie(tmp_path):
    text = "q1 Q0 a 1 0.50000000001 t\nq1 Q0 b 2 0.5 t\n"
    assert np.float32(0.50000000001) == np.float32(0.5)
    assert trec.read_run(write(tmp_path / "x.run", text), "x")["doc_id"].tolist() == ["b", "a"]


def test_a_gzipped_run_is_the_same(tmp_path):
    with gzip.open(tmp_path / "x.run.gz", "wt") as file:
        file.write(RUN)
    plain = trec.read_run(write(tmp_path / "x.run", RUN), "x")
    assert trec.read_run(tmp_path / "x.run.gz", "x").equals(plain)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "x.run: expected run lines, found an empty run"),
        ("q1 Q0 a 1 2.0 t\nq1 Q0 b 2 t\n", "x.run:2: expected 'query_id Q0 doc_id rank score tag'"),
        ("q1 Q0 a 1 nan t\n", "x.run:1: expected a finite number as score, found 'nan'"),
        ("q1 Q0 a 1 3 t\nq1 Q0 b 1 inf t\n", "x.run:2: expected a finite number as score, found 'inf'"),
        ("q1 Q0 a 1 high t\n", "x.run:1: expected a finite number as score, found 'high'"),
        ("q1 Q0 a 1 3 t\nq1 Q0 a 2 2 t\n", "x.run:2: query q1 already has a, in line 1"),
    ],
)
def test_wrong_runs_are_named(tmp_path, text, message):
    with pytest.raises(InputError) as error:
        trec.read_run(write(tmp_path / "x.run", text), "x")
    assert message in str(error.value)


def test_a_truncated_gzip_file_is_named(tmp_path):
    whole = gzip.compress("".join(f"q1 Q0 d{i} {i} {i} t\n" for i in range(5000)).encode())
    (tmp_path / "x.run.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"x\.run\.gz: cannot be read"):
        trec.read_run(tmp_path / "x.run.gz", "x")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("passages.tsv", "d1\tone\nd2 two\n", "passages.tsv:2: expected 'doc_id<TAB>text', found 'd2 two'"),
        ("passages.tsv", "d1\t \n", "passages.tsv:1: expected"),
        ("passages.tsv", "d1\tone\nd1\ttwo\n", "passages.tsv:2: the doc_id d1 is already in line 1"),
        ("passages.jsonl", '{"doc_id": "d1", "text": "x"}\n{"doc_id": "d2"}\n', "passages.jsonl:2: expected"),
        ("passages.jsonl", '{"doc_id": "d1", "text": "x"}\nnot json\n', "passages.jsonl:2: expected"),
        ("passages.jsonl", '["d1"]\n', "passages.jsonl:1: expected"),
        ("passages.jsonl", '{"doc_id": "d1", "text": " "}\n', "passages.jsonl:1: the passage d1 has no text"),
    ],
)
def test_wrong_passages_are_named(tmp_path, name, text, message):
    with pytest.raises(InputError) as error:
        trec.read_passages(write(tmp_path / name, text))
    assert message in str(error.value)


def test_text_that_is_not_utf8_is_named(tmp_path):
    (tmp_path / "queries.tsv").write_bytes(b"q1\tfine\nq2\t\xff\xfe\n")
    with pytest.raises(InputError, match=r"queries\.tsv:2: expected UTF-8"):
        trec.read_queries(tmp_path / "queries.tsv")


def test_tabs_and_unicode_separators_inside_a_text_stay(tmp_path):
    text = "left\u2028right\x0bdown\tagain"
    queries = trec.read_queries(write(tmp_path / "queries.tsv", f"q1\t{text}\n"))
    assert queries["q1"] == text


def test_ids_are_compared_as_trec_eval_compares_them(tmp_path):
    """Byte by byte, as C's strcmp orders UTF-8: 9 is above 10, z above Z, and what is longer above its start."""
    doc_ids = ["10", "9", "Z", "z", "zz", "é", "\uffff", "\U0001d11e"]
    for given in (doc_ids, doc_ids[::-1]):
        text = "".join(f"q1 Q0 {doc_id} 1 {score} t\n" for doc_id, score in zip(given, ["0", "-0.0"] * 4, strict=True))
        run = trec.read_run(write(tmp_path / "x.run", text), "x")
        assert run["doc_id"].tolist() == sorted(doc_ids, key=str.encode, reverse=True)
