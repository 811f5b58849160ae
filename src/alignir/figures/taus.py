"""Figures of taus: heat maps of who agrees with what."""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from alignir.alignment.significance import UNSURE
from alignir.evaluation.names import title as measure_title
from alignir.figures import canvas
from alignir.figures.canvas import LETTERS, UNKNOWN
from alignir.formatting import UNDEFINED
from alignir.frames import BASELINE
from alignir.users.metrics import LOWER_IS_BETTER, NO_HEADS, metric_title


def tau_figure(
    taus: pd.DataFrame,
    unsure: pd.DataFrame,
    title: str,
    judges: int | None = None,
    heads: Mapping[str, str] = NO_HEADS,
):
    """tau_b by judge (rows) and what it is measured against (columns) as a heat map; unknown cells are grey.

    The colour is agreement: a judge that users of a metric agree with is as blue where lower is better. `unsure` of the
    same shape: ° marks a tau that cannot be told from 0, as in tables. A line sets the first `judges` rows apart from
    the others. `heads` are what metrics are called by their definitions.
    """
    width = min(canvas.WIDTH, 2.6 + 0.62 * len(taus.columns))
    names = [canvas.wrapped(name, 2.0) for name in taus.index]
    lines = sum(name.count("\n") + 1 for name in names)
    title = canvas.wrapped(title, width - 0.3, canvas.TITLE)
    figure = canvas.blank(width, 0.16 * lines + 0.12 * len(names) + 2 + 0.15 * title.count("\n"))
    panel = figure.add_subplot()
    image = _heat(panel, taus, unsure.to_numpy(bool))
    panel.set_xticks(range(len(taus.columns)), [canvas.wrapped(_against(name, heads), 0.6) for name in taus.columns])
    panel.set_yticks(range(len(names)), names)
    panel.tick_params(top=True, labeltop=True, labelbottom=False)
    if judges and judges < len(taus):
        panel.axhline(judges - 0.5, color="black", linewidth=1)
    notes = [f"° {UNSURE}" if (unsure & taus.notna()).any(axis=None) else ""]
    notes.append("– undefined, or not run" if taus.isna().any(axis=None) else "")
    panel.set_xlabel(canvas.wrapped("   ".join(filter(None, notes)), width), fontsize=LETTERS)
    _colour_bar(figure, image, [panel], 0.1 / (figure.get_figheight() - 1), lower=set(taus) & set(LOWER_IS_BETTER))
    figure.suptitle(title, fontsize=canvas.TITLE)
    return figure


def _heat(panel, taus: pd.DataFrame, unsure: np.ndarray, without: Collection[tuple[int, int]] = ()):
    """The image of a heat map of agreement, with every tau written in it but in the cells `without`."""
    from matplotlib import colormaps

    signs = np.array([-1 if name in LOWER_IS_BETTER else 1 for name in taus.columns])
    colours = colormaps["RdBu"].with_extremes(bad=UNKNOWN)
    agreement = taus.to_numpy(float) * signs
    image = panel.imshow(agreement, cmap=colours, vmin=-1, vmax=1, aspect="auto", interpolation="none")
    for place, tau in np.ndenumerate(taus.to_numpy(float)):
        text = UNDEFINED if tau != tau else f"{tau:.2f}" + ("°" if unsure[place] else "")
        colour = canvas.ink(image.to_rgba(agreement[place])[:3]) if tau == tau else "black"
        if place not in without:
            panel.text(*place[::-1], text, ha="center", va="center", fontsize=LETTERS, color=colour)
    panel.tick_params(labelsize=LETTERS, length=0)
    panel.spines[:].set_visible(False)
    return image


def _colour_bar(figure, image, panels: list, thick: float, lower: Collection[str]) -> None:
    """What the colours of heat maps mean; `thick`: of the height of the panels. `lower`: the metrics that have ↓."""
    bar = figure.colorbar(image, ax=panels, location="bottom", fraction=thick, aspect=30, shrink=0.7, ticks=[-1, 0, 1])
    bar.ax.set_xticklabels(["-1, the reverse", "0", "1, the same order"], fontsize=LETTERS)
    bar.outline.set_visible(False)
    turned = ", and -tau in columns with ↓, where lower is better" if lower else ""
    bar.set_label(f"colour: tau{turned}", fontsize=LETTERS)


def measures_figure(alignment: pd.DataFrame, title: str, heads: Mapping[str, str] = NO_HEADS):
    """tau_b of each offline measure (down) with the baseline labels and each online metric (across), as two heat maps.

    `alignment` is ALIGNMENT with `labels`: the measures by the model's labels, and below them by the baseline's, whose
    own order is no news and is left out there. What is undefined is grey. `heads` as for `tau_figure`.
    """
    rows = alignment[alignment["labels"].isin(("model", BASELINE))]
    measures, references = (list(dict.fromkeys(rows[column])) for column in ("offline", "reference"))
    columns = [BASELINE, *(reference for reference in references if reference != BASELINE)]
    figure = canvas.blank(canvas.WIDTH, 2 * (0.28 * len(measures) + 0.5) + 1.3)
    panels = figure.subplots(2, 1, sharex=True)
    for panel, labels in zip(panels, ("model", BASELINE), strict=True):
        here = rows[rows["labels"] == labels]
        taus = here.pivot(index="offline", columns="reference", values="tau_b").reindex(measures, columns=columns)
        itself = []
        if labels == BASELINE:
            taus[BASELINE] = np.nan
            itself = [(row, 0) for row in range(len(measures))]
        image = _heat(panel, taus, np.zeros(taus.shape, dtype=bool), itself)
        panel.set_xticks(range(len(columns)), [canvas.wrapped(_against(name, heads), 0.6) for name in columns])
        panel.set_yticks(range(len(measures)), [measure_title(name) for name in measures])
        panel.set_title(f"by the {labels}'s labels", fontsize=LETTERS)
    _colour_bar(figure, image, list(panels), 0.05, lower=set(columns) & set(LOWER_IS_BETTER))
    figure.suptitle(canvas.wrapped(title, canvas.WIDTH - 0.3, canvas.TITLE), fontsize=canvas.TITLE)
    return figure


def _against(name: str, heads: Mapping[str, str]) -> str:
    return "baseline labels" if name == BASELINE else metric_title(name, heads)
