"""Tables of quality: which online metrics, measures and judges follow systems of known order?"""

import json

import pandas as pd

from alignir.alignment.bootstrap import Resampling
from alignir.alignment.tau import against_users
from alignir.evaluation.names import title as measure_title
from alignir.evaluation.scores import means
from alignir.formatting import Numbers, full, with_interval
from alignir.frames import ALL, BASELINE
from alignir.retrieval.degraded import names_of
from alignir.tables.names import (
    BOUNDS,
    heads_of,
    in_order,
    judge_name,
    online_order,
    plain_name,
    plain_settings,
    setting_titles,
)
from alignir.tables.notes import interval_note, measure_notes, metric_notes, size_note, user_notes
from alignir.tables.table import Table
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import Column, Setting
from alignir.users.metrics import metric_title

KNOWN = "known order"
COLUMNS = ["what", "by", "tau_b", "best → worst"]
RECORDS = ["what", "by", "tau_b", "ci_low", "ci_high", "best", "half", "worst"]


def quality_tables(recordings: Recordings) -> list[Table]:
    """tau_b of every online metric, and of every measure by whose labels, with the order that the systems were made in.

    A table for each setting with `systems=degraded`; one that says how to get there where nobody recorded any.
    """
    runs: dict[Setting, list[Recorded]] = {}
    for run in recordings:
        if shares_of(run):
            runs.setdefault(run.setting, []).append(run)
    title = "Which metrics follow quality? (Kendall's tau_b with the known order)"
    if not runs:
        return [Table(title, COLUMNS, [], ["no recorded run has systems of known order: alignir systems=degraded ..."])]
    settings = sorted(runs)
    columns, plain = plain_settings(settings)
    records = Table(title, [*columns, *RECORDS], [])
    names = zip(settings, setting_titles(settings), plain, strict=True)
    return [_table(f"{title}, {shown}", name, setting, runs[setting], records) for setting, shown, name in names]


def shares_of(run: Recorded) -> list[float]:
    """The shares of worse results that the run's systems were made with, the best first; of other systems nothing."""
    return json.loads(run.params.get("systems.shares", "[]"))


def following(run: Recorded) -> pd.DataFrame:
    """tau_b of each of the run's online metrics (`offline`) with the order that its systems were made in."""
    return against_users(run.frame("online.parquet"), _known(run), Resampling.recorded(run.params))


def _known(run: Recorded) -> pd.DataFrame:
    """ONLINE that orders the run's systems as they were made."""
    shares = names_of(shares_of(run))
    values = [-share for share in shares.values()]
    return pd.DataFrame({"system": list(shares), "query_id": ALL, "metric": KNOWN, "value": values})


def _table(title: str, name: list[str], setting: Setting, runs: list[Recorded], records: Table) -> Table:
    """The table of a setting; its lines are added to the records, too."""
    newest = runs[-1]
    shares, known = names_of(shares_of(newest)), _known(newest)
    resampling, lines = Resampling.recorded(newest.params), []

    def add(values: pd.DataFrame, column: str, what, by: str, plain: str) -> None:
        """A line for each metric or measure of the values; `what` is how it is called."""
        found, systems = against_users(values, known, resampling), means(values, column).reindex(list(shares))
        for row in found.itertuples():
            along = systems[row.offline].iloc[[0, len(shares) // 2, -1]]
            best, _, worst = along
            ends = Numbers(f"{best:.3g}→{worst:.3g}", best=best, worst=worst)
            lines.append([what(row.offline), by, with_interval(row.tau_b, row.ci_low, row.ci_high, 2), ends])
            plainly = row.tau_b, row.ci_low, row.ci_high, *along
            records.rows.append([*name, measure_title(row.offline), plain, *map(full, plainly)])

    users = {run.users: run for run in runs}
    columns: list[Column] = []
    for whose, run in users.items():
        online = run.frame("online.parquet")
        found = sorted((Column(whose, metric) for metric in online["metric"].unique()), key=online_order)
        order = [column.metric for column in found]
        online = online.set_index("metric").loc[order].reset_index() if order else online
        heads = heads_of(run)
        add(online, "metric", lambda metric, heads=heads: metric_title(metric, heads), whose.title, whose.title)
        columns += found
    judges = {run.judge: run for run in runs}
    scores = {judge: run.frame("scores.parquet") for judge, run in judges.items()}
    people = scores[newest.judge]
    add(people[people["labels"] == BASELINE], "measure", measure_title, BOUNDS[BASELINE], BASELINE)
    for judge in in_order(judges):
        found = scores[judge]
        plain = plain_name(judge)
        add(found[found["labels"] == "model"], "measure", measure_title, judge_name(judge), plain)
    notes = [
        size_note([setting]),
        *measure_notes(runs),
        "tau_b: with the order that the systems were made in, the best first; 1 follows quality, or -1 (↓)",
        f"best → worst: the values of {next(iter(shares))} and {list(shares)[-1]}",
        interval_note(runs),
        *metric_notes(columns, {column: users[column.users] for column in columns}),
        *user_notes(list(users.values())),
    ]
    return Table(title, COLUMNS, lines, notes, records)
