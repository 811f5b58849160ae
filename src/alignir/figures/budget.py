"""Figures of budgets: how many labels are enough, and what human labels add."""

import numpy as np
import pandas as pd

from alignir.alignment.budget import OPTIMISTIC
from alignir.figures import canvas
from alignir.figures.canvas import LETTERS

APART = 1.06  # by how much whiskers of strategies at one x stand apart
WHISKERS = {"markersize": 3.5, "elinewidth": 0.8, "capsize": 1.5}


def budget_figure(curves: pd.DataFrame, labels: dict[str, str], enough: float, title: str):
    """tau_b of each strategy over queries and over judged pairs, a row of panels for each of `labels` in BUDGET.

    Where 95% of a strategy's draws lie is a line with its mark; over queries these stand apart, so that none hides
    another.
    """
    over = {"n_queries": "queries", "pairs": "judged pairs"}
    kinds = list(curves["labels"].unique())
    places = [(kind, column) for kind in kinds for column in over]
    figure, panels = canvas.panels(places, 2.3, title, 2, "", "tau_b", more=1.1, share=("col", True))
    looks = canvas.looks(curves["strategy"].unique())
    drawn = list(curves.loc[curves["draws"] > 1, "strategy"].unique())
    for (kind, column), panel in panels.items():
        for strategy, curve in curves[curves["labels"] == kind].groupby("strategy", sort=False):
            look = {**looks[strategy], "linestyle": "--" if strategy == OPTIMISTIC else "-", "linewidth": 1}
            x, taus = curve[column], curve["tau_b"]
            if strategy not in drawn:
                panel.plot(x, taus, markersize=3.5, label=strategy, **look)
                continue
            panel.plot(x, taus, **{**look, "marker": ""})
            beside = x * (APART ** (drawn.index(strategy) - (len(drawn) - 1) / 2) if column == "n_queries" else 1)
            reach = np.clip((taus - curve["ci_low"], curve["ci_high"] - taus), 0, None)
            panel.errorbar(beside, taus, reach, label=strategy, **WHISKERS, **{**look, "linestyle": ""})
        panel.axhline(enough, color="grey", linewidth=0.8, linestyle=":")
        panel.set_title(f"by {labels[kind]}", fontsize=LETTERS)
        panel.set_xlabel(over[column] if kind == kinds[-1] else "", fontsize=LETTERS)
        canvas.log_scale(panel)
    whiskers = "whiskers: where 95% of the draws lie; over queries they are moved apart" if drawn else ""
    canvas.legend_below(figure, panels[places[0]], columns=3, note=whiskers)
    return figure


def human_figure(rows: pd.DataFrame, title: str):
    """Bias, interval width, coverage and tau_b of estimates over the number of human labels; `rows` is HUMAN."""
    aims = {"bias": 0, "width": None, "coverage": 0.95, "tau_b": 1}
    names = {"width": "mean width of the 95% interval", "coverage": "share of the intervals that hold the truth"}
    figure, panels = canvas.panels(aims, 2.1, title, 2, "human labels", more=0.9, share=(True, False))
    looks = canvas.looks(rows["way"].unique())
    for column, panel in panels.items():
        for way, curve in rows.groupby("way", sort=False):
            panel.plot(curve["labels"], curve[column], markersize=4, linewidth=1, label=way, **looks[way])
        if aims[column] is not None:
            panel.axhline(aims[column], color="grey", linewidth=0.8, linestyle=":")
        panel.set_title(names.get(column, column), fontsize=LETTERS)
        canvas.log_scale(panel)
        if column == "width":
            panel.set_yscale("log")
            panel.yaxis.set_major_formatter("{x:g}")
    canvas.legend_below(figure, panels["bias"], columns=4)
    return figure
