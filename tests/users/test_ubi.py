"""User Behavior Insights: files of our own in its published schema (1.3.0), read as a session log."""

import json
import math

import pandas as pd
import pytest

from alignir.errors import InputError
from alignir.users.session_log import read_log
from alignir.users.ubi import read_ubi

QUERIES = [
    {"application": "shop", "query_id": "u1", "client_id": "c1", "user_query": "Red  Apples",
     "timestamp": "2025-03-01T10:00:00Z", "object_id_field": "sku", "query_response_id": "r1",
     "query_response_hit_ids": ["d3", "d1", "d2"], "query_attributes": {"search_configuration": "new", "page": 1}},
    {"query_id": "u2", "client_id": "c1", "user_query": "green pears", "timestamp": "2025-03-01T10:01:00+00:00",
     "query_response_hit_ids": [], "query_attributes": {"search_config": "old"}},
    {"query_id": "u3", "client_id": "c2", "user_query": "red apples", "timestamp": "2025-03-01T10:00:00",
     "query_attributes": {"search_configuration": "old"}},
]  # fmt: skip


def event(query_id, action, time, object_id=None, ordinal=None, client="c1", **more):
    attributes = {"object": {"object_id": object_id, **more}, "position": {"ordinal": ordinal}}
    return {"action_name": action, "query_id": query_id, "client_id": client, "session_id": "s", "user_id": "",
            "timestamp": time, "message_type": "INFO", "event_attributes": attributes}  # fmt: skip


EVENTS = [
    event("u1", "impression", "2025-03-01T10:00:01Z", "d3", 1),
    event("u1", "click", "2025-03-01T10:00:10Z", "d1", 2),
    event("u1", "add_to_cart", "2025-03-01T10:00:30.500Z", "d2", 3),
    event("u3", "impression", 1740823202000, "d9", 2, "c2"),  # 10:00:02, in milliseconds as OpenSearch keeps it
    event("u3", "impression", 1740823202000, 8, 1, "c2"),
    event("u3", "click_through", 1740823210000, "unknown", 1, "c2", internal_id=8),
    event("u3", "click", "2025-03-01T10:00:20Z", "d77", 5, "c2"),
    event("gone", "click", "2025-03-01T10:05:00Z", "d1", 1),
    {"action_name": "login", "timestamp": "2025-03-01T10:06:00Z", "client_id": "c2"},
]


@pytest.fixture
def write(tmp_path):
    def written(name: str, records) -> str:
        (tmp_path / name).write_text("".join(json.dumps(record) + "\n" for record in records))
        return str(tmp_path / name)

    return written


def rows(log) -> list[tuple]:
    found = log[["session_id", "system", "query_id", "rank", "doc_id", "clicked"]]
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in found.itertuples(index=False)]


EXPECTED = [
    ("u1", "new", "red_apples", 1, "d3", False),
    ("u1", "new", "red_apples", 2, "d1", True),
    ("u1", "new", "red_apples", 3, "d2", False),
    ("u2", "old", "green_pears", None, None, False),
    ("u3", "old", "red_apples", 1, "8", True),
    ("u3", "old", "red_apples", 2, "d9", False),
]


def test_queries_become_pages_and_clicks_are_on_their_objects(write, caplog):
    log = read_ubi([write("queries.jsonl", QUERIES), write("events.jsonl", EVENTS)])
    assert rows(log) == EXPECTED
    assert log["dwell_s"].iloc[1] == 20.5  # to the next event of the client, whatever it is
    assert log["dwell_s"].iloc[4] == 10
    assert math.isnan(log["dwell_s"].iloc[0])
    assert log.attrs == {"clicks": 3, "dropped_clicks": 1}
    assert "1 of 3 clicks are on nothing that their page showed" in caplog.text


def test_one_file_with_both_and_what_opensearch_puts_around_them_is_the_same(write):
    both = [{"_index": "ubi", "_id": "1", "_source": each} for each in reversed([*QUERIES, *EVENTS])]
    bulk = [line for each in both for line in ({"index": {"_index": "ubi"}}, each)]
    assert sorted(rows(read_ubi([write("both.jsonl", bulk)])), key=str) == sorted(EXPECTED, key=str)


def test_actions_system_and_field_are_settings(write):
    paths = [write("queries.jsonl", QUERIES), write("events.jsonl", EVENTS)]
    carts = read_ubi(paths, clicks=["add_to_cart"])
    assert carts.loc[carts["clicked"], "doc_id"].tolist() == ["d2"]
    assert set(read_ubi(paths, system="live")["system"]) == {"live"}
    named = [query | {"query_attributes": {"variant": "b"}} for query in QUERIES]
    assert set(read_ubi([write("named.jsonl", named)], field="variant")["system"]) == {"b"}
    with pytest.raises(InputError, match=r"named.jsonl:1: expected query_attributes with search_configuration or"):
        read_ubi([write("named.jsonl", named)])


def test_texts_give_queries_the_ids_of_a_dataset_and_leave_out_others(write, caplog):
    log = read_ubi([write("queries.jsonl", QUERIES)], query_ids={"red apples": "q1", "blue plums": "q2"})
    assert set(log["query_id"]) == {"q1"}
    assert set(log["session_id"]) == {"u1"}
    assert "1 page of other queries: left out" in caplog.text
    assert "1 page without query_response_hit_ids and impressions: left out" in caplog.text


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ([1], "expected a JSON object"),
        ({"query_id": "u9"}, "expected a query with user_query and query_id"),
        ({"user_query": "x"}, "expected a query with user_query and query_id"),
        (
            QUERIES[0] | {"timestamp": "yesterday"},
            "expected a timestamp in ISO 8601 or milliseconds",
        ),
        (QUERIES[0] | {"query_response_hit_ids": "d1"}, "expected a list of query_response_hit_ids"),
        (event("u3", "impression", None, "d1", 0), "expected a position.ordinal from 1 of an impression, found 0"),
    ],
)
def test_a_wrong_line_is_named(write, record, message):
    with pytest.raises(InputError, match=rf"log.jsonl:2: {message}"):
        read_ubi([write("log.jsonl", [QUERIES[2], record])])


def test_the_command_writes_a_log_that_users_can_be_measured_by(alignir, small, write, tmp_path):
    asked = []
    for number, (system, text) in enumerate((s, t) for s in ("good", "bad") for t in ("red apples", "Green pears")):
        query = QUERIES[0] | {"query_id": f"u{number}", "user_query": text, "client_id": f"c{number}"}
        asked.append(query | {"query_attributes": {"search_configuration": system}})
        if system == "good":
            asked.append(event(f"u{number}", "click", "2025-03-01T10:00:10Z", "d1", 2, f"c{number}"))
    write("ubi.jsonl", asked)
    program = ("-m", "alignir", "import-log")
    done = alignir("--form", "ubi", "ubi.jsonl", "--queries", "small/queries.tsv", "--out", "log.csv", program=program)
    assert "2 clicks in the file, 0 of them dropped" in done.stdout
    log = read_log(tmp_path / "log.csv")
    assert set(log["query_id"]) == {"q1", "q2"}
    assert log.groupby("system")["clicked"].sum().to_dict() == {"good": 2, "bad": 0}
    done = alignir(
        "dataset=folder", "dataset.path=small", "model=lexical", "systems=runs", "user_model=log",
        "user_model.path=log.csv", "bootstrap.B=0", "floor.shuffles=0",
    )  # fmt: skip
    assert "Clicks" in done.output
    wrong = alignir("--form", "yandex", "ubi.jsonl", "--events", "x", "--out", "y.csv", program=program, ok=False)
    assert "--events is for --form ubi" in wrong.output
