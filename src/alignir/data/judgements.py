"""Judgements: labels that somebody else gave, with all that such files have in practice.

Baseline labels are read strictly, by `trec.read_qrels`; here a value that is no grade is a pair without a label, and is
counted as what it is. What forms a file may have, `qrel_forms` says.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from alignir.data import trec
from alignir.data.lines import existing
from alignir.data.qrel_forms import judgements
from alignir.data.records import at, place
from alignir.data.scales import AS_WRITTEN, FOUR, Meaning, Scale, scale_of
from alignir.data.spellings import BY_IDS
from alignir.errors import InputError
from alignir.frames import PAIR, QRELS

DUPLICATES = ("error", "first", "last", "mode", "max")
NO_LABEL = -1  # what many write for an answer that could not be read
RARE = 0.05  # of the values of a file: so few beside the baseline's grades are slips, more are another scale


class Given(NamedTuple):
    """What a file has for a pair."""

    value: float | None  # None: no label
    status: str = ""  # what became of the answer, where the file says it
    response: str = ""  # the answer, where the file keeps it
    finish_reason: str = ""


@dataclass(frozen=True)
class Judged:
    """The judgements of a file, by its names of query and passage."""

    pairs: dict[tuple[str, str], list[Given]]
    by: tuple[str, str] = BY_IDS  # the columns of a dataset's pairs in which these names stand: ids, or texts

    @property
    def values(self) -> Iterator[float]:
        """All that are no missing labels."""
        return (given.value for several in self.pairs.values() for given in several if given.value is not None)


def read_judgements(
    path: str | Path, duplicates: str = "error", meaning: Meaning = AS_WRITTEN, baseline: Scale = FOUR
) -> pd.DataFrame:
    """query_id, doc_id, relevance:Int64|<NA>, status, response, finish_reason from a file of labels, a row a pair."""
    found = read_values(path, duplicates, meaning)
    return graded(found, duplicates, meaning, scale_beside(found, meaning, baseline))


def read_values(path: str | Path, duplicates: str = "error", meaning: Meaning = AS_WRITTEN) -> Judged:
    """What a file has for each pair. `duplicates=error` refuses several values that differ."""
    path = existing(path, "file of labels")
    pairs: dict[tuple[str, str], list[Given]] = {}
    where: dict[tuple[str, str], int | str] = {}
    by = BY_IDS
    for each in judgements(path):
        number, pair, by = each.number, (each.query_id, each.doc_id), each.by
        value = _value(path, number, each.value, meaning)
        others = pairs.setdefault(pair, [])
        if duplicates == "error" and others and value != others[0].value:
            named = " ".join(name if len(name) <= 40 else f"{name[:40]}…" for name in pair)
            raise InputError(
                f"{at(path, number)}: the pair {named} has {_shown(value)} here and {_shown(others[0].value)} in "
                f"{place(where[pair])}: say which counts with model.duplicates={', '.join(DUPLICATES[1:])}"
            )
        where.setdefault(pair, number)
        others.append(Given(value, each.status, each.response, each.finish_reason))
    if not pairs:
        raise InputError(f"{path}: expected lines of labels, found none")
    return Judged(pairs, by)


def with_ids(judged: Judged, queries: pd.Series) -> Judged:
    """The same with ids in place of the queries' texts; a query of another text (by query_id) keeps its name."""
    if judged.by[0] == "query_id":
        return judged
    ids = trec.ids_by_text(queries)
    pairs: dict[tuple[str, str], list[Given]] = {}
    for (query, doc_id), several in judged.pairs.items():
        for query_id in ids.get(query, [query]):
            pairs.setdefault((query_id, doc_id), []).extend(several)
    return Judged(pairs, ("query_id", judged.by[1]))


def scale_beside(judged: Judged, meaning: Meaning, baseline: Scale) -> Scale:
    """The scale of a file's labels: what settings say, else what the values look like, beside the baseline's scale.

    Nothing but 0 and 1 is a scale of these two. Otherwise it is the baseline's, unless more than a few values lie
    outside of that: then 0 to the highest.

    >>> labels = {("q", str(number)): [Given(float(number % 2))] for number in range(10)}
    >>> scale_beside(Judged(labels), Meaning(), FOUR).text
    '0-1'
    >>> scale_beside(Judged(labels | {("q", "d"): [Given(3.0)]}), Meaning(), FOUR).text
    '0-3'
    """
    if meaning.scale is not None:
        return meaning.scale
    found = Counter(grade for value in judged.values if (grade := _of(meaning, value)) is not None)
    outside = sum(count for grade, count in found.items() if grade not in baseline.grades)
    if (not outside and max(found, default=0) > 1) or 0 < outside <= RARE * found.total():
        return baseline if meaning.relevant_from is None else scale_of(baseline.grades, meaning.relevant_from)
    return meaning.scale_for(found)


def graded(found: Judged, duplicates: str, meaning: Meaning, on: Scale) -> pd.DataFrame:
    """query_id, doc_id, relevance:Int64|<NA>, status, response, finish_reason, a row a pair.

    The status is what the file says of a pair without a label, else `ok` for a grade of the scale (2.0 is one too),
    `empty` for -1, nan or nothing after the last separator, and `out_of_scale` for any other number. `duplicates` says
    which of several values of a pair counts: first, last, mode (the lower of a tie) or max, both among its grades if it
    has any.
    """
    chosen = [
        _chosen([(given, _of(meaning, given.value, on)) for given in several], duplicates)
        for several in found.pairs.values()
    ]
    frame = pd.DataFrame(found.pairs.keys(), columns=PAIR)
    frame["relevance"] = pd.array([grade for _, grade in chosen], dtype="Int64")
    return frame[QRELS].assign(
        status=[_status(*each) for each in chosen],
        response=[given.response for given, _ in chosen],
        finish_reason=[given.finish_reason for given, _ in chosen],
    )


def _of(meaning: Meaning, value: float | None, on: Scale | None = None) -> int | None:
    """The grade of a value; None where it is none, or not on the scale."""
    grade = None if value is None else meaning.grade(value)
    return grade if on is None or grade in on.grades else None


def _value(path: Path, number: int | str, text: str, meaning: Meaning) -> float | None:
    """None where there is no label."""
    try:
        value = float(text or "nan")
    except ValueError:
        raise InputError(f"{at(path, number)}: expected a number as relevance, found {text!r}") from None
    if value != value or (value == NO_LABEL and NO_LABEL not in meaning.grades):
        return None
    return value


def _chosen(several: list[tuple[Given, int | None]], duplicates: str) -> tuple[Given, int | None]:
    """What is given that counts, with its grade."""
    if duplicates == "last":
        return several[-1]
    grades = sorted((each for each in several if each[1] is not None), key=lambda each: each[1] or 0)
    if duplicates == "mode" and grades:
        counts = Counter(grade for _, grade in grades)
        return max(grades, key=lambda each: counts[each[1]])  # the first of a tie, which is the lowest
    if duplicates == "max" and grades:
        return grades[-1]
    return several[0]


def _status(given: Given, grade: int | None) -> str:
    if given.value is None:
        return given.status if given.status not in ("", "ok") else "empty"
    return "ok" if grade is not None else "out_of_scale"


def _shown(value: float | None) -> str:
    return "no label" if value is None else f"{value:g}"
