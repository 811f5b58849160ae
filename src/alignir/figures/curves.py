"""Figures of curves: tau over traffic, over the top, over what judges cost, over their size."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from alignir.figures import canvas
from alignir.figures.canvas import FAINT, LETTERS
from alignir.users.metrics import NO_HEADS, metric_title


def traffic_figure(curves: pd.DataFrame, enough: float, title: str, heads: Mapping[str, str] = NO_HEADS):
    """tau_b of sampled with exact users over sessions a query, a panel a metric; `curves` is NOISE with `sessions`."""
    figure, panels = canvas.panels(
        curves["metric"].unique(), 1.7, title, 4, "sessions a system\nand query", "tau_b, sampled against exact"
    )
    for metric, panel in panels.items():
        curve = curves[curves["metric"] == metric]
        panel.set_title(metric_title(metric, heads), fontsize=LETTERS)
        panel.fill_between(
            curve["sessions"], curve["ci_low"], curve["ci_high"], color=canvas.SKY, alpha=0.4, linewidth=0
        )
        panel.plot(curve["sessions"], curve["tau_b"], color=canvas.BLUE, marker="o", markersize=3)
        panel.axhline(enough, color="grey", linewidth=0.8, linestyle=":")
        canvas.log_scale(panel, (1,))
    return figure


def top_figure(taus: pd.DataFrame, ceilings: pd.Series, title: str):
    """tau_b of each judge among the k best systems over k, a panel a judge, with its 95% interval and the ceiling.

    `taus` as alignment.top.AMONG has it; `ceilings` by k. The other judges are grey, to be compared with.
    """
    curves = {judge: curve.sort_values("top") for judge, curve in taus.groupby("judge", sort=False)}
    figure, panels = canvas.panels(curves, 1.9, title, 3, "k best systems", "tau_b", more=0.9)
    width = figure.get_figwidth() / min(len(curves), 3) - 0.4
    ceilings = ceilings.sort_index()
    for judge, panel in panels.items():
        own, others = curves[judge], [curve for other, curve in curves.items() if other != judge]
        band = {"color": canvas.SKY, "alpha": 0.3, "linewidth": 0, "zorder": 0, "label": "its 95% interval"}
        panel.fill_between(own["top"], own["ci_low"], own["ci_high"], **band)
        for place, other in enumerate(others):
            label = None if place else "the others"
            panel.plot(other["top"], other["tau_b"], color=FAINT, linewidth=0.6, zorder=1, label=label)
        panel.plot(ceilings.index, ceilings, color="black", linewidth=1, linestyle="--", label="baseline, resampled")
        panel.plot(
            own["top"], own["tau_b"], color=canvas.BLUE, marker="o", markersize=2.5, linewidth=1.2, label="judge"
        )
        panel.axhline(0, color="grey", linewidth=0.8)
        panel.set_title(canvas.wrapped(judge, width), fontsize=LETTERS)
    canvas.legend_below(figure, panels[next(iter(panels))], columns=4 if len(curves) > 1 else 2)
    return figure


def cost_figure(judges: pd.DataFrame, costs: Mapping[str, str], title: str):
    """tau_b of each judge over each cost of it, a panel a cost, logarithmic, with its 95% interval.

    `judges` is a row a judge: judge, tau_b, ci_low, ci_high and the columns of `costs`, {column: what it is of}; a
    judge whose cost is not known, or nothing, is not in that panel.
    """
    figure, panels = canvas.panels(
        costs, 2.5, title, 3, "", "tau_b", more=0.5 + 0.16 * len(judges), share=(False, True)
    )
    looks = canvas.looks(judges["judge"])
    for cost, panel in panels.items():
        here = judges[judges[cost] > 0]
        for row in here.itertuples():
            _with_interval(panel, getattr(row, cost), row, row.judge, looks[row.judge])
        canvas.log_scale(panel, (1,) if here[cost].max() > 100 * here[cost].min() else (1, 2, 5))
        panel.margins(x=0.15)
        panel.set_title(f"{cost} {costs[cost]}", fontsize=LETTERS)
    _legend(figure, panels, min(2, len(costs)))
    return figure


def size_figure(judges: pd.DataFrame, title: str):
    """tau_b of each judge over the size of its model, logarithmic, with its 95% interval; a panel and a line a prompt.

    `judges` is a row a judge: model, prompt, billions, tau_b, ci_low, ci_high. The line is that of least squares.
    """
    prompts = {prompt: judges[judges["prompt"] == prompt] for prompt in judges["prompt"].unique()}
    more = 0.5 + 0.16 * judges["model"].nunique()
    figure, panels = canvas.panels(prompts, 2.5, title, 2, "billions of parameters", "tau_b", more, (True, True))
    looks = canvas.looks(judges["model"].unique())
    for prompt, panel in panels.items():
        here = prompts[prompt].sort_values("billions")
        for row in here.itertuples():
            _with_interval(panel, row.billions, row, row.model, looks[row.model])
        if here["billions"].nunique() > 1:
            rise, base = np.polyfit(np.log10(here["billions"]), here["tau_b"], 1)
            ends = here["billions"].iloc[[0, -1]]
            panel.plot(ends, base + rise * np.log10(ends), color="grey", linewidth=1, linestyle="--")
        canvas.log_scale(panel, (1, 2, 5))
        panel.margins(x=0.15)
        panel.set_title(canvas.wrapped(prompt, figure.get_figwidth() / 2), fontsize=LETTERS)
    _legend(figure, panels, 2)
    return figure


def _with_interval(panel, x: float, row, name: str, look: dict) -> None:
    """A judge at its tau_b over x, and its 95% interval."""
    panel.plot([x, x], [row.ci_low, row.ci_high], color=look["color"], linewidth=0.8, alpha=0.6)
    panel.plot([x], [row.tau_b], markersize=5, linestyle="", label=name, **look)


def _legend(figure, panels: Mapping, columns: int) -> None:
    """Below all panels, everybody who is in any of them."""
    handles: dict[str, object] = {}
    for panel in panels.values():
        handles |= {name: handle for handle, name in zip(*panel.get_legend_handles_labels(), strict=True)}
    below = {"loc": "outside lower center", "ncols": columns, "frameon": False, "fontsize": LETTERS}
    figure.legend(handles.values(), handles.keys(), **below)
