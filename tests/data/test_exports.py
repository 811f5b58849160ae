"""What is written in other tools' forms is read again as the same: labels, reasons for none, pairs, values."""

import json

import pandas as pd
import pytest

from alignir.data import exports
from alignir.data.judgements import read_judgements
from alignir.data.requests import requests
from alignir.data.scales import meaning
from alignir.errors import InputError
from alignir.frames import labels_of

LABELS = pd.DataFrame(
    {
        "query_id": ["q1", "q1", "q1", "q2", "q2"],
        "doc_id": ["d1", "d2", "d3", "d1", "d2"],
        "relevance": pd.array([3, 0, None, None, 1], dtype="Int64"),
        "status": ["ok", "ok", "unparsed", "refused", "ok"],
        "response": ["##final score: 3", "##final score: 0", "Hm", "I cannot.", "##final score: 1"],
        "finish_reason": ["stop", "stop", "length", "stop", "stop"],
    }
).reindex(columns=labels_of((0, 1, 2, 3)))
TEXTS = pd.DataFrame(
    {
        "query": ["red, “apples”"] * 3 + ["pears"] * 2,
        "passage": ["one\nline", "two", "three", "one\nline", "two"],
    }
)
KEPT = ["query_id", "doc_id", "relevance", "status"]


def read(path, text: str, **settings) -> pd.DataFrame:
    path.write_text(text)
    return read_judgements(path, meaning=meaning({"grades": [0, 1, 2, 3]}), **settings)


def test_csv_and_umbrela_keep_every_pair_and_why_it_has_no_label(tmp_path):
    found = read(tmp_path / "labels.csv", exports.csv(LABELS))
    pd.testing.assert_frame_equal(found[KEPT], LABELS[KEPT], check_dtype=False)
    lines = exports.umbrela(LABELS, TEXTS, ["asked"] * len(LABELS), "gpt-4o")
    found = read(tmp_path / "labels.jsonl", lines)
    answer = [*KEPT, "response", "finish_reason"]
    pd.testing.assert_frame_equal(found[answer], LABELS[answer], check_dtype=False)
    first, third = (json.loads(lines.splitlines()[place]) for place in (0, 2))
    own = {"model": "gpt-4o", "query": "red, “apples”", "passage": "one\nline", "prompt": "asked"}
    assert first.items() >= (own | {"prediction": "##final score: 3", "judgment": 3, "result_status": 1}).items()
    assert (third["judgment"], third["result_status"]) == (None, 0)


def test_qrels_and_opensearch_leave_out_what_has_no_label(tmp_path):
    text = exports.qrels(LABELS)
    assert text == "q1 0 d1 3\nq1 0 d2 0\nq2 0 d2 1\n"
    known = LABELS[LABELS["relevance"].notna()]
    found = read(tmp_path / "labels.qrels", text)
    assert found[KEPT[:3]].to_numpy().tolist() == known[KEPT[:3]].to_numpy().tolist()
    body = exports.opensearch(LABELS, TEXTS["query"], "gpt4", "of a run")
    assert json.loads(body)["judgmentRatings"] == [
        {"query": "red, “apples”", "ratings": [{"docId": "d1", "rating": "3.0"}, {"docId": "d2", "rating": "0.0"}]},
        {"query": "pears", "ratings": [{"docId": "d2", "rating": "1.0"}]},
    ]
    assert json.loads(body)["type"] == "IMPORT_JUDGMENT"
    found = read(tmp_path / "labels.json", body)
    assert found["relevance"].tolist() == [3, 0, 1]
    assert found["query_id"].tolist() == known.join(TEXTS)["query"].tolist()


def test_ids_with_spaces_are_no_qrels():
    with pytest.raises(InputError, match="the doc_id 'd 1' has a space, which qrels cannot have: take csv"):
        exports.qrels(LABELS.assign(doc_id="d 1"))


def test_requests_are_the_same_pairs_again(tmp_path):
    pairs = LABELS[["query_id", "doc_id"]].join(TEXTS)
    (tmp_path / "asked.jsonl").write_text(exports.requests(pairs))
    (tmp_path / "qrels.txt").write_text("".join(f"{row.query_id} 0 {row.doc_id} 1\n" for row in pairs.itertuples()))
    found = requests("asked", tmp_path / "asked.jsonl", tmp_path / "qrels.txt").pairs()
    pd.testing.assert_frame_equal(found, pairs, check_dtype=False)


def test_results_are_lines_of_full_precision_without_what_is_undefined():
    rows = [["b m25", "q1", "ndcg_cut_10", 1 / 3], ["b m25", "q2", "ndcg_cut_10", float("nan")]]
    text = exports.results(pd.DataFrame(rows, columns=["system", "query_id", "measure", "value"]))
    assert text == f"b m25\tq1\tndcg_cut_10\t{1 / 3!r}\n"
