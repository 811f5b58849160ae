"""Comparison: judges two by two, from recorded runs."""

import numpy as np
import pytest
from recorded_judges import QUERIES, SYSTEMS, recordings, seen, truth_of
from scipy.stats import kendalltau

from alignir.frames import BASELINE
from alignir.tables import comparison
from alignir.tables.compare import compare_tables
from alignir.tables.paper import baseline_tables
from alignir.tracking.recordings import Recordings
from alignir.tracking.shapes import NOBODY, Judge, Setting

GOOD, AGAIN = Judge("good", "zeshot"), Judge("again", "zeshot")


@pytest.fixture
def three(monkeypatch):
    """Three judges: one that sees what the baseline sees, one that sees nothing, and the first once more."""
    rng = np.random.default_rng(0)
    truth = truth_of(rng)
    judged = {"good": seen(truth, rng), "blind": rng.normal(0, 1, truth.shape)}
    judged["again"] = judged["good"]
    return lambda **settings: recordings(monkeypatch, judged, truth, **settings)


@pytest.fixture
def recorded(three) -> Recordings:
    return three()


def test_every_two_judges_are_compared_with_scipys_tau(recorded):
    found = comparison.compared(recorded)
    judges = [(left.model, right.model) for left, right in found[["left", "right"]].itertuples(index=False)]
    assert judges == [("good", "blind"), ("good", "again"), ("blind", "again")]
    scores = recorded.runs[0].frame("scores.parquet").groupby(["labels", "system"])["value"].mean()
    expected = kendalltau(scores["model"], scores[BASELINE]).statistic
    assert found["tau_left"].tolist()[:2] == pytest.approx([expected, expected])
    assert set(found["reference"]) == {BASELINE}


def test_a_judge_that_sees_nothing_is_worse_than_one_that_does(recorded):
    found = comparison.compared(recorded)
    assert [comparison.better(row) for row in found.itertuples()] == [GOOD, None, AGAIN]
    setting = Setting("d", "s", "all", SYSTEMS, QUERIES)
    assert comparison.worse(recorded) == {(setting, NOBODY, BASELINE, Judge("blind", "zeshot"))}


def test_the_lowest_tau_is_best_where_lower_is_better(recorded):
    found = comparison.compared(recorded, users=True)
    zrr = found[found["reference"] == "zrr"]
    assert zrr["tau_left"].iloc[0] < -0.9
    assert [comparison.better(row) for row in zrr.itertuples()] == [GOOD, None, AGAIN]
    marked = {
        (users.name, reference, judge.model) for _, users, reference, judge in comparison.worse(recorded, users=True)
    }
    assert marked == {("dbn", "clicks", "blind"), ("dbn", "zrr", "blind")}


def test_one_judge_has_nobody_to_be_compared_with(recorded):
    alone = Recordings(recorded.runs[:1])
    assert comparison.compared(alone).empty
    assert comparison.worse(alone) == set()


def with_setting(*names: str, **setting) -> dict[str, dict[str, str]]:
    params = {f"bootstrap.{name}": str(value) for name, value in setting.items()}
    return {name: params for name in names}


def test_without_resamples_there_are_differences_and_nothing_is_told_of_them(three):
    recorded = three(**with_setting("good", "blind", "again", B=0))
    found = comparison.compared(recorded)
    assert found["difference"].notna().all()
    assert found[["ci_low", "ci_high", "p_value", "p_holm"]].isna().all(axis=None)
    assert comparison.worse(recorded) == set()
    (table,) = compare_tables(recorded, (BASELINE,))
    assert [row[-2:] for row in table.rows] == [["", ""], ["–", "–"], ["–", "–"]]
    assert [note for note in table.notes if note.startswith("not compared: bootstrap.B=0")]
    notes = baseline_tables(recorded, set())[0].notes
    assert "no judge is marked as worse than the best (†) where bootstrap.B=0" in notes
    assert not [note for note in baseline_tables(three(), set())[0].notes if "†" in note]


def test_the_recorded_setting_of_the_bootstrap_is_the_one_that_compares(three):
    judges = ("good", "blind", "again")
    found = {}
    for name, setting in {
        "as set": {},
        "seed": {"seed": 1},
        "systems": {"over": "systems"},
        "percentile": {"method": "percentile"},
    }.items():
        found[name] = comparison.compared(three(**with_setting(*judges, B=900, **setting)))
    columns = ["difference", "ci_low", "ci_high", "p_value"]
    as_set = found["as set"].loc[0, columns]
    draws = as_set["p_value"] * 901
    assert draws == pytest.approx(round(draws))
    for name, other in found.items():
        assert other.loc[0, "difference"] == as_set["difference"]
        assert bool(other.loc[0, "ci_low"] == as_set["ci_low"]) is (name == "as set")
    assert found["percentile"].loc[0, "p_value"] == as_set["p_value"]
    assert set(found["systems"]["how"]) == {"paired bootstrap of the systems, 900 resamples"}


def test_of_differing_settings_that_with_the_most_resamples_compares(three):
    recorded = three(**with_setting("good", B=0), **with_setting("blind", B=800), **with_setting("again", B=700))
    runs = list(recorded)
    assert comparison.resampling(runs).B == 800
    assert comparison.way(runs, 1) == (
        "paired bootstrap of the queries, 800 resamples, by that of the runs' settings of bootstrap with the most "
        "resamples"
    )


def test_a_judge_without_labels_for_most_queries_is_compared_on_the_others(monkeypatch):
    rng = np.random.default_rng(0)
    truth = truth_of(rng)
    few = seen(truth, rng)
    few[:, 8:] = np.nan
    good = seen(truth, rng)
    (row,) = comparison.compared(recordings(monkeypatch, {"good": good, "few": few}, truth)).itertuples()
    expected = [kendalltau(side[:, :8].mean(axis=1), truth[:, :8].mean(axis=1)).statistic for side in (good, few)]
    assert [row.tau_left, row.tau_right] == pytest.approx(expected)


def test_of_11_judges_the_one_that_reverses_the_systems_is_marked_and_the_notes_say_how(monkeypatch):
    """1 / 1,001 is the smallest p-value of 1,000 resamples, and .055 by Holm's correction of 55 comparisons."""
    rng = np.random.default_rng(0)
    truth = truth_of(rng)
    judged = {f"judge{number:02}": seen(truth, rng) for number in range(11)}
    judged["judge10"] = 1 - judged["judge10"]
    recorded = recordings(monkeypatch, judged, truth)
    reverse = Judge("judge10", "zeshot")
    found = comparison.compared(recorded)
    assert found.loc[found["right"] == reverse, "tau_right"].max() < -0.9
    better = [comparison.better(row) for row in found.itertuples()]
    assert [judge is not None for judge in better] == (found["right"] == reverse).tolist()
    assert reverse not in better
    (table,) = compare_tables(recorded, (BASELINE,), matrix=True)
    assert [note for note in table.notes if "11,000 resamples (bootstrap.B=1000 is too few for 55 comparisons)" in note]
    marked = comparison.worse(recorded)
    assert {judge for *_, judge in marked} == {reverse}
    (table,) = baseline_tables(recorded, marked)
    assert [row[0] for row in table.rows if "†" in row[2]] == ["judge10"]
    (note,) = [note for note in table.notes if note.startswith("†")]
    assert "2,000 resamples (bootstrap.B=1000 is too few for 10 comparisons); each against the best only" in note
