"""The study's questions, answered from made-up judges of whom the answers are known."""

import numpy as np
import pandas as pd
import pytest
from recorded_judges import recordings, seen, truth_of
from scipy.stats import kendalltau, linregress

from alignir.alignment import questions
from alignir.alignment.bootstrap import Resampling
from alignir.alignment.comparison import against_one, compare, together
from alignir.alignment.significance import holm
from alignir.tables.quality import quality_tables
from alignir.tables.questions import Known, Where, _follows, _why, question_tables
from alignir.tables.table import render
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import read_finished

PAPER = {"bootstrap.B": "200", "bootstrap.over": "queries", "bootstrap.method": "symmetric", "bootstrap.seed": "0"}


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def test_the_slope_is_that_of_a_regression_on_the_logarithm(rng):
    sizes, taus = np.array([0.6, 1.7, 8, 32]), rng.uniform(-1, 1, (4, 7))
    expected = [linregress(np.log10(sizes), column).slope for column in taus.T]
    assert questions.slope(sizes, taus) == pytest.approx(expected)
    assert np.isnan(questions.slope(np.array([8, 8]), taus[:2])).all()
    taus[1, 3] = np.nan
    assert np.isnan(questions.slope(sizes, taus)).tolist() == [False] * 3 + [True] + [False] * 3


def test_taus_by_query_and_without_each_system_are_scipys(rng):
    scores, online = rng.normal(size=(9, 5)).round(1), rng.normal(size=(9, 5)).round(1)
    expected = [kendalltau(left, right).statistic for left, right in zip(scores.T, online.T, strict=True)]
    assert questions.by_query(scores, online) == pytest.approx(expected)
    rest = [kendalltau(np.delete(scores[:, 0], row), np.delete(online[:, 0], row)).statistic for row in range(9)]
    assert questions.without_each(scores[:, 0], online[:, 0]) == pytest.approx(rest)


def test_against_one_is_compare_with_holm_over_its_own_rows(rng):
    truth = truth_of(rng)
    judges = {name: seen(truth, rng, noise) for name, noise in (("a", 0.1), ("b", 0.5), ("people", 0.01))}
    references, settings = {"clicks": seen(truth, rng), "stops": -seen(truth, rng)}, Resampling(2000, seed=3)
    found = against_one(judges, "people", references, settings)
    expected = compare(judges, references, settings).query("right == 'people'").reset_index(drop=True)
    pd.testing.assert_frame_equal(found.drop(columns="p_holm"), expected.drop(columns="p_holm"))
    assert found["p_holm"].tolist() == holm(found["p_value"].to_numpy()).tolist()
    taus = together(judges, references["clicks"], settings)
    assert taus[:, 0] == pytest.approx(
        [kendalltau(side.mean(axis=1), references["clicks"].mean(axis=1)).statistic for side in judges.values()]
    )


def test_every_question_is_answered_from_the_numbers(rng, monkeypatch):
    truth = truth_of(rng)
    judged, settings = {}, {}
    for model, size, much in (("small", 1, 4.0), ("middle", 8, 1.0), ("large", 70, 0.01)):
        for prompt, worse in (("basic", 3.0), ("zeshot", 1.0)):
            name = f"{model} {prompt}"
            judged[name] = seen(truth, rng, much * worse)
            settings[name] = {"model": model, "prompt": prompt, "model.parameters": str(float(size)), **PAPER}
    found = question_tables(recordings(monkeypatch, judged, truth, **settings))
    users, size, prompt, direction = (
        [table for table in found if table.title.startswith(f"Question {number}.")] for number in (1, 2, 3, 4)
    )
    assert len(users) == len(judged)
    assert {row[0] for table in users for row in table.rows} == {"Clicks", "ZRR ↓"}
    assert users[0].notes[0].startswith("Answer: with 2 online metrics, scores by these labels are better aligned than")

    (table,) = size
    assert [row[:3] for row in table.rows if row[0] == "zeshot"] == [
        ["zeshot", "small", "1"],
        ["zeshot", "middle", "8"],
        ["zeshot", "large", "70"],
        ["zeshot", "ten times the size", ""],
    ]
    assert "for ten times the parameters of 3 models: it rises with size" in table.notes[0]

    (table,) = prompt
    by_model = {row[0]: row[4].value for row in table.rows}
    taus = {name: kendalltau(side.mean(axis=1), truth.mean(axis=1)).statistic for name, side in judged.items()}
    assert [row[1] for row in table.rows] == ["basic - zeshot"] * 4
    expected = {model: taus[f"{model} basic"] - taus[f"{model} zeshot"] for model in ("large", "middle", "small")}
    assert by_model == pytest.approx(expected | {"all models": np.mean(list(expected.values()))})

    (table,) = direction
    assert [row[0] for row in table.rows] == ["ZRR ↓"]
    assert table.notes[0] == (
        "Answer: ZRR ↓: lower is better, and that is all there is to it; whether these metrics follow quality at all "
        "cannot be told without systems of known order: add a run with systems=degraded dataset=d queries=all "
        "user_model=dbn, other settings as they are"
    )
    text = render(found, "rich", width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert all("Question 1." in render(found, form) for form in ("markdown", "csv", "html", "latex"))


@pytest.mark.parametrize(
    ("metric", "where", "answer"),
    [
        ("zrr", Where(-0.9, -0.3, -0.2, -0.4, "s1", np.nan), "lower is better, and that is all there is to it"),
        ("zrr", Where(-0.9, -0.3, 0.2, -0.4, "s1", np.nan), "lower is better, but not within queries"),
        ("ctr", Where(-0.9, 0.1, 0.2, -0.4, "s1", np.nan), "cannot be told from 0"),
        ("ctr", Where(-0.9, -0.1, 0.2, 0.4, "s1", 0.3), "it is so only over the queries' means"),
        ("ctr", Where(-0.9, -0.1, -0.2, 0.4, "s1", 0.3), "s1 alone makes it so"),
        ("ctr", Where(-0.9, -0.1, -0.2, -0.4, "s1", 0.3), "satisfied users stop"),
        ("ctr", Where(-0.9, -0.1, np.nan, -0.4, "s1", np.nan), "better systems have less of it, within queries too"),
    ],
)
def test_why_a_tau_is_negative(metric, where, answer):
    assert _why(metric, where).startswith(answer)


@pytest.mark.parametrize(
    ("metric", "known", "answer"),
    [
        ("ctr", Known(0.9, 0.8, 1), "it follows quality (degraded systems: 0.90"),
        ("zrr", Known(-0.9, -1, -0.8), "it follows quality (degraded systems: -0.90"),
        ("clicks", Known(-0.6, -0.7, -0.5), "it falls with quality (degraded systems: -0.60"),
        ("clicks", Known(0.1, -0.2, 0.4), "whether it follows quality cannot be told (degraded systems: 0.10"),
        ("clicks", Known(np.nan, np.nan, np.nan), "whether it follows quality cannot be told (degraded systems: –)"),
    ],
)
def test_whether_a_metric_follows_quality(metric, known, answer):
    assert _follows(metric, known).startswith(answer)


def test_systems_of_known_order_are_asked_whether_a_metric_follows_quality(alignir, tmp_path, monkeypatch):
    quick = ("bootstrap.B=50", "floor.shuffles=0", "model=lexical", "user_model.sessions=null")
    alignir(*quick, "systems=bm25")
    monkeypatch.chdir(tmp_path)
    (before,) = (table for table in question_tables(Recordings(read_finished(None, "alignir"))) if "4." in table.title)
    assert "systems=degraded dataset=demo queries=all user_model=dbn, other settings as they are" in before.notes[0]
    assert {row[-1] for row in before.rows} == {"–"}
    alignir("-m", *quick, "systems=degraded", "user_model=dbn,pbm")
    recorded = Recordings(read_finished(None, "alignir"))
    found = question_tables(recorded)
    assert not any("degraded" in table.title for table in found)
    (table,) = (table for table in found if "4." in table.title)
    assert "cannot be told without systems" not in table.notes[0]
    (quality,) = quality_tables(recorded)
    of_quality = {row[0]: row[2].value for row in quality.rows if row[1] == "dbn"}
    assert {row[0]: row[-1].value for row in table.rows} == {row[0]: of_quality[row[0]] for row in table.rows}
    assert "SAR ↓: lower is better" in table.notes[0]
    assert ", and it follows quality (degraded systems: -1.00" in table.notes[0]
    assert max(map(len, render(found, "rich", width=80).splitlines())) <= 80
