"""Metrics that were measured of users: session logs, and tables of metrics."""

import pandas as pd
import pytest

from alignir import datasets, observation, systems
from alignir.errors import InputError
from alignir.online import Metrics

METRICS = Metrics(relevant_from=2, zero_result="no_relevant", success="dwell", long_dwell=30, dwell_per="click")


def imported(tmp_path, text, name="metrics.csv"):
    (tmp_path / name).write_text(text)
    return observation.External(str(tmp_path / name))


@pytest.fixture
def runs(small):
    return systems.runs(datasets.folder("small", small), None, ["*"], [], "error")


def test_a_table_of_metrics_is_read(tmp_path, runs):
    table = "system,metric,value\ngood,CTR,0.4\nbad,CTR,0.3\nother,CTR,0.9\n"
    found = imported(tmp_path, table).measure(None, runs, ["q1", "q2"], ["bad", "good"])
    assert dict(zip(found["system"], found["value"], strict=True)) == {"good": 0.4, "bad": 0.3}
    assert set(found["metric"]) == {"ctr"}


def test_a_table_by_query_keeps_the_queries_at_hand(tmp_path, runs):
    rows = [f"{s}\t{q}\tclicks\t{v}" for s in ("good", "bad") for q, v in (("q1", 1), ("q2", 3), ("q3", 100))]
    text = "\n".join(["system\tquery_id\tmetric\tvalue", *rows]) + "\n"
    found = imported(tmp_path, text, "metrics.tsv").measure(None, runs, ["q1", "q2"], ["bad", "good"])
    assert found.groupby("system")["value"].mean().to_dict() == {"good": 2, "bad": 2}


def test_a_parquet_table_is_the_same(tmp_path, runs):
    frame = pd.DataFrame({"system": ["good", "bad"], "metric": "ssr", "value": [0.2, 0.1]})
    frame.to_parquet(tmp_path / "metrics.parquet")
    found = observation.External(str(tmp_path / "metrics.parquet")).measure(None, runs, ["q1"], ["bad", "good"])
    assert found["value"].tolist() == [0.2, 0.1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("system,value\ngood,1\n", "metrics.csv:1: expected the columns system, metric, value"),
        ("system,metric,value\ngood,ctr,nan\n", "metrics.csv:2: expected a system, a metric and a finite value"),
        ("system,metric,value\ngood,ctr,1\nbad,ctr,inf\n", "metrics.csv:3: expected a system"),
        ("system,metric,value\ngood,ctr,1\nbad,ctr,1\ngood,CTR,2\n", "metrics.csv:4: good, ctr is there twice"),
        ("system,metric,value\ngood,ctr,1\n", "has no metrics of the systems bad"),
        ("system,metric,value\ngood,ctr,1\nbad,ctr,1\ngood,adt,2\n", "the metric adt lacks the system bad"),
        ("system,metric,value\ngood,ctr,1\nbad,CTR@10,1\n", "metrics.csv:3: the metric 'CTR@10' cannot be recorded"),
        (
            "system,query_id,metric,value\ngood,q1,a,1\ngood,q2,a,1\nbad,q1,a,1\n",
            "has 1 of 2 queries for the system bad",
        ),
        ("system,metric,value\n", "expected rows of metrics, found none"),
    ],
)
def test_a_wrong_table_is_named(tmp_path, runs, text, message):
    with pytest.raises(InputError) as error:
        imported(tmp_path, text).measure(None, runs, ["q1", "q2"], ["bad", "good"])
    assert message in str(error.value)
