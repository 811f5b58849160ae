"""Metrics that were measured of users: session logs, and tables of metrics."""

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import rankings_of
from test_click_models import MODELS

from alignir.data import collections
from alignir.data.ranked import Runs
from alignir.errors import InputError
from alignir.frames import LOG
from alignir.retrieval import run_files
from alignir.users import imported as imported_users
from alignir.users import observed
from alignir.users.dwell import Dwell
from alignir.users.imported import External
from alignir.users.metrics import NAMES, Metrics

METRICS = Metrics(relevant_from=2, zero_result="no_relevant", success="dwell", long_dwell=30, dwell_per="click")


PAGES = """session_id,system,query_id,rank,doc_id,clicked,dwell_s
1,good,q1,1,d1,1,40
1,good,q1,2,d2,1,10
2,good,q1,1,d1,0,
2,good,q1,2,d2,0,
3,good,q2,1,d4,1,20
4,bad,q1,1,d2,0,
4,bad,q1,2,d1,1,30
5,bad,q2,1,d4,0,
6,bad,q2,,,0,
7,bad,other,1,d4,1,99
"""


def logged(tmp_path, text=PAGES, **changes):
    (tmp_path / "log.csv").write_text(text)
    settings = {"metrics": METRICS, "unknown_dwell": "undefined", "average": "queries"}
    return observed.Log(str(tmp_path / "log.csv"), **{**settings, **changes})


@pytest.fixture
def qrels(small):
    return collections.folder("small", small).qrels


def by_cell(found: pd.DataFrame) -> dict:
    return found.set_index(["metric", "system", "query_id"])["value"].to_dict()


def test_the_metrics_of_a_log_by_hand(tmp_path, runs, qrels):
    found = by_cell(logged(tmp_path).measure(qrels, rankings_of(runs, ["q1", "q2"], ["bad", "good"])))
    good = {metric: found[metric, "good", "q1"] for metric in NAMES}
    # two sessions, one of them with clicks at ranks 1 (40 s) and 2 (10 s); d1 is relevant
    assert good == pytest.approx(
        {
            "clicks": 1,
            "ctr": 2 / 4,
            "adt": 25,
            "ssr": 1 / 2,
            "sar": 1 / 2,
            "zrr": 0,
            "first_click": 1,
            "last_click": 2,
        }
    )
    bad = {metric: found[metric, "bad", "q2"] for metric in NAMES}
    # two sessions without a click, one of which showed nothing; d4 is not relevant
    assert (bad["clicks"], bad["ctr"], bad["ssr"], bad["sar"], bad["zrr"]) == (0, 0, 0, 1, 1)
    assert all(np.isnan(bad[metric]) for metric in ("adt", "first_click", "last_click"))
    assert found["ssr", "bad", "q1"] == 1  # of long_dwell exactly


def test_a_log_measures_what_simulated_users_would(tmp_path, small):
    """The same sessions, counted by the log's way and by the simulation's: one set of definitions."""
    rng, grades = np.random.default_rng(0), np.array([[3, 1, 0, 2], [0, 0, 2, 1]])
    metrics = replace(METRICS, long_dwell=30)
    drawn, sessions = MODELS["dbn"].sample(grades, 500, rng), []
    seconds = Dwell((10, 20, 40, 60), 1.0).sample(np.broadcast_to(grades[:, None], drawn.clicks.shape), rng)
    for query, place, rank in np.ndindex(drawn.clicks.shape):
        clicked = drawn.clicks[query, place, rank]
        dwell = seconds[query, place, rank] if clicked else np.nan
        sessions.append((f"{query}.{place}", "a", f"q{query}", rank + 1, f"d{rank}", clicked, dwell))
    log = pd.DataFrame(sessions, columns=LOG)
    qrels = pd.DataFrame(
        [(f"q{q}", f"d{r}", grades[q, r]) for q, r in np.ndindex(grades.shape)],
        columns=["query_id", "doc_id", "relevance"],
    )
    log.to_parquet(tmp_path / "log.parquet")
    users = observed.Log(str(tmp_path / "log.parquet"), metrics, "undefined", "queries")
    found = by_cell(users.measure(qrels, Runs(None, ("a",), ("q0", "q1"))))
    clicks, dwell = drawn.clicks, np.where(drawn.clicks, seconds, 0)
    ranks = np.arange(1, 5)
    for q in (0, 1):
        clicked = clicks[q].any(axis=1)
        assert found["clicks", "a", f"q{q}"] == pytest.approx(clicks[q].sum() / 500)
        assert found["ctr", "a", f"q{q}"] == pytest.approx(clicks[q].mean())
        assert found["adt", "a", f"q{q}"] == pytest.approx(dwell[q].sum() / clicks[q].sum())
        assert found["ssr", "a", f"q{q}"] == pytest.approx((dwell[q].max(axis=1) >= 30).mean())
        assert found["sar", "a", f"q{q}"] == pytest.approx((~clicked).mean())
        assert found["last_click", "a", f"q{q}"] == pytest.approx((clicks[q] * ranks).max(axis=1)[clicked].mean())
        first = np.where(clicks[q], ranks, 99).min(axis=1)[clicked].mean()
        assert found["first_click", "a", f"q{q}"] == pytest.approx(first)


def test_sessions_can_weigh_the_same_instead_of_queries(tmp_path, runs, qrels):
    users = logged(tmp_path, average="sessions")
    found = by_cell(users.measure(qrels, rankings_of(runs, ["q1", "q2"], ["bad", "good"])))
    assert found["clicks", "good", "all"] == 3 / 3
    assert found["clicks", "bad", "all"] == 1 / 3
    assert found["adt", "good", "all"] == (40 + 10 + 20) / 3


def test_only_queries_that_every_system_was_asked_count(tmp_path, runs, qrels):
    users = logged(tmp_path, PAGES.replace("5,bad,q2,1,d4,0,\n6,bad,q2,,,0,\n", ""))
    found = users.measure(qrels, rankings_of(runs, ["q1", "q2"], ["bad", "good"]))
    assert set(found["query_id"]) == {"q1"}
    with pytest.raises(InputError, match="no query of the 1 at hand has sessions of all 2 systems"):
        users.measure(qrels, rankings_of(runs, ["q2"], ["bad", "good"]))
    with pytest.raises(InputError, match="has no sessions of the systems best"):
        users.measure(qrels, rankings_of(runs, ["q2"], ["best", "good"]))


@pytest.mark.parametrize("average", ["queries", "sessions"])
@pytest.mark.parametrize(
    ("query_ids", "systems", "message"),
    [
        (["q1", "q2"], ["bad", "good"], ""),
        (["q1", "nobody asked"], ["bad", "good"], ""),
        (["nobody asked"], ["bad", "good"], "at hand"),
        (["q1"], ["best", "good"], "has no sessions of the systems best"),
    ],
)
def test_a_log_is_checked_by_what_it_holds_and_not_measured(tmp_path, qrels, average, query_ids, systems, message):
    users, runs = logged(tmp_path, average=average), Runs(None, tuple(systems), tuple(query_ids))
    if not message:
        users.check(None, runs)  # without labels nothing can be measured
        assert len(users.measure(qrels, runs))
        return
    for ask in (users.check, users.measure):
        with pytest.raises(InputError, match=message):
            ask(qrels, runs)


def test_a_file_is_read_once_and_again_when_it_has_changed(tmp_path, qrels):
    log, table = logged(tmp_path), imported(tmp_path, "system,metric,value\ngood,ctr,1\nbad,ctr,2\n")
    for users, file, changed in (
        (log, "log.csv", PAGES.replace("1,good,q1,1,d1,1,40", "1,good,q1,1,d1,0,")),
        (table, "metrics.csv", "system,metric,value\ngood,ctr,3\nbad,ctr,4\n"),
    ):
        read = observed._read_log if users is log else imported_users._read
        read.cache_clear()
        at_hand = (qrels, Runs(None, ("bad", "good"), ("q1", "q2")))
        users.check(*at_hand)
        before = users.measure(*at_hand)
        assert (read.cache_info().misses, read.cache_info().hits) == (1, 1)
        pd.testing.assert_frame_equal(users.measure(*at_hand), before)  # measuring changes nothing in what was read
        (tmp_path / file).write_text(changed)
        os.utime(tmp_path / file, ns=(0, 1))
        assert not users.measure(*at_hand).equals(before)


def test_users_who_were_measured_are_one_sample(tmp_path, qrels):
    table = imported(tmp_path, "system,metric,value\ngood,ctr,1\nbad,ctr,2\n")
    for users in (logged(tmp_path), table):
        at_hand = (qrels, Runs(None, ("bad", "good"), ("q1", "q2")))
        (only,) = users.draws_of(*at_hand)
        pd.testing.assert_frame_equal(only, users.measure(*at_hand))


@pytest.mark.parametrize(("unknown", "success"), [("undefined", np.nan), ("long", 1.0), ("short", 0.5)])
def test_unknown_dwell_is_what_the_user_says(tmp_path, runs, qrels, unknown, success):
    text = PAGES.replace("2,good,q1,1,d1,0,", "2,good,q1,1,d1,1,")  # a click, but for how long?
    found = by_cell(
        logged(tmp_path, text, unknown_dwell=unknown).measure(qrels, rankings_of(runs, ["q1"], ["bad", "good"]))
    )
    assert found["ssr", "good", "q1"] == pytest.approx(success, nan_ok=True)
    assert found["adt", "good", "q1"] == 25  # of the clicks that are known


def test_without_any_dwell_time_it_is_undefined_and_the_rest_is_there(tmp_path, runs, qrels):
    text = "\n".join(line.rsplit(",", 1)[0] for line in PAGES.splitlines()) + "\n"
    found = by_cell(logged(tmp_path, text).measure(qrels, rankings_of(runs, ["q1", "q2"], ["bad", "good"])))
    assert np.isnan(found["adt", "good", "q1"])
    assert np.isnan(found["ssr", "good", "q1"])
    assert found["clicks", "good", "q1"] == 1


def test_a_log_cannot_say_who_was_satisfied(tmp_path):
    with pytest.raises(InputError, match="a log cannot say who was satisfied"):
        logged(tmp_path, metrics=replace(METRICS, success="satisfied"))
    with pytest.raises(InputError, match="average=all: expected one of queries, sessions"):
        logged(tmp_path, average="all")


def imported(tmp_path, text, name="metrics.csv"):
    (tmp_path / name).write_text(text)
    return External(str(tmp_path / name))


@pytest.fixture
def runs(small):
    return run_files.run_files(collections.folder("small", small), None, ["*"], [], "error").frame


def test_a_table_of_metrics_is_read(tmp_path, runs):
    table = "system,metric,value\ngood,CTR,0.4\nbad,CTR,0.3\nother,CTR,0.9\n"
    found = imported(tmp_path, table).measure(None, rankings_of(runs, ["q1", "q2"], ["bad", "good"]))
    assert dict(zip(found["system"], found["value"], strict=True)) == {"good": 0.4, "bad": 0.3}
    assert set(found["metric"]) == {"ctr"}


def test_a_table_by_query_keeps_the_queries_at_hand(tmp_path, runs):
    rows = [f"{s}\t{q}\tclicks\t{v}" for s in ("good", "bad") for q, v in (("q1", 1), ("q2", 3), ("q3", 100))]
    text = "\n".join(["system\tquery_id\tmetric\tvalue", *rows]) + "\n"
    found = imported(tmp_path, text, "metrics.tsv").measure(None, rankings_of(runs, ["q1", "q2"], ["bad", "good"]))
    assert found.groupby("system")["value"].mean().to_dict() == {"good": 2, "bad": 2}


def test_a_parquet_table_is_the_same(tmp_path, runs):
    frame = pd.DataFrame({"system": ["good", "bad"], "metric": "ssr", "value": [0.2, 0.1]})
    frame.to_parquet(tmp_path / "metrics.parquet")
    found = External(str(tmp_path / "metrics.parquet")).measure(None, rankings_of(runs, ["q1"], ["bad", "good"]))
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
        imported(tmp_path, text).measure(None, rankings_of(runs, ["q1", "q2"], ["bad", "good"]))
    assert message in str(error.value)
