"""Records: a file row by row, its fields by their names: JSON lines, a table with tabs or commas, or parquet."""

import csv
import json
import re
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from alignir.data.lines import form, lines
from alignir.errors import InputError

JSON_LINES = (".jsonl", ".json", ".ndjson")
LONGEST = 1_000_000_000  # letters in a cell: a document may be longer than csv's own 131,072


class Record(NamedTuple):
    """A row of a file, with its line, or its row in parquet, from 1; of a JSON document, its path there."""

    number: int | str
    fields: dict[str, Any]


def at(path: Path, number: int | str) -> str:
    """Where a record is: `file:line`, in parquet `file: row N`, in a JSON document `file: its path there`."""
    if isinstance(number, str):
        return f"{path}: {number}"
    return f"{path}: row {number}" if form(path) == ".parquet" else f"{path}:{number}"


def place(number: int | str) -> str:
    """The same, said of another record of the same file."""
    return number if isinstance(number, str) else f"line {number}"


def json_lines(path: Path, expected: str) -> Iterator[Record]:
    """A record for each line, which holds one object."""
    for number, line in lines(path):
        try:
            fields = json.loads(line)
        except ValueError:
            fields = None
        if not isinstance(fields, dict):
            raise InputError(f"{path}:{number}: expected {expected}, found {line[:80]!r}")
        yield Record(number, fields)


def parquet(path: Path) -> Iterator[Record]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                for fields in batch.to_pylist():
                    number += 1
                    yield Record(number, fields)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: cannot be read as parquet: {str(error).splitlines()[0]}") from error


def table(path: Path, separator: str, alone: bool = False) -> Iterator[Record]:
    """A record for each row below the header, which names the fields.

    Between commas a cell may stand in quotes, and then have several lines; between tabs quotes are letters. With
    `alone` a row that has its first cell only is left out.
    """
    rows = _cells(path, separator)
    _, names = next(rows, (0, []))
    names = [name.strip() for name in names]
    for number, cells in rows:
        if alone and len(cells) == 1:
            continue
        if len(cells) != len(names):
            found = separator.join(cells)[:80]
            raise InputError(f"{path}:{number}: expected the {len(names)} fields {', '.join(names)}, found {found!r}")
        yield Record(number, dict(zip(names, cells, strict=True)))


def header(path: Path, separator: str) -> list[str]:
    """The cells of the first row; none where there is no row."""
    return [cell.strip() for cell in next(_cells(path, separator), (0, []))[1]]


def _cells(path: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """(line that a row ends in, its cells) for each row that is not blank."""
    last = 0

    def each() -> Iterator[str]:
        nonlocal last
        for last, line in lines(path, blank=True):  # noqa: B007 (it is read outside)
            yield line + "\n"

    if separator == "\t":
        yield from ((number, line.split("\t")) for number, line in lines(path))
        return
    csv.field_size_limit(LONGEST)
    rows = csv.reader(each(), delimiter=separator, strict=True)
    try:
        yield from ((last, cells) for cells in rows if any(cell.strip() for cell in cells))
    except csv.Error as error:
        raise InputError(f"{path}:{last}: cannot be read as csv: {error}") from error


def first_of(names: Sequence[str], fields: Collection[str]) -> str:
    """The first of these names that the fields have; empty if they have none."""
    return next((name for name in names if name in fields), "")


def texts_of(fields: dict[str, Any]) -> dict[str, str]:
    """The fields as texts, by names that a prompt can use: numbers as written, lists as `a, b`, what is nested flat.

    Bytes are left out: a page as it was crawled is no text to read.

    >>> texts_of({"page-title": "Pears", "year": 1999, "tags": ["fruit", "trees"], "metadata": {"url": "u"}})
    {'page_title': 'Pears', 'year': '1999', 'tags': 'fruit, trees', 'url': 'u'}
    """
    texts: dict[str, str] = {}
    for name, value in fields.items():
        if isinstance(value, dict):
            texts |= {inner: text for inner, text in texts_of(value).items() if inner not in fields}
        elif not isinstance(value, bytes):
            texts[_identifier(name)] = _text(value)
    return texts


def _text(value: Any) -> str:
    if value is None or value != value:  # nothing, as JSON and as parquet have it
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(_text(each) for each in value)
    return value if isinstance(value, str) else str(value)


@cache
def _identifier(name: str) -> str:
    return re.sub(r"\W", "_", name, flags=re.ASCII)
