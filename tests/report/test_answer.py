"""The answer: every sentence is true of the numbers that it is made from, whatever these are."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from recorded_judges import QUERIES, SYSTEMS, recordings, seen, truth_of
from scipy.stats import kendalltau

from alignir.frames import ALIGNMENT, BASELINE, LEXICAL, SHUFFLED
from alignir.report.answer import answers
from alignir.report.page import page
from alignir.tracking.recordings import Recordings

NONE = math.nan
B = {"bootstrap.B": "200", "bootstrap.over": "queries", "bootstrap.method": "symmetric", "bootstrap.seed": "0"}
ONLINE = (("clicks", 0.8, 0.001, 0.7, 0.9), ("zrr", -0.6, 0.001, -0.8, -0.4))  # of the baseline


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def line(labels: str, reference: str, tau: float, p: float = 0.001, low: float = NONE, high: float = NONE) -> dict:
    numbers = ("ndcg_cut_10", reference, tau, p, low, high, SYSTEMS, QUERIES)
    return dict(zip(ALIGNMENT, numbers, strict=True)) | {"labels": labels}


def answer_of(monkeypatch, judged, truth, online=ONLINE, floors=(), metrics=None, **settings):
    """The one answer, of judges whose recorded taus are scipy's of their means."""
    settings = {judge: {**B, **settings.get(judge, {}), **settings.get("every", {})} for judge in judged}
    made = recordings(monkeypatch, judged, truth, **settings)
    runs = []
    for run in made:
        found = kendalltau(judged[run.run_id].mean(axis=1), truth.mean(axis=1))
        low, high = found.statistic - 0.1, 1 if found.statistic > 0 else found.statistic + 0.1
        if run.params["bootstrap.B"] == "0":
            low, high = NONE, NONE
        lines = [line("model", BASELINE, found.statistic, found.pvalue, low, high)]
        lines += [line("model", metric, tau * 0.9, *rest) for metric, tau, *rest in online]
        lines += [line(BASELINE, metric, tau, *rest) for metric, tau, *rest in online]
        lines += [line(floor, BASELINE, *numbers) for floor, *numbers in floors]
        found = {**run.metrics, "missing": 0.0, **(metrics or {}).get(run.run_id, {})}
        runs.append(replace(run, alignment=pd.DataFrame(lines), metrics=found))
    (answer,) = answers(Recordings(runs))
    return answer


def tau(judge: np.ndarray, truth: np.ndarray) -> str:
    return f"{kendalltau(judge.mean(axis=1), truth.mean(axis=1)).statistic:.2f}"


def test_the_best_who_cannot_be_told_from_it_and_who_is_worse(monkeypatch, rng):
    truth = truth_of(rng)
    judged = {"bad": truth[rng.permutation(SYSTEMS)], "good": seen(truth, rng, 0.2), "alike": seen(truth, rng, 0.2)}
    taus = {judge: tau(values, truth) for judge, values in judged.items()}
    best = max(("good", "alike"), key=taus.get)
    other = "alike" if best == "good" else "good"
    found = answer_of(monkeypatch, judged, truth)
    assert found.title == "d"
    low = f"{float(taus[best]) - 0.1:.2f}"
    assert found.best == [
        f"{best} zeshot, the best of 3 judges, puts the 12 systems in the order of the baseline labels, with a tau_b "
        f"of {taus[best]}, 95% interval [{low}, 1.00].",
        f"These queries cannot tell it from {other} zeshot ({taus[other]}).",
        f"It is better than bad zeshot ({taus['bad']}), by Holm's p ≤ 0.05.",
    ]


def test_one_judge_is_the_only_one_and_is_compared_with_nobody(monkeypatch, rng):
    truth = truth_of(rng)
    (only,) = answer_of(monkeypatch, {"one": seen(truth, rng)}, truth).best
    assert only.startswith("one zeshot, the only judge, puts the 12 systems in the order of")
    (only,) = answer_of(monkeypatch, {"one": 1 - seen(truth, rng)}, truth).best
    assert only.startswith("one zeshot, the only judge, puts the 12 systems in the reverse order of")


def test_a_judge_that_random_labels_could_be_is_not_called_good(monkeypatch, rng):
    truth = truth_of(rng)
    judge = rng.random(truth.shape)
    first, *_ = answer_of(monkeypatch, {"random": judge}, truth).best
    assert first.startswith("No order of the 12 systems can be told from chance: random zeshot, the only judge, has a")


def test_a_judge_below_the_best_may_be_told_from_chance_where_the_best_is_not(monkeypatch, rng):
    truth = truth_of(rng)
    judged = {"high": seen(truth, rng), "low": seen(truth, rng, 1)}
    made = Recordings.rows.func
    taus = {judge: tau(values, truth) for judge, values in judged.items()}

    def doubted(recordings):
        return [replace(row, ci_low=-0.1) if row.judge.model == "high" else row for row in made(recordings)]

    monkeypatch.setattr(Recordings, "rows", property(doubted))
    found = answer_of(monkeypatch, judged, truth)
    assert found.best[0] == (
        f"The highest tau_b, that of high zeshot, cannot be told from chance: {taus['high']}, 95% interval "
        "[-0.10, 1.00]."
    )
    low = f"{float(taus['low']) - 0.1:.2f}"
    assert found.best[1] == f"That of low zeshot ({taus['low']}, 95% interval [{low}, 1.00]) can."


def test_an_undefined_tau_is_never_a_number(monkeypatch, rng):
    truth = truth_of(rng)
    tied = np.full(truth.shape, 0.5)
    assert answer_of(monkeypatch, {"tied": tied}, truth).best == [
        "No judge puts the 12 systems in an order: with the baseline labels, tau_b is undefined."
    ]
    found = answer_of(monkeypatch, {"tied": tied, "good": seen(truth, rng)}, truth)
    assert found.best[-1] == "tied zeshot has no tau_b: one side ties all systems."
    assert not any("nan" in sentence or "–" in sentence for part in found[1:] for sentence in part)


def test_without_resamples_nobody_is_said_to_be_better_and_there_is_no_interval(monkeypatch, rng):
    truth = truth_of(rng)
    judged = {"good": seen(truth, rng), "bad": seen(truth, rng, 1)}
    found = answer_of(monkeypatch, judged, truth, every={"bootstrap.B": "0"})
    assert found.best[0].endswith(f", with a tau_b of {tau(judged['good'], truth)}.")
    assert found.best[1] == f"It was not compared with bad zeshot ({tau(judged['bad'], truth)}): no resamples."


def test_where_no_two_systems_were_compared_the_page_says_so():
    text = page("an experiment", {}, [], [], {}, [])
    assert "No recorded run has two systems or more" in text


def test_labels_that_are_missing_and_requests_that_failed_are_distrusted(monkeypatch, rng):
    truth = truth_of(rng)
    lacking = {
        "missing": 0.1, "failed": 3.0,
        "unlabelled/tried_low": 0.2, "unlabelled/tried_high": 0.6,
        "unlabelled/bounds_low": -0.1, "unlabelled/bounds_high": 0.9,
    }  # fmt: skip
    judged = {"one": seen(truth, rng), "two": seen(truth, rng)}
    doubts = answer_of(monkeypatch, judged, truth, metrics={"one": lacking, "two": {"missing": 0.05}}).doubts
    assert (
        "one zeshot gave 10.0% of the pairs no label; other grades in their place make its tau_b anything in "
        "[0.20, 0.60], and none outside of [-0.10, 0.90]." in doubts
    )
    assert "Requests of one zeshot failed for 3 pairs: the same command asks them again." in doubts
    assert not any("two" in doubt and "no label" in doubt for doubt in doubts)


def test_floors_are_named_where_they_reach_the_best_judge_or_its_interval_only(monkeypatch, rng):
    truth = truth_of(rng)
    judge = seen(truth, rng, 1)
    best = float(tau(judge, truth))
    floors = [(LEXICAL, best - 0.05, 0.01), (SHUFFLED, 0.0, 0.5, -0.5, 0.99)]
    doubts = answer_of(monkeypatch, {"one": judge}, truth, floors=floors).doubts
    assert any(
        each.startswith("Labels by shared words alone (floor: lexical) reach") and each.endswith("interval.")
        for each in doubts
    )
    assert (
        "The baseline's own labels in random order (floor: shuffled) reach 0.99 in some draws, as much as the best "
        "judge." in doubts
    )
    doubts = answer_of(monkeypatch, {"one": judge}, truth, floors=[(LEXICAL, -0.5, 0.01)]).doubts
    assert not any("floor" in each for each in doubts)


def test_few_queries_a_family_and_ranks_in_place_of_grades(monkeypatch, rng):
    noise = rng.random((SYSTEMS, QUERIES))
    metrics = {"family/moved": 1, "family/left_out": 2, "family/tau_b": 0.5, "family/tau_all": 0.75}
    settings = {"model.family": "gpt", "dataset.last_rank.3": "5"}
    found = answer_of(monkeypatch, {"one": seen(noise, rng)}, noise, metrics={"one": metrics}, one=settings)
    assert found.doubts[0].startswith("The queries are few: by the baseline labels of 30 queries, 0 of 66 pairs of")
    assert (
        "one zeshot orders systems of its own family otherwise than the rest: without 2 systems of gpt its tau_b is "
        "0.50 instead of 0.75." in found.doubts
    )
    assert (
        "The baseline's grades are made from the ranks of another ranker, and are not people's labels." in found.doubts
    )
    truth = np.linspace(0, 1, SYSTEMS)[:, None] + rng.normal(0, 0.01, (SYSTEMS, QUERIES))
    assert not any("few" in each for each in answer_of(monkeypatch, {"one": seen(truth, rng)}, truth).doubts)


def test_what_even_the_baseline_does_not_predict_of_users_is_said(monkeypatch, rng):
    truth = truth_of(rng)
    judged = {"one": seen(truth, rng)}
    online = [*ONLINE, ("ctr", 0.1, 0.6, -0.2, 0.4), ("last_click", -0.7, 0.001, -0.8, -0.6), ("adt", NONE, NONE)]
    found = answer_of(monkeypatch, judged, truth, online=online)
    assert found.users == [
        "Users (dbn): even the baseline labels say nothing of ADT, and cannot be told from chance with CTR, and order "
        "systems against Last click.",
        "Users (dbn): for Clicks and ZRR, which the baseline labels do predict, tau_b is 0.54 to 0.72 by the labels of "
        "one zeshot and 0.60 to 0.80 by the baseline's, in each metric's own direction.",
    ]
    assert answer_of(monkeypatch, judged, truth, online=()).users == [
        "No online metric was recorded, so that nothing is said of users."
    ]
