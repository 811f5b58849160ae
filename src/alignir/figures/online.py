"""Figure of online metrics: what users would do with each system, over its score by judges' labels."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from alignir.figures import canvas
from alignir.figures.canvas import LETTERS, UNKNOWN
from alignir.figures.outliers import note, outlying
from alignir.figures.systems import tau_text
from alignir.users.metrics import NO_HEADS, metric_name, metric_title

SIDE_BY_SIDE = 6  # judges in the width of a page
LEFT, BLOCK = 1.15, 2.2  # inches: what stands left of the blocks, and a block where there is room
ROW, MOST = 0.86, 7.0  # inches: a row, and all of them
MARGIN, EDGE = 0.09, 0.03  # of a block, on either side of its points, and of those outside


def online_figure(
    scores: pd.DataFrame,
    online: pd.DataFrame,
    taus: pd.DataFrame,
    title: str,
    measure: str = "nDCG@10",
    heads: Mapping[str, str] = NO_HEADS,
):
    """Systems' online metrics over their scores by judges and by the baseline labels: a row a metric, a block a judge.

    `scores`: a row a system, the baseline's in the first column, a judge's in each other, SIDE_BY_SIDE at most.
    `online`: a row a system, a column a metric. `taus`: tau_b by metric (rows) and the columns of `scores`. All blocks
    have the same axes, so that judges can be compared along a row; a row is one panel: that is drawn in a third of the
    time that many take. Outlying systems stand at the edge, their values in a note. `measure` is what the scores are,
    `heads` what metrics are called by their definitions.
    """
    baseline, judges = scores.columns[0], list(scores.columns[1:])
    width = min(canvas.WIDTH, LEFT + BLOCK * len(judges))
    room = (width - LEFT) / len(judges)
    names = [canvas.wrapped(judge, room - 0.1) for judge in judges]
    title = canvas.wrapped(title, width - 0.3, canvas.TITLE)
    rows = min(MOST, ROW * len(online.columns))
    head = 0.3 + 0.15 * title.count("\n") + 0.14 * max(name.count("\n") + 2 for name in names)
    systems = scores.index.intersection(online.index)
    scores, online = scores.loc[systems], online.loc[systems]
    outside = _Outside(scores, online, measure, heads)
    below = canvas.wrapped(outside.note, width - 0.3)
    foot = (0.45 if len(judges) > 1 else 0.75) + 0.14 * len(below.split("\n")) * bool(below)
    height = head + rows + foot
    figure = canvas.blank(width, height, layout=None)
    edges = {"left": LEFT / width, "right": 1 - 0.05 / width, "top": 1 - head / height, "bottom": foot / height}
    panels = figure.subplots(len(online.columns), 1, sharex=True, squeeze=False, gridspec_kw={**edges, "hspace": 0.36})
    across = _Blocks(scores.drop(index=outside.by_score))
    for metric, panel in zip(online.columns, panels.ravel(), strict=True):
        canvas.dress(panel)
        panel.xaxis.set_visible(False)
        name = canvas.wrapped(metric_title(metric, heads), 1)
        panel.set_ylabel(f"{name}\n○ {tau_text(taus.loc[metric, baseline])}", fontsize=LETTERS)
        values, far = outside.within(metric), outside.of(metric)
        for sides, style in (([baseline] * len(judges), _BASELINE), (judges, _JUDGE)):
            for some, look in ((~far, style), (far, _OUTSIDE)) if far.any() else ((~far, style),):
                places = [across.of(scores[side], number)[some] for number, side in enumerate(sides)]
                panel.plot(np.concatenate(places), np.tile(values[some], len(judges)), linestyle="", **look)
        above = panel.get_xaxis_transform()
        panel.vlines(range(1, len(judges)), 0, 1, color=UNKNOWN, linewidth=0.6, transform=above)
        for number, judge in enumerate(judges):
            text = f"▲ {tau_text(taus.loc[metric, judge])}"
            panel.text(number + 0.5, 1.02, text, fontsize=LETTERS, ha="center", transform=above)
        panel.set_xlim(0, len(judges))
        panel.locator_params(axis="y", nbins=4)
    for number, judge in enumerate(names):
        place = (number + 0.5, 1), (0, 13), panels[0, 0].get_xaxis_transform(), "offset points"
        panels[0, 0].annotate(judge, *place, ha="center", fontsize=LETTERS)
    lowest = panels[-1, 0]
    lowest.xaxis.set_visible(True)
    across.label(lowest, len(judges))
    texts = (measure, "○ by the baseline labels", "▲ by the judge's")
    lowest.set_xlabel(("   " if len(judges) > 1 else "\n").join(texts), fontsize=LETTERS)
    if below:
        figure.text(0.5, 0.05 / height, below, ha="center", va="bottom", fontsize=LETTERS)
    figure.suptitle(title, fontsize=canvas.TITLE, y=1 - 0.04 / height, va="top")
    figure.align_ylabels(panels.ravel())
    return figure


_BASELINE = {
    "marker": "o",
    "markersize": 3.2,
    "markerfacecolor": "none",
    "markeredgecolor": "grey",
    "markeredgewidth": 0.6,
}
_JUDGE = {"marker": "^", "markersize": 3.2, "color": canvas.BLUE, "markeredgewidth": 0}
_OUTSIDE = {"marker": "x", "markersize": 4, "color": "black", "markeredgewidth": 0.8}


class _Outside:
    """The systems that would squeeze all others, by their scores or by a metric."""

    def __init__(self, scores: pd.DataFrame, online: pd.DataFrame, measure: str, heads: Mapping[str, str]):
        self.scores, self.online = scores, online
        self.by_score = outlying(scores)
        self.by_metric = {metric: outlying(online[[metric]]) for metric in online}
        self.measure, self.heads = measure, heads

    def of(self, metric: str) -> np.ndarray:
        """Whether each system is outside of the metric's row."""
        return self.online.index.isin([*self.by_score, *self.by_metric[metric]])

    def within(self, metric: str) -> np.ndarray:
        """The metric's values, those outside at the edge."""
        near = self.online[metric].drop(index=self.by_metric[metric])
        return self.online[metric].clip(near.min(), near.max()).to_numpy()

    @property
    def note(self) -> str:
        """Which systems are outside of which rows, and the values that they have."""
        found: dict[str, list[str]] = {
            system: [f"{self.measure} {canvas.span(self.scores.loc[system])}"] for system in self.by_score
        }
        for metric, far in self.by_metric.items():
            for system in far:
                value = self.online[metric][system]
                found.setdefault(system, []).append(f"{metric_name(metric, self.heads)} {value:.3g}")
        return note({system: ", ".join(values) for system, values in found.items()})


class _Blocks:
    """Where scores lie in blocks of width 1 side by side, all of which hold the same range; others are at an edge."""

    def __init__(self, scores: pd.DataFrame):
        self.low, high = scores.min().min(), scores.max().max()
        self.range = (high - self.low) or 1.0

    def of(self, scores, number: int):
        """The places of these scores in the block of this number, from 0."""
        return number + np.clip(MARGIN + (1 - 2 * MARGIN) * (scores - self.low) / self.range, EDGE, 1 - EDGE)

    def label(self, panel, blocks: int) -> None:
        """Write two or three scores below each block."""
        from matplotlib.ticker import MaxNLocator

        high = self.low + self.range
        ticks = [tick for tick in MaxNLocator(3).tick_values(self.low, high) if self.low <= tick <= high]
        places = [self.of(tick, number) for number in range(blocks) for tick in ticks]
        panel.set_xticks(places, [f"{tick:g}" for _ in range(blocks) for tick in ticks], fontsize=LETTERS)
