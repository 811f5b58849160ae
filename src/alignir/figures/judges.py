"""Figure of judges: how far each orders the systems as the baseline does, beside what needs no judge."""

from collections.abc import Mapping

import pandas as pd

from alignir.figures import canvas
from alignir.figures.canvas import LETTERS
from alignir.formatting import UNDEFINED


def judges_figure(judges: pd.DataFrame, floors: pd.DataFrame, ceiling: float, title: str):
    """tau_b of each judge with its 95% interval, a line each, the best first; below them the floors.

    `judges` and `floors` have a row each: judge, tau_b, ci_low, ci_high, and `worse`: than the best judge, which is a
    hollow mark. `ceiling`: what the baseline labels of other queries reach, a dashed line; NaN: none.
    """
    rows = pd.concat([judges, floors], ignore_index=True)
    names = [canvas.wrapped(name, 2.2) for name in rows["judge"]]
    lines = sum(name.count("\n") + 1 for name in names)
    title = canvas.wrapped(title, canvas.WIDTH - 0.3, canvas.TITLE)
    figure = canvas.blank(canvas.WIDTH, 0.12 * lines + 0.12 * len(rows) + 1.1 + 0.15 * title.count("\n"))
    panel = figure.add_subplot()
    canvas.dress(panel)
    looks: dict[str, Mapping] = {
        "judge": {"color": canvas.BLUE, "marker": "o"},
        "judge, worse than the best (†)": {"color": canvas.BLUE, "marker": "o", "markerfacecolor": "white"},
        "floor": {"color": "grey", "marker": "D"},
    }
    for place, row in enumerate(rows.itertuples()):
        kind = "floor" if place >= len(judges) else list(looks)[bool(row.worse)]
        look = looks[kind]
        if row.tau_b != row.tau_b:
            panel.text(0, place, UNDEFINED, ha="center", va="center", fontsize=LETTERS)
            continue
        panel.plot([row.ci_low, row.ci_high], [place, place], color=look["color"], linewidth=1)
        known = panel.get_legend_handles_labels()[1]
        label = None if kind in known else kind
        panel.plot([row.tau_b], [place], markersize=5, linestyle="", zorder=3, label=label, **look)
    panel.axvline(0, color="grey", linewidth=0.8)
    if ceiling == ceiling:
        panel.axvline(ceiling, color="black", linewidth=1, linestyle="--", label="baseline, resampled")
    panel.set_yticks(range(len(rows)), names)
    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.set_xlim(right=1.02)
    panel.set_xlabel("tau_b with the baseline labels, 95% interval", fontsize=LETTERS)
    canvas.legend_below(figure, panel, columns=4)
    figure.suptitle(title, fontsize=canvas.TITLE)
    return figure
