"""Figure of circularity: tau over the systems that re-rank by the judge's labels, and where that brings them."""

from collections.abc import Mapping

import pandas as pd

from alignir.alignment.circularity import JUDGE
from alignir.figures import canvas
from alignir.figures.canvas import LETTERS
from alignir.figures.outliers import equal_limits, note, outlying
from alignir.frames import BASELINE


def circle_figure(
    rows: Mapping[str, pd.DataFrame],
    before: pd.DataFrame,
    after: Mapping[str, pd.DataFrame],
    names: Mapping[str, str],
    title: str,
    measure: str,
):
    """At the left tau_b over how many systems re-rank, with the middle 95% of the choices; then a panel for each way.

    `rows` are CIRCLE by way; `before` and `after` mean scores by system, the latter by way. In a way's panel a line
    leads from a system's scores before to those after; the dotted line is where both sides give the same score. Systems
    that are outlying before stand at the edge.
    """
    figure = canvas.blank(canvas.WIDTH, 3.4)
    curve, *panels = figure.subplots(1, 1 + len(after), width_ratios=[1.1, *[1] * len(after)])
    looks = canvas.looks(rows)
    for way, found in rows.items():
        colour = looks[way]["color"]
        curve.fill_between(found["re_ranked"], found["ci_low"], found["ci_high"], color=colour, alpha=0.15, linewidth=0)
        label = f"without a label: {names[way]}"
        curve.plot(found["re_ranked"], found["tau_b"], markersize=3.5, linewidth=1, label=label, **looks[way])
    curve.set_xlabel("systems that re-rank", fontsize=LETTERS)
    curve.set_ylabel("tau_b, judge and baseline", fontsize=LETTERS)
    far = outlying(before)
    everywhere = pd.concat([before, *after.values()]).drop(index=far)
    across, up = equal_limits([everywhere[BASELINE], everywhere[JUDGE]])
    for (way, scores), panel in zip(after.items(), panels, strict=True):
        near, now = before.drop(index=far), scores.drop(index=far)
        for system in near.index:
            sides = [(each.loc[system, BASELINE], each.loc[system, JUDGE]) for each in (before, scores)]
            panel.plot(*zip(*sides, strict=True), color=canvas.FAINT, linewidth=0.6, zorder=1)
        panel.scatter(near[BASELINE], near[JUDGE], s=10, color="white", edgecolors="grey", linewidths=0.7, zorder=2)
        edge = scores.loc[far]
        panel.scatter(edge[BASELINE].clip(*across), edge[JUDGE].clip(*up), **canvas.OUTSIDE)
        panel.scatter(now[BASELINE], now[JUDGE], s=14, linewidths=0, zorder=3, **_dot(looks[way]))
        panel.axline((0.5, 0.5), slope=1, color="grey", linewidth=0.8, linestyle=":", zorder=0)
        panel.set(xlim=across, ylim=up, aspect="equal")
        panel.set_title(f"all re-rank, without a label:\n{names[way]}", fontsize=LETTERS)
        panel.set_xlabel(f"{measure} by baseline labels", fontsize=LETTERS)
    panels[0].set_ylabel(f"{measure} by the judge's labels", fontsize=LETTERS)
    for panel in (curve, *panels):
        canvas.dress(panel)
    values = {system: _moves([each.loc[system] for each in (before, *after.values())]) for system in far}
    canvas.legend_below(figure, curve, columns=len(rows), note=note(values))
    figure.suptitle(canvas.wrapped(title, canvas.WIDTH - 0.3, canvas.TITLE), fontsize=canvas.TITLE)
    return figure


def _moves(places: list[pd.Series]) -> str:
    """A system's scores before, and after each way of re-ranking."""
    before, *after = (f"{place[BASELINE]:.2f}, {place[JUDGE]:.2f}" for place in places)
    return f"{before} → {' or '.join(dict.fromkeys(after))}"


def _dot(look: Mapping) -> dict:
    return {"color": look["color"], "marker": look["marker"]}
