"""Heat maps: the number is tau as it is, the colour is agreement, and both are said."""

import numpy as np
import pandas as pd
import pytest

from alignir.figures.taus import measures_figure, tau_figure
from alignir.frames import ALIGNMENT


def panel_and_bar(figure):
    panel, bar = figure.axes
    return panel, bar


def table(rows, columns) -> pd.DataFrame:
    return pd.DataFrame(rows, index=["a judge", "another"], columns=columns)


def test_the_heat_map_says_each_tau_and_greys_what_is_unknown():
    taus = table([[0.5, np.nan], [-0.25, 1]], ["baseline", "zrr"])
    panel, bar = panel_and_bar(tau_figure(taus, table([[False, False], [True, False]], taus.columns), ""))
    assert [text.get_text() for text in panel.texts] == ["0.50", "–", "-0.25°", "1.00"]
    assert panel.get_xlabel() == (
        "° cannot be told from 0: p > 0.05, or 0 is in the 95%\ninterval   – undefined, or not run"
    )
    assert bar.get_xlabel() == "colour: tau, and -tau in columns with ↓, where lower is better"
    (image,) = panel.images
    drawn = image.to_rgba(image.get_array())
    assert drawn[0, 1, :3].max() - drawn[0, 1, :3].min() == 0  # grey
    assert drawn[0, 0, :3].max() - drawn[0, 0, :3].min() > 0.1
    assert (image.norm.vmin, image.norm.vmax) == (-1, 1)


def test_a_judge_has_one_colour_for_what_agrees_with_it_whatever_the_direction_of_the_metric():
    taus = table([[0.8, 0.8, -0.8], [-0.8, -0.8, 0.8]], ["baseline", "clicks", "sar"])
    panel, _ = panel_and_bar(tau_figure(taus, taus.isna(), ""))
    assert [text.get_text() for text in panel.texts[:3]] == ["0.80", "0.80", "-0.80"]
    drawn = panel.images[0].to_rgba(panel.images[0].get_array())
    good, bad = drawn
    assert np.ptp(good, axis=0).max() == 0
    assert np.ptp(bad, axis=0).max() == 0
    assert good[0, 2] > good[0, 0]  # blue
    assert bad[0, 0] > bad[0, 2]  # red


def test_where_no_metric_is_better_when_it_is_lower_nothing_is_turned():
    taus = table([[0.8], [-0.8]], ["clicks"])
    _, bar = panel_and_bar(tau_figure(taus, taus.isna(), ""))
    assert bar.get_xlabel() == "colour: tau"


@pytest.mark.parametrize("labels", ["model", "baseline"])
def test_measures_are_coloured_by_agreement_too(labels):
    rows = [("map", "baseline", 0.9), ("map", "sar", -0.9), ("err_10", "baseline", 0.5), ("err_10", "sar", -0.5)]
    numbers = dict.fromkeys(ALIGNMENT[3:], np.nan)
    alignment = pd.concat(
        pd.DataFrame([{"offline": o, "reference": r, "tau_b": t, **numbers, "labels": whose} for o, r, t in rows])
        for whose in ("model", "baseline")
    )
    figure = measures_figure(alignment, "")
    panel = figure.axes[("model", "baseline").index(labels)]
    shown = panel.images[0].get_array()
    assert shown[:, 1].tolist() == [0.9, 0.5]
    assert [text.get_text() for text in panel.texts if "-" in text.get_text()] == ["-0.90", "-0.50"]
