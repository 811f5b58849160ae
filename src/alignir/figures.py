"""Figures, as matplotlib draws them."""

import numpy as np
import pandas as pd

from alignir.alignment import BASELINE
from alignir.budget import OPTIMISTIC
from alignir.frames import GRADES
from alignir.online import LOWER_IS_BETTER, NAMES
from alignir.scores import NAMES as MEASURES


def _figure(width: float, height: float):
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # no window, whatever the machine
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", dpi=150)
    FigureCanvasAgg(figure)
    return figure


def _axes(width: float, height: float):
    figure = _figure(width, height)
    return figure, figure.add_subplot()


def _panels(metrics: list[str], height: float, title: str, more: tuple[float, float]):
    """A figure and {metric: its panel}, four in a row, each `height` high; `more` is room for labels, wide and high."""
    columns = min(4, len(metrics))
    rows = -(-len(metrics) // columns)
    figure = _figure(2.6 * columns + more[0], height * rows + more[1])
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for panel, metric in zip(panels, metrics, strict=False):
        panel.set_title(NAMES.get(metric, metric), fontsize=9)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels[len(metrics) :]:
        panel.remove()
    figure.suptitle(title, fontsize=10)
    return figure, dict(zip(metrics, panels, strict=False))


def distribution_figure(counts: pd.DataFrame, title: str):
    """Bars of the share of each grade (and of pairs without a label), one group a column of counts."""
    figure, axes = _axes(6, 3.4)
    shares = counts / counts.sum()
    width = 0.8 / len(shares.columns)
    for place, name in enumerate(shares.columns):
        offset = (place - (len(shares.columns) - 1) / 2) * width
        bars = axes.bar(
            [x + offset for x in range(len(shares))], shares[name], width, label=f"{name} (n={counts[name].sum():,})"
        )
        axes.bar_label(bars, [f"{share:.0%}" for share in shares[name]], fontsize=7, padding=1)
    axes.set_xticks(range(len(shares)), [str(grade) for grade in shares.index])
    axes.set_xlabel("label")
    axes.set_ylabel("share of pairs")
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(y=0.12)
    axes.legend(frameon=False, fontsize=8)
    return figure


def confusion_figure(counts: pd.DataFrame, title: str):
    """Counts of pairs as a heat map: the baseline's grade down, the model's across; shades are shares of a row."""
    figure, axes = _axes(4, 3.6)
    shares = counts.div(counts.sum(axis=1).replace(0, 1), axis=0)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row in GRADES:
        for column in GRADES:
            dark = shares.loc[row, column] > 0.5
            axes.text(
                column,
                row,
                f"{counts.loc[row, column]:,}",
                ha="center",
                va="center",
                color="white" if dark else "black",
            )
    axes.set_xticks(GRADES)
    axes.set_yticks(GRADES)
    axes.set_xlabel("label by the model")
    axes.set_ylabel("baseline label")
    axes.set_title(title, fontsize=10)
    return figure


def measures_figure(alignment: pd.DataFrame, title: str):
    """tau_b of each offline measure (down) with the baseline labels and each online metric (across), as two heat maps.

    `alignment` is ALIGNMENT with `labels`: the measures by the model's labels, and beside them by the baseline's, whose
    own order is no news and is left out there. What is undefined is grey.
    """
    from matplotlib import colormaps

    rows = alignment[alignment["labels"].isin(("model", BASELINE))]
    measures, references = (list(dict.fromkeys(rows[column])) for column in ("offline", "reference"))
    metrics = [reference for reference in references if reference != BASELINE]
    sides = {"model": [BASELINE, *metrics], BASELINE: metrics}
    titles = {"model": "by the model's labels", BASELINE: "by the baseline labels"}
    widths = [len(columns) for columns in sides.values()]
    figure = _figure(0.6 * sum(widths) + 2.4, 0.36 * len(measures) + 1.7)
    panels = figure.subplots(1, 2, width_ratios=widths)
    slanted = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"}
    shades = colormaps["RdBu"].with_extremes(bad="lightgrey")  # red and blue: told apart by the colour-blind too
    for panel, (labels, columns) in zip(panels, sides.items(), strict=True):
        here = rows[rows["labels"] == labels]
        taus = here.pivot(index="offline", columns="reference", values="tau_b").reindex(measures, columns=columns)
        image = panel.imshow(taus, cmap=shades, vmin=-1, vmax=1, aspect="auto")
        for (row, column), tau in np.ndenumerate(taus):
            shown, colour = ("–", "black") if np.isnan(tau) else (f"{tau:.2f}", "white" if abs(tau) > 0.6 else "black")
            panel.text(column, row, shown, ha="center", va="center", fontsize=8, color=colour)
        panel.set_xticks(range(len(columns)), [_metric_name(name) for name in columns], fontsize=8, **slanted)
        panel.set_yticks(range(len(measures)), [MEASURES.get(name, name) for name in measures], fontsize=8)
        panel.set_title(titles[labels], fontsize=9)
        panel.tick_params(length=0)
    panels[1].set_yticks([])
    figure.colorbar(image, ax=panels, label="tau_b", pad=0.01)
    figure.suptitle(title, fontsize=10)
    return figure


def _metric_name(metric: str) -> str:
    return NAMES.get(metric, metric) + (" ↓" if metric in LOWER_IS_BETTER else "")


def traffic_figure(curves: pd.DataFrame, title: str):
    """tau_b of sampled with exact users over sessions a query, a panel a metric; `curves` is NOISE with `sessions`."""
    figure, panels = _panels(list(curves["metric"].unique()), 2.2, title, more=(0, 0.5))
    for metric, panel in panels.items():
        curve = curves[curves["metric"] == metric]
        panel.fill_between(curve["sessions"], curve["ci_low"], curve["ci_high"], alpha=0.25, linewidth=0)
        panel.plot(curve["sessions"], curve["tau_b"], marker="o", markersize=3)
        panel.axhline(0.9, color="grey", linewidth=0.8, linestyle=":")
        panel.set_xscale("log")
    figure.supxlabel("sessions a system and query", fontsize=9)
    figure.supylabel("tau_b, sampled against exact", fontsize=9)
    return figure


def sensitivity_figure(rows: pd.DataFrame, base: str, title: str):
    """tau_b of each judge with each metric under every user model, a panel a metric; the user model `base` stands out.

    `rows` has the columns judge, user_model, metric, tau_b.
    """
    judges = list(dict.fromkeys(rows["judge"]))
    metrics = list(dict.fromkeys(rows.dropna(subset="tau_b")["metric"]))
    figure, panels = _panels(metrics, 0.9 + 0.28 * len(judges), title, more=(1, 0.4))
    for place, (metric, panel) in enumerate(panels.items()):
        here = rows[rows["metric"] == metric].assign(place=lambda frame: frame["judge"].map(judges.index))
        at_base = here["user_model"] == base
        panel.axvline(0, color="grey", linewidth=0.8)
        panel.scatter(
            here["tau_b"][~at_base], here["place"][~at_base], s=22, alpha=0.45, label="one assumption changed"
        )
        panel.scatter(
            here["tau_b"][at_base], here["place"][at_base], s=60, marker="|", color="black", zorder=3, label=base
        )
        panel.set_yticks(range(len(judges)), judges, fontsize=8)
        panel.set_ylim(len(judges) - 0.5, -0.5)
        if place >= len(panels) - 4:  # nothing stands below it
            panel.set_xlabel("tau_b", fontsize=8)
    handles, names = panels[metrics[0]].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return figure


def budget_figure(curves: pd.DataFrame, labels: dict[str, str], enough: float, title: str):
    """tau_b of each strategy over queries and over judged pairs, a row of panels for each of `labels` in BUDGET."""
    kinds = list(curves["labels"].unique())
    figure, first = _axes(9, 2.7 * len(kinds) + 1)
    first.remove()
    panels = figure.subplots(len(kinds), 2, sharey=True, sharex="col", squeeze=False)
    for line, kind in zip(panels, kinds, strict=True):
        for panel, column in zip(line, ("n_queries", "pairs"), strict=True):
            for strategy, curve in curves[curves["labels"] == kind].groupby("strategy", sort=False):
                style = "--" if strategy == OPTIMISTIC else "-"
                (drawn,) = panel.plot(curve[column], curve["tau_b"], style, marker="o", markersize=2.5, label=strategy)
                panel.fill_between(
                    curve[column], curve["ci_low"], curve["ci_high"], color=drawn.get_color(), alpha=0.1, linewidth=0
                )
            panel.axhline(enough, color="grey", linewidth=0.8, linestyle=":")
            panel.set_title(f"by {labels[kind]}", fontsize=9)
            _log_scale(panel)
            panel.spines[["top", "right"]].set_visible(False)
        line[0].set_ylabel("tau_b", fontsize=9)
    panels[-1, 0].set_xlabel("queries", fontsize=9)
    panels[-1, 1].set_xlabel("judged pairs", fontsize=9)
    figure.legend(
        *panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=8
    )
    figure.suptitle(title, fontsize=10)
    return figure


def human_figure(rows: pd.DataFrame, title: str):
    """Bias, interval width, coverage and tau_b of estimates over the number of human labels; `rows` is HUMAN."""
    figure, first = _axes(9, 5.6)
    first.remove()
    panels = figure.subplots(2, 2, sharex=True)
    shown = {"bias": 0, "width": None, "coverage": 0.95, "tau_b": 1}
    names = {"width": "mean width of the 95% interval", "coverage": "share of the intervals that hold the truth"}
    for panel, (column, aim) in zip(panels.ravel(), shown.items(), strict=True):
        for way, curve in rows.groupby("way", sort=False):
            panel.plot(curve["labels"], curve[column], marker="o", markersize=3, label=way)
        if aim is not None:
            panel.axhline(aim, color="grey", linewidth=0.8, linestyle=":")
        panel.set_title(names.get(column, column), fontsize=9)
        _log_scale(panel)
        if column == "width":
            panel.set_yscale("log")
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels[1]:
        panel.set_xlabel("human labels", fontsize=9)
    figure.legend(
        *panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False, fontsize=8
    )
    figure.suptitle(title, fontsize=10)
    return figure


def _log_scale(panel) -> None:
    """A logarithmic x axis with 1, 2, 5, 10, 20, ... written out."""
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
