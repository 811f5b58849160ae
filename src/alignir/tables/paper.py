"""Summary: what recorded runs say together, as the poster's two tables and those that explain them."""

import math

from alignir.alignment.significance import ALPHA
from alignir.evaluation.measures import NDCG
from alignir.formatting import interval, number
from alignir.frames import BASELINE
from alignir.tables import missing, poster
from alignir.tables.comparison import mark_notes
from alignir.tables.missing import Grid
from alignir.tables.names import (
    BOUNDS,
    DATASETS,
    by_dataset,
    fitting_a_page,
    in_order,
    judge_titles,
    online_order,
    online_title,
    setting_titles,
)
from alignir.tables.notes import (
    NDCG_NOTE,
    TAU_NOTE,
    bound_notes,
    interval_note,
    label_notes,
    metric_notes,
    noise_note,
    size_note,
    user_notes,
)
from alignir.tables.rows import Row, alignment_rows
from alignir.tables.table import Table
from alignir.tracking.runs import Recorded, told_apart

DRAWS = "two draws of the users"
NOT_RUN = "not run"
EVERYTHING = Grid()


def baseline_table(recorded: list[Recorded], marked: set[tuple], expected: Grid = EVERYTHING) -> Table:
    """Table 1: do a judge's labels put the systems in the order of the baseline labels? `marked`: comparison.worse."""
    rows = [row for row in alignment_rows(recorded) if row.offline == NDCG and row.reference == BASELINE]
    settings = sorted({row.setting for row in rows}, key=by_dataset)
    values = {(row.judge, row.setting): row for row in rows}
    judges = {row.judge for row in rows} | missing.judges_without_runs(expected, recorded)
    lines = []
    for judge in in_order(judges, ("basic", "zeshot")):
        of_poster = poster.TABLE_1.get(judge, {})
        cells = [
            _cell(
                values.get((judge, setting)),
                of_poster.get(setting[0]),
                worse=(setting, "", BASELINE, judge) in marked,
                with_interval=True,
            )
            for setting in settings
        ]
        lines.append([*judge_titles(judge), *cells])
    notes = [*_notes(settings, list(values.values()), lines), *missing.notes(expected, recorded, missing.GROUPS[:3])]
    title = "Table 1. Alignment of nDCG@10 against baseline labels (Kendall's tau_b)"
    return Table(title, ["model", "prompt", *setting_titles(settings)], lines, notes)


def online_tables(
    recorded: list[Recorded], marked: set[tuple], expected: Grid = EVERYTHING, with_intervals: bool = False
) -> list[Table]:
    """Table 2, for each setting: do the judges' labels put the systems in the order of the online metrics?"""
    rows = [row for row in alignment_rows(recorded) if row.offline == NDCG and row.reference != BASELINE]
    apart = told_apart(recorded)
    lacking = missing.judges_without_runs(expected, recorded)
    tables = []
    for setting in sorted({row.setting for row in rows}, key=by_dataset):
        here = [row for row in rows if row.setting == setting]
        groups = fitting_a_page(sorted({(row.names["user_model"], row.reference) for row in here}, key=online_order))
        for columns in groups:
            used = sorted({user_model for user_model, _ in columns})
            runs = [run for run in apart if run.setting == setting and run.names["user_model"] in used]
            noise, floors = _noise(runs, columns)
            lines = _online_lines(here, columns, lacking, floors, marked, with_intervals)
            if noise:
                lines.append([DRAWS, "", *(number(noise.get(column, math.nan), 4) for column in columns)])
            title = (
                f"Table 2. Alignment of nDCG@10 with online metrics (Kendall's tau_b), {setting_titles([setting])[0]}"
            )
            title += f", users: {', '.join(used)}" if len(groups) > 1 else ""
            notes = _notes([setting], [row for row in here if row.names["user_model"] in used], lines)
            notes += [*metric_notes(columns), *user_notes(runs)]
            alone = len(groups) > 1 and len(used) == 1  # the table's title names them
            titles = [online_title(column, alone) for column in columns]
            tables.append(Table(title, ["model", "prompt", *titles], lines, notes))
    if tables:
        tables[-1].notes.extend(missing.notes(expected, recorded))
    return tables


def _online_lines(
    rows: list[Row],
    columns: list[tuple[str, str]],
    lacking: set[tuple[str, str]],
    floors: dict,
    marked: set[tuple],
    with_intervals: bool,
) -> list[list[str]]:
    """A line a judge, then the BOUNDS."""
    values = {(row.judge, row.names["user_model"], row.reference): row for row in rows}
    setting, lines = rows[0].setting, []
    for judge in in_order({row.judge for row in rows} | lacking, ("zeshot", "basic")):
        of_poster = {}
        if setting[0] == poster.TABLE_2_DATASET and judge in poster.TABLE_2:
            of_poster = dict(zip(poster.TABLE_2_COLUMNS, poster.TABLE_2[judge], strict=True))
        cells = [
            _cell(
                values.get((judge, *column)),
                of_poster.get(column),
                floors.get(column, math.nan),
                (setting, *column, judge) in marked,
                with_intervals,
            )
            for column in columns
        ]
        lines.append([*judge_titles(judge), *cells])
    return lines


def _noise(apart: list[Recorded], columns: list[tuple[str, str]]) -> tuple[dict, dict]:
    """tau_b between draws of sampled users by column, and the lower end of its middle 95%; nothing for exact users."""
    noise, floors = {}, {}
    for user_model, metric in columns:
        for run in apart:
            if run.names["user_model"] == user_model and f"noise/{metric}" in run.metrics:
                noise[user_model, metric] = run.metrics[f"noise/{metric}"]
                floors[user_model, metric] = run.metrics[f"noise_low/{metric}"]
    return noise, floors


def _notes(settings: list[tuple], rows: list[Row], lines: list[list[str]]) -> list[str]:
    """Under Tables 1 and 2: sizes, definitions, what the runs behind the rows did, and the marks of the lines."""
    cells = " ".join(cell for line in lines for cell in line[2:])
    judged = [row.run for row in rows if row.judge[0] not in BOUNDS]
    notes = [size_note(settings), NDCG_NOTE, TAU_NOTE, *label_notes(judged)]
    if "[" in cells:
        notes.append(interval_note([row.run for row in rows if row.ci_low == row.ci_low]))
    if "°" in cells:
        notes.append(f"° cannot be told from 0: p > {ALPHA}, or 0 is in the 95% interval")
    notes += mark_notes(rows, "†" in cells)
    if "≈" in cells:
        notes.append(f"≈ within the noise: agrees with the users as well as they do with themselves ({DRAWS})")
    if any(line[0] == DRAWS for line in lines):
        notes.append(noise_note([row.run for row in rows]))
    if "–" in cells:
        notes.append("– undefined: one side ties all systems; the run's notes say which")
    if NOT_RUN in cells:
        notes.append(f"{NOT_RUN}: no finished run of this cell")
    if "(" in cells:
        queries = ", ".join(f"{n:,} queries of {DATASETS[dataset]}" for dataset, n in poster.QUERIES.items())
        notes.append(
            f"in parentheses: the poster's value, and ours less the poster's, which had {queries}, and systems that "
            "are not published"
        )
    return notes + bound_notes({row.judge[0] for row in rows}, [row.run for row in rows])


def _cell(
    row: Row | None,
    published: float | None,
    floor: float = math.nan,
    worse: bool = False,
    with_interval: bool = False,
) -> str:
    """tau_b, its marks, its interval, and in parentheses the poster's value and the difference to it."""
    text = NOT_RUN if row is None else number(row.tau_b, 4)
    if row is not None and abs(row.tau_b) >= floor:
        text += "≈"
    if row is not None and (row.p_value > ALPHA or row.ci_low <= 0 <= row.ci_high):
        text += "°"
    if worse:
        text += "†"
    if row is not None and with_interval and row.ci_low == row.ci_low:
        text += f" {interval(row.ci_low, row.ci_high, 2)}"
    if published is None:
        return text
    difference = f", {row.tau_b - published:+.3f}" if row is not None and row.tau_b == row.tau_b else ""
    return f"{text} ({published:.3f}{difference})"
