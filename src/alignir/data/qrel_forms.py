"""Forms of qrels: who judged what, in TREC's four columns, in three, under a header, as JSON lines or in parquet."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from alignir.data.lines import form, lines
from alignir.data.records import JSON_LINES, Record, at, json_lines, parquet, table
from alignir.errors import InputError

# The spellings of the three fields, in small letters and with _ for -.
QUERY_IDS = ("query_id", "qid", "topic_id", "topic")
DOC_IDS = ("doc_id", "docid", "docno", "corpus_id", "document_id", "passage_id", "pid")
VALUES = ("relevance", "score", "label", "rel", "grade", "judgment", "judgement")
TREC = "query_id iteration doc_id relevance"
PLAIN = {4: TREC, 3: "query_id doc_id relevance"}


class Judgement(NamedTuple):
    """A line of a file of qrels, as it is written there."""

    number: int  # of its line, or of its row in parquet
    query_id: str
    doc_id: str
    value: str


def judgements(path: Path) -> Iterator[Judgement]:
    """The judgements of a file in any of the forms; its ending, or else its first line, says which it is."""
    ending = form(path)
    if ending == ".parquet":
        return _named(path, parquet(path))
    if ending in JSON_LINES:
        return _named(path, json_lines(path, '{"query_id": ..., "doc_id": ..., "relevance": ...}'))
    _, first = next(lines(path), (0, ""))
    separator = "\t" if "\t" in first else "," if ending == ".csv" or len(first.split()) == 1 else None
    if len(_spelled(first.split(separator))) == 3:
        return _named(path, table(path, separator)) if separator else _spaced(path, first.split())
    return _columns(path, first, separator if separator == "," else None)


def _columns(path: Path, first: str, separator: str | None) -> Iterator[Judgement]:
    """Without a header: as many columns as the first line has."""
    n_columns = len(first.split(separator))
    expected = PLAIN.get(n_columns, TREC)
    for number, line in lines(path):
        fields = [field.strip() for field in line.split(separator)]
        if len(fields) != n_columns or n_columns not in PLAIN:
            raise InputError(f"{path}:{number}: expected {expected!r}, found {line!r}")
        if n_columns == 3 and not _is_number(fields[-1]):
            raise InputError(f"{path}:{number}: expected {TREC!r}, or the same without iteration, found {line!r}")
        yield Judgement(number, fields[0], *fields[-2:])


def _spaced(path: Path, names: list[str]) -> Iterator[Judgement]:
    """Under a header with spaces between the names."""
    rows = lines(path)
    next(rows)
    for number, line in rows:
        fields = line.split()
        if len(fields) != len(names):
            raise InputError(f"{path}:{number}: expected {' '.join(names)!r}, found {line!r}")
        yield from _named(path, iter([Record(number, dict(zip(names, fields, strict=True)))]))


def _named(path: Path, records: Iterator[Record]) -> Iterator[Judgement]:
    """From records whose fields are named in any of the spellings."""
    spelled: list[str] = []
    for number, fields in records:
        if not set(spelled) <= set(fields) or not spelled:
            spelled = _spelled(fields)
        if len(spelled) < 3:
            expected = "a query_id, a doc_id and a relevance (or qid, docno, label, score, ...)"
            raise InputError(f"{at(path, number)}: expected {expected}, found {', '.join(map(str, fields))}")
        query_id, doc_id, value = (fields[name] for name in spelled)
        if query_id is None or doc_id is None or value is None or value != value:
            raise InputError(f"{at(path, number)}: expected {', '.join(spelled)}, found {fields}")
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # parquet has 2.0 where a column has gaps, or came from pandas
        yield Judgement(number, str(query_id).strip(), str(doc_id).strip(), str(value).strip())


def _spelled(names) -> list[str]:
    """Which of these names are the query's id, the document's and the value; fewer where not all are there."""
    plain = {str(name).strip().lower().replace("-", "_"): name for name in reversed(list(names))}
    found = (next((each for each in spellings if each in plain), "") for spellings in (QUERY_IDS, DOC_IDS, VALUES))
    return [plain[name] for name in found if name]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
