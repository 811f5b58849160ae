"""Table of systems: how much of what each system returns has a label."""

import pandas as pd

from alignir.formatting import Number, share_of
from alignir.frames import BASELINE
from alignir.tables.names import BOUNDS, in_order, judge_name, setting_titles
from alignir.tables.notes import condensed, size_note
from alignir.tables.table import Table
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import Judge, Setting


def judged_tables(recordings: Recordings) -> list[Table]:
    """How much of each system's top 10 has a baseline label, and a label of each judge; a table for each setting."""
    by_setting = recordings.by_setting()
    return [_table(setting, by_setting[setting]) for setting in sorted(by_setting)]


def _table(setting: Setting, runs: dict[Judge, Recorded]) -> Table:
    judges = in_order(runs)
    found = [runs[judge].frame("judged.csv").set_index("system") for judge in judges]
    shares = pd.DataFrame(dict(enumerate([found[-1][BASELINE], *(each["model"] for each in found)])))
    shares = shares.iloc[shares.min(axis=1).argsort(kind="stable")]
    lines = [
        [Number(str(place), place), system, *map(share_of, shares.loc[system])]
        for place, system in enumerate(shares.index, 1)
    ]
    left_out = condensed(next(iter(runs.values())))
    unjudged = "is left out of the ranking (condensed)" if left_out else "counts as not relevant"
    notes = [size_note([setting]), f"a result without a label {unjudged}; the lowest first"]
    columns = ["", "system", BOUNDS[BASELINE], *map(judge_name, judges)]
    alike = [
        name for name, share in zip(columns[3:], shares.columns[1:], strict=True) if shares[share].equals(shares[0])
    ]
    kept = [place for place, name in enumerate(columns) if name not in alike]
    if alike:
        notes.append(f"as many as of the {BOUNDS[BASELINE]}: {', '.join(alike)}")
    title = f"Results in the top 10 that have a label, {setting_titles([setting])[0]}"
    shown = [[line[place] for place in kept] for line in lines]
    return Table(title, [columns[place] for place in kept], shown, notes, Table(title, columns, lines))
