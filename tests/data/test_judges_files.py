"""Labels as judges' tools write them: the same labels and the same reasons for none, from every form."""

import gzip
import json

import pandas as pd
import pytest

from alignir.data import trec
from alignir.data.judgements import read_judgements, read_values, with_ids
from alignir.data.scales import meaning
from alignir.errors import InputError
from alignir.frames import labels_of

SAID = meaning({"grades": [0, 1, 2, 3]})
APPLES, PEARS = "red apples", "Which pears, if any, are green?"
# What every form below says: two labels, and a pair without one.
EXPECTED = {(APPLES, "d1"): 3, (APPLES, "d2"): 0, (PEARS, "d1"): None}


def read(path, text: str | None = None, **settings) -> pd.DataFrame:
    if text is not None:
        path.write_text(text)
    return read_judgements(path, meaning=SAID, **settings).set_index(["query_id", "doc_id"])


def grades(found: pd.DataFrame) -> dict:
    return {pair: None if pd.isna(grade) else int(grade) for pair, grade in found["relevance"].items()}


def opensearch(rating=str) -> dict:
    return {
        "name": "Imported",
        "type": "IMPORT_JUDGMENT",
        "judgmentRatings": [
            {
                "query": APPLES,
                "ratings": [{"docId": "d1", "rating": rating(3.0)}, {"docId": "d2", "rating": rating(0)}],
            },
            {"query": PEARS, "ratings": [{"docId": "d1", "rating": None}]},
        ],
    }


RATINGS = {
    "quepid.csv": f'query,docid,rating\n{APPLES},d1,3\n{APPLES},d2,0\nnever rated\n"{PEARS}",d1,\n',
    "quepid.json": json.dumps(
        {"queries": [{"query": APPLES, "ratings": {"d1": 3, "d2": 0}}, {"query": PEARS, "ratings": {"d1": None}}]}
    ),
    "book.json": json.dumps(
        {
            "name": "A book",
            "query_doc_pairs": [
                {
                    "query_text": APPLES,
                    "doc_id": "d1",
                    "position": 1,
                    "judgements": [{"rating": 3.0, "unrateable": False}],
                },
                {"query_text": APPLES, "doc_id": "d2", "judgements": [{"rating": 0.0}]},
                {"query_text": PEARS, "doc_id": "d1", "judgements": [{"rating": None, "unrateable": True}]},
            ],
        }
    ),
    "opensearch.json": json.dumps(opensearch()),
    "pretty.json": json.dumps(opensearch(float), indent=2),
    "found.json": json.dumps({"hits": {"total": {"value": 1}, "hits": [{"_id": "x", "_source": opensearch()}]}}),
    "list.json": json.dumps(opensearch()["judgmentRatings"], indent=1),
    "elasticsearch.json": json.dumps(
        {
            "requests": [
                {
                    "id": APPLES,
                    "request": {"query": {"match": {"text": "apples"}}},
                    "ratings": [{"_index": "i", "_id": "d1", "rating": 3}, {"_index": "i", "_id": "d2", "rating": 0}],
                },
                {"id": PEARS, "request": {}, "ratings": [{"_index": "i", "_id": "d1", "rating": -1}]},
            ],
            "metric": {"dcg": {"k": 10}},
        },
        indent=2,
    ),
}


@pytest.mark.parametrize("name", RATINGS)
def test_ratings_of_search_engines_are_the_same_in_every_form(tmp_path, name):
    assert grades(read(tmp_path / name, RATINGS[name])) == EXPECTED
    with gzip.open(tmp_path / f"{name}.gz", "wt") as file:
        file.write(RATINGS[name])
    assert grades(read(tmp_path / f"{name}.gz")) == EXPECTED
    by = ("query_id", "doc_id") if name.startswith("elastic") else ("query", "doc_id")
    assert read_values(tmp_path / name).by == by


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "x.json",
            json.dumps({"requests": [{"id": "q", "ratings": [{"_id": "d"}]}]}),
            "x.json: requests[0].ratings[0]: ",
        ),
        (
            "x.json",
            json.dumps({"name": "nothing", "of": 1}, indent=1),
            "x.json: document: expected a query_id, a doc_id",
        ),
        ("x.json", json.dumps([{"query": "q", "ratings": ["d"]}]), "x.json: [0].ratings[0]: expected judgments as"),
        ("x.json", '{\n"requests": [\n}', "x.json:3: cannot be read as JSON"),
        ("x.json", json.dumps({"judgmentRatings": []}), "x.json: expected lines of labels, found none"),
        (
            "x.json",
            json.dumps([{"query": "q", "ratings": [{"docId": "d", "rating": n} for n in (1, 2)]}]),
            "x.json: [0].ratings[1]: the pair q d has 2 here and 1 in [0].ratings[0]: say which counts",
        ),
        ("x.csv", "query,docid,rating\nq,d,high\n", "x.csv:2: expected a number as relevance, found 'high'"),
        ("x.csv", "query,docid,rating\nq,,1\n", "x.csv:2: expected query and docid, found"),
        (
            "x.jsonl",
            '{"qid": "q", "docid": "d", "judgment": 1}\n{"query": "t", "passage": "p", "judgment": 1}\n',
            "x.jsonl:2: expected query_id and doc_id as before, found query and passage",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_place(tmp_path, name, text, message):
    with pytest.raises(InputError) as error:
        read(tmp_path / name, text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_several_judges_of_a_quepid_book_are_one_by_majority(tmp_path):
    pair = {"query_text": "q", "doc_id": "d", "judgements": [{"rating": 2.0}, {"rating": 1.0}, {"rating": 2.0}]}
    text = json.dumps({"query_doc_pairs": [pair]})
    with pytest.raises(InputError, match=r"query_doc_pairs\[0\]\.judgements\[1\]: the pair q d has 1 here and 2 in"):
        read(tmp_path / "book.json", text)
    assert grades(read(tmp_path / "book.json", duplicates="mode")) == {("q", "d"): 2}


def umbrela(**fields) -> str:
    shared = {"model": "gpt-4o", "prompt": "...", "prediction": "##final score: 2", "judgment": 2, "result_status": 1}
    return json.dumps(shared | fields) + "\n"


def test_umbrelas_zero_for_an_answer_that_it_could_not_read_is_no_label(tmp_path):
    lines = umbrela(query=APPLES, passage="red and sweet\n") + umbrela(
        query=PEARS, passage="green", prediction="Hard to say.", judgment=0, result_status=0
    )
    found = read(tmp_path / "judgments.jsonl", lines)
    assert grades(found) == {(APPLES, "red and sweet"): 2, (PEARS, "green"): None}
    assert found["status"].tolist() == ["ok", "unparsed"]
    assert found["response"].tolist() == ["##final score: 2", "Hard to say."]
    assert read_values(tmp_path / "judgments.jsonl").by == ("query", "passage")


def test_umbrelas_lines_with_ids_are_read_by_them(tmp_path):
    flat = umbrela(query=APPLES, passage="red", qid="q1", docid="d1")
    nested = umbrela(query={"qid": "q2", "text": PEARS}, passage="green", docid="d1", judgment=0)
    assert grades(read(tmp_path / "x.jsonl", flat)) == {("q1", "d1"): 2}
    assert grades(read(tmp_path / "x.json", nested)) == {("q2", "d1"): 0}


def test_the_labels_of_a_recorded_run_keep_their_statuses(tmp_path):
    columns = labels_of((0, 1, 2, 3))
    labels = pd.DataFrame(
        {
            "query_id": "q",
            "doc_id": ["a", "b", "c", "d", "e"],
            "relevance": pd.array([3, None, None, None, 0], dtype="Int64"),
            "status": ["ok", "unparsed", "truncated", "refused", "ok"],
            "response": ["##final score: 3", "?", "I thi", "No.", "##final score: 0"],
            "finish_reason": ["stop", "stop", "length", "stop", "stop"],
        }
    ).reindex(columns=columns)
    labels.to_parquet(tmp_path / "labels.parquet")
    found = read(tmp_path / "labels.parquet").reset_index()
    kept = ["query_id", "doc_id", "relevance", "status", "response", "finish_reason"]
    pd.testing.assert_frame_equal(found[kept], labels[kept], check_dtype=False)
    labels[["query_id", "doc_id", "relevance", "status"]].to_csv(tmp_path / "labels.csv", index=False)
    assert read(tmp_path / "labels.csv")["status"].tolist() == labels["status"].tolist()


def test_texts_of_queries_become_ids(tmp_path):
    (tmp_path / "x.csv").write_text("query,docid,rating\nred apples ,d1,3\nq2,d1,1\nnobody's,d1,2\n")
    queries = pd.Series({"q1": "red apples", "q2": "green pears", "q3": "red apples"})
    found = with_ids(read_values(tmp_path / "x.csv"), queries)
    assert found.by == ("query_id", "doc_id")
    assert list(found.pairs) == [("q1", "d1"), ("q3", "d1"), ("q2", "d1"), ("nobody's", "d1")]


def test_baseline_labels_may_name_queries_by_their_texts(tmp_path):
    (tmp_path / "x.csv").write_text("query,docid,rating\nred apples,d1,3\n")
    found = trec.read_qrels(tmp_path / "x.csv", queries=pd.Series({"q1": "red apples"}))
    assert found.to_numpy().tolist() == [["q1", "d1", 3]]
    with pytest.raises(InputError, match=r"x\.csv:2: expected a query_id, as these are baseline labels, found a text"):
        trec.read_qrels(tmp_path / "x.csv")
    (tmp_path / "x.jsonl").write_text(umbrela(query=APPLES, passage="red"))
    with pytest.raises(InputError, match=r"x\.jsonl:1: expected a doc_id, as these are baseline labels, found a text"):
        trec.read_qrels(tmp_path / "x.jsonl", queries=pd.Series({"q1": "red apples"}))
