"""Tables 1 and 2 of the paper: do judges' labels put systems in the order of the baseline's, and of users' metrics?"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from alignir.alignment.significance import UNSURE
from alignir.evaluation.names import title as measure_title
from alignir.formatting import Number, interval, number
from alignir.frames import BASELINE, RESAMPLED, SHUFFLED
from alignir.tables import missing, poster, unlabelled
from alignir.tables.choices import AS_RECORDED, Choices
from alignir.tables.comparison import mark_notes
from alignir.tables.missing import Grid
from alignir.tables.names import (
    BOUNDS,
    by_users,
    headline_rows,
    heads_of,
    in_order,
    judge_titles,
    mean_taus,
    setting_titles,
)
from alignir.tables.notes import (
    TAU_NOTE,
    bound_notes,
    failed_note,
    interval_note,
    label_notes,
    measure_notes,
    metric_notes,
    noise_note,
    size_note,
    user_notes,
)
from alignir.tables.rows import unsure
from alignir.tables.table import Table, with_best
from alignir.tables.top import of_setting, top_note
from alignir.tracking.recordings import Recordings, Row
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import NOBODY, Column, Judge, Setting
from alignir.users.metrics import LOWER_IS_BETTER, metric_title

DRAWS = "two draws of the users"
NOT_RUN = "not run"
EVERYTHING = Grid()


@dataclass(frozen=True)
class Marks:
    """What is marked in a column beside its numbers."""

    worse: set[tuple]  # as comparison.worse has them
    floors: dict[Column, float]  # the lower end of tau_b between draws of sampled users


def baseline_tables(recordings: Recordings, marked: set[tuple], choices: Choices = AS_RECORDED) -> list[Table]:
    """Table 1, for each headline measure: do a judge's labels put the systems in the order of the baseline labels?

    `marked`: comparison.worse.
    """
    expected = choices.expected or EVERYTHING
    by_measure: dict[str, list[Row]] = {}
    for row in headline_rows(recordings):
        if row.reference == BASELINE:
            by_measure.setdefault(row.offline, []).append(row)
    tables = [_baseline_table(recordings, rows, marked, expected, choices) for rows in by_measure.values()]
    if tables:
        tables[-1].notes.extend(missing.notes(expected, recordings, missing.JUDGED))
    return tables


def _baseline_table(
    recordings: Recordings, rows: list[Row], marked: set[tuple], expected: Grid, choices: Choices
) -> Table:
    settings = sorted({row.setting for row in rows})
    values = {(row.judge, row.setting): row for row in rows}
    judges = {row.judge for row in rows} | missing.judges_without_runs(expected, recordings)
    by_setting = recordings.by_setting()
    tops = {setting: of_setting(setting, by_setting[setting], choices.top) for setting in settings}
    digits = choices.beside
    if any(found.ceiling(k) for found in tops.values() for k in found.ks):
        judges.add(Judge(RESAMPLED))
    incomplete = [setting for setting in settings if unlabelled.some(row for row in rows if row.setting == setting)]
    lines = []
    for judge in in_order(judges, _first(recordings, choices)):
        of_poster = poster.TABLE_1.get((judge.model, judge.prompt), {})
        line = judge_titles(judge)
        for setting in settings:
            row = values.get((judge, setting))
            worse = (setting, NOBODY, BASELINE, judge) in marked
            if judge.model == RESAMPLED:
                line.append(tops[setting].ceiling(setting.n_systems, digits))
            else:
                line.append(_cell(row, of_poster.get(setting.dataset), digits, worse=worse, with_interval=True))
            line += tops[setting].cells(judge, digits)
            line += unlabelled.cells(row) if setting in incomplete else []
        lines.append(line)
    columns = ["model", "prompt"]
    lower: dict[int, bool] = {}
    for setting, name in zip(settings, setting_titles(settings), strict=True):
        columns.append(name)
        of = f", {name}" if len(settings) > 1 else ""
        columns += [each + of for each in tops[setting].titles]
        lower |= dict.fromkeys(range(len(columns) - len(tops[setting].ks) - 1, len(columns)), False)
        columns += [each + of for each in unlabelled.TITLES] if setting in incomplete else []
    notes = [*_notes(settings, list(values.values()), lines), *(unlabelled.NOTES if incomplete else ())]
    notes += dict.fromkeys(top_note(found) for found in tops.values() if found.ks)
    title = f"Table 1. Alignment of {measure_title(rows[0].offline)} against baseline labels (Kendall's tau_b)"
    return Table(title, columns, _best_bold(lines, judges, lower), notes)


def online_tables(recordings: Recordings, marked: set[tuple], choices: Choices = AS_RECORDED) -> list[Table]:
    """Table 2, for each setting and user model: do the judges' labels order systems as the online metrics do?"""
    expected = choices.expected or EVERYTHING
    taus = _first(recordings, choices)
    rows = [row for row in headline_rows(recordings) if row.reference != BASELINE]
    lacking = missing.judges_without_runs(expected, recordings)
    tables = []
    for setting in sorted({row.setting for row in rows}):
        here = [row for row in rows if row.setting == setting]
        judges = in_order({row.judge for row in here} | lacking, taus)
        for users, columns in by_users({row.column for row in here}).items():
            runs = [run for run in recordings if run.setting == setting and run.users == users]
            noise, floors = _noise(runs, columns)
            lines = _online_lines(here, judges, columns, Marks(marked, floors), choices)
            if noise:
                lines.append([DRAWS, "", *(number(noise.get(column, math.nan), choices.online) for column in columns)])
            measure, where = measure_title(here[0].offline), setting_titles([setting])[0]
            title = f"Table 2. Alignment of {measure} with online metrics (Kendall's tau_b), {where}"
            notes = _notes([setting], [row for row in here if row.users == users], lines)
            run_of = {row.column: row.run for row in here}
            notes += [*metric_notes(columns, run_of), *user_notes(runs)]
            titles = [metric_title(column.metric, heads_of(run_of[column])) for column in columns]
            titles, lines = _folded(["model", "prompt", *titles], lines)
            tables.append(Table(f"{title}, users: {users.title}", titles, lines, notes))
    if tables:
        tables[-1].notes.extend(missing.notes(expected, recordings))
    return tables


def _first(recordings: Recordings, choices: Choices) -> dict[Judge, float] | None:
    """What puts judges in order, where it is not their names."""
    return mean_taus(recordings) if choices.sort == "tau" else None


def _best_bold(lines: list[list[str]], judges: Iterable[Judge], lower: dict[int, bool]) -> list[list[str]]:
    """These lines, those of BOUNDS last, with the best of the judges' in each of these columns told."""
    n_judges = sum(judge.model not in BOUNDS for judge in judges)
    return [*with_best(lines[:n_judges], lower), *lines[n_judges:]]


def _folded(titles: list[str], lines: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Columns that say the same in all of several lines as one, which has the titles of all; both directions apart."""
    places: dict[tuple, list[int]] = {}
    for place, title in enumerate(titles):
        said = tuple(line[place] for line in lines) if len(lines) > 1 and place > 1 else place
        places.setdefault((said, title.endswith("↓")), []).append(place)
    heads = [" = ".join(titles[place] for place in alike) for alike in places.values()]
    return heads, [[line[alike[0]] for alike in places.values()] for line in lines]


def _online_lines(
    rows: list[Row], judges: list[Judge], columns: list[Column], marks: Marks, choices: Choices
) -> list[list[str]]:
    """A line a judge, those of BOUNDS last."""
    values = {(row.judge, row.column): row for row in rows}
    setting, lines = rows[0].setting, []
    for judge in judges:
        of_poster = _of_poster(setting, judge)
        cells = [
            _cell(
                values.get((judge, column)),
                of_poster.get(column),
                choices.online,
                marks.floors.get(column, math.nan),
                (setting, column.users, column.metric, judge) in marks.worse,
                choices.with_intervals,
            )
            for column in columns
        ]
        lines.append([*judge_titles(judge), *cells])
    lower = {place: column.metric in LOWER_IS_BETTER for place, column in enumerate(columns, 2)}
    return _best_bold(lines, judges, lower)


def _of_poster(setting: Setting, judge: Judge) -> dict[Column, float]:
    """The poster's line for a judge, by column."""
    values = poster.TABLE_2.get((judge.model, judge.prompt)) if setting.dataset == poster.TABLE_2_DATASET else None
    return dict(zip(poster.TABLE_2_COLUMNS, values, strict=True)) if values else {}


def _noise(runs: list[Recorded], columns: Iterable[Column]) -> tuple[dict[Column, float], dict[Column, float]]:
    """tau_b between draws of sampled users by column, and the lower end of its middle 95%; nothing for exact users."""
    noise, floors = {}, {}
    for column in columns:
        for run in runs:
            if run.users == column.users and f"noise/{column.metric}" in run.metrics:
                noise[column] = run.metrics[f"noise/{column.metric}"]
                floors[column] = run.metrics[f"noise_low/{column.metric}"]
    return noise, floors


def _notes(settings: list[Setting], rows: list[Row], lines: list[list[str]]) -> list[str]:
    """Under Tables 1 and 2: sizes, definitions, what the runs behind the rows did, and the marks of the lines."""
    cells = " ".join(cell for line in lines for cell in line[2:])
    judged = [row.run for row in rows if row.judge.model not in BOUNDS]
    notes = [size_note(settings), *measure_notes(row.run for row in rows), TAU_NOTE, *label_notes(judged)]
    resampled = [row.run for row in rows if row.ci_low == row.ci_low and row.judge.model != SHUFFLED]
    if "[" in cells and resampled:
        notes.append(interval_note(resampled))
    if "°" in cells:
        notes.append(f"° {UNSURE}")
    notes += mark_notes(rows, "†" in cells)
    if "‡" in cells:
        notes.append(failed_note(judged))
    if "≈" in cells:
        notes.append(f"≈ within the noise: agrees with the users as well as they do with themselves ({DRAWS})")
    if any(DRAWS in line for line in lines):
        notes.append(noise_note([row.run for row in rows]))
    if "–" in cells:
        notes.append("– undefined: one side ties all systems; the run's notes say which")
    if NOT_RUN in cells:
        notes.append(f"{NOT_RUN}: no finished run of this cell")
    if "(" in cells:
        queries = ", ".join(f"{n:,} queries of {dataset}" for dataset, n in poster.QUERIES.items())
        notes.append(
            f"in parentheses: the poster's value, and ours less the poster's, which had {queries}, and systems that "
            "are not published"
        )
    return notes + bound_notes({row.judge.model for row in rows}, [row.run for row in rows])


def _cell(
    row: Row | None,
    published: float | None,
    digits: int,
    floor: float = math.nan,
    worse: bool = False,
    with_interval: bool = False,
) -> Number:
    """tau_b, its marks, its interval, and in parentheses the poster's value and the difference to it."""
    value = row.tau_b if row is not None else math.nan
    text: str = NOT_RUN if row is None else number(value, digits)
    if row is not None and abs(row.tau_b) >= floor:
        text += "≈"
    if row is not None and unsure(row):
        text += "°"
    if worse:
        text += "†"
    if row is not None and row.judge.model not in BOUNDS and row.run.metrics.get("failed"):
        text += "‡"
    if row is not None and with_interval and row.ci_low == row.ci_low:
        text += f" {interval(row.ci_low, row.ci_high, digits)}"
    if published is not None:
        difference = f", {number(value - published, 3, '+')}" if value == value else ""
        text = f"{text} ({number(published, 3)}{difference})"
    return Number(text, value)
