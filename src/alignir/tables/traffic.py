"""Table of traffic: how many sessions order systems as endless traffic does."""

from collections.abc import Mapping

import pandas as pd

from alignir.formatting import Number, count, with_interval
from alignir.tables.table import Table
from alignir.users.metrics import NO_HEADS, metric_name


def table(curves: pd.DataFrame, title: str, enough: float, heads: Mapping[str, str] = NO_HEADS) -> Table:
    """A row a traffic size, a column a metric, of NOISE with `sessions`."""
    rows: list[list[str]] = []
    for size, rows_of_size in curves.groupby("sessions"):
        cells = [with_interval(row.tau_b, row.ci_low, row.ci_high, 2) for row in rows_of_size.itertuples()]
        rows.append([f"{size:,}", *cells])
    metrics = list(curves["metric"].unique())
    needed = []
    for metric in metrics:
        reached = curves[(curves["metric"] == metric) & (curves["tau_b"] >= enough)]["sessions"]
        needed.append(count(reached.min()) if len(reached) else Number("more", float("nan")))
    rows.append([f"tau_b ≥ {enough:g}", *needed])
    notes = [f"mean tau_b of {curves['draws'].max()} draws with endless traffic, and where 95% of them lie"]
    columns = ["sessions a system and query", *(metric_name(metric, heads) for metric in metrics)]
    return Table(f"Traffic: {title}", columns, rows, notes)
