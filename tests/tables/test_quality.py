"""Quality: tau with the known order, from the command to the table."""

import csv
import io

import pytest
from scipy.stats import kendalltau

from alignir.tables.kinds import tables
from alignir.tables.table import render
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import read_finished


@pytest.fixture
def recorded(alignir, tmp_path, monkeypatch):
    quick = ("bootstrap.B=20", "floor.shuffles=0", "systems.shares=[0,0.5,1]")
    alignir("model=lexical", "systems=degraded", "measures=[map]", *quick)
    alignir("model=scripted", "systems=degraded", "user_model=pbm", *quick)
    alignir("model=lexical", "systems=bm25", "bootstrap.B=0", "floor.shuffles=0")
    monkeypatch.chdir(tmp_path)
    return Recordings(read_finished(None, "alignir"))


def test_every_metric_measure_and_judge_is_compared_with_the_known_order(recorded):
    (table,) = tables(recorded, ["quality"])
    rows = list(csv.DictReader(io.StringIO(render([table], "csv"))))
    by = {(row["what"], row["by"]): row for row in rows}
    assert {name for _, name in by} == {"dbn", "pbm", "baseline", "lexical", "scripted zeshot"}
    assert {what for what, name in by if name == "lexical"} == {"nDCG@10", "map"}
    assert {"clicks", "sar", "zrr"} <= {what for what, name in by if name == "pbm"}

    run = next(run for run in recorded if run.params["systems"] == "degraded" and run.judge.model == "lexical")
    order = ["worse-0", "worse-0.5", "worse-1"]
    online, scores = run.frame("online.parquet"), run.frame("scores.parquet")
    sides = [(("adt", "dbn"), online[online["metric"] == "adt"])]
    for labels, name in (("model", "lexical"), ("baseline", "baseline")):
        found = scores[(scores["labels"] == labels) & (scores["measure"] == "ndcg_cut_10")]
        sides.append((("nDCG@10", name), found))
    for key, rows in sides:
        values = rows.groupby("system")["value"].mean().loc[order]
        row = by[key]
        assert float(row["tau_b"]) == pytest.approx(kendalltau(values, [3, 2, 1]).statistic)
        assert [float(row[name]) for name in ("best", "half", "worst")] == pytest.approx(list(values))
        assert float(row["ci_low"]) <= float(row["tau_b"]) <= float(row["ci_high"])
    assert float(by["nDCG@10", "baseline"]["tau_b"]) == 1
    assert float(by["sar", "dbn"]["tau_b"]) == -1
    assert max(map(len, render([table], "rich", width=80).splitlines())) <= 80


def test_without_such_systems_the_table_says_how_to_get_them(recorded):
    others = Recordings([run for run in recorded if run.params["systems"] == "bm25"])
    (table,) = tables(others, ["quality"])
    assert not table.rows
    assert "systems=degraded" in table.notes[0]
