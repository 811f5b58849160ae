"""Best judges: the table of judges, best first, from recorded runs."""

import csv
import io
import math
from dataclasses import replace

import numpy as np
import pytest
from recorded_judges import QUERIES, SYSTEMS, recordings, seen, truth_of
from scipy.stats import kendalltau, ttest_rel

from alignir.alignment.bootstrap import Resampling
from alignir.alignment.comparison import against_best
from alignir.tables.best_judges import RECORDS
from alignir.tables.choices import Choices
from alignir.tables.kinds import tables
from alignir.tables.table import Table, render

COSTS = {"tokens": 410, "price": 0.9}


@pytest.fixture
def recorded(monkeypatch):
    """Three judges, one of them blind; `fair` was asked and has a price; 12 systems, 30 queries, two datasets."""
    rng = np.random.default_rng(0)
    truth = truth_of(rng) + rng.normal(0, 0.3, (SYSTEMS, QUERIES))
    noise = {"fair": 0.4, "good": 0.02, "blind": 50}
    judged = {name: seen(truth, rng, size) for name, size in noise.items()}
    setting = {"bootstrap.B": "100", "top": "[5, 10, 20]"}
    settings = {name: setting for name in judged}
    for name in noise:
        judged[f"{name} on e"] = seen(truth, rng, noise[name] * 3)
        settings[f"{name} on e"] = {**settings[name], "model": name, "dataset": "e"}
    found = recordings(monkeypatch, judged, truth, **settings)
    for run in found:
        run.metrics.update({"missing": 0.1, "agreement/bias": 0.25})
        if run.params["model"] == "fair":
            run.metrics.update({**COSTS, "asked": 100, "seconds": 50})
    return found, judged, truth


def rows_of(shown: list[Table]) -> list[dict]:
    return list(csv.DictReader(io.StringIO(render(shown, "csv"))))


def titled(runs, title: str, **asked) -> Table:
    return next(table for table in tables(runs, ["judges"], Choices(**asked)) if table.title == title)


def significant(values: np.ndarray) -> dict[tuple[int, int], bool]:
    """By pair of systems: whether Holm's step-down over scipy's paired t-tests says that one beats the other."""
    pairs = [(one, other) for one in range(SYSTEMS) for other in range(one + 1, SYSTEMS)]
    p_values = [ttest_rel(values[one], values[other]).pvalue for one, other in pairs]
    found, order = dict.fromkeys(pairs, False), np.argsort(p_values)
    for step, place in enumerate(order):
        if p_values[place] > 0.05 / (len(pairs) - step):
            break
        found[pairs[place]] = True
    return found


def test_a_line_a_judge_best_first_with_what_scipy_finds(recorded):
    runs, judged, truth = recorded
    rows = rows_of(tables(runs, ["judges"]))
    assert list(rows[0]) == ["dataset", *RECORDS]
    assert [(row["dataset"], row["model"]) for row in rows[3:6]] == [("d", each) for each in ("good", "fair", "blind")]
    people, best5 = significant(truth), np.argsort(truth.mean(axis=1))[-5:]
    for row in rows[3:6]:
        judge = judged[row["model"]]
        own = significant(judge)
        assert float(row["tau_b"]) == pytest.approx(kendalltau(judge.mean(axis=1), truth.mean(axis=1)).statistic)
        assert float(row["tau_top"]) == pytest.approx(
            kendalltau(judge[best5].mean(axis=1), truth[best5].mean(axis=1)).statistic
        )
        assert float(row["missed"]) == pytest.approx(np.mean([people[pair] and not own[pair] for pair in own]))
        assert float(row["false_alarm"]) == pytest.approx(np.mean([own[pair] and not people[pair] for pair in own]))
        assert (float(row["bias"]), float(row["missing"]), row["top"]) == (0.25, pytest.approx(0.1), "5")


def test_each_judge_is_compared_with_the_best_only_and_marked_as_in_table_1(recorded):
    runs, judged, truth = recorded
    sides = {name: judged[name] for name in ("fair", "good", "blind")}
    expected = against_best(sides, {"people": truth}, Resampling(B=100)).set_index("judge")
    rows = {row["model"]: row for row in rows_of(tables(runs, ["judges"])) if row["dataset"] == "d"}
    for name in ("fair", "blind"):
        assert float(rows[name]["p_holm"]) == pytest.approx(expected.loc[name, "p_holm"])
        assert float(rows[name]["difference"]) == pytest.approx(expected.loc[name, "difference"])
    assert (rows["good"]["p_holm"], float(rows["good"]["difference"])) == ("", 0)
    marked = {row[0] for row in titled(runs, "Judges, best first, d").rows if "†" in row[1]}
    first = tables(runs, ["baseline"])[0]
    assert marked == {"blind zeshot"}
    assert marked == {f"{row[0]} zeshot" for row in first.rows if "†" in row[first.columns.index("d")]}


def test_costs_are_of_a_pair_and_of_1000_pairs_and_empty_where_nobody_was_asked(recorded):
    rows = {row["model"]: row for row in rows_of(tables(recorded[0], ["judges"])) if row["dataset"] == "d"}
    assert float(rows["fair"]["tokens"]) == 410
    assert float(rows["fair"]["seconds"]) == pytest.approx(1000 * 50 / 100)
    assert float(rows["fair"]["price"]) == 0.9
    assert [rows["good"][cost] for cost in ("tokens", "seconds", "price")] == [""] * 3
    table = titled(recorded[0], "What judges cost, d")
    assert table.columns[-3:] == ["tokens", "seconds", "price"]
    assert [row[-3:] for row in table.rows] == [[""] * 3, ["410", "500", "0.9"], [""] * 3]


def test_seconds_are_of_the_run_that_asked_where_the_newest_found_all_in_the_ledger(recorded, monkeypatch):
    """The same judge under other users, later."""
    runs = recorded[0]
    asked = next(run for run in runs if run.run_id == "fair")
    later = replace(asked, params={**asked.params, "user_model": "pbm"}, metrics={**asked.metrics, "asked": 0})
    monkeypatch.setattr(runs, "runs", [*runs, later])
    rows = {row["model"]: row for row in rows_of(tables(runs, ["judges"])) if row["dataset"] == "d"}
    assert float(rows["fair"]["seconds"]) == pytest.approx(500)
    asked.metrics["asked"] = 0
    rows = {row["model"]: row for row in rows_of(tables(runs, ["judges"])) if row["dataset"] == "d"}
    assert rows["fair"]["seconds"] == ""
    assert float(rows["fair"]["tokens"]) == pytest.approx(410)


def test_over_datasets_the_mean_and_the_spread_stand_first(recorded):
    runs, judged, truth = recorded
    shown = tables(runs, ["judges"])
    abouts = ["over 2 datasets", "d", "e"]
    assert [table.title for table in shown] == [
        f"{what}, {about}" for about in abouts for what in ("Judges, best first", "What judges cost")
    ]
    rows = rows_of(shown)
    each = {(row["dataset"], row["model"]): row for row in rows}
    for name in ("fair", "good", "blind"):
        taus = [kendalltau(judged[key].mean(axis=1), truth.mean(axis=1)).statistic for key in (name, f"{name} on e")]
        pooled = each["all", name]
        assert float(pooled["tau_b"]) == pytest.approx(np.mean(taus))
        assert float(pooled["spread"]) == pytest.approx(np.std(taus, ddof=1))
        for column in ("tau_top", "missed", "false_alarm"):
            assert float(pooled[column]) == pytest.approx(np.mean([float(each[of, name][column]) for of in "de"]))
    assert shown[0].columns[1:4] == ["mean tau", "spread", "top 5"]


def test_a_judge_that_a_dataset_lacks_is_named_and_left_out(recorded, monkeypatch):
    runs = recorded[0]
    monkeypatch.setattr(runs, "runs", [run for run in runs if run.run_id != "blind on e"])
    over_all = tables(runs, ["judges"])[0]
    assert [row[0] for row in over_all.rows] == ["good zeshot", "fair zeshot"]
    assert any("left out: blind zeshot" in note for note in over_all.notes)


def test_of_one_dataset_nothing_is_pooled(recorded, monkeypatch):
    runs = recorded[0]
    monkeypatch.setattr(runs, "runs", [run for run in runs if run.params["dataset"] == "d"])
    assert [table.title for table in tables(runs, ["judges"])] == ["Judges, best first, d", "What judges cost, d"]
    for run in runs:
        run.metrics.update({"tokens": math.nan, "price": math.nan, "asked": 0})
    assert [table.title for table in tables(runs, ["judges"])] == ["Judges, best first, d"]


def test_every_form_prints_it_and_text_fits_80_columns(recorded):
    shown = tables(recorded[0], ["judges"])
    text = render(shown, "rich", width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    for form in ("markdown", "latex", "html"):
        assert "missed" in render(shown, form)


def test_without_resamples_and_without_a_top_there_are_taus_alone(recorded):
    for run in recorded[0]:
        run.params["bootstrap.B"] = "0"
    table = titled(recorded[0], "Judges, best first, d", top=())
    assert not any(column.startswith("top") for column in table.columns)
    assert all(not math.isnan(row[1].value) and not set("[†") & set(row[1]) for row in table.rows)
    assert any("not compared: bootstrap.B=0" in note for note in table.notes)
