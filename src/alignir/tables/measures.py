"""Tables of measures: which offline measure agrees with the baseline labels, and with users?"""

import math

from alignir.evaluation.names import title as measure_title
from alignir.formatting import number
from alignir.frames import BASELINE
from alignir.tables.names import (
    BOUNDS,
    PROMPTS_OF_TABLE_2,
    by_dataset,
    fitting_a_page,
    heads_of,
    in_order,
    judge_name,
    online_order,
    online_title,
    setting_titles,
)
from alignir.tables.notes import label_notes, measure_notes, metric_notes, size_note, user_notes
from alignir.tables.table import Table
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import NOBODY, Column, Judge, Setting

Taus = dict[tuple[str, str, Column], float]  # by measure, "model" or the baseline, and column
OF_BASELINE = Column(NOBODY, BASELINE)


def measures_tables(recordings: Recordings) -> list[Table]:
    """tau_b of each measure with the baseline labels and the online metrics, a table for each setting and judge."""
    runs: dict[Setting, dict[Judge, list[Recorded]]] = {}
    for run in recordings:
        runs.setdefault(run.setting, {}).setdefault(run.judge, []).append(run)
    return [
        table
        for setting in sorted(runs, key=by_dataset)
        for judge in in_order(runs[setting], PROMPTS_OF_TABLE_2)
        for table in _tables(setting, judge, runs[setting][judge])
    ]


def _tables(setting: Setting, judge: Judge, runs: list[Recorded]) -> list[Table]:
    """Each measure by the judge's labels, and below it by the baseline's: what the measure itself has of users."""
    taus, by = _taus(runs), {"model": judge_name(judge), BASELINE: BOUNDS[BASELINE]}
    measures = dict.fromkeys(measure for measure, _, _ in taus)
    online = sorted({column for _, _, column in taus if column != OF_BASELINE}, key=online_order)
    notes = [size_note([setting]), *measure_notes(runs), *label_notes(runs)]
    levels = runs[-1].scale.relevant_from, runs[-1].baseline_scale.relevant_from
    level = f"{levels[0]}" if levels[0] == levels[1] else f"{levels[0]} by the judge, from {levels[1]} by the baseline"
    notes.append(f"binary measures count grades from {level} as relevant; nDCG, G and ERR use every grade")
    by_users = {run.users: run for run in runs}
    run_of = {column: by_users[column.users] for column in online}
    tables = []
    for columns in fitting_a_page(online):
        lines = [
            [
                measure_title(measure),
                title,
                *(number(taus.get((measure, labels, column), math.nan)) for column in (OF_BASELINE, *columns)),
            ]
            for measure in measures
            for labels, title in by.items()
        ]
        users = list(dict.fromkeys(column.users for column in columns))
        alone = len(users) == 1
        title = f"Offline measures by labels of {by['model']} (Kendall's tau_b), {setting_titles([setting])[0]}"
        title += f", users: {users[0].title}" if alone else ""
        titles = ["baseline", *(online_title(column, alone, heads_of(run_of[column])) for column in columns)]
        of_users = [*metric_notes(columns, run_of), *user_notes([run for run in runs if run.users in users])]
        tables.append(Table(title, ["measure", "labels", *titles], lines, [*notes, *of_users]))
    return tables


def _taus(runs: list[Recorded]) -> Taus:
    """Of the newest of one judge's runs that has them."""
    taus = {}
    for run in runs:
        for line in run.alignment[run.alignment["labels"].isin(("model", BASELINE))].itertuples():
            column = OF_BASELINE if line.reference == BASELINE else Column(run.users, line.reference)
            taus[line.offline, line.labels, column] = line.tau_b
    return taus
