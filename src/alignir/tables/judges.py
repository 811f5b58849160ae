"""Explanations: the tables behind Tables 1 and 2: labels and their agreement, other measures, who is better."""

import math
from collections.abc import Callable

import pandas as pd

from alignir.alignment.bootstrap import Resampling
from alignir.alignment.significance import ALPHA, OUTCOMES
from alignir.evaluation.measures import NAMES as MEASURES
from alignir.evaluation.measures import NDCG
from alignir.formatting import interval, number, share_of, signed
from alignir.frames import BASELINE
from alignir.tables.comparison import better
from alignir.tables.names import (
    BOUNDS,
    by_dataset,
    fitting_a_page,
    in_order,
    judge_name,
    judge_titles,
    online_order,
    online_title,
    setting_titles,
)
from alignir.tables.notes import NDCG_NOTE, label_notes, metric_notes, size_note, user_notes
from alignir.tables.table import Table
from alignir.tracking.runs import Recorded, by_judge, told_apart


def family_tables(recorded: list[Recorded]) -> list[Table]:
    """Table 1 with and without the systems of the judge's own family, if any judge has such."""
    rows, systems, ways = {}, {}, set()
    for run in told_apart(recorded):
        if run.metrics.get("family/left_out"):
            ways.add(Resampling.recorded(run.params).text)
            names = ("tau_all", "tau_b", "difference", "ci_low", "ci_high")
            tau, without, difference, low, high = (run.metrics[f"family/{name}"] for name in names)
            moved = "!" if run.metrics["family/moved"] == 1 else ""
            numbers = [number(tau, 4), number(without, 4), signed(difference) + moved, interval(low, high)]
            family, judge = run.params["model.family"], run.judge
            rows[run.setting, judge] = [f"{family} ({run.metrics['family/left_out']:.0f})", *numbers]
            systems[family] = run.tags["family.systems"]
    settings = sorted({setting for setting, _ in rows}, key=by_dataset)
    titles = dict(zip(settings, setting_titles(settings), strict=True))
    lines = [
        [*judge_titles(judge), titles[setting], *rows[setting, judge]]
        for setting in settings
        for judge in in_order({judge for where, judge in rows if where == setting}, ("basic", "zeshot"))
    ]
    notes = [f"{family}: {names}" for family, names in systems.items()]
    notes.append(f"interval: 95%, of the difference, with and without them by the same: {' or '.join(sorted(ways))}")
    if any("!" in line[6] for line in lines):
        notes.append(
            "! not 0: above, the judge orders its own kind unlike the baseline; below, that kind was easy to order"
        )
    columns = ["model", "prompt", "dataset", "own family", "all systems", "without it", "difference", "interval"]
    title = "Table 1 without the systems of the judge's own family (Kendall's tau_b)"
    return [Table(title, columns, lines, notes)] if rows else []


def correlation_tables(recorded: list[Recorded]) -> list[Table]:
    """Other answers than tau_b to how alike a judge's labels and the baseline's order the systems."""
    columns = {
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
    tables = []
    for setting, runs in _by_setting(recorded).items():
        lines = []
        for judge in in_order(set(runs), ("basic", "zeshot")):
            metrics = runs[judge].metrics
            numbers = {name: metrics.get(f"correlation/{name}", math.nan) for name in columns}
            cells = [
                number(numbers[name], 1 if name == "largest_drop" else 4)
                if name not in OUTCOMES
                else share_of(numbers[name])
                for name in columns
            ]
            lines.append([*judge_titles(judge), number(metrics.get(f"tau_b/{NDCG}/{BASELINE}", math.nan), 4), *cells])
        notes = [
            size_note([setting]),
            NDCG_NOTE,
            *label_notes(list(runs.values())),
            "tau_AP and RBO (p = .9) weigh the top; a, b: two ways with ties; "
            "largest drop: the most ranks that a system loses; ↓ lower is better",
            f"from concordant on: all pairs of systems, by who beats whom at Holm's p ≤ {ALPHA} of paired t-tests; "
            "discordant: the other way round; missed: only by the baseline labels; false alarm: only by the judge's",
        ]
        title = f"Other correlations of nDCG@10 with the baseline labels, {setting_titles([setting])[0]}"
        tables.append(Table(title, ["model", "prompt", "tau_b", *columns.values()], lines, notes))
    return tables


def judged_tables(recorded: list[Recorded]) -> list[Table]:
    """How much of each system's top 10 has a baseline label, and a label of each judge; a table for each setting."""
    tables = []
    for setting, newest in _by_setting(recorded).items():
        shares = {}
        for judge in in_order(set(newest), ("basic", "zeshot")):
            judged = newest[judge].frame("judged.csv").set_index("system")
            shares |= {(BASELINE, ""): judged[BASELINE], judge: judged["model"]}
        table = pd.DataFrame(shares)
        table = table.iloc[table.min(axis=1).argsort(kind="stable")]
        lines = [[str(place), system, *map(share_of, table.loc[system])] for place, system in enumerate(table.index, 1)]
        titles = [judge_name(judge) for judge in table]
        notes = [size_note([setting]), "a result without a label counts as not relevant; the lowest first"]
        title = f"Results in the top 10 that have a label, {setting_titles([setting])[0]}"
        tables.append(Table(title, ["", "system", *titles], lines, notes))
    return tables


def measures_tables(recorded: list[Recorded]) -> list[Table]:
    """Which offline measure? tau_b of each with the baseline labels and the online metrics, a table for each judge."""
    runs: dict[tuple, dict[tuple, list[Recorded]]] = {}
    for run in told_apart(recorded):
        runs.setdefault(run.setting, {}).setdefault(run.judge, []).append(run)
    return [
        table
        for setting in sorted(runs, key=by_dataset)
        for judge in in_order(set(runs[setting]), ("zeshot", "basic"))
        for table in _judge_measures(setting, judge, runs[setting][judge])
    ]


def _judge_measures(setting: tuple, judge: tuple[str, str], runs: list[Recorded]) -> list[Table]:
    """Each measure by the judge's labels, and below it by the baseline's: what the measure itself has of users."""
    taus, by = {}, {"model": judge_name(judge), BASELINE: BOUNDS[BASELINE]}
    for run in runs:
        for line in run.alignment[run.alignment["labels"].isin(by)].itertuples():
            user_model = "" if line.reference == BASELINE else run.names["user_model"]
            taus[line.offline, line.labels, (user_model, line.reference)] = line.tau_b
    measures = dict.fromkeys(measure for measure, _, _ in taus)
    online = sorted({column for _, _, column in taus if column[0]}, key=online_order)
    notes = [size_note([setting]), NDCG_NOTE, *label_notes(runs)]
    if level := runs[-1].params.get("relevance_level"):
        notes.append(f"binary measures count grades from {level} as relevant; nDCG, G and ERR use every grade")
    tables = []
    for columns in fitting_a_page(online):
        lines = [
            [
                MEASURES.get(measure, measure),
                title,
                *(number(taus.get((measure, labels, column), math.nan), 4) for column in [("", BASELINE), *columns]),
            ]
            for measure in measures
            for labels, title in by.items()
        ]
        alone = len({user_model for user_model, _ in columns}) == 1
        title = f"Offline measures by labels of {by['model']} (Kendall's tau_b), {setting_titles([setting])[0]}"
        title += f", users: {columns[0][0]}" if alone else ""
        titles = ["baseline", *(online_title(column, alone) for column in columns)]
        here = [run for run in runs if run.names["user_model"] in {user_model for user_model, _ in columns}]
        of_users = [*metric_notes(columns), *user_notes(here)]
        tables.append(Table(title, ["measure", "labels", *titles], lines, [*notes, *of_users]))
    return tables


def compare_tables(found: pd.DataFrame) -> list[Table]:
    """Which judge is better aligned, two by two: a table for each setting and user model of what comparison found."""
    tables = []
    for (setting, user_model), rows in found.groupby(["setting", "user_model"], sort=False):
        lines = []
        for row in rows.itertuples():
            apart = better(row)
            reference = "baseline labels" if row.reference == BASELINE else online_title(("", row.reference), True)
            lines.append(
                [
                    judge_name(row.left),
                    judge_name(row.right),
                    reference,
                    number(row.tau_left, 4),
                    number(row.tau_right, 4),
                    signed(row.difference),
                    interval(row.ci_low, row.ci_high),
                    number(row.p_value, 4),
                    number(row.p_holm, 4),
                    judge_name(apart) if apart else "",
                ]
            )
        title = f"Judges compared by their tau_b, {setting_titles([setting])[0]}"
        notes = [
            size_note([setting]),
            NDCG_NOTE,
            *(f"{how}; on the queries that both judges and the reference know" for how in rows["how"].unique()),
            f"Holm's p over all pairs of judges of a reference; better: Holm's p ≤ {ALPHA}",
        ]
        columns = ["left", "right", "reference", "tau left", "tau right", "difference", "95% interval", "p", "Holm"]
        tables.append(
            Table(title + (f", users: {user_model}" if user_model else ""), [*columns, "better"], lines, notes)
        )
    return tables


def _by_setting(recorded: list[Recorded]) -> dict[tuple, dict[tuple, Recorded]]:
    """The newest run of each judge, by setting."""
    return newest(recorded, lambda run: run.setting)


def newest(recorded: list[Recorded], key: Callable[[Recorded], tuple]) -> dict[tuple, dict[tuple, Recorded]]:
    groups = by_judge(recorded, key)
    return {name: groups[name] for name in sorted(groups, key=by_dataset)}
