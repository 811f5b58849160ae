"""Figures of systems: scores and ranks by a judge's labels, beside those by the baseline labels and by users."""

import pandas as pd

from alignir.figures import canvas
from alignir.figures.canvas import FAINT, LETTERS
from alignir.figures.outliers import equal_limits, note, outlying

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
    baseline labels. Outlying systems stand at the edge, with their scores.
    """
    from matplotlib.transforms import ScaledTranslation

    baseline, judges = scores.iloc[:, 0], scores.columns[1:]
    sides = f"{measure} by baseline labels", f"{measure} by the judge's labels"
    far = outlying(scores)
    limits = dict(zip(scores, equal_limits([scores[side].drop(index=far) for side in scores]), strict=True))
    across = limits[baseline.name]
    outside = note({system: _values(scores.loc[system], judges) for system in far})
    figure, panels = canvas.panels(judges, 2.9, title, 3, *sides, more=0.8 + 0.3 * bool(far), share=(True, False))
    width = figure.get_figwidth() / min(len(judges), 3) - 0.4
    for judge, panel in panels.items():
        moved = moves(scores[judge], baseline)
        named = movers(moved.to_frame(), NAMED)
        others = scores.index.difference([*named, *far])
        panel.scatter(baseline[others], scores[judge][others], s=12, color=FAINT, edgecolors="grey", linewidths=0.4)
        for system, look in canvas.looks(named).items():
            name = canvas.shortened(system, width - 0.6)
            place = baseline[[system]].clip(*across), scores.loc[[system], judge].clip(*limits[judge])
            label = f"{name} {moved[system]:+g}"
            panel.scatter(*place, s=28, edgecolors="black", linewidths=0.5, label=label, **look)
        edge = [system for system in far if system not in named]
        panel.scatter(baseline[edge].clip(*across), scores[judge][edge].clip(*limits[judge]), **canvas.OUTSIDE)
        panel.set_title(f"{canvas.wrapped(judge, width)}\n{tau_text(*taus.loc[judge])}", fontsize=LETTERS)
        panel.set(xlim=across, ylim=limits[judge], aspect="equal")
        panel.locator_params(nbins=4)
        panel.axline((0.5, 0.5), slope=1, color="grey", linewidth=0.8, linestyle=":", zorder=0)
        if named:
            inches = 0.42 if panel.get_xlabel() else 0.1  # below the axes, where no letters are
            place = panel.transAxes + ScaledTranslation(0, -inches, figure.dpi_scale_trans)
            look = {"frameon": False, "borderpad": 0, "labelspacing": 0.2, "handletextpad": 0, "borderaxespad": 0}
            panel.legend(loc="upper left", bbox_to_anchor=(0, 0), bbox_transform=place, fontsize=LETTERS, **look)
    canvas.note_below(figure, outside)
    return figure


def _values(scores: pd.Series, judges) -> str:
    return f"{scores.iloc[0]:.2f} by the baseline labels, {canvas.span(scores[judges])} by judges"


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


def _ranks(scores: pd.Series) -> pd.Series:
    return scores.rank(ascending=False)
