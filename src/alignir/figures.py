"""Figures of labels, and curves of tau over what it costs; system_figures has those of systems."""

import pandas as pd

from alignir import canvas
from alignir.alignment.budget import OPTIMISTIC
from alignir.canvas import LETTERS, UNKNOWN
from alignir.frames import GRADES
from alignir.users.metrics import NAMES


def distribution_figure(counts: pd.DataFrame, title: str):
    """Shares of each grade (and of pairs without a label), a bar a column of counts: the darker, the more relevant."""
    from matplotlib import colormaps

    shares = counts / counts.sum()
    names = [canvas.wrapped(name, 2.3) for name in counts.columns]
    lines = sum(max(2, name.count("\n") + 1) for name in names)
    title = canvas.wrapped(title, canvas.WIDTH - 0.3, canvas.TITLE)
    figure = canvas.blank(canvas.WIDTH, 0.16 * lines + 1.2 + 0.15 * title.count("\n"))
    panel = figure.add_subplot()
    canvas.dress(panel)
    left = pd.Series(0.0, index=counts.columns)
    for grade in counts.index:
        known = grade in GRADES
        colour = colormaps["cividis"](0.98 - 0.31 * grade) if known else "white"
        bars = panel.barh(
            range(len(names)),
            shares.loc[grade],
            0.75,
            left,
            color=colour,
            edgecolor="white" if known else "grey",
            hatch=None if known else "////",
            linewidth=0.5,
            label=f"label {grade}" if known else "no label",
        )
        texts = [f"{share:.0%}" if share >= 0.055 else "" for share in shares.loc[grade]]
        box = None if known else {"facecolor": "white", "edgecolor": "none", "pad": 1}
        for text in panel.bar_label(
            bars, texts, label_type="center", fontsize=LETTERS, color=canvas.ink(colour[:3] if known else "white")
        ):
            if text.get_text():
                text.set_bbox(box)
        left += shares.loc[grade].fillna(0)
    for place, pairs in enumerate(counts.sum()):
        panel.text(1.01, place, f"{pairs:,.0f}", va="center", fontsize=LETTERS)
    panel.text(1.01, -0.75, "pairs", va="center", fontsize=LETTERS)
    panel.set_yticks(range(len(names)), names)
    panel.set_ylim(len(names) - 0.5, -0.5)
    panel.set_xlim(0, 1)
    panel.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    panel.set_xlabel("share of pairs", fontsize=LETTERS)
    canvas.legend_below(figure, panel, columns=len(counts))
    figure.suptitle(title, fontsize=canvas.TITLE)
    return figure


def confusion_figure(counts: dict[str, pd.DataFrame], title: str):
    """Shares of each baseline grade's pairs by the label of a judge, and their counts; a panel a judge of `counts`.

    The baseline's grade down, the label across, as `agreement.confusion` has it. A grade that no pair has is grey.
    """
    from matplotlib import colormaps

    figure, panels = canvas.panels(counts, 2.5, title, 3, "label by the judge", "baseline label")
    colours, width = colormaps["Blues"].with_extremes(bad=UNKNOWN), figure.get_figwidth() / min(3, len(counts)) - 0.4
    for judge, panel in panels.items():
        table = counts[judge]
        shares = table.div(table.sum(axis=1).replace(0, float("nan")), axis=0)
        image = panel.imshow(shares, cmap=colours, vmin=0, vmax=1)
        for row in GRADES:
            for column in GRADES:
                share = shares.loc[row, column]
                text = "–" if share != share else f"{share:.0%}\n{canvas.compact(table.loc[row, column])}"
                colour = "black" if share != share else canvas.ink(image.to_rgba(share)[:3])
                panel.text(column, row, text, ha="center", va="center", color=colour, fontsize=LETTERS, linespacing=1)
        panel.set_xticks(GRADES)
        panel.set_yticks(GRADES)
        panel.set_title(canvas.wrapped(judge, width), fontsize=LETTERS)
        panel.spines[:].set_visible(False)
        panel.tick_params(length=0)
    return figure


def calibration_figure(tables: dict[str, pd.DataFrame], title: str):
    """Mean baseline grade over mean expected grade of the pairs in each bin, a panel a judge of `tables`.

    Each as `agreement.calibration` has it; the numbers at the foot are pairs. On the dotted line an expected grade is
    what it says.
    """
    figure, panels = canvas.panels(tables, 2.4, title, 3, "expected grade", "mean baseline grade")
    width = figure.get_figwidth() / min(3, len(tables)) - 0.4
    for judge, panel in panels.items():
        table = tables[judge]
        panel.plot([0, 3], [0, 3], color="grey", linewidth=0.8, linestyle=":")
        known = table[table["pairs"] > 0]
        panel.plot(known["expected"], known["baseline"], color=canvas.BLUE, marker="o", markersize=4)
        for row in table.itertuples():
            panel.axvline(row.low, color=UNKNOWN, linewidth=0.5, zorder=0)
            panel.text((row.low + row.high) / 2, -0.42, canvas.compact(row.pairs, 1000), ha="center", fontsize=LETTERS)
        panel.set(xlim=(-0.05, 3.05), ylim=(-0.55, 3.05), xticks=GRADES, yticks=GRADES)
        panel.set_title(canvas.wrapped(judge, width), fontsize=LETTERS)
    return figure


def traffic_figure(curves: pd.DataFrame, enough: float, title: str):
    """tau_b of sampled with exact users over sessions a query, a panel a metric; `curves` is NOISE with `sessions`."""
    figure, panels = canvas.panels(
        curves["metric"].unique(), 1.7, title, 4, "sessions a system\nand query", "tau_b, sampled against exact"
    )
    for metric, panel in panels.items():
        curve = curves[curves["metric"] == metric]
        panel.set_title(NAMES.get(metric, metric), fontsize=LETTERS)
        panel.fill_between(
            curve["sessions"], curve["ci_low"], curve["ci_high"], color=canvas.SKY, alpha=0.4, linewidth=0
        )
        panel.plot(curve["sessions"], curve["tau_b"], color=canvas.BLUE, marker="o", markersize=3)
        panel.axhline(enough, color="grey", linewidth=0.8, linestyle=":")
        _log_scale(panel, (1,))
    return figure


def sensitivity_figure(rows: pd.DataFrame, base: str, title: str):
    """tau_b of each judge with each metric under every user model, a panel a metric; the user model `base` stands out.

    `rows` has the columns judge, user_model, metric, tau_b.
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
        panel.set_title(NAMES.get(metric, metric), fontsize=LETTERS)
    canvas.legend_below(figure, panels[metrics[0]], columns=2)
    return figure


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
    panel.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
