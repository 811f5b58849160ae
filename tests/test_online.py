"""Online metrics by their definitions, simulated and imported."""

import numpy as np
import pandas as pd
import pytest

from alignir import datasets, online, systems
from alignir.errors import InputError
from alignir.user_models import DBN

MODEL = DBN((0.1, 0.125, 0.375, 0.875), (0.0, 0.125, 0.375, 0.875), 0.9)


def simulated(**changes):
    settings = {
        "model": MODEL,
        "depth": 10,
        "dwell": (10, 20, 40, 60),
        "relevant_from": 2,
        "zero_result": "no_relevant",
    }
    return online.Simulated(**{**settings, **changes})


def test_the_metrics_of_a_ranking_of_two():
    found = simulated().metrics(np.array([[3, 1, -1]]))
    second = 0.9 * (1 - 0.875 * 0.875) * 0.125
    assert found["clicks"] == pytest.approx(0.875 + second)
    assert found["ctr"] == pytest.approx((0.875 + second) / 2)  # two results are shown
    assert found["adt"] == pytest.approx((0.875 * 60 + second * 20) / (0.875 + second))
    assert found["ssr"] == pytest.approx(0.875 * 0.875 + second * 0.125)
    assert found["sar"] == pytest.approx(1 - 0.875 - (1 - 0.875) * 0.9 * 0.125)
    assert found["zrr"] == 0


def test_nothing_shown_has_no_rate_and_no_dwell_time():
    found = simulated().metrics(np.array([[-1, -1]]))
    assert found["clicks"] == 0
    assert np.isnan(found["ctr"])
    assert np.isnan(found["adt"])
    assert (found["ssr"], found["sar"], found["zrr"]) == (0, 1, 1)


@pytest.mark.parametrize(
    ("zero_result", "expected"),
    [("no_relevant", [0, 1, 1]), ("no_results", [0, 0, 1]), ("no_click", [1 - 0.375, 1 - 0.125, 1])],
)
def test_zero_results_by_each_definition(zero_result, expected):
    found = simulated(zero_result=zero_result).metrics(np.array([[2], [1], [-1]]))
    assert found["zrr"].tolist() == pytest.approx(expected)


def test_grades_are_laid_out_by_system_and_query_with_unjudged_as_zero(small):
    dataset = datasets.folder("small", small)
    runs = systems.runs(dataset, None, ["*"], [], "error")
    runs = runs[~((runs["system"] == "bad") & (runs["query_id"] == "q2"))]
    qrels = dataset.qrels[dataset.qrels["doc_id"] != "d2"]
    grades = online.shown_grades(qrels, runs, ["bad", "good"], ["q1", "q2"], 3)
    assert grades.tolist() == [[0, 3, -1], [-1, -1, -1], [3, 0, -1], [2, 0, -1]]


def test_users_see_no_deeper_than_the_depth(small):
    dataset = datasets.folder("small", small)
    runs = systems.runs(dataset, None, ["*"], [], "error")
    found = simulated(depth=1).measure(dataset.qrels, runs, ["q1", "q2"], ["bad", "good"])
    clicks = found[(found["metric"] == "clicks") & (found["system"] == "good")].set_index("query_id")["value"]
    assert clicks.to_dict() == {"q1": 0.875, "q2": 0.375}
    assert len(found) == 2 * 2 * len(online.METRICS)


def imported(tmp_path, text, name="metrics.csv"):
    (tmp_path / name).write_text(text)
    return online.External(str(tmp_path / name))


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
    found = online.External(str(tmp_path / "metrics.parquet")).measure(None, runs, ["q1"], ["bad", "good"])
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
