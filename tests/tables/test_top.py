"""Top: the columns of Table 1 and the table of tau among the best systems, from recorded runs."""

import csv
import io
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from recorded_judges import QUERIES, SYSTEMS, recordings, seen, truth_of
from scipy.stats import kendalltau

from alignir.errors import InputError
from alignir.frames import BASELINE
from alignir.tables.choices import Choices
from alignir.tables.kinds import tables
from alignir.tables.table import render
from alignir.tracking.runs import Recorded


@pytest.fixture
def recorded(monkeypatch):
    """Three judges, one of them blind, and the baseline's scores (12 systems, 30 queries)."""
    rng = np.random.default_rng(0)
    truth = truth_of(rng) + rng.normal(0, 0.5, (SYSTEMS, QUERIES))
    judged = {"good": seen(truth, rng), "again": seen(truth, rng, 0.5), "blind": rng.normal(0, 1, truth.shape)}
    setting = {"bootstrap.B": "100", "top": "[5, 10, 20]"}
    return recordings(monkeypatch, judged, truth, **dict.fromkeys(judged, setting)), judged, truth


def expected_tau(judge: np.ndarray, truth: np.ndarray, k: int) -> float:
    rows = np.argsort(truth.mean(axis=1))[-k:]
    return kendalltau(judge[rows].mean(axis=1), truth[rows].mean(axis=1)).statistic


def test_table_1_has_a_column_for_each_k_that_is_fewer_than_all_and_the_ceiling_as_a_line(recorded):
    runs, judged, truth = recorded
    table = tables(runs, ["baseline"])[0]
    assert table.columns == ["model", "prompt", "d", "top 10", "top 5"]
    lines = {row[0]: row[3:] for row in table.rows}
    for judge, values in judged.items():
        for cell, k in zip(lines[judge], (10, 5), strict=True):
            assert cell.value == pytest.approx(expected_tau(values, truth, k))
    ends = {(row[0], row[2]): row[4].values for row in tables(runs, ["top"])[0].rows}
    for judge, k in product(judged, (10, 5)):
        low, high = ends[judge, str(k)].values()
        assert lines[judge][(10, 5).index(k)].endswith("°") is (low <= 0 <= high)
    assert any(cell.endswith("°") for cell in lines["blind"])
    assert all(0.3 < float(cell) < 1 for cell in lines["baseline, resampled"])
    assert [note for note in table.notes if note.startswith("top k:") and "0.044 of 10, 0.200 of 5" in note]


def test_the_baselines_line_is_1_and_undefined_where_the_k_best_tie(monkeypatch):
    rng = np.random.default_rng(0)
    truth = truth_of(rng)
    truth[-5:] = truth[-1]
    runs = recordings(monkeypatch, {"good": seen(truth, rng)}, truth, good={"bootstrap.B": "0"})
    monkeypatch.setattr(runs, "runs", [with_baseline(run) for run in runs])
    (line,) = (row for row in tables(runs, ["baseline"], Choices(top=(5, 8)))[0].rows if row[0] == "baseline labels")
    assert line[2:] == ["1.00", "1.00", "–"]


def with_baseline(run: Recorded) -> Recorded:
    own = run.alignment.assign(labels=BASELINE, tau_b=1.0)
    return replace(run, alignment=pd.concat([run.alignment, own]))


def test_what_is_asked_for_comes_before_what_the_runs_say(recorded):
    runs, _, _ = recorded
    assert tables(runs, ["baseline"], Choices(top=(3,)))[0].columns[3:] == ["top 3"]
    none = tables(runs, ["baseline"], Choices(top=()))[0]
    assert none.columns[2:] == ["d"]
    assert "baseline, resampled" not in [row[0] for row in none.rows]


def test_csv_has_a_row_a_judge_and_k_in_full(recorded):
    runs, judged, truth = recorded
    rows = list(csv.DictReader(io.StringIO(render(tables(runs, ["top"]), "csv"))))
    assert list(rows[0]) == ["dataset", "model", "prompt", "top", "tau_b", "ci_low", "ci_high", "ceiling"]
    assert [row["top"] for row in rows] == ["all", "10", "5"] * 3
    for row in rows:
        k = SYSTEMS if row["top"] == "all" else int(row["top"])
        assert (row["dataset"], row["prompt"]) == ("d", "zeshot")
        assert float(row["tau_b"]) == pytest.approx(expected_tau(judged[row["model"]], truth, k), abs=1e-12)
        assert float(row["ci_low"]) - 1e-12 <= float(row["tau_b"]) <= float(row["ci_high"]) + 1e-12
    assert len({row["ceiling"] for row in rows}) == 3


def test_every_form_prints_it_and_text_fits_80_columns(recorded):
    shown = tables(recorded[0], ["top", "baseline"])
    text = render(shown, "rich", width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    for form in ("markdown", "latex", "html"):
        assert "top 10" in render(shown, form)


def test_without_resamples_there_are_taus_and_no_ceiling(recorded):
    for run in recorded[0]:
        run.params["bootstrap.B"] = "0"
    table = tables(recorded[0], ["baseline"])[0]
    assert table.columns[3:] == ["top 10", "top 5"]
    assert {row[0] for row in table.rows} == {"good", "again", "blind"}
    assert not any("°" in cell for row in table.rows for cell in row[3:])
    rows = tables(recorded[0], ["top"])[0].rows
    assert {row[4] for row in rows} == {row[5] for row in rows} == {"–"}


def test_fewer_systems_than_every_k_leave_table_1_as_it_was(recorded):
    assert tables(recorded[0], ["baseline"], Choices(top=(SYSTEMS, 40)))[0].columns[2:] == ["d"]


def test_a_top_that_cannot_be_is_named(small, monkeypatch, tmp_path):
    from alignir.config import composed_cell
    from alignir.experiment.inputs import read_inputs

    monkeypatch.chdir(tmp_path)
    for top in ("1", "[1]", "[10,x]"):
        cell = composed_cell([f"top={top}", "model=lexical", "dataset=folder", f"dataset.path={small}"])
        with pytest.raises(InputError, match="top: expected whole numbers from 2 in brackets"):
            read_inputs(cell)


def test_a_judge_that_is_called_resampled_is_none_of_ours(monkeypatch):
    rng = np.random.default_rng(0)
    truth = truth_of(rng)
    judged = {"resampled": rng.normal(0, 1, truth.shape)}
    runs = recordings(monkeypatch, judged, truth, resampled={"bootstrap.B": "20", "top": "[5]"})
    rows = {row[0]: row for row in tables(runs, ["baseline"])[0].rows}
    assert list(rows) == ["resampled", "baseline, resampled"]
    assert rows["resampled"][3].value == pytest.approx(expected_tau(judged["resampled"], truth, 5))


def test_one_system_has_no_order_and_the_table_says_so(recorded):
    runs = recorded[0]
    for run in runs:
        run.metrics["n_systems"] = 1
    (table,) = tables(runs, ["top"])
    assert table.rows == []
    assert table.notes == ["d: 1 system (s), 30 queries (all), which cannot be ordered"]


def test_without_resamples_no_note_is_about_brackets(recorded):
    assert [note for note in tables(recorded[0], ["top"])[0].notes if note.startswith("in brackets")]
    for run in recorded[0]:
        run.params["bootstrap.B"] = "0"
    assert not [note for note in tables(recorded[0], ["top"])[0].notes if note.startswith("in brackets")]
