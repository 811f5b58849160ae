"""Comparison: judges two by two, from recorded runs."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from alignir.frames import BASELINE, ONLINE, SCORES
from alignir.tables import comparison
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import NOBODY, Judge, Setting

SYSTEMS, QUERIES = 12, 30
GOOD, AGAIN = Judge("good", "zeshot"), Judge("again", "zeshot")
NAMES = {"dataset": "d", "systems": "s", "queries": "all", "user_model": "dbn"}


def long(values: np.ndarray, name: str, columns: list[str]) -> pd.DataFrame:
    rows = [(f"s{s:02}", f"q{q:02}", name, values[s, q]) for s, q in np.ndindex(values.shape)]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture
def recorded(monkeypatch) -> Recordings:
    """Three judges: one that sees what the baseline sees, one that sees nothing, and the first once more."""
    rng = np.random.default_rng(0)
    truth = np.linspace(0, 1, SYSTEMS)[:, None] + rng.normal(0, 0.1, (SYSTEMS, QUERIES))
    judged = {"good": truth + rng.normal(0, 0.05, truth.shape), "blind": rng.normal(0, 1, truth.shape)}
    judged["again"] = judged["good"]
    users = [long(truth, "clicks", ONLINE), long(-truth, "zrr", ONLINE)]

    def frame(run: Recorded, name: str) -> pd.DataFrame:
        if name == "online.parquet":
            return pd.concat(users)
        sides = {"model": judged[run.params["model"]], BASELINE: truth}
        return pd.concat([long(side, "ndcg_cut_10", SCORES).assign(labels=labels) for labels, side in sides.items()])

    monkeypatch.setattr(Recorded, "frame", frame)
    sizes = {"n_systems": SYSTEMS, "n_queries": QUERIES, "n_pairs": 120}
    return Recordings(
        Recorded(None, model, model, {**NAMES, "model": model, "prompt": "zeshot"}, {}, sizes, pd.DataFrame())
        for model in judged
    )


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
    assert comparison.worse(found) == {(setting, NOBODY, BASELINE, Judge("blind", "zeshot"))}


def test_the_lowest_tau_is_best_where_lower_is_better(recorded):
    found = comparison.compared(recorded, users=True)
    zrr = found[found["reference"] == "zrr"]
    assert zrr["tau_left"].iloc[0] < -0.9
    assert [comparison.better(row) for row in zrr.itertuples()] == [GOOD, None, AGAIN]
    marked = {(users.name, reference, judge.model) for _, users, reference, judge in comparison.worse(found)}
    assert marked == {("dbn", "clicks", "blind"), ("dbn", "zrr", "blind")}


def test_one_judge_has_nobody_to_be_compared_with(recorded):
    alone = Recordings(recorded.runs[:1])
    assert comparison.compared(alone).empty
    assert comparison.worse(comparison.compared(alone)) == set()
