"""Figures of curves: how much traffic, how many labels, which assumptions."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from alignir.alignment.budget import OPTIMISTIC
from alignir.figures import canvas
from alignir.figures.canvas import FAINT, LETTERS
from alignir.users.metrics import NO_HEADS, metric_name


def traffic_figure(curves: pd.DataFrame, enough: float, title: str, heads: Mapping[str, str] = NO_HEADS):
    """tau_b of sampled with exact users over sessions a query, a panel a metric; `curves` is NOISE with `sessions`."""
    figure, panels = canvas.panels(
        curves["metric"].unique(), 1.7, title, 4, "sessions a system\nand query", "tau_b, sampled against exact"
    )
    for metric, panel in panels.items():
        curve = curves[curves["metric"] == metric]
        panel.set_title(metric_name(metric, heads), fontsize=LETTERS)
        panel.fill_between(
            curve["sessions"], curve["ci_low"], curve["ci_high"], color=canvas.SKY, alpha=0.4, linewidth=0
        )
        panel.plot(curve["sessions"], curve["tau_b"], color=canvas.BLUE, marker="o", markersize=3)
        panel.axhline(enough, color="grey", linewidth=0.8, linestyle=":")
        _log_scale(panel, (1,))
    return figure


def sensitivity_figure(rows: pd.DataFrame, base: str, title: str, heads: Mapping[str, str] = NO_HEADS):
    """tau_b of each judge with each metric under every user model, a panel a metric; the user model `base` stands out.

    `rows` has the columns judge, user_model, metric, tau_b. `heads` are what metrics are called under the base.
    """
    judges = list(dict.fromkeys(rows["judge"]))
    metrics = list(dict.fromkeys(rows.dropna(subset="tau_b")["metric"]))
    figure, panels = canvas.panels(metrics, 0.5 + 0.32 * len(judges), title, 4, "tau_b", more=0.9)
    for metric, panel in panels.items():
        here = rows[rows["metric"] == metric].assign(place=lambda frame: frame["judge"].map(judges.index))
        at_base = here["user_model"] == base
        panel.axvline(0, color="grey", linewidth=0.8)
        others, alone = here[~at_base], here[at_base]
        panel.scatter(
            others["tau_b"], others["place"], s=22, color=canvas.SKY, alpha=0.6, label="one assumption changed"
        )
        panel.scatter(alone["tau_b"], alone["place"], s=60, marker="|", color="black", zorder=3, label=base)
        panel.set_yticks(range(len(judges)), [canvas.wrapped(judge, 1.3) for judge in judges])
        panel.set_ylim(len(judges) - 0.5, -0.5)
        panel.set_title(metric_name(metric, heads), fontsize=LETTERS)
    canvas.legend_below(figure, panels[metrics[0]], columns=2)
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
        _log_scale(panel, (1,) if here[cost].max() > 100 * here[cost].min() else (1, 2, 5))
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
        _log_scale(panel, (1, 2, 5))
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


def budget_figure(curves: pd.DataFrame, labels: dict[str, str], enough: float, title: str):
    """tau_b of each strategy over queries and over judged pairs, a row of panels for each of `labels` in BUDGET."""
    over = {"n_queries": "queries", "pairs": "judged pairs"}
    kinds = list(curves["labels"].unique())
    places = [(kind, column) for kind in kinds for column in over]
    figure, panels = canvas.panels(places, 2.3, title, 2, "", "tau_b", more=1.1, share=("col", True))
    looks = canvas.looks(curves["strategy"].unique())
    for (kind, column), panel in panels.items():
        for strategy, curve in curves[curves["labels"] == kind].groupby("strategy", sort=False):
            style = "--" if strategy == OPTIMISTIC else "-"
            panel.plot(
                curve[column],
                curve["tau_b"],
                linestyle=style,
                markersize=3.5,
                linewidth=1,
                label=strategy,
                **looks[strategy],
            )
            panel.fill_between(
                curve[column], curve["ci_low"], curve["ci_high"], color=looks[strategy]["color"], alpha=0.1, linewidth=0
            )
        panel.axhline(enough, color="grey", linewidth=0.8, linestyle=":")
        panel.set_title(f"by {labels[kind]}", fontsize=LETTERS)
        panel.set_xlabel(over[column] if kind == kinds[-1] else "", fontsize=LETTERS)
        _log_scale(panel)
    canvas.legend_below(figure, panels[places[0]], columns=3)
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
        _log_scale(panel)
        if column == "width":
            panel.set_yscale("log")
            panel.yaxis.set_major_formatter("{x:g}")
    canvas.legend_below(figure, panels["bias"], columns=4)
    return figure


def _log_scale(panel, steps: tuple[int, ...] = (1, 2, 5)) -> None:
    """A logarithmic x axis with 1, 2, 5, 10, 20, ... written out."""
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(subs=steps))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))
