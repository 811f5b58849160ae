"""Tables of correlations: other answers to how alike a judge's labels and the baseline's order systems."""

import math

from alignir.alignment.significance import ALPHA, OUTCOMES
from alignir.formatting import number, share_of
from alignir.frames import BASELINE
from alignir.tables.names import headline, in_order, judge_titles, setting_titles
from alignir.tables.notes import label_notes, measure_notes, size_note
from alignir.tables.table import Definition, Table, differing
from alignir.tracking.recordings import Recordings

CORRELATIONS = {
    "spearman": "Spearman",
    "pearson": "Pearson",
    "tau_ap_a": "tau_AP a",
    "tau_ap_b": "tau_AP b",
    "rbo_a": "RBO a",
    "rbo_b": "RBO b",
    "same_best": "same best",
    "largest_drop": "largest drop ↓",
    "concordant": "concordant",
    "discordant": "discordant ↓",
    "missed": "missed ↓",
    "false_alarm": "false alarm ↓",
    "neither": "neither",
}


def correlation_tables(recordings: Recordings) -> list[Table]:
    """Other answers than tau_b to how alike a judge's labels and the baseline's order the systems."""
    tables, by_setting = [], recordings.by_setting()
    for setting in sorted(by_setting):
        runs, lines = by_setting[setting], []
        newest = list(runs.values())[-1]
        tau = f"tau_b/{headline(newest)}/{BASELINE}"
        for judge in in_order(runs):
            metrics = runs[judge].metrics
            cells = [_correlation(name, metrics.get(f"correlation/{name}", math.nan)) for name in CORRELATIONS]
            lines.append([*judge_titles(judge), number(runs[judge].metrics.get(tau, math.nan)), *cells])
        notes = [
            size_note([setting]),
            *measure_notes(runs.values()),
            *label_notes(list(runs.values())),
            Definition(
                "tau_AP and RBO (p = .9) weigh the top; a, b: two ways with ties; "
                "largest drop: the most ranks that a system loses; ↓ lower is better"
            ),
            Definition(
                f"concordant to neither: all pairs of systems, by who beats whom at Holm's p ≤ {ALPHA} of paired "
                "t-tests; discordant: the other way round; missed: only by the baseline labels; false alarm: only by "
                "the judge's"
            ),
        ]
        title = f"Other correlations of {newest.headline} with the baseline labels, {setting_titles([setting])[0]}"
        tables.append(differing(Table(title, ["model", "prompt", "tau_b", *CORRELATIONS.values()], lines, notes)))
    return tables


def _correlation(name: str, value: float):
    return share_of(value) if name in OUTCOMES else number(value, 1 if name == "largest_drop" else 4)
