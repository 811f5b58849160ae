"""Standing: the tables of systems, of pairs and of queries, from recorded runs."""

import csv
import io
import json

import numpy as np
import pytest
from recorded_judges import QUERIES, SYSTEMS, recordings, seen, truth_of
from scipy.stats import rankdata

from alignir.frames import BASELINE
from alignir.tables.choices import Choices
from alignir.tables.kinds import tables
from alignir.tables.latex import escaped
from alignir.tables.names import plain_settings
from alignir.tables.table import Table, render
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import Setting

HEAD = ["dataset", "labels", "system", "score", "ci_low", "ci_high", "rank", "rank_low", "rank_high"]


@pytest.fixture
def recorded(monkeypatch):
    """Two judges, one of whom has not labelled the last ten of 30 queries; the scores of 12 systems by all labels."""
    rng = np.random.default_rng(0)
    truth = truth_of(rng)
    judged = {"good": seen(truth, rng, 0.5), "lazy": seen(truth, rng, 0.5)}
    judged["lazy"][:, 20:] = np.nan
    setting = {"bootstrap.B": "50", "top": "[5]"}
    return recordings(monkeypatch, judged, truth, **dict.fromkeys(judged, setting)), {BASELINE: truth, **judged}


def rows_of(shown: list[Table]) -> list[dict]:
    return list(csv.DictReader(io.StringIO(render(shown, "csv"))))


def test_csv_has_a_row_for_every_system_by_whose_labels_with_what_numpy_and_scipy_find(recorded):
    runs, sides = recorded
    rows = rows_of(tables(runs, ["systems"]))
    assert list(rows[0]) == HEAD
    assert [row["labels"] for row in rows[::SYSTEMS]] == [BASELINE, "good zeshot", "lazy zeshot"]
    for labels, values in sides.items():
        here = [row for row in rows if row["labels"].split()[0] == labels]
        means = np.nanmean(values, axis=1)
        for row in here:
            system = int(row["system"][1:])
            assert float(row["score"]) == pytest.approx(means[system])
            assert int(row["rank"]) == rankdata(-means, method="min")[system]
            assert float(row["ci_low"]) < float(row["score"]) < float(row["ci_high"])
            assert int(row["rank_low"]) <= int(row["rank"]) <= int(row["rank_high"])


def test_who_moves_most_is_first_and_moves_are_from_the_baseline_on_the_judges_queries(recorded):
    runs, sides = recorded
    people, good, lazy, _ = tables(runs, ["systems"])
    assert [row[2] for row in people.rows] == [str(rank) for rank in range(1, SYSTEMS + 1)]
    assert {row[4] for row in people.rows} == {""}
    for table, queries in ((good, slice(None)), (lazy, slice(20))):
        judge = sides["good" if table is good else "lazy"]
        by_people, by_judge = (
            rankdata(-side[:, queries].mean(axis=1), method="min") for side in (sides[BASELINE], judge)
        )
        moved = {row[0]: row[4].value for row in table.rows}
        assert moved == {f"s{s:02}": by_people[s] - by_judge[s] for s in range(SYSTEMS)}
        sizes = [abs(each) for each in moved.values()]
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[0] > 0


def test_the_last_table_says_what_the_queries_can_show_of_all_and_of_the_best(recorded):
    runs, sides = recorded
    table = tables(runs, ["systems"])[-1]
    assert table.title == "Smallest difference that these queries can show, d"
    assert [row[:2] for row in table.rows[:3]] == [
        ["baseline labels", "all"],
        ["baseline labels", "5"],
        ["good zeshot", "all"],
    ]
    best = np.argsort(sides[BASELINE].mean(axis=1))[-5:]
    apart = [
        abs(sides["good"][one].mean() - sides["good"][other].mean()) for one in best for other in best if one < other
    ]
    assert table.rows[3][3].value == pytest.approx(np.median(apart))
    assert [row[1] for row in tables(runs, ["systems"], Choices(top=()))[-1].rows] == ["all"] * 3


def test_pairs_and_queries_are_there_on_request(recorded):
    runs, sides = recorded
    pairs = tables(runs, ["systems"], Choices(by="pair"))
    n_pairs = SYSTEMS * (SYSTEMS - 1) // 2
    assert len(rows_of(pairs)) == 3 * n_pairs
    significant = [row for row in rows_of(pairs) if float(row["p_holm"]) <= 0.05]
    assert len(significant) == sum(len(table.rows) for table in pairs)
    assert len(pairs[0].rows) == sum(row[5].value for row in tables(runs, ["systems"])[0].rows)
    by_query = tables(runs, ["systems"], Choices(by="query"))
    rows = rows_of(by_query)
    assert list(rows[0]) == ["dataset", "labels", "system", "query_id", "score"]
    assert len(rows) == SYSTEMS * (QUERIES + QUERIES + 20)
    for row in rows[:: SYSTEMS * 7]:
        value = sides[row["labels"].split()[0]][int(row["system"][1:]), int(row["query_id"][1:])]
        assert float(row["score"]) == pytest.approx(value)
    differences = [abs(row[4].value) for row in by_query[0].rows]
    assert differences == sorted(differences, reverse=True)


@pytest.mark.parametrize("by", ["system", "pair", "query"])
def test_every_form_prints_them_and_text_fits_80_columns(recorded, by):
    shown = tables(recorded[0], ["systems"], Choices(by=by))
    text = render(shown, "rich", width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    for form in ("markdown", "html"):
        assert shown[0].rows[0][1] in render(shown, form)
    assert escaped(shown[0].rows[0][1]) in render(shown, "latex")
    assert len(shown[0].to_frame()) == len(shown[0].rows)


def test_with_one_query_nothing_is_tested_and_the_table_says_so(monkeypatch):
    rng = np.random.default_rng(0)
    truth = truth_of(rng)
    truth[:, 1:] = np.nan
    runs = recordings(monkeypatch, {"good": seen(truth, rng)}, truth, good={"bootstrap.B": "50", "top": "[5]"})
    people, _, queries = tables(runs, ["systems"])
    assert {(row[5], row[6]) for row in people.rows} == {("–", "–")}
    assert {row[4] for row in queries.rows} == {"–"}
    for table in (people, queries, tables(runs, ["systems"], Choices(by="pair"))[0]):
        assert "no test of a single query: baseline labels, good zeshot" in table.notes


def test_pairs_of_which_none_beats_the_other_are_counted(monkeypatch):
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 1, (SYSTEMS, QUERIES))
    runs = recordings(monkeypatch, {"same": truth}, truth, same={"bootstrap.B": "0", "top": "[]"})
    for table in tables(runs, ["systems"], Choices(by="pair")):
        assert table.rows == []
        assert "none of 66 pairs" in table.notes


@pytest.mark.parametrize("kind", ["top", "systems", "families"])
def test_judges_that_lack_queries_are_named_with_how_many_they_know(recorded, monkeypatch, kind):
    families = {"a": ["s00", "s02"], "b": ["s01", "s03"]}
    monkeypatch.setattr(Recorded, "text", lambda run, name: json.dumps(families))
    notes = [note for table in tables(recorded[0], [kind]) for note in table.notes]
    assert "lazy zeshot: 20 of 30 queries" in notes
    assert not [note for note in notes if note.startswith("good zeshot: ")]


def test_for_programs_settings_are_a_column_of_their_own_where_a_dataset_has_several():
    all_queries, few = Setting("d", "runs", "all", 12, 30), Setting("d", "runs", "random", 12, 6, "seed=1")
    assert plain_settings([all_queries, Setting("e", "bm25", "all", 12, 30)]) == (["dataset"], [["d"], ["e"]])
    assert plain_settings([all_queries, few]) == (
        ["dataset", "settings"],
        [["d", "all, 30 queries"], ["d", "random, 6 queries, seed=1"]],
    )
