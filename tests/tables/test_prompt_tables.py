"""Tables of prompts: the effect of a change is as certain as the recorded setting of the bootstrap makes it."""

import numpy as np
import pandas as pd
import pytest

from alignir.evaluation.measures import NDCG
from alignir.frames import BASELINE, PAIR, SCORES
from alignir.tables.prompts import effect_table
from alignir.tracking.runs import Recorded

PAIRS = [(f"q{query:02}", f"d{doc}") for query in range(20) for doc in range(6)]


@pytest.fixture
def effect(monkeypatch):
    """The effect_table of two runs of a prompt with these settings of the bootstrap."""
    rng = np.random.default_rng(0)
    baseline = rng.random((12, 20))
    values = {"before": baseline + rng.normal(0, 0.4, (12, 20)), "after": baseline + rng.normal(0, 0.1, (12, 20))}
    grades = [pd.DataFrame(PAIRS, columns=PAIR).assign(relevance=rng.integers(0, 4, len(PAIRS))) for _ in range(3)]
    qrels, *labels = (each.astype({"relevance": "Int64"}) for each in grades)

    def frame(run: Recorded, name: str) -> pd.DataFrame:
        assert name == "scores.parquet"
        rows = [
            (f"s{s:02}", f"q{q:02}", NDCG, side[s, q], by)
            for by, side in (("model", values[run.run_id]), (BASELINE, baseline))
            for s, q in np.ndindex(side.shape)
        ]
        return pd.DataFrame(rows, columns=[*SCORES, "labels"])

    monkeypatch.setattr(Recorded, "frame", frame)

    def table(*settings: dict):
        runs = [
            Recorded(
                None,
                run_id,
                run_id,
                {"headline": "nDCG@10", **{f"bootstrap.{name}": str(value) for name, value in setting.items()}},
                {},
                {},
                pd.DataFrame(),
            )
            for run_id, setting in zip(values, settings * 2, strict=False)
        ]
        return effect_table(*runs, qrels, labels, ["p@1", "p@2"], "p@1 → p@2")

    return table


def test_without_resamples_an_effect_has_no_interval_and_no_p_value_and_the_note_says_why(effect):
    table = effect({"B": 0})
    assert [row[0] for row in table.rows] == ["tau_b", "kappa", "kappa ≥ 2"]
    assert all(row[3] != "–" and list(row[4:]) == ["–", "–"] for row in table.rows)
    assert table.notes[1] == "95% interval and p of the difference: none, as bootstrap.B=0"


def test_the_recorded_number_and_kind_of_resamples_is_used_and_noted(effect):
    table = effect({"B": 50, "seed": 3})
    assert "50 bootstrap resamples of the queries, symmetric, seed 3, the same ones on both sides" in table.notes[1]
    assert [float(row[5]) * 51 for row in table.rows] == pytest.approx(
        [round(float(r[5]) * 51) for r in table.rows], abs=0.03
    )
    over = effect({"B": 50, "over": "systems"})
    assert over.notes[1].endswith("on both sides; kappa's of the queries")
    assert over.rows[0][4] != table.rows[0][4]
    assert "200 bootstrap resamples" in effect({"B": 50}, {"B": 200}).notes[1]
