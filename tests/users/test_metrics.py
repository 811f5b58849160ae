"""Online metrics by their definitions, in expectation and from sampled users."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import rankings_of
from test_click_models import MODEL, MODELS

from alignir.data import collections
from alignir.data.ranked import as_runs, ranked
from alignir.data.scales import Scale
from alignir.errors import InputError
from alignir.retrieval import run_files
from alignir.users import metrics as online
from alignir.users import simulation
from alignir.users.click_models import DBN, PBM
from alignir.users.dwell import Dwell
from alignir.users.metrics import SUCCESS, Metrics
from alignir.users.simulated import Simulated
from alignir.users.simulation import _pieces, sampled

METRICS = Metrics(relevant_from=2, zero_result="no_relevant", success="satisfied", long_dwell=30, dwell_per="click")
DWELL = Dwell((10, 20, 40, 60), 1.0)


def measured(rankings, model=MODEL, **changes):
    grades = np.array(rankings)
    metrics = replace(METRICS, **changes)
    return metrics.of(simulation.exact(model, grades, grades, DWELL, metrics))


def test_the_metrics_of_a_ranking_of_two():
    found = measured([[3, 1, -1]])
    second = 0.9 * (1 - 0.875 * 0.875) * 0.125
    no_click = 1 - 0.875 - (1 - 0.875) * 0.9 * 0.125
    assert found["clicks"] == pytest.approx(0.875 + second)
    assert found["ctr"] == pytest.approx((0.875 + second) / 2)  # two results are shown
    assert found["adt"] == pytest.approx((0.875 * 60 + second * 20) / (0.875 + second))
    assert found["ssr"] == pytest.approx(0.875 * 0.875 + second * 0.125)
    assert found["sar"] == pytest.approx(no_click)
    assert found["zrr"] == 0
    assert found["first_click"] == pytest.approx((0.875 + 2 * 0.125 * 0.9 * 0.125) / (1 - no_click))
    assert found["last_click"] == pytest.approx((0.875 - 0.875 * 0.125 * 0.9 * 0.125 + 2 * second) / (1 - no_click))


def test_dwell_can_be_asked_for_a_session_instead_of_a_click():
    found = measured([[3, 1, -1]], dwell_per="session")
    assert found["adt"] == pytest.approx(0.875 * 60 + 0.9 * (1 - 0.875 * 0.875) * 0.125 * 20)


def test_success_can_be_a_long_click():
    long = DWELL.at_least(30, np.array([3, 1]))
    found = measured([[3, 1, -1]], success="dwell")
    # satisfied or not, the first click may be long; the second needs a user who went on
    after_short = (1 - long[0]) * 0.875 * (1 - 0.875) * 0.9 + (1 - 0.875) * 0.9
    assert found["ssr"] == pytest.approx(0.875 * long[0] + after_short * 0.125 * long[1])


def test_nothing_shown_has_no_rate_and_no_dwell_time():
    found = measured([[-1, -1]])
    assert found["clicks"] == 0
    for metric in ("ctr", "adt", "first_click", "last_click"):
        assert np.isnan(found[metric])
    assert (found["ssr"], found["sar"], found["zrr"]) == (0, 1, 1)


@pytest.mark.parametrize(
    ("zero_result", "expected"),
    [("no_relevant", [0, 1, 1]), ("no_results", [0, 0, 1]), ("no_click", [1 - 0.375, 1 - 0.125, 1])],
)
def test_zero_results_by_each_definition(zero_result, expected):
    found = measured([[2], [1], [-1]], zero_result=zero_result)
    assert found["zrr"].tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"zero_result": "none"}, "zero_result=none: expected one of no_relevant, no_results, no_click"),
        ({"success": "yes"}, "success=yes: expected one of satisfied, dwell"),
        ({"dwell_per": "query"}, "dwell_per=query: expected one of click, session"),
        ({"long_dwell": 0}, "long_dwell: expected a time above 0 s, found 0"),
    ],
)
def test_a_definition_that_is_none_is_named(change, message):
    with pytest.raises(InputError) as error:
        replace(METRICS, **change)
    assert message in str(error.value)


@pytest.mark.parametrize("success", SUCCESS)
@pytest.mark.parametrize("name", MODELS)
def test_sampled_metrics_agree_with_the_exact_ones(name, success):
    """400,000 sessions on each of three rankings, in forty runs that give the standard error of every metric."""
    rng, metrics = np.random.default_rng(1), replace(METRICS, success=success)
    grades = rng.integers(0, 4, (3, 4))  # short, so that nothing is too rare for its error to be known
    exact = metrics.of(simulation.exact(MODELS[name], grades, grades, DWELL, metrics))
    runs = [metrics.of(sampled(MODELS[name], grades, grades, DWELL, metrics, 10_000, rng)) for _ in range(40)]
    off = {}  # in standard errors
    for metric in online.METRICS:
        values = np.array([run[metric] for run in runs])
        error = np.maximum(values.std(axis=0, ddof=1) / np.sqrt(40), 1e-12)
        off[metric] = np.abs(values.mean(axis=0) - exact[metric]) / error
    every = np.concatenate(list(off.values()))
    # Three standard errors hold for 99.5% of such means (t with 39 degrees of freedom), so one of 24 may be beyond.
    assert (every > 3).sum() <= 1, off
    assert every.max() < 4.5, off


def test_memory_for_sessions_is_bounded_and_changes_nothing(monkeypatch):
    grades = np.array([[3, 1, 0], [0, 2, 3], [1, 1, 1]])
    pieces = {}
    for at_once in (7, 1000):
        monkeypatch.setattr(simulation, "AT_ONCE", at_once)
        covered = np.zeros(3, dtype=int)
        for rows, size in _pieces(3, 20):
            assert len(covered[rows]) * size <= at_once
            covered[rows] += size
        assert covered.tolist() == [20, 20, 20]
        drawn = sampled(MODEL, grades, grades, DWELL, METRICS, 20_000, np.random.default_rng(0))
        pieces[at_once] = METRICS.of(drawn)["clicks"]
    assert pieces[7] == pytest.approx(pieces[1000], abs=0.05)


def simulated(**changes):
    settings = {"model": MODEL, "depth": 10, "dwell": DWELL, "metrics": METRICS}
    return Simulated(**{**settings, **changes})


@pytest.fixture
def at_hand(small):
    """(qrels, runs), as `measure` takes them."""
    dataset = collections.folder("small", small)
    runs = run_files.run_files(dataset, None, ["*"], [], "error").frame
    return dataset.qrels, rankings_of(runs, ["q1", "q2"], ["bad", "good"])


def test_grades_are_laid_out_by_system_and_query_with_unjudged_as_zero(at_hand):
    qrels, runs = at_hand
    some = runs.frame[~((runs.frame["system"] == "bad") & (runs.frame["query_id"] == "q2"))]
    grades = replace(runs, frame=some).grades(qrels[qrels["doc_id"] != "d2"], 3)
    assert grades.tolist() == [[[0, 3, -1], [-1, -1, -1]], [[3, 0, -1], [2, 0, -1]]]


def test_users_see_no_deeper_than_the_depth(at_hand):
    found = simulated(depth=1).measure(*at_hand)
    clicks = found[(found["metric"] == "clicks") & (found["system"] == "good")].set_index("query_id")["value"]
    assert clicks.to_dict() == {"q1": 0.875, "q2": 0.375}
    assert len(found) == 2 * 2 * len(online.METRICS)


def test_draws_are_independent_and_can_be_repeated(at_hand):
    users = simulated(sessions=50, draws=2)
    first, other = (online["value"] for online in users.draws_of(*at_hand))
    again = users.measure(*at_hand)["value"]
    assert first.equals(again)
    assert not first.equals(other)
    assert not first.equals(simulated(sessions=50, seed=1).measure(*at_hand)["value"])


def test_exact_users_are_one_sample_and_say_what_they_measure(at_hand):
    (only,) = simulated(draws=7).draws_of(*at_hand)
    pd.testing.assert_frame_equal(only, simulated().measure(*at_hand))


def test_sampling_tells_who_watches_how_many_sessions_are_done():
    told, grades = [], np.array([[3, 1, 0], [0, 2, 3]])
    sampled(MODEL, grades, grades, DWELL, METRICS, 100_000, np.random.default_rng(0), told.append)
    assert len(told) > 1
    assert sum(told) == 2 * 100_000


def test_a_model_by_pair_reads_them_and_keeps_the_grades_for_dwell(at_hand, tmp_path):
    pairs = pd.DataFrame({"query_id": ["q1", "q1"], "doc_id": ["d1", "d2"], "attraction": [0.5, 0.25]})
    pairs.assign(satisfaction=0.0).to_parquet(tmp_path / "pairs.parquet")
    users = simulated(model=type(MODEL)((0.1,), (0.0,), 1.0), pairs=str(tmp_path / "pairs.parquet"))
    found = users.measure(*at_hand).set_index(["metric", "system", "query_id"])["value"]
    assert found["clicks", "good", "q1"] == pytest.approx(0.75)
    assert found["clicks", "good", "q2"] == pytest.approx(0.2)  # pairs that are not in the table
    assert found["adt", "good", "q1"] == pytest.approx((0.5 * 60 + 0.25 * 20) / 0.75)
    assert found["zrr", "good", "q1"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": 0}, "depth: expected a whole number from 1, found 0"),
        ({"sessions": 0}, "sessions: expected a whole number from 1, or none, found 0"),
        ({"draws": 1}, "draws: expected a whole number from 2, found 1"),
        ({"pairs": "p.parquet"}, "attraction: expected one probability, for what is not in p.parquet, found 4"),
        ({"model": PBM((0.1,) * 4, (0.1,) * 4, (1, 1))}, "examination: expected values for 10 ranks, found 2"),
    ],
)
def test_users_that_cannot_be_are_refused(change, message):
    with pytest.raises(InputError) as error:
        simulated(**change)
    assert message in str(error.value)


def test_missing_pairs_are_named(at_hand, tmp_path):
    users = simulated(model=type(MODEL)((0.1,), (0.0,), 1.0), pairs=str(tmp_path / "none.parquet"))
    with pytest.raises(InputError, match=r"none\.parquet"):
        users.check(*at_hand)


def test_pairs_without_the_satisfaction_that_the_model_has_are_named(at_hand, tmp_path):
    pairs = pd.DataFrame({"query_id": ["q1"], "doc_id": ["d1"], "attraction": [0.5]})
    pairs.to_parquet(tmp_path / "pairs.parquet")
    users = simulated(model=type(MODEL)((0.1,), (0.0,), 1.0), pairs=str(tmp_path / "pairs.parquet"))
    with pytest.raises(InputError, match="expected columns query_id, doc_id, attraction, satisfaction, found"):
        users.check(*at_hand)


def test_the_line_under_a_table_says_what_is_by_grade_and_what_is_not(tmp_path):
    of_results = "by grade: attraction 0.1/0.125/0.375/0.875, satisfaction 0/0.125/0.375/0.875; continuation 0.9; "
    assert of_results + "dwell in s by grade 10/20/40/60, sigma 1; ADT per click" in simulated().definitions()
    by_pair = simulated(model=type(MODEL)((0.1,), (0.0,), 1.0), pairs=str(tmp_path / "p.parquet")).definitions()
    assert "; by pair from p.parquet, of other pairs: attraction 0.1, satisfaction 0; continuation 1; " in by_pair


@pytest.mark.parametrize(("known", "warned"), [(0, True), (1, False), (3, False)])
def test_a_model_of_other_pairs_than_what_is_shown_warns(tmp_path, caplog, known, warned):
    """1 of 20 results is 5%, and enough."""
    shown = pd.DataFrame({"query_id": "q1", "doc_id": [f"d{place:02}" for place in range(20)]})
    runs = as_runs(ranked(shown.assign(system="s", score=1.0)))
    pairs = pd.concat([shown.head(known), shown.assign(query_id="elsewhere")])
    pairs.assign(attraction=0.5, satisfaction=0.5).to_parquet(tmp_path / "pairs.parquet")
    users = Simulated(model=type(MODEL)((0.1,), (0.0,), 1.0), depth=20, pairs=str(tmp_path / "pairs.parquet"))
    users.check(pd.DataFrame(), runs)
    texts = [record.getMessage() for record in caplog.records]
    assert len(texts) == warned
    if warned:
        assert "the click model knows 0 of 20 results in the top 20 (0.0%)" in texts[0]


def test_parameters_follow_the_scale_of_the_labels_unless_somebody_chose_them(at_hand):
    """On 0-1 the default DBN is one with (2^g - 1) / 2; a list must be as long as the scale is."""
    qrels, runs = at_hand
    binary = qrels.assign(relevance=(qrels["relevance"] >= 2).astype(int))
    scale = Scale((0, 1), 1)
    by_hand = simulated(model=DBN((0.1, 0.5), (0, 0.5), 0.9), dwell=Dwell((10, 60)), metrics=Metrics())
    found = Simulated(depth=by_hand.depth).measure(binary, runs, scale)
    pd.testing.assert_frame_equal(found, by_hand.measure(binary, runs, scale))
    places = Scale((0, 5), 5)  # the same grades by other numbers: only the formula knows the difference
    spread = replace(by_hand, metrics=Metrics()).measure(binary.assign(relevance=5 * binary["relevance"]), runs, places)
    pd.testing.assert_frame_equal(spread, found)
    with pytest.raises(InputError, match="attraction: expected 4 values, one for each grade of 0-3, found 2"):
        by_hand.check(qrels, runs)
    zrr = found[found["metric"] == "zrr"]["value"].to_numpy()
    assert (
        zrr.tolist() == Simulated(depth=by_hand.depth).measure(qrels, runs).query("metric == 'zrr'")["value"].tolist()
    )
