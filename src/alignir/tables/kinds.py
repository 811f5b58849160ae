"""Kinds: the tables of recorded runs, made by the names that people choose them by (`choices.KINDS`)."""

from collections.abc import Iterable
from functools import cache

from alignir.tables.comparison import compared, worse
from alignir.tables.judges import compare_tables, correlation_tables, family_tables, judged_tables, measures_tables
from alignir.tables.labels import agreement_tables, label_tables
from alignir.tables.missing import Grid
from alignir.tables.paper import EVERYTHING, baseline_table, online_tables
from alignir.tables.rows import alignment_table
from alignir.tables.table import Table
from alignir.tracking.runs import Recorded


def tables(
    recorded: list[Recorded], kinds: Iterable[str], expected: Grid = EVERYTHING, with_intervals: bool = False
) -> list[Table]:
    """The tables of these kinds, in this order; `with_intervals`: in Table 2 too."""
    return [table for some in tables_by_kind(recorded, kinds, expected, with_intervals).values() for table in some]


def tables_by_kind(
    recorded: list[Recorded], kinds: Iterable[str], expected: Grid = EVERYTHING, with_intervals: bool = False
) -> dict[str, list[Table]]:
    pairs = cache(lambda users: compared(recorded, users))
    made = {
        "baseline": lambda: [baseline_table(recorded, worse(pairs(False)), expected), *family_tables(recorded)],
        "online": lambda: online_tables(recorded, worse(pairs(True)), expected, with_intervals),
        "labels": lambda: label_tables(recorded),
        "compare": lambda: [*compare_tables(pairs(False)), *compare_tables(pairs(True))],
        "agreement": lambda: agreement_tables(recorded),
        "correlations": lambda: correlation_tables(recorded),
        "judged": lambda: judged_tables(recorded),
        "alignment": lambda: [alignment_table(recorded)],
        "measures": lambda: measures_tables(recorded),
    }
    return {kind: made[kind]() for kind in kinds}
