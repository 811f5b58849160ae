"""Columns of Table 1 on pairs without a label: how many, and what tau_b could be if these labels were anything."""

import math
from collections.abc import Iterable

from alignir.formatting import Number, interval, share_of
from alignir.tables.names import BOUNDS
from alignir.tables.table import Definition
from alignir.tracking.recordings import Row

MANY = 0.05  # a larger share of missing labels is marked
ENDS = ("tried_low", "tried_high", "bounds_low", "bounds_high")
TITLES = ("missing", "worst, best", "bounds")
NOTES = (
    f"missing: the share of the pairs that the judge gave no label; § more than {MANY:.0%}",
    Definition(
        "worst, best: tau_b with other grades in place of the missing labels, of those that were tried (all lowest, "
        "all highest, a system's results highest and the others lowest, ...); bounds: no grades give a tau_b outside"
    ),
)


def share(row: Row | None) -> float:
    """Of the judge's pairs that have no label, 0 to 1; NaN where no judge gave the labels."""
    if row is None or row.judge.model in BOUNDS:
        return math.nan
    return row.run.metrics.get("missing", math.nan)


def some(rows: Iterable[Row | None]) -> bool:
    """Whether a judge gave some pairs no label, so that the columns say something."""
    return any(share(row) > 0 for row in rows)


def cells(row: Row | None) -> list[str]:
    """What a row says under TITLES: nothing where no judge gave the labels."""
    missing = share(row)
    if row is None or missing != missing:
        return ["", "", ""]
    text = Number(f"{share_of(missing)}{'§' if missing > MANY else ''}", missing)
    if missing == 0:
        return [text, "", ""]
    ends = {end: row.run.metrics.get(f"unlabelled/{end}", math.nan) for end in ENDS}
    tried = interval(ends["tried_low"], ends["tried_high"], 2)
    return [text, tried, interval(ends["bounds_low"], ends["bounds_high"], 2)]
