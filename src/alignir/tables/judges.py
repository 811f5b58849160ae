"""Tables of judges: other answers to how alike their labels and the baseline's order systems, and who is better."""

import math

import pandas as pd

from alignir.alignment.significance import ALPHA, OUTCOMES
from alignir.formatting import interval, number, share_of, signed
from alignir.frames import BASELINE
from alignir.tables.comparison import better
from alignir.tables.names import by_dataset, headline, in_order, judge_name, judge_titles, setting_titles
from alignir.tables.notes import label_notes, measure_notes, size_note
from alignir.tables.table import Table
from alignir.tracking.recordings import Recordings
from alignir.tracking.shapes import NOBODY

CORRELATIONS = {
    "spearman": "Spearman",
    "pearson": "Pearson",
    "tau_ap_a": "tau_AP a",
    "tau_ap_b": "tau_AP b",
    "rbo_a": "RBO a",
    "rbo_b": "RBO b",
    "top1": "same best",
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
    for setting in sorted(by_setting, key=by_dataset):
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
            "tau_AP and RBO (p = .9) weigh the top; a, b: two ways with ties; "
            "largest drop: the most ranks that a system loses; ↓ lower is better",
            f"from concordant on: all pairs of systems, by who beats whom at Holm's p ≤ {ALPHA} of paired t-tests; "
            "discordant: the other way round; missed: only by the baseline labels; false alarm: only by the judge's",
        ]
        title = f"Other correlations of {newest.headline} with the baseline labels, {setting_titles([setting])[0]}"
        tables.append(Table(title, ["model", "prompt", "tau_b", *CORRELATIONS.values()], lines, notes))
    return tables


def _correlation(name: str, value: float):
    return share_of(value) if name in OUTCOMES else number(value, 1 if name == "largest_drop" else 4)


def compare_tables(found: pd.DataFrame) -> list[Table]:
    """Which judge is better aligned, two by two: a table for each setting and user model of what comparison found."""
    tables = []
    for (setting, users), rows in found.groupby(["setting", "user_model"], sort=False):
        lines = []
        for row in rows.itertuples():
            apart = better(row)
            lines.append(
                [
                    judge_name(row.left),
                    judge_name(row.right),
                    row.title,
                    number(row.tau_left),
                    number(row.tau_right),
                    signed(row.difference),
                    interval(row.ci_low, row.ci_high),
                    number(row.p_value),
                    number(row.p_holm),
                    judge_name(apart) if apart else "",
                ]
            )
        title = f"Judges compared by their tau_b, {setting_titles([setting])[0]}"
        notes = [
            size_note([setting]),
            rows["measure"].iloc[0],
            *(f"{how}; on the queries that both judges and the reference know" for how in rows["how"].unique()),
            f"Holm's p over all pairs of judges of a reference; better: Holm's p ≤ {ALPHA}",
        ]
        columns = ["left", "right", "reference", "tau left", "tau right", "difference", "95% interval", "p", "Holm"]
        tables.append(
            Table(title + (f", users: {users.title}" if users != NOBODY else ""), [*columns, "better"], lines, notes)
        )
    return tables
