"""Measures: which offline measure goes with users, in a cell with several, its tables and its figure."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from alignir.config import composed_cell
from alignir.errors import InputError
from alignir.evaluation.measures import NDCG
from alignir.experiment import results
from alignir.experiment.inputs import read_inputs
from alignir.experiment.keys import key
from alignir.figures.taus import measures_figure
from alignir.frames import ALIGNMENT, BASELINE
from alignir.tables.kinds import tables
from alignir.tables.rows import alignment_table
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded
from alignir.users import metrics

MEASURES = ("map", "rbp_0.8", "err_10")


@pytest.fixture(scope="module")
def cell():
    """The demo with a few systems; no intervals, which take time."""
    return composed_cell(
        [
            "model=lexical",
            "systems=bm25",
            "systems.stem=[false]",
            "systems.stop=[false]",
            "bootstrap.B=0",
            "floor.shuffles=1",
            f"measures=[{','.join(MEASURES)}]",
        ]
    )


@pytest.fixture(scope="module")
def result(cell):
    return results.compute(cell, read_inputs(cell))


def test_every_measure_meets_the_baseline_and_every_metric(result):
    references = [BASELINE, *metrics.METRICS]
    for labels in ("model", BASELINE):
        found = result.alignment[result.alignment["labels"] == labels]
        assert {(row.offline, row.reference) for row in found.itertuples()} == {
            (measure, reference) for measure in (NDCG, *MEASURES) for reference in references
        }
        assert len(found) == 4 * len(references)
    assert list(dict.fromkeys(result.scores["measure"])) == [NDCG, *MEASURES]
    assert list(dict.fromkeys(result.baseline["measure"])) == [NDCG, *MEASURES]


def test_a_measure_is_aligned_with_itself_on_both_sides_as_scipy_says(result):
    from scipy.stats import kendalltau

    rows = result.alignment.query("labels == 'model'").set_index(["offline", "reference"])["tau_b"]
    for measure in (NDCG, *MEASURES):
        sides = [side[side["measure"] == measure] for side in (result.scores, result.baseline)]
        left, right = (side.groupby("system")["value"].mean() for side in sides)
        assert rows[measure, BASELINE] == pytest.approx(kendalltau(left, right[left.index]).statistic)
        clicks = result.online[result.online["metric"] == "clicks"].groupby("system")["value"].mean()
        assert rows[measure, "clicks"] == pytest.approx(kendalltau(left, clicks[left.index]).statistic)


def test_more_measures_change_nothing_about_ndcg(cell, result):
    alone = replace(cell, measures=(NDCG,))
    found = results.compute(alone, read_inputs(alone)).alignment
    beside = result.alignment[result.alignment["offline"] == NDCG].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, beside, check_exact=True)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"measures": ["ndcg@10"]}, "no measure 'ndcg@10'; expected trec_eval's names"),
        ({"measures": "map"}, "measures=map: expected a list"),
    ],
)
def test_a_wrong_name_is_told_before_anything_is_read(cell, setting, message):
    def unread(*_):
        raise AssertionError("read")

    with pytest.raises(InputError, match=message):
        read_inputs(replace(cell, dataset=unread, prompt=unread, **setting))


def test_another_first_relevant_grade_is_another_cell():
    both = [composed_cell(["model=lexical", f"dataset.scale.relevant_from={level}"]) for level in (1, 2)]
    assert len({key(cell, read_inputs(cell)) for cell in both}) == 2


def test_undefined_taus_of_several_measures_are_one_note(cell):
    inputs = read_inputs(cell)
    nothing = inputs.dataset.qrels.assign(relevance=0)  # for every measure all systems tie
    notes = results.compute(cell, replace(inputs, dataset=replace(inputs.dataset, qrels=nothing))).notes
    (note,) = [note for note in notes if "under the baseline's labels is undefined against baseline" in note]
    assert note.startswith("tau_b of nDCG@10, map, rbp_0.8, err_10 under the baseline's labels")


def recorded(name: str, alignment: pd.DataFrame, user_model="dbn") -> Recorded:
    groups = dict.fromkeys(("dataset", "systems", "queries"), "demo")
    params = {**groups, "model": name, "prompt": "basic", "user_model": user_model, "headline": "nDCG@10", "top": "[]"}
    return Recorded(None, name, name, params, {}, {"n_systems": 12, "n_queries": 30}, alignment)


def test_the_papers_tables_show_ndcg_only(result):
    many = recorded("one", result.alignment)
    few = recorded("one", result.alignment[result.alignment["offline"] == NDCG])
    for kinds in (["baseline"], ["online"]):
        assert tables(Recordings([many]), kinds) == tables(Recordings([few]), kinds)
    assert len(alignment_table(Recordings([many])).rows) == len(result.alignment)


def test_the_measures_table_has_each_measure_by_both_labels(result):
    (table,) = tables(Recordings([recorded("one", result.alignment)]), ["measures"])
    assert table.columns[:5] == ["measure", "labels", "baseline", "Clicks", "CTR"]
    assert "SAR ↓" in table.columns
    assert [row[:2] for row in table.rows[:4]] == [
        ["nDCG@10", "one basic"],
        ["nDCG@10", "baseline labels"],
        ["map", "one basic"],
        ["map", "baseline labels"],
    ]
    taus = result.alignment.set_index(["labels", "offline", "reference"])["tau_b"]
    assert table.rows[2][3] == f"{taus['model', 'map', 'clicks']:.4f}"
    assert table.rows[3][3] == f"{taus[BASELINE, 'map', 'clicks']:.4f}"
    assert any("grades from 2" in note for note in table.notes)


def test_every_user_model_has_its_table_with_all_its_judges(result):
    few = result.alignment[result.alignment["reference"].isin((BASELINE, "clicks"))]
    runs = [recorded("one", few), recorded("two", few), recorded("one", few, user_model="pbm")]
    dbn, pbm = tables(Recordings(runs), ["measures"])
    assert dbn.title.endswith("users: dbn")
    assert pbm.title.endswith("users: pbm")
    assert dbn.columns == pbm.columns == ["measure", "labels", "baseline", "Clicks"]
    whose = [[row[1] for row in table.rows if row[0] == "nDCG@10"] for table in (dbn, pbm)]
    assert whose == [["one basic", "two basic", "baseline labels"], ["one basic", "baseline labels"]]


def test_the_figure_prints_every_tau_and_greys_what_is_undefined():
    rows = [
        ("map", BASELINE, 0.5, "model"),
        ("map", "clicks", math.nan, "model"),
        ("map", "sar", -1.0, "model"),
        ("map", BASELINE, 1.0, BASELINE),
        ("map", "clicks", 0.25, BASELINE),
        ("map", "sar", -0.75, BASELINE),
        ("map", "clicks", 0.99, "floor: lexical"),
    ]
    alignment = pd.DataFrame(
        [(offline, reference, tau, *[math.nan] * 5, labels) for offline, reference, tau, labels in rows],
        columns=[*ALIGNMENT, "labels"],
    )
    figure = measures_figure(alignment, "t")
    model, baseline = figure.axes[:2]
    assert [text.get_text() for text in model.texts] == ["0.50", "–", "-1.00"]
    assert [text.get_text() for text in baseline.texts] == ["0.25", "-0.75"]
    assert [label.get_text() for label in baseline.get_xticklabels()] == ["baseline\nlabels", "Clicks", "SAR ↓"]
    (image,) = model.images
    assert image.norm.vmin == -1
    assert image.norm.vmax == 1
    grey = image.cmap(np.ma.masked_invalid([math.nan]))[0]
    assert grey[0] == grey[1] == grey[2] < 1


def test_several_measures_are_recorded_drawn_and_printed(alignir, summarize, tmp_path):
    text = alignir("model=lexical", "measures=[map,P_5]", "bootstrap.B=0", "floor.shuffles=0").output
    assert "2 more measures: map, P_5" in text
    (figure,) = tmp_path.rglob("figures/measures.png")
    assert figure.stat().st_size > 10_000
    scores = pd.read_parquet(next(tmp_path.rglob("scores.parquet")))
    assert set(scores["measure"]) == {NDCG, "map", "P_5"}
    found = summarize("--table", "measures", "--format", "csv").stdout
    assert [line.split(",")[0] for line in found.splitlines()[1:]] == ["nDCG@10"] * 2 + ["map"] * 2 + ["P_5"] * 2
