"""Judgements: labels that somebody else gave, in the form of TREC qrels, with all that such files have in practice.

Baseline labels are read strictly, by `trec.read_qrels`; here a value that is no grade is a pair without a label, and is
counted as what it is.
"""

from collections import Counter
from pathlib import Path

import pandas as pd

from alignir.data import trec
from alignir.data.scales import AS_WRITTEN, FOUR, Meaning, Scale, scale_of
from alignir.errors import InputError
from alignir.frames import PAIR, QRELS

DUPLICATES = ("error", "first", "last", "mode", "max")
NO_LABEL = -1  # what many write for an answer that could not be read
RARE = 0.05  # of the values of a file: so few beside the baseline's grades are slips, more are another scale

Values = dict[tuple[str, str], list[float | None]]  # of each pair, as they stand in a file; None: no label


def read_judgements(
    path: str | Path, duplicates: str = "error", meaning: Meaning = AS_WRITTEN, baseline: Scale = FOUR
) -> pd.DataFrame:
    """query_id, doc_id, relevance:Int64|<NA>, status from `query_id iteration doc_id relevance` lines, a row a pair."""
    values = read_values(path, duplicates, meaning)
    return graded(values, duplicates, meaning, scale_beside(values, meaning, baseline))


def read_values(path: str | Path, duplicates: str = "error", meaning: Meaning = AS_WRITTEN) -> Values:
    """The values of each pair. `duplicates=error` refuses several that differ."""
    path = trec.existing(path, "file of labels")
    values: Values = {}
    where: dict[tuple[str, str], int] = {}
    for number, line in trec.lines(path):
        query_id, doc_id, value = _judgement(path, number, line)
        if value == NO_LABEL and NO_LABEL not in meaning.grades:
            value = None
        pair = query_id, doc_id
        others = values.setdefault(pair, [])
        if duplicates == "error" and others and value != others[0]:
            raise InputError(
                f"{path}:{number}: the pair {query_id} {doc_id} has {_shown(value)} here and {_shown(others[0])} in "
                f"line {where[pair]}: say which counts with model.duplicates={', '.join(DUPLICATES[1:])}"
            )
        where.setdefault(pair, number)
        others.append(value)
    if not values:
        raise InputError(f"{path}: expected lines of labels, found none")
    return values


def scale_beside(values: Values, meaning: Meaning, baseline: Scale) -> Scale:
    """The scale of a file's labels: what settings say, else what the values look like, beside the baseline's scale.

    Nothing but 0 and 1 is a scale of these two. Otherwise it is the baseline's, unless more than a few values lie
    outside of that: then 0 to the highest.

    >>> labels = {("q", str(number)): [float(number % 2)] for number in range(10)}
    >>> scale_beside(labels, Meaning(), FOUR).text, scale_beside(labels | {("q", "d"): [3.0]}, Meaning(), FOUR).text
    ('0-1', '0-3')
    """
    if meaning.scale is not None:
        return meaning.scale
    found = Counter(
        grade for several in values.values() for value in several if (grade := _of(meaning, value)) is not None
    )
    outside = sum(count for grade, count in found.items() if grade not in baseline.grades)
    if (not outside and max(found, default=0) > 1) or 0 < outside <= RARE * found.total():
        return baseline if meaning.relevant_from is None else scale_of(baseline.grades, meaning.relevant_from)
    return meaning.scale_for(found)


def graded(values: Values, duplicates: str, meaning: Meaning, on: Scale) -> pd.DataFrame:
    """query_id, doc_id, relevance:Int64|<NA>, status, a row a pair.

    The status is `ok` for a grade of the scale (2.0 is one too), `empty` for -1, nan or nothing after the last
    separator, and `out_of_scale` for any other number. `duplicates` says which of several values of a pair counts:
    first, last, mode (the lower of a tie) or max, both among its grades if it has any.
    """
    chosen = [
        _chosen([(value, _of(meaning, value, on)) for value in several], duplicates) for several in values.values()
    ]
    found = pd.DataFrame(values.keys(), columns=PAIR)
    found["relevance"] = pd.array([grade for _, grade in chosen], dtype="Int64")
    return found[QRELS].assign(status=[_status(*each) for each in chosen])


def _of(meaning: Meaning, value: float | None, on: Scale | None = None) -> int | None:
    """The grade of a value; None where it is none, or not on the scale."""
    grade = None if value is None else meaning.grade(value)
    return grade if on is None or grade in on.grades else None


def _judgement(path: Path, number: int, line: str) -> tuple[str, str, float | None]:
    """(query_id, doc_id, value) of a line; the value is None where it has none."""
    fields = line.split()
    if len(fields) == 3 and line[-1].isspace():  # the separator is there, and nothing after it
        return fields[0], fields[2], None
    if len(fields) != 4:
        raise InputError(f"{path}:{number}: expected 'query_id iteration doc_id relevance', found {line!r}")
    query_id, _, doc_id, text = fields
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{path}:{number}: expected a number as relevance, found {text!r}") from None
    return query_id, doc_id, None if value != value else value


def _chosen(several: list[tuple[float | None, int | None]], duplicates: str) -> tuple[float | None, int | None]:
    """The (value, grade) that counts."""
    if duplicates == "last":
        return several[-1]
    grades = sorted((each for each in several if each[1] is not None), key=lambda each: each[1] or 0)
    if duplicates == "mode" and grades:
        counts = Counter(grade for _, grade in grades)
        return max(grades, key=lambda each: counts[each[1]])  # the first of a tie, which is the lowest
    if duplicates == "max" and grades:
        return grades[-1]
    return several[0]


def _status(value: float | None, grade: int | None) -> str:
    if value is None:
        return "empty"
    return "ok" if grade is not None else "out_of_scale"


def _shown(value: float | None) -> str:
    return "no label" if value is None else f"{value:g}"
