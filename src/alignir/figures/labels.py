"""Figures of labels, and curves of tau over what it costs; system_figures has those of systems."""

import pandas as pd

from alignir.figures import canvas
from alignir.figures.canvas import LETTERS, UNKNOWN


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
    highest = max(grade for grade in counts.index if grade != "none")
    for grade in counts.index:
        known = grade != "none"
        colour = colormaps["cividis"](0.98 - 0.93 * grade / highest) if known else "white"
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
        # squares of a table that is none would push a label out of the picture
        cells = "equal" if len(table.index) == len(table.columns) else "auto"
        image = panel.imshow(shares, cmap=colours, vmin=0, vmax=1, interpolation="none", aspect=cells)
        for down, row in enumerate(table.index):
            for across, column in enumerate(table.columns):
                share = shares.loc[row, column]
                text = "–" if share != share else f"{share:.0%}\n{canvas.compact(table.loc[row, column])}"
                colour = "black" if share != share else canvas.ink(image.to_rgba(share)[:3])
                panel.text(across, down, text, ha="center", va="center", color=colour, fontsize=LETTERS, linespacing=1)
        panel.set_xticks(range(len(table.columns)), table.columns)
        panel.set_yticks(range(len(table.index)), table.index)
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
        low, high = table["low"].min(), table["high"].max()
        panel.plot([low, high], [low, high], color="grey", linewidth=0.8, linestyle=":")
        known = table[table["pairs"] > 0]
        panel.plot(known["expected"], known["baseline"], color=canvas.BLUE, marker="o", markersize=4)
        for row in table.itertuples():
            panel.axvline(row.low, color=UNKNOWN, linewidth=0.5, zorder=0)
            middle = (row.low + row.high) / 2
            panel.text(middle, low - 0.42, canvas.compact(row.pairs, 1000), ha="center", fontsize=LETTERS)
        panel.set(xlim=(low - 0.05, high + 0.05), ylim=(low - 0.55, high + 0.05), aspect="equal")
        panel.set(xticks=range(int(low), int(high) + 1), yticks=range(int(low), int(high) + 1))
        panel.set_title(canvas.wrapped(judge, width), fontsize=LETTERS)
    return figure
