"""Kinds: the tables of recorded runs, made by the names that people choose them by (`choices.KINDS`)."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache

from alignir.tables.best_judges import judge_tables
from alignir.tables.comparison import compared, worse
from alignir.tables.families import family_tables, shift_tables
from alignir.tables.judges import compare_tables, correlation_tables
from alignir.tables.labels import agreement_tables, label_tables
from alignir.tables.measures import measures_tables
from alignir.tables.missing import Grid
from alignir.tables.pairs import pairs_tables
from alignir.tables.paper import EVERYTHING, baseline_tables, online_tables
from alignir.tables.quality import quality_tables
from alignir.tables.questions import question_tables
from alignir.tables.rows import alignment_table
from alignir.tables.standing import system_tables
from alignir.tables.systems import judged_tables
from alignir.tables.table import Table
from alignir.tables.top import top_tables
from alignir.tracking.recordings import Recordings


def tables(
    recordings: Recordings,
    kinds: Iterable[str],
    expected: Grid = EVERYTHING,
    with_intervals: bool = False,
    top: Sequence[int] | None = None,
    by: str = "system",
) -> list[Table]:
    """The tables of these kinds, in this order, as `tables_by_kind` makes them."""
    by_kind = tables_by_kind(recordings, kinds, expected, with_intervals, top, by)
    return [table for some in by_kind.values() for table in some]


def tables_by_kind(
    recordings: Recordings,
    kinds: Iterable[str],
    expected: Grid = EVERYTHING,
    with_intervals: bool = False,
    top: Sequence[int] | None = None,
    by: str = "system",
) -> dict[str, list[Table]]:
    """`with_intervals`: in Table 2 too; `top`: among how many of the best systems, None as the runs have it; `by`:
    of what the tables of systems have a row.
    """
    kinds = list(kinds)
    users = None if {"baseline", "online"} <= set(kinds) else "online" in kinds
    marked = cache(lambda: worse(recordings, users))
    made: dict[str, Callable[[], list[Table]]] = {
        "baseline": lambda: [*baseline_tables(recordings, marked(), expected, top), *family_tables(recordings)],
        "online": lambda: online_tables(recordings, marked(), expected, with_intervals),
        "judges": lambda: judge_tables(recordings, top),
        "top": lambda: top_tables(recordings, top),
        "pairs": lambda: pairs_tables(recordings),
        "labels": lambda: label_tables(recordings),
        "systems": lambda: system_tables(recordings, by, top),
        "compare": lambda: compare_tables(compared(recordings, users=None)),
        "agreement": lambda: agreement_tables(recordings),
        "correlations": lambda: correlation_tables(recordings),
        "families": lambda: shift_tables(recordings),
        "judged": lambda: judged_tables(recordings),
        "alignment": lambda: [alignment_table(recordings)],
        "quality": lambda: quality_tables(recordings),
        "measures": lambda: measures_tables(recordings),
        "questions": lambda: question_tables(recordings),
    }
    return {kind: made[kind]() for kind in kinds}
