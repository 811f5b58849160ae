"""Forms of qrels and of judges' labels: who judged what, in TREC's four columns, in three, under a header, in JSON.

Where a file has no ids, a query or a passage is named by its text.
"""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from alignir.data import ratings
from alignir.data.lines import form, is_number, lines
from alignir.data.records import JSON_LINES, Record, json_lines, parquet, table
from alignir.data.spellings import Judgement, named, spelled
from alignir.errors import InputError

TREC = "query_id iteration doc_id relevance"
PLAIN = {4: TREC, 3: "query_id doc_id relevance"}
LINE = '{"query_id": ..., "doc_id": ..., "relevance": ...}'


def judgements(path: Path) -> Iterator[Judgement]:
    """The judgements of a file in any of the forms; its ending, or else its first line, says which it is."""
    ending = form(path)
    if ending == ".parquet":
        return named(path, parquet(path))
    if ending in JSON_LINES:
        return named(path, _objects(path))
    _, first = next(lines(path), (0, ""))
    separator = "\t" if "\t" in first else "," if ending == ".csv" or len(first.split()) == 1 else None
    fields = spelled(first.split(separator))
    if not fields.complete:
        return _columns(path, separator if separator == "," else None)
    if separator is None:
        return _spaced(path, first.split())
    return named(path, table(path, separator, alone=fields.by[0] == "query"))  # Quepid's query without any rating


def _objects(path: Path) -> Iterator[Record]:
    document = ratings.document(path) if form(path) == ".json" else None
    if document is not None:
        return ratings.records(path, document)
    return (Record(number, _flat(fields)) for number, fields in json_lines(path, LINE))


def _flat(fields: dict[str, Any]) -> dict[str, Any]:
    """With the fields of a query beside it, where it has several: `{"query": {"qid": ..., "text": ...}}`."""
    query = fields.get("query")
    return {**fields, **query, "query": query.get("text")} if isinstance(query, dict) else fields


def _columns(path: Path, separator: str | None) -> Iterator[Judgement]:
    """Without a header, as many columns as the first line has: one that ends in a separator may lack its value."""
    rows = lines(path)
    start = list(islice(rows, 100))
    whole = next((line for _, line in start if not line[-1].isspace()), "")
    n_columns = (
        len(whole.split(separator)) if whole else max((len(line.split(separator)) for _, line in start), default=0)
    )
    expected = PLAIN.get(n_columns, TREC)
    for number, line in chain(start, rows):
        fields = _cells(line, separator, n_columns)
        if len(fields) != n_columns or n_columns not in PLAIN:
            raise InputError(f"{path}:{number}: expected {expected!r}, found {line!r}")
        if n_columns == 3 and fields[-1] and not is_number(fields[-1]):
            raise InputError(f"{path}:{number}: expected {TREC!r}, found {line!r}; iteration may be left out")
        yield Judgement(number, fields[0], fields[-2], fields[-1])


def _cells(line: str, separator: str | None, n_columns: int) -> list[str]:
    """The cells of a line; the last is empty where a white separator is there and nothing behind it."""
    fields = [field.strip() for field in line.split(separator)]
    lacks = separator is None and len(fields) == n_columns - 1 and line[-1].isspace()
    return [*fields, ""] if lacks else fields


def _spaced(path: Path, names: list[str]) -> Iterator[Judgement]:
    """Under a header with spaces between the names."""
    rows = lines(path)
    next(rows)
    for number, line in rows:
        fields = _cells(line, None, len(names))
        if len(fields) != len(names):
            raise InputError(f"{path}:{number}: expected {' '.join(names)!r}, found {line!r}")
        yield from named(path, iter([Record(number, dict(zip(names, fields, strict=True)))]))
