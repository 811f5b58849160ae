"""Texts: those of queries and of documents by their ids, with their fields, from every form and spelling in use."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from alignir.data.lines import form, lines
from alignir.data.records import JSON_LINES, Record, at, first_of, header, json_lines, parquet, place, table, texts_of
from alignir.errors import InputError

SURROGATE = re.compile("[\ud800-\udfff]")  # half of a pair: no text that can be written
ENDINGS = (*JSON_LINES, ".tsv", ".csv", ".txt", ".parquet")


@dataclass(frozen=True)
class Texts:
    """Of queries, or of documents."""

    main: pd.Series  # by id: what is judged, and searched
    fields: pd.DataFrame  # every field by id, also those that `main` is made of; "" where one has none

    def of(self, names: set[str]) -> "Texts":
        return Texts(self.main[self.main.index.isin(names)], self.fields[self.fields.index.isin(names)])


class Kind(NamedTuple):
    """What the texts are of, and how its fields are spelled; the first spelling that a record has counts."""

    key: str
    called: str  # in messages
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    before: tuple[str, ...] = ()  # fields that open the text, where they are there

    @property
    def expected(self) -> str:
        return f'{{"{self.key}": ..., "text": ...}}'


QUERIES = Kind("query_id", "query", ("query_id", "qid", "_id", "id"), ("text", "query", "title"))
DOCUMENTS = Kind(
    "doc_id",
    "passage",
    ("doc_id", "docid", "docno", "_id", "id"),
    ("text", "contents", "body", "segment", "passage"),
)


def read_texts(
    files: Path | Sequence[Path],
    kind: Kind,
    wanted: set[str] | None = None,
    parts: Sequence[str] = (),
    empty: bool = False,
) -> Texts:
    """The texts of a file or of several; only the `wanted` ones, if any are named.

    `parts` are the names of the fields that make the main text, joined by spaces; by default it is the first of the
    kind's spellings. A record without a text is an error, unless `empty`: then it is as if it were not there.
    """
    files = [files] if isinstance(files, Path) else files
    main: dict[str, str] = {}
    columns: dict[str, dict[str, str]] = {}
    where: dict[str, tuple[Path, int | str]] = {}
    known: set[str] = set()  # every field that any record has
    n_records = 0
    for path in files:
        for record in _records(path, kind):
            n_records += 1
            name = _id(path, record, kind)
            if wanted is not None and name not in wanted:
                continue
            if name in where:
                other, number = where[name]
                before = place(number) if other == path else at(other, number)
                raise InputError(f"{at(path, record.number)}: the {kind.key} {name} is already in {before}")
            where[name] = path, record.number
            text, fields = _text(path, record, kind, parts)
            known |= fields.keys()
            if not text.strip():
                if empty:
                    continue
                raise InputError(f"{at(path, record.number)}: the {kind.called} {name} has no text")
            main[name] = text
            put(columns, name, fields)
    named = ", ".join(map(str, files))
    if not n_records:
        raise InputError(f"{named}: expected '{kind.key}' and text in each line, found none")
    if lacking := [part for part in parts if where and part not in known]:
        raise InputError(f"{named}: no {kind.called} has the field {lacking[0]}; there are {', '.join(sorted(known))}")
    return as_texts(main, columns, kind.key)


def put(columns: dict[str, dict[str, str]], name: str, fields: dict[str, str]) -> None:
    """Add the fields of a query or a document to the columns that `as_texts` takes, without those that are empty."""
    for field, value in fields.items():
        if value:
            columns.setdefault(field, {})[name] = value


def as_texts(main: dict[str, str], columns: dict[str, dict[str, str]], key: str) -> Texts:
    """Texts from the main ones by id and, of each field, those that are not empty by id."""
    series = pd.Series(main, name="text", dtype=object).rename_axis(key)
    fields = {name: pd.Series(column, dtype=object).reindex(series.index) for name, column in columns.items()}
    return Texts(series, pd.DataFrame(fields, index=series.index, dtype=object).fillna(""))


def _records(path: Path, kind: Kind) -> Iterator[Record]:
    ending = form(path)
    if ending in JSON_LINES:
        return json_lines(path, kind.expected)
    if ending == ".parquet":
        return parquet(path)
    separator = "," if ending == ".csv" else "\t"
    names = dict.fromkeys(header(path, separator))
    if ending == ".csv" or (first_of(kind.ids, names) and first_of(kind.texts, names)):
        return table(path, separator)
    return _two_columns(path, kind)


def _two_columns(path: Path, kind: Kind) -> Iterator[Record]:
    for number, line in lines(path):
        name, tab, text = line.partition("\t")
        if not (name.strip() and tab and text.strip()):
            raise InputError(f"{path}:{number}: expected '{kind.key}<TAB>text', found {line[:80]!r}")
        yield Record(number, {kind.key: name.strip(), "text": text.strip()})


@cache
def _spelled(kind: Kind, names: tuple[str, ...]) -> tuple[str, str]:
    """Which of a record's names are its id and its text; empty where none is."""
    return first_of(kind.ids, names), first_of(kind.texts, names)


def _id(path: Path, record: Record, kind: Kind) -> str:
    of_id, _ = _spelled(kind, tuple(record.fields))
    value = record.fields.get(of_id)
    name = str(value).strip() if isinstance(value, str | int) else ""
    if not name:
        raise _unlike(path, record, kind, " or ".join(kind.ids))
    return name


def _text(path: Path, record: Record, kind: Kind, parts: Sequence[str]) -> tuple[str, dict[str, str]]:
    """(main text, every field but the id) of a record."""
    of_id, spelled = _spelled(kind, tuple(record.fields))
    main = record.fields.get(spelled)
    if len(record.fields) == 2 and isinstance(main, str):
        fields = {spelled: main}  # as most have it
    else:
        fields = texts_of({name: value for name, value in record.fields.items() if name != of_id})
    if parts:
        main = " ".join(filter(None, (fields.get(part, "") for part in parts)))
    elif not isinstance(main, str):
        raise _unlike(path, record, kind, " or ".join(kind.texts))
    elif kind.before:
        main = " ".join(filter(None, (*(fields.get(name, "") for name in kind.before), main)))
    if not _is_text(main) or not all(map(_is_text, fields.values())):
        found = "half a surrogate pair, which is no text"
        raise InputError(f"{at(path, record.number)}: the {kind.called} {_id(path, record, kind)} has {found}")
    return main, fields


def _is_text(text: str) -> bool:
    return text.isascii() or not SURROGATE.search(text)


def _unlike(path: Path, record: Record, kind: Kind, spellings: str) -> InputError:
    found = ", ".join(map(str, record.fields)) or "nothing"
    return InputError(f"{at(path, record.number)}: expected {kind.expected}, found no {spellings}, but {found[:80]}")


def wanted(names: set[str], files: Sequence[Path], kind: Kind, parts: Sequence[str] = ()) -> Texts:
    """Those of the files that are wanted; without those that have no text."""
    return read_texts(files, kind, names, parts, empty=True)


def mains(files: Sequence[Path], kind: Kind, parts: Sequence[str] = ()) -> pd.Series:
    """The main texts of all records that have one, by id."""
    return read_texts(files, kind, parts=parts, empty=True).main


read_queries = partial(read_texts, kind=QUERIES)
read_documents = partial(read_texts, kind=DOCUMENTS)
