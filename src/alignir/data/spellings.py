"""Spellings: what files call the fields of a judgement, which names a query and a passage by its id or its text."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from alignir.data.records import Record, at
from alignir.errors import InputError
from alignir.frames import STATUSES

# The spellings of the fields, in small letters and with _ for -.
QUERY_IDS = ("query_id", "qid", "topic_id", "topic")
DOC_IDS = ("doc_id", "docid", "docno", "corpus_id", "document_id", "passage_id", "pid", "_id")
VALUES = ("relevance", "score", "label", "rel", "grade", "rating", "judgment", "judgement")
QUERIES = ("query", "query_text")
PASSAGES = ("passage", "segment")
ANSWERS = ("response", "prediction")

BY_IDS = ("query_id", "doc_id")


class Judgement(NamedTuple):
    """A line of a file of labels, as it is written there."""

    number: int | str  # of its line, or of its row in parquet; its path in a JSON document
    query_id: str  # or the query's text, and the passage's: `by` says which
    doc_id: str
    value: str  # empty: no label
    by: tuple[str, str] = BY_IDS  # the columns of a dataset's pairs in which its names of query and passage stand
    status: str = ""  # what became of the answer, one of frames.STATUSES, where the file says it
    response: str = ""  # the answer, where the file keeps it
    finish_reason: str = ""


class Spelled(NamedTuple):
    """How a file spells the fields of a judgement; empty where it has none."""

    query: str
    doc: str
    value: str
    by: tuple[str, str]
    status: str
    response: str
    finish_reason: str
    valid: str  # umbrela's result_status: 0 where its 0 stands for an answer that it could not read

    @property
    def complete(self) -> bool:
        return bool(self.query and self.doc and self.value)


def named(path: Path, records: Iterator[Record]) -> Iterator[Judgement]:
    """From records whose fields are named in any of the spellings, the same ones in the whole file."""
    names: Collection[str] = ()
    found = spelled(names)
    for number, fields in records:
        if fields.keys() != names:
            before, found, names = found, spelled(fields), fields.keys()
            if not found.complete:
                expected = "a query_id, a doc_id and a relevance (or qid, docno, label, score, ...)"
                raise InputError(f"{at(path, number)}: expected {expected}, found {', '.join(map(str, fields))}")
            if before.complete and before.by != found.by:
                expected, instead = (" and ".join(each.by) for each in (before, found))
                raise InputError(f"{at(path, number)}: expected {expected} as before, found {instead}")
        query, doc = (_text(fields[name]) for name in (found.query, found.doc))
        if not (query and doc):
            raise InputError(f"{at(path, number)}: expected {found.query} and {found.doc}, found {fields}")
        status = _text(fields.get(found.status))
        status = status if status in STATUSES else ""
        value = _text(fields[found.value])
        if _text(fields.get(found.valid)) == "0":
            status, value = status or "unparsed", ""
        response, finish_reason = (_whole(fields.get(name)) for name in (found.response, found.finish_reason))
        yield Judgement(number, query, doc, value, found.by, status, response, finish_reason)


def spelled(fields: Collection[str]) -> Spelled:
    """Which of these names are the fields of a judgement.

    >>> spelled(["query", "DocNo", "rating"]).by, spelled(["note"]).complete
    (('query', 'doc_id'), False)
    """
    plain = {str(name).strip().lower().replace("-", "_"): name for name in reversed(list(fields))}

    def first(spellings: Sequence[str]) -> str:
        return next((plain[each] for each in spellings if each in plain), "")

    query, doc = first(QUERY_IDS), first(DOC_IDS)
    by = (BY_IDS[0] if query else "query", BY_IDS[1] if doc else "passage")
    answer = (first(["status"]), first(ANSWERS), first(["finish_reason"]), first(["result_status"]))
    return Spelled(query or first(QUERIES), doc or first(PASSAGES), first(VALUES), by, *answer)


def _text(value: Any) -> str:
    """As it would stand in a line; nothing for None and NaN."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # parquet has 2.0 where a column has gaps, or came from pandas
    return str(value).strip()


def _whole(value: Any) -> str:
    return value if isinstance(value, str) else ""
