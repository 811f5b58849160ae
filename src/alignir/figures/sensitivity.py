"""Figure of sensitivity: what other assumptions about users do to tau, and which of them."""

from collections.abc import Iterator, Mapping

import pandas as pd

from alignir.alignment import sensitivity
from alignir.figures import canvas
from alignir.figures.canvas import LETTERS
from alignir.users.metrics import NO_HEADS, metric_title

TOGETHER = 0.15  # of tau: letters that are nearer would cover each other


def sensitivity_figure(rows: pd.DataFrame, base: str, title: str, heads: Mapping[str, str] = NO_HEADS):
    """tau_b of each judge with each metric under every user model, a panel a metric; the user model `base` stands out.

    `rows` has the columns judge, user_model, metric, tau_b, p_value. What moves tau far has a letter, and the note says
    of which assumption. `heads` are what metrics are called under the base.
    """
    judges = list(dict.fromkeys(rows["judge"]))
    metrics = list(dict.fromkeys(rows.dropna(subset="tau_b")["metric"]))
    far = sensitivity.outlying(rows, base)
    letters = sensitivity.marks(far)
    far = far.dropna(subset="tau_b")
    assumed = dict(zip(far["user_model"], far["assumption"], strict=True))  # of those that are drawn
    key = ", ".join(f"{letter} {assumed[each]}" for each, letter in letters.items() if each in assumed)
    more = 1 + 0.15 * len(canvas.wrapped(key, canvas.WIDTH - 0.3).split("\n"))
    figure, panels = canvas.panels(metrics, 0.5 + 0.4 * len(judges), title, 4, "tau_b", more=more)
    for metric, panel in panels.items():
        here = rows[rows["metric"] == metric].assign(place=lambda frame: frame["judge"].map(judges.index))
        at_base = here["user_model"] == base
        panel.axvline(0, color="grey", linewidth=0.8)
        others, alone = here[~at_base], here[at_base]
        panel.scatter(
            others["tau_b"], others["place"], s=22, color=canvas.SKY, alpha=0.6, label="one assumption changed"
        )
        panel.scatter(alone["tau_b"], alone["place"], s=60, marker="|", color="black", zorder=3, label=base)
        for judge, some in far[far["metric"] == metric].groupby("judge", sort=False):
            for tau, text in _together(some["tau_b"], some["user_model"].map(letters)):
                place = (tau, judges.index(judge)), (0, 4), "data", "offset points"
                panel.annotate(text, *place, ha="center", va="bottom", fontsize=LETTERS)
        panel.set_yticks(range(len(judges)), [canvas.wrapped(judge, 1.3) for judge in judges])
        panel.set_ylim(len(judges) - 0.5, -0.7)
        panel.set_title(metric_title(metric, heads), fontsize=LETTERS)
    canvas.legend_below(figure, panels[metrics[0]], columns=2, note=key)
    return figure


def _together(taus: pd.Series, letters: pd.Series) -> Iterator[tuple[float, str]]:
    """(a tau, the letters there): letters that are TOGETHER are one text, in the middle."""
    found: list[tuple[list[float], str]] = []
    for tau, letter in sorted(zip(taus, letters, strict=True)):
        if found and tau - found[-1][0][-1] < TOGETHER:
            found[-1] = [*found[-1][0], tau], found[-1][1] + letter
        else:
            found.append(([tau], letter))
    yield from ((sum(places) / len(places), text) for places, text in found)
