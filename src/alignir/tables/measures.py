"""Tables of measures: which offline measure agrees with the baseline labels, and with users?"""

import math

from alignir.evaluation.names import title as measure_title
from alignir.formatting import number
from alignir.frames import BASELINE
from alignir.tables.names import (
    by_users,
    heads_of,
    in_order,
    judge_name,
    setting_titles,
)
from alignir.tables.notes import label_notes, measure_notes, metric_notes, size_note, user_notes
from alignir.tables.table import Definition, Table
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import NOBODY, Column, Judge, Setting
from alignir.users.metrics import metric_title

Taus = dict[tuple[str, Judge, Column], float]  # by measure, by whose labels, and column
OF_BASELINE, PEOPLE = Column(NOBODY, BASELINE), Judge(BASELINE)


def measures_tables(recordings: Recordings) -> list[Table]:
    """tau_b of each measure with the baseline labels and the online metrics, a table for each setting and user model.

    Each measure by the labels of each judge, and below these by the baseline's: what the measure itself has of users.
    """
    runs: dict[Setting, list[Recorded]] = {}
    for run in recordings:
        runs.setdefault(run.setting, []).append(run)
    return [table for setting in sorted(runs) for table in _tables(setting, runs[setting])]


def _tables(setting: Setting, runs: list[Recorded]) -> list[Table]:
    taus = _taus(runs)
    measures = dict.fromkeys(measure for measure, _, _ in taus)
    judges = in_order({judge for _, judge, _ in taus})
    notes = [size_note([setting]), *measure_notes(runs), *label_notes(runs)]
    levels = sorted({run.scale.relevant_from for run in runs}), runs[-1].baseline_scale.relevant_from
    level, mine = " or ".join(map(str, levels[0])), str(levels[1])
    level = mine if level == mine else f"{level} by judges, from {mine} by the baseline"
    notes.append(Definition(f"binary measures count grades from {level} as relevant; nDCG, G and ERR use every grade"))
    of_users, tables = {run.users: run for run in runs}, []
    for users, columns in by_users({column for _, _, column in taus if column != OF_BASELINE}).items():
        lines = []
        for measure in measures:
            of_measure = [judge for judge in judges if any((measure, judge, column) in taus for column in columns)]
            for judge in of_measure:
                found = [taus.get((measure, judge, column), math.nan) for column in (OF_BASELINE, *columns)]
                lines.append([measure_title(measure), judge_name(judge), *map(number, found)])
        heads = heads_of(of_users[users])
        titles = ["baseline", *(metric_title(column.metric, heads) for column in columns)]
        more = [*metric_notes(columns, {column: of_users[users] for column in columns}), *user_notes([of_users[users]])]
        title = f"Offline measures (Kendall's tau_b), {setting_titles([setting])[0]}, users: {users.title}"
        tables.append(Table(title, ["measure", "labels", *titles], lines, [*notes, *more]))
    return tables


def _taus(runs: list[Recorded]) -> Taus:
    """Of the newest of the runs that has each."""
    taus = {}
    for run in runs:
        for line in run.alignment[run.alignment["labels"].isin(("model", BASELINE))].itertuples():
            column = OF_BASELINE if line.reference == BASELINE else Column(run.users, line.reference)
            taus[line.offline, PEOPLE if line.labels == BASELINE else run.judge, column] = line.tau_b
    return taus
