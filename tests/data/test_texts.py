"""Queries and documents are read in every form and spelling in use, and every mistake is named by file and line."""

import bz2
import gzip
import json

import pandas as pd
import pytest

from alignir.data.texts import read_documents, read_queries
from alignir.errors import InputError


def write(path, content):
    """A file of these lines: of objects as JSON, of tuples between tabs or commas."""
    ending = path.name.partition(".")[2]
    if not isinstance(content, str):
        dump = json.dumps if "json" in ending else (",".join if "csv" in ending else "\t".join)
        content = "".join(dump(row) + "\n" for row in content)
    opened = {"gz": gzip.open, "bz2": bz2.open}.get(path.suffix[1:], open)
    with opened(path, "wt", encoding="utf-8") as file:
        file.write(content)
    return path


DOCUMENTS = {
    "plain.tsv": [("d1", "red"), ("d2", "green")],
    "header.tsv": [("docno", "text"), ("d1", "red"), ("d2", "green")],
    "turned.tsv": [("text", "docid"), ("red", "d1"), ("green", "d2")],
    "x.csv": [("doc_id", "contents"), ("d1", "red"), ("d2", "green")],
    "quoted.csv": 'docno,text\nd1,"red"\n\nd2,"green"\n',
    "alignir.jsonl": [{"doc_id": "d1", "text": "red"}, {"doc_id": "d2", "text": "green"}],
    "anserini.jsonl.gz": [{"id": "d1", "contents": "red"}, {"id": "d2", "contents": "green"}],
    "msmarco_v2.json.bz2": [{"docid": "d1", "body": "red"}, {"docid": "d2", "body": "green"}],
    "segments.jsonl": [{"docid": "d1", "segment": "red"}, {"docid": "d2", "segment": "green"}],
    "passages_v2.jsonl": [{"docno": "d1", "passage": "red"}, {"docno": "d2", "passage": "green"}],
    "beir.jsonl": [{"_id": "d1", "text": "red"}, {"_id": "d2", "text": "green"}],
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_are_read_in_every_spelling(tmp_path, name):
    texts = read_documents(write(tmp_path / name, DOCUMENTS[name]))
    assert texts.main.to_dict() == {"d1": "red", "d2": "green"}
    assert read_documents(tmp_path / name, wanted={"d2"}).main.to_dict() == {"d2": "green"}


@pytest.mark.parametrize("column", ["text", "contents", "body", "segment", "passage"])
@pytest.mark.parametrize("of_id", ["doc_id", "docid", "docno", "_id", "id"])
def test_parquet_is_read_in_every_spelling(tmp_path, of_id, column):
    pd.DataFrame({of_id: ["d1", "d2"], column: ["red", "green"]}).to_parquet(tmp_path / "x.parquet")
    assert read_documents(tmp_path / "x.parquet").main.to_dict() == {"d1": "red", "d2": "green"}


@pytest.mark.parametrize("column", ["text", "query", "title"])
@pytest.mark.parametrize("of_id", ["query_id", "qid", "_id", "id"])
def test_queries_are_read_in_every_spelling(tmp_path, of_id, column):
    rows = [{of_id: 1, column: "red"}, {of_id: "two", column: "green"}]
    assert read_queries(write(tmp_path / "x.jsonl", rows)).main.to_dict() == {"1": "red", "two": "green"}
    rows = [(of_id, column), ("1", "red"), ("two", "green")]
    assert read_queries(write(tmp_path / "x.tsv", rows)).main.to_dict() == {"1": "red", "two": "green"}


def test_everything_else_is_a_field(tmp_path):
    rows = [
        {"docid": "d1", "url": "u", "title": "Pears", "headings": "a\nb", "segment": "green", "start_char": 7},
        {"docid": "d2", "url": None, "segment": "red", "metadata": {"tags": ["x", "y"]}, "page-title": "A"},
    ]
    texts = read_documents(write(tmp_path / "x.jsonl", rows))
    assert texts.main.to_dict() == {"d1": "green", "d2": "red"}
    assert texts.fields.loc["d1"].to_dict() == {
        **{"url": "u", "title": "Pears", "headings": "a\nb", "segment": "green", "start_char": "7"},
        **{"tags": "", "page_title": ""},
    }
    assert texts.fields.loc["d2", ["url", "title", "segment", "tags", "page_title"]].tolist() == [
        *("", "", "red", "x, y", "A")
    ]


def test_a_text_can_be_made_of_several_fields(tmp_path):
    rows = [{"id": "d1", "title": "Pears", "contents": "green"}, {"id": "d2", "title": "", "contents": "red"}]
    file = write(tmp_path / "x.jsonl", rows)
    assert read_documents(file, parts=["title", "contents"]).main.to_dict() == {"d1": "Pears green", "d2": "red"}
    with pytest.raises(InputError, match=r"x\.jsonl: no passage has the field titel; there are contents, title"):
        read_documents(file, parts=["titel", "contents"])


def test_a_cell_of_csv_may_have_several_lines_and_a_mistake_after_it_its_own(tmp_path):
    file = write(tmp_path / "x.csv", 'docno,text\nd1,"one\n\ntwo, ""three"""\nd2,x\n')
    assert read_documents(file).main.to_dict() == {"d1": 'one\n\ntwo, "three"', "d2": "x"}
    write(file, 'docno,text\nd1,"one\n\ntwo"\nd2,x,y\n')
    with pytest.raises(InputError, match=r"x\.csv:5: expected the 2 fields docno, text, found 'd2,x,y'"):
        read_documents(file)


def test_several_files_are_one_collection(tmp_path):
    files = [write(tmp_path / f"{n}.tsv", [(f"d{n}", "x")]) for n in (1, 2)]
    assert list(read_documents(files).main.index) == ["d1", "d2"]
    write(files[1], [("d2", "x"), ("d1", "y")])
    with pytest.raises(InputError, match=r"2\.tsv:2: the doc_id d1 is already in .*1\.tsv:1"):
        read_documents(files)


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
        (
            "passages.jsonl",
            '{"doc_id": "d1", "title": "x"}\n',
            "found no text or contents or body or segment or passage",
        ),
        ("passages.jsonl", '{"text": "x"}\n', "passages.jsonl:1: expected {"),
        ("passages.jsonl", '{"doc_id": null, "text": "x"}\n', "found no doc_id or docid or docno or _id or id"),
        ("passages.jsonl", '{"doc_id": "d1", "text": ["x"]}\n', "passages.jsonl:1: expected {"),
        (
            "passages.jsonl",
            '{"doc_id": "d1", "text": "x", "title": "\\ud83c"}\n',
            "passages.jsonl:1: the passage d1 has half",
        ),
        ("passages.csv", "docno,text\nd1,x\n,y\n", "passages.csv:3: expected"),
        ("passages.csv", 'docno,text\nd1,"x" y\n', "passages.csv:2: cannot be read as csv"),
        ("passages.csv", "", "passages.csv: expected 'doc_id' and text in each line, found none"),
        ("passages.parquet", "x", "passages.parquet: cannot be read as parquet"),
    ],
)
def test_wrong_passages_are_named(tmp_path, name, text, message):
    with pytest.raises(InputError) as error:
        read_documents(write(tmp_path / name, text))
    assert message in str(error.value)


def test_text_that_is_not_utf8_is_named(tmp_path):
    (tmp_path / "queries.tsv").write_bytes(b"q1\tfine\nq2\t\xff\xfe\n")
    with pytest.raises(InputError, match=r"queries\.tsv:2: expected UTF-8"):
        read_queries(tmp_path / "queries.tsv")


def test_tabs_and_unicode_separators_inside_a_text_stay(tmp_path):
    text = "left\u2028right\x0bdown\tagain"
    queries = read_queries(write(tmp_path / "queries.tsv", f"q1\t{text}\n"))
    assert queries.main["q1"] == text
