"""Figures of systems: scores and ranks by a judge's labels, beside those by the baseline labels and by users."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from alignir.alignment.significance import ALPHA
from alignir.evaluation.names import title as measure_title
from alignir.figures import canvas
from alignir.figures.canvas import FAINT, LETTERS, UNKNOWN
from alignir.frames import BASELINE
from alignir.users.metrics import LOWER_IS_BETTER, NO_HEADS, metric_title

NAMED = 4  # systems that move most, in a panel of scores
NAMES_THAT_FIT = 60  # systems in the height of a page


def moves(scores: pd.Series, baseline: pd.Series) -> pd.Series:
    """How many ranks each system stands higher by its score than by the baseline's; ties stand at their mean rank."""
    return (_ranks(baseline) - _ranks(scores)).dropna()


def movers(moved: pd.DataFrame, most: int) -> list[str]:
    """The systems (rows) that move most under any judge (columns), at most so many, of those that move at all."""
    furthest = moved.abs().max(axis=1)
    return list(furthest[furthest > 0].sort_values(ascending=False, kind="stable").index[:most])


def tau_text(tau: float, low: float = float("nan"), high: float = float("nan")) -> str:
    """tau_b with its interval, where there are such."""
    if tau != tau:
        return "tau undefined"
    return f"tau {tau:.3f}" + (f" [{low:.2f}, {high:.2f}]" if low == low else "")


def scores_figure(scores: pd.DataFrame, taus: pd.DataFrame, title: str, measure: str = "nDCG@10"):
    """Systems' scores by a judge's labels over that by the baseline labels, a panel a judge; who moves most is named.

    `scores`: a row a system; the baseline's in the first column, a judge's in each other. `taus`: by judge, tau_b,
    ci_low, ci_high. The dotted line is where both labels give the same score; +3 is three ranks higher than by the
    baseline labels.
    """
    baseline, judges = scores.iloc[:, 0], scores.columns[1:]
    sides = f"{measure} by baseline labels", f"{measure} by the judge's labels"
    figure, panels = canvas.panels(judges, 2.5, title, 3, *sides)
    width = figure.get_figwidth() / min(len(judges), 3) - 0.4
    for judge, panel in panels.items():
        moved = moves(scores[judge], baseline)
        named = movers(moved.to_frame(), NAMED)
        others = scores.index.difference(named)
        panel.scatter(baseline[others], scores[judge][others], s=12, color=FAINT, edgecolors="grey", linewidths=0.4)
        for system, look in canvas.looks(named).items():
            place, name = (baseline[system], scores[judge][system]), canvas.shortened(system, width - 0.6)
            label = f"{name} {moved[system]:+g}"
            panel.scatter(*place, s=28, edgecolors="black", linewidths=0.5, label=label, **look)
        panel.set_title(f"{canvas.wrapped(judge, width)}\n{tau_text(*taus.loc[judge])}", fontsize=LETTERS)
        panel.locator_params(nbins=4)
        panel.axline((0.5, 0.5), slope=1, color="grey", linewidth=0.8, linestyle=":", zorder=0)
        if named:
            panel.legend(
                fontsize=LETTERS, frameon=False, borderpad=0, borderaxespad=0.2, labelspacing=0.2, handletextpad=0
            )
    return figure


def ranks_figure(scores: pd.DataFrame, title: str, most: int = 6):
    """Systems' ranks by the baseline labels and by each judge's, in columns; those that move most stand out.

    `scores` as for `scores_figure`. Ties stand at their mean rank. No more than `most` stand out, nor a third of all.
    """
    ranks = scores.apply(_ranks)
    n_systems, columns = len(ranks), list(ranks.columns)
    named = movers(
        pd.DataFrame({judge: moves(scores[judge], scores.iloc[:, 0]) for judge in columns[1:]}),
        min(most, n_systems // 3),
    )
    looks, all_fit = canvas.looks(named), n_systems <= NAMES_THAT_FIT
    width = canvas.WIDTH if len(columns) > 2 else 5.5
    height = min(8.6, 0.135 * n_systems + 1.6) if all_fit else 7
    title = canvas.wrapped(title, width - 0.3, canvas.TITLE)
    figure = canvas.blank(width, max(height, 2.6) + 0.15 * title.count("\n"))
    panel = figure.add_subplot()
    canvas.dress(panel)
    panel.spines[["left", "bottom"]].set_visible(False)
    for system in ranks.index.difference(named):
        panel.plot(range(len(columns)), ranks.loc[system], color=FAINT, linewidth=0.7, zorder=1)
    for system in named:
        panel.plot(range(len(columns)), ranks.loc[system], linewidth=1.8, markersize=5, zorder=2, **looks[system])
    room = (width - 2.8) / len(columns)
    heads = [canvas.wrapped(name, room) for name in columns]
    upright = max(len(line) for head in heads for line in head.split("\n")) > room * canvas.PER_INCH
    if upright:
        heads = [canvas.wrapped(name, 1.6) for name in columns]
    panel.set_xticks(range(len(columns)), heads, fontsize=LETTERS, rotation=90 if upright else 0)
    panel.tick_params(axis="x", length=0, top=True, labeltop=True, labelbottom=False)
    panel.margins(x=0.02)
    panel.set_ylim(n_systems + 0.6, 0.4)
    for side, column in (("left", columns[0]), ("right", columns[-1])):
        shown = ranks[column].dropna().sort_values(kind="stable")
        shown = shown if all_fit else shown[shown.index.isin(named)]
        slots = (
            range(1, len(shown) + 1) if all_fit else shown
        )  # systems that tie have one rank, and a line of text each
        axis = panel if side == "left" else panel.secondary_yaxis("right")
        axis.set_yticks(
            list(slots), [f"{shown[system]:g}  {system}" if side == "left" else system for system in shown.index]
        )
        axis.tick_params(axis="y", length=0, labelsize=LETTERS)
        for system, text in zip(shown.index, axis.get_yticklabels(), strict=True):
            if system in named:  # black: some of the colours are too light for letters
                text.set_fontweight("bold")
        if side == "right":
            axis.spines["right"].set_visible(False)
    figure.suptitle(title, fontsize=canvas.TITLE)
    return figure


def tau_figure(
    taus: pd.DataFrame,
    p_values: pd.DataFrame,
    title: str,
    judges: int | None = None,
    heads: Mapping[str, str] = NO_HEADS,
):
    """tau_b by judge (rows) and what it is measured against (columns) as a heat map; unknown cells are grey.

    `p_values` of the same shape: ° marks p > ALPHA. A line sets the first `judges` rows apart from the others.
    `heads` are what metrics are called by their definitions.
    """
    from matplotlib import colormaps

    width = min(canvas.WIDTH, 2.6 + 0.62 * len(taus.columns))
    names = [canvas.wrapped(name, 2.0) for name in taus.index]
    lines = sum(name.count("\n") + 1 for name in names)
    title = canvas.wrapped(title, width - 0.3, canvas.TITLE)
    figure = canvas.blank(width, 0.16 * lines + 0.12 * len(names) + 1.5 + 0.15 * title.count("\n"))
    panel = figure.add_subplot()
    colours = colormaps["RdBu"].with_extremes(bad=UNKNOWN)
    image = panel.imshow(taus.to_numpy(float), cmap=colours, vmin=-1, vmax=1, aspect="auto", interpolation="none")
    for row, judge in enumerate(taus.index):
        for column, name in enumerate(taus.columns):
            tau, p_value = taus.loc[judge, name], p_values.loc[judge, name]
            text = "–" if tau != tau else f"{tau:.2f}" + ("°" if p_value > ALPHA else "")
            colour = canvas.ink(image.to_rgba(tau)[:3]) if tau == tau else "black"
            panel.text(column, row, text, ha="center", va="center", fontsize=LETTERS, color=colour)
    panel.set_xticks(range(len(taus.columns)), [canvas.wrapped(_against(name, heads), 0.6) for name in taus.columns])
    panel.set_yticks(range(len(names)), names)
    panel.tick_params(labelsize=LETTERS, length=0, top=True, labeltop=True, labelbottom=False)
    panel.spines[:].set_visible(False)
    if judges and judges < len(taus):
        panel.axhline(judges - 0.5, color="black", linewidth=1)
    notes = [f"° p > {ALPHA}" if ((p_values > ALPHA) & taus.notna()).any(axis=None) else ""]
    notes.append("↓ lower is better" if set(taus.columns) & set(LOWER_IS_BETTER) else "")
    notes.append("– undefined, or not run" if taus.isna().any(axis=None) else "")
    panel.set_xlabel("   ".join(filter(None, notes)), fontsize=LETTERS)
    figure.suptitle(title, fontsize=canvas.TITLE)
    return figure


def measures_figure(alignment: pd.DataFrame, title: str, heads: Mapping[str, str] = NO_HEADS):
    """tau_b of each offline measure (down) with the baseline labels and each online metric (across), as two heat maps.

    `alignment` is ALIGNMENT with `labels`: the measures by the model's labels, and below them by the baseline's, whose
    own order is no news and is left out there. What is undefined is grey. `heads` as for `tau_figure`.
    """
    from matplotlib import colormaps

    rows = alignment[alignment["labels"].isin(("model", BASELINE))]
    measures, references = (list(dict.fromkeys(rows[column])) for column in ("offline", "reference"))
    columns = [BASELINE, *(reference for reference in references if reference != BASELINE)]
    figure = canvas.blank(canvas.WIDTH, 2 * (0.28 * len(measures) + 0.5) + 0.8)
    panels = figure.subplots(2, 1, sharex=True)
    colours = colormaps["RdBu"].with_extremes(bad=UNKNOWN)
    for panel, labels in zip(panels, ("model", BASELINE), strict=True):
        here = rows[rows["labels"] == labels]
        taus = here.pivot(index="offline", columns="reference", values="tau_b").reindex(measures, columns=columns)
        if labels == BASELINE:
            taus[BASELINE] = np.nan
        image = panel.imshow(taus, cmap=colours, vmin=-1, vmax=1, aspect="auto", interpolation="none")
        for (row, column), tau in np.ndenumerate(taus):
            colour = canvas.ink(image.to_rgba(tau)[:3]) if tau == tau else "black"
            own = labels == BASELINE and column == 0
            text = "" if own else "–" if tau != tau else f"{tau:.2f}"
            panel.text(column, row, text, ha="center", va="center", fontsize=LETTERS, color=colour)
        panel.set_xticks(range(len(columns)), [canvas.wrapped(_against(name, heads), 0.6) for name in columns])
        panel.set_yticks(range(len(measures)), [measure_title(name) for name in measures])
        panel.set_title(f"by the {labels}'s labels", fontsize=LETTERS)
        panel.tick_params(labelsize=LETTERS, length=0)
        panel.spines[:].set_visible(False)
    figure.suptitle(canvas.wrapped(title, canvas.WIDTH - 0.3, canvas.TITLE), fontsize=canvas.TITLE)
    return figure


def _against(name: str, heads: Mapping[str, str]) -> str:
    return "baseline labels" if name == BASELINE else metric_title(name, heads)


def _ranks(scores: pd.Series) -> pd.Series:
    return scores.rank(ascending=False)
