"""Judgements: labels that somebody else gave, in the form of TREC qrels, with all that such files have in practice.

Baseline labels are read strictly, by `trec.read_qrels`; here a value that is no grade is a pair without a label, and is
counted as what it is.
"""

from pathlib import Path

import pandas as pd

from alignir.data import trec
from alignir.errors import InputError
from alignir.frames import GRADES, PAIR, QRELS

DUPLICATES = ("error", "first", "last", "mode", "max")
NO_LABEL = -1  # what many write for an answer that could not be read


def read_judgements(path: str | Path, duplicates: str = "error") -> pd.DataFrame:
    """query_id, doc_id, relevance:Int64|<NA>, status from `query_id iteration doc_id relevance` lines, a row a pair.

    The status is `ok` for a grade (2.0 is one too), `empty` for -1, nan or nothing after the last separator, and
    `out_of_scale` for any other number. `duplicates` says which of several values of a pair counts: first, last, mode
    (the lower of a tie) or max, both among its grades if it has any; error refuses values that differ.
    """
    path = trec.existing(path, "file of labels")
    values: dict[tuple[str, str], list[float | None]] = {}
    where: dict[tuple[str, str], int] = {}
    for number, line in trec.lines(path):
        query_id, doc_id, value = _judgement(path, number, line)
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
    chosen = [_chosen(several, duplicates) for several in values.values()]
    found = pd.DataFrame(values.keys(), columns=PAIR)
    found["relevance"] = pd.array([int(value) if value in GRADES else None for value in chosen], dtype="Int64")
    return found[QRELS].assign(status=[_status(value) for value in chosen])


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
    return query_id, doc_id, None if value == NO_LABEL or value != value else value


def _chosen(values: list[float | None], duplicates: str) -> float | None:
    if duplicates == "last":
        return values[-1]
    grades = sorted(value for value in values if value in GRADES and value is not None)
    if duplicates == "mode" and grades:
        return max(grades, key=grades.count)  # the first of a tie, which is the lowest
    if duplicates == "max" and grades:
        return grades[-1]
    return values[0]


def _status(value: float | None) -> str:
    if value is None:
        return "empty"
    return "ok" if value in GRADES else "out_of_scale"


def _shown(value: float | None) -> str:
    return "no label" if value is None else f"{value:g}"
