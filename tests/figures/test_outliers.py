"""Outliers: one system far from all others leaves them the room, and is named with its values."""

import numpy as np
import pandas as pd
import pytest

from alignir.alignment.circularity import JUDGE
from alignir.data import trec
from alignir.evaluation.scores import evaluate, means
from alignir.figures.circularity import circle_figure
from alignir.figures.online import online_figure
from alignir.figures.outliers import outlying
from alignir.figures.systems import scores_figure
from alignir.frames import BASELINE
from alignir.notebook.session import read_runs

NAMES = [f"s{number:02}" for number in range(20)]


def scores(first: float = 0.05) -> pd.DataFrame:
    """20 systems from .5 to .7, but for the first, as it is given; the judge is .1 above the baseline."""
    values = np.linspace(0.5, 0.7, 20)
    values[0] = first
    return pd.DataFrame({"baseline labels": values, "a judge": values + 0.1}, index=NAMES)


def taus() -> pd.DataFrame:
    return pd.DataFrame({"tau_b": [1.0], "ci_low": [0.9], "ci_high": [1.0]}, index=["a judge"])


def note_of(figure) -> str:
    return " ".join(figure.get_supxlabel().split())


def test_who_squeezes_the_others_is_an_outlier_and_nobody_else_is():
    assert outlying(scores()) == ["s00"]
    assert outlying(scores(0.48)) == []  # beyond the others, and they have the room
    assert outlying(scores(1.9)) == ["s00"]
    two = scores()
    two.loc[["s01", "s02", "s03"], "baseline labels"] = 0.05  # a fifth of the systems: a group of their own
    assert outlying(two) == []
    assert outlying(pd.DataFrame({"nDCG": [0.5, 0.5, 0.5]}, index=list("abc"))) == []


def test_on_dl19_the_outlier_is_the_one_that_is_known_to_be_one(dl19):
    qrels = trec.read_qrels(dl19 / "qrels.txt")
    found = means(evaluate(qrels, read_runs(dl19 / "runs").of(qrels["query_id"].unique()))).iloc[:, 0]
    assert outlying(found.to_frame()) == ["UNH_exDL_bm25"]


def test_scores_have_equal_axes_that_hold_all_but_the_outlier_which_is_named_at_the_edge():
    figure = scores_figure(scores(), taus(), "")
    (panel,) = figure.axes
    (left, right), (low, high) = panel.get_xlim(), panel.get_ylim()
    assert panel.get_aspect() == 1
    assert right - left == pytest.approx(high - low)
    assert (right - left) == pytest.approx(1.1 * 0.2 * 18 / 19)  # of all others, with a margin
    assert (left + right) / 2 + 0.1 == pytest.approx((low + high) / 2)
    drawn = np.concatenate([points.get_offsets() for points in panel.collections])
    assert len(drawn) == 20
    assert [left, low] in drawn.tolist()
    assert note_of(figure) == (
        "× outside of the axes, drawn at the edge and counted by tau: s00 (0.05 by the baseline labels, 0.15 by judges)"
    )
    assert note_of(scores_figure(scores(0.48), taus(), "")) == ""


def test_a_judge_without_a_score_has_an_empty_panel():
    figure = scores_figure(scores().assign(**{"a judge": np.nan}), taus().assign(tau_b=np.nan), "")
    assert "tau undefined" in figure.axes[0].get_title()
    figure.draw_without_rendering()


def test_an_outlier_in_a_metric_is_at_the_edge_of_its_row_only():
    table, rng = scores(0.5), np.random.default_rng(0)
    online = pd.DataFrame({"clicks": rng.uniform(1, 2, 20), "sar": rng.uniform(0.1, 0.2, 20)}, index=NAMES)
    online.loc["s03", "sar"] = 0.9
    found = pd.DataFrame(0.5, index=["clicks", "sar"], columns=table.columns)
    figure = online_figure(table, online, found, "")
    clicks, sar = figure.axes
    drawn = [np.concatenate([line.get_ydata() for line in panel.lines]) for panel in (clicks, sar)]
    assert sorted(drawn[0]) == sorted(np.tile(online["clicks"], 2))
    assert max(drawn[1]) == online["sar"].drop("s03").max()
    assert len(drawn[1]) == 40
    assert any("edge and counted by tau: s03 (SAR 0.9)" in " ".join(t.get_text().split()) for t in figure.texts)


def test_the_circle_has_equal_axes_and_its_outlier_at_the_edge():
    before = scores().set_axis([BASELINE, JUDGE], axis=1)
    after = {"keep": (before + 0.05).clip(upper=1)}
    rows = {"keep": pd.DataFrame({"re_ranked": [0, 20], "tau_b": [1, 0.9], "ci_low": [1, 0.9], "ci_high": [1, 0.9]})}
    figure = circle_figure(rows, before, after, {"keep": "stay"}, "a judge", "nDCG@10")
    _, panel = figure.axes
    assert np.diff(panel.get_xlim()) == pytest.approx(np.diff(panel.get_ylim()))
    assert panel.get_aspect() == 1
    assert panel.get_xlim()[0] > 0.45
    assert figure.legends[0].get_title().get_text().endswith("s00 (0.05, 0.15 → 0.10, 0.20)")
