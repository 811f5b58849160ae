"""Kinds: the tables of recorded runs, made by the names that people choose them by (`choices.KINDS`)."""

from collections.abc import Callable, Iterable
from functools import cache

from alignir.tables.best_judges import judge_tables
from alignir.tables.choices import AS_RECORDED, Choices
from alignir.tables.compare import compare_tables
from alignir.tables.comparison import worse
from alignir.tables.correlations import correlation_tables
from alignir.tables.families import family_tables, shift_tables
from alignir.tables.labels import agreement_tables, label_tables
from alignir.tables.measures import measures_tables
from alignir.tables.pairs import pairs_tables
from alignir.tables.paper import baseline_tables, online_tables
from alignir.tables.quality import quality_tables
from alignir.tables.questions import question_tables
from alignir.tables.rows import alignment_table
from alignir.tables.standing import system_tables
from alignir.tables.systems import judged_tables
from alignir.tables.table import Table
from alignir.tables.top import top_tables
from alignir.tracking.recordings import Recordings


def tables(recordings: Recordings, kinds: Iterable[str], choices: Choices = AS_RECORDED) -> list[Table]:
    """The tables of these kinds, in this order, as `tables_by_kind` makes them."""
    return [table for some in tables_by_kind(recordings, kinds, choices).values() for table in some]


def tables_by_kind(
    recordings: Recordings, kinds: Iterable[str], choices: Choices = AS_RECORDED
) -> dict[str, list[Table]]:
    """The tables of each of these kinds, which may be none."""
    kinds, top = list(kinds), choices.top
    users = None if {"baseline", "online"} <= set(kinds) else "online" in kinds
    marked = cache(lambda: worse(recordings, users))
    made: dict[str, Callable[[], list[Table]]] = {
        "baseline": lambda: [*baseline_tables(recordings, marked(), choices), *family_tables(recordings)],
        "online": lambda: online_tables(recordings, marked(), choices),
        "judges": lambda: judge_tables(recordings, top, choices.beside),
        "top": lambda: top_tables(recordings, top, choices.beside),
        "pairs": lambda: pairs_tables(recordings),
        "labels": lambda: label_tables(recordings),
        "systems": lambda: system_tables(recordings, choices.by, top),
        "compare": lambda: compare_tables(recordings, choices.references, choices.matrix, choices.beside),
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
