"""Tables of judges compared by their tau_b: each with the best, or every two."""

import pandas as pd

from alignir.alignment.significance import ALPHA
from alignir.errors import one_of
from alignir.formatting import Number, full, interval, number, signed
from alignir.tables.choices import DIGITS
from alignir.tables.comparison import better, compared, groups, is_worse, to_best
from alignir.tables.names import judge_name, plain_name, setting_titles
from alignir.tables.notes import size_note
from alignir.tables.table import Definition, Table
from alignir.tracking.recordings import Recordings
from alignir.tracking.shapes import NOBODY, Judge

RECORDS = ["dataset", "users", "reference"]  # of both kinds of table, for programs
NUMBERS = ["difference", "ci_low", "ci_high", "p_value", "p_holm"]


def compare_tables(
    recordings: Recordings, references: tuple[str, ...] = (), matrix: bool = False, digits: int = DIGITS
) -> list[Table]:
    """A table for each setting and user model, those of the baseline labels first; `matrix`: for each reference, too.

    `references`: by which judges are compared only, as `baseline` or `clicks`; by all that were recorded, if none.

    Raises InputError for a reference that no two judges were recorded with.
    """
    found = (compared if matrix else to_best)(recordings, None, references or None)
    for name in references:
        if name not in found["reference"].values:
            known = {column.metric: None for group in groups(recordings, None) for column in group.references}
            raise one_of("--reference", name, list(known))
    sides, taus = (["left", "right"], ["tau_left", "tau_right"]) if matrix else (["judge", "best"], ["tau", "tau_best"])
    records = Table("Judges compared", [*RECORDS, *sides, *taus, *NUMBERS], [])
    shown = []
    for (setting, users), rows in found.groupby(["setting", "user_model"], sort=False):
        title = f"{setting_titles([setting])[0]}{f', users: {users.title}' if users != NOBODY else ''}"
        hows = [f"{how}; on the queries that both judges and the reference know" for how in rows["how"].unique()]
        notes = [size_note([setting]), *map(Definition, [rows["measure"].iloc[0], *hows])]
        if matrix:
            for reference, some in rows.groupby("title", sort=False):
                shown.append(_matrix(f"{title}, by {reference}", some, notes, digits, records))
        else:
            shown.append(_with_best(title, rows, notes, digits, records))
        name = setting_titles([setting])[0]
        for row in rows.to_dict("records"):
            judges = [plain_name(row[side]) for side in sides]
            numbers = [full(row[column]) for column in (*taus, *NUMBERS)]
            records.rows.append([name, users.title, row["reference"], *judges, *numbers])
    return shown


def _with_best(title: str, rows: pd.DataFrame, notes: list[str], digits: int, records: Table) -> Table:
    """The best judge of each reference, then the others, the nearest first."""
    lines = []
    for _, some in rows.groupby("reference", sort=False):
        title_of, best, tau = some[["title", "best", "tau_best"]].iloc[0]
        lines.append([title_of, judge_name(best), Number(number(tau, digits), tau, best=True), "", "", ""])
        nearest = some.assign(far=some["difference"].abs()).sort_values("far", kind="stable")
        lines += [
            [
                row.title,
                judge_name(row.judge),
                Number(f"{number(row.tau, digits)}{'†' if is_worse(row) else ''}", row.tau),
                signed(row.difference, digits),
                interval(row.ci_low, row.ci_high, digits),
                number(row.p_holm, 3),
            ]
            for row in nearest.itertuples()
        ]
    notes = [
        *notes,
        Definition("to the best: tau less that of the best judge of the reference, which is chosen by the same data"),
        f"† worse than the best: Holm's p ≤ {ALPHA} over the other judges of a reference; --matrix compares every two",
    ]
    columns = ["reference", "judge", "tau_b", "to the best", "95% interval", "Holm's p"]
    return Table(f"Judges beside the best by tau_b, {title}", columns, lines, notes, records)


def _matrix(title: str, rows: pd.DataFrame, notes: list[str], digits: int, records: Table) -> Table:
    """Every two judges, the best first: what the row's tau_b has more than the column's."""
    taus: dict[Judge, float] = {}
    apart: dict[tuple[Judge, Judge], Number] = {}
    for row in rows.itertuples():
        taus |= {row.left: row.tau_left, row.right: row.tau_right}
        mark = "*" if better(row) else ""
        for pair, difference in (((row.left, row.right), row.difference), ((row.right, row.left), -row.difference)):
            apart[pair] = Number(f"{signed(difference, digits)}{mark}", difference)
    order = sorted(taus, key=lambda judge: -taus[judge] if taus[judge] == taus[judge] else 2)
    lines = []
    for place, judge in enumerate(order, 1):
        others = [apart.get((judge, other), "") for other in order]
        lines.append([Number(str(place), place), judge_name(judge), number(taus[judge], digits), *others])
    notes = [
        *notes,
        Definition("the row's tau_b less the column's, by number"),
        f"* Holm's p ≤ {ALPHA} over all pairs of judges of a reference",
    ]
    columns = ["", "judge", "tau_b", *(str(place) for place, _ in enumerate(order, 1))]
    return Table(f"Every two judges by tau_b, {title}", columns, lines, notes, records)
