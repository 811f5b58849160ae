"""TREC's files: queries, passages, qrels and runs, plain or gzipped, every mistake named by file and line.

Runs are the bulk (52 systems x 2,000 queries x 100 results), so they go through pyarrow; a file that it cannot read, or
might read otherwise, is read line by line, which finds the line to name.
"""

import gzip
import json
import math
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as csv

from alignir.data.ranked import ranked
from alignir.errors import InputError
from alignir.frames import GRADES, QRELS

SURROGATE = re.compile("[\ud800-\udfff]")  # half of a pair: no text that can be written


def existing(path: str | Path, what: str) -> Path:
    """The path, if it is there; else an error that names it whole."""
    path = Path(path).expanduser()
    if not path.exists():
        raise InputError(f"no {what} at {path.absolute()}")
    return path


def find(folder: Path, names: list[str], what: str) -> Path:
    """The first of these files in a folder, as it is or with `.gz`."""
    candidates = [folder / (name + ending) for name in names for ending in ("", ".gz")]
    for path in candidates:
        if path.is_file():
            return path
    raise InputError(f"no {what} in {folder.absolute()}: expected {' or '.join(names)} (or .gz)")


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """(number from 1, line without its end) for each line that is not blank."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            for number, raw in enumerate(file, 1):
                try:
                    line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                except UnicodeDecodeError as error:
                    raise InputError(f"{path}:{number}: expected UTF-8 text, found the bytes {raw[:60]!r}") from error
                if line.strip():
                    yield number, line
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def read_qrels(path: str | Path) -> pd.DataFrame:
    """QRELS from `query_id iteration doc_id relevance` lines.

    TREC's negative grades -1 and -2 (junk, spam) count as 0; any other grade outside 0-3, and a pair that stands twice,
    is an error.
    """
    path = existing(path, "qrels file")
    rows: list[tuple[str, str, int]] = []
    seen: dict[tuple[str, str], int] = {}
    for number, line in lines(path):
        fields = line.split()
        if len(fields) != 4:
            raise InputError(f"{path}:{number}: expected 'query_id iteration doc_id relevance', found {line!r}")
        query_id, _, doc_id, grade = fields
        try:
            relevance = int(grade)
        except ValueError:
            raise InputError(f"{path}:{number}: expected a whole number as relevance, found {grade!r}") from None
        if relevance in (-1, -2):
            relevance = 0
        if relevance not in GRADES:
            raise InputError(f"{path}:{number}: expected a relevance from {GRADES[0]} to {GRADES[-1]}, found {grade}")
        if (query_id, doc_id) in seen:
            first = seen[query_id, doc_id]
            raise InputError(f"{path}:{number}: the pair {query_id} {doc_id} is already in line {first}")
        seen[query_id, doc_id] = number
        rows.append((query_id, doc_id, relevance))
    if not rows:
        raise InputError(f"{path}: expected qrels lines, found none")
    return pd.DataFrame(rows, columns=QRELS)


def read_queries(path: Path) -> pd.Series:
    """Texts by query_id, from `query_id<TAB>text` lines."""
    return _texts(path, _tab_separated(path, "query_id"), "query_id")


def read_passages(path: Path, wanted: set[str] | None = None) -> pd.Series:
    """Texts by doc_id, from `{"doc_id": ..., "text": ...}` lines or `doc_id<TAB>text` lines; only the wanted ones."""
    rows = _json_lines(path) if ".jsonl" in path.suffixes else _tab_separated(path, "doc_id")
    return _texts(path, rows, "doc_id", wanted)


def _tab_separated(path: Path, key: str) -> Iterator[tuple[int, str, str]]:
    for number, line in lines(path):
        name, tab, text = line.partition("\t")
        if not (name.strip() and tab and text.strip()):
            raise InputError(f"{path}:{number}: expected '{key}<TAB>text', found {line[:80]!r}")
        yield number, name.strip(), text.strip()


def _json_lines(path: Path) -> Iterator[tuple[int, str, str]]:
    for number, line in lines(path):
        try:
            row = json.loads(line)
            doc_id, text = str(row["doc_id"]), row["text"]
        except (ValueError, KeyError, TypeError):
            doc_id, text = "", None
        if not doc_id or not isinstance(text, str):
            expected = '{"doc_id": ..., "text": ...}'
            raise InputError(f"{path}:{number}: expected {expected}, found {line[:80]!r}")
        if not text.strip():
            raise InputError(f"{path}:{number}: the passage {doc_id} has no text")
        if SURROGATE.search(text):
            raise InputError(f"{path}:{number}: the passage {doc_id} has half a surrogate pair, which is no text")
        yield number, doc_id, text


def _texts(path: Path, rows, key: str, wanted: set[str] | None = None) -> pd.Series:
    texts: dict[str, str] = {}
    where: dict[str, int] = {}
    for number, name, text in rows:
        if wanted is not None and name not in wanted:
            continue
        if name in where:
            raise InputError(f"{path}:{number}: the {key} {name} is already in line {where[name]}")
        where[name] = number
        texts[name] = text
    if not texts and wanted is None:
        raise InputError(f"{path}: expected '{key}' and text in each line, found none")
    return pd.Series(texts, name="text", dtype=object).rename_axis(key)


def run_files(folder: str | Path) -> dict[str, Path]:
    """The run files of a folder by system: a file's name without `.run` or `.run.gz`."""
    folder = existing(folder, "folder of run files")
    files = sorted([*folder.glob("*.run"), *folder.glob("*.run.gz")])
    if not files:
        raise InputError(f"{folder.absolute()}: expected run files (*.run or *.run.gz), found none")
    systems: dict[str, Path] = {}
    for file in files:
        system = file.name.removesuffix(".gz").removesuffix(".run")
        if system in systems:
            raise InputError(f"the system {system} has two run files: {systems[system]} and {file}")
        systems[system] = file
    return systems


def read_run(path: Path, system: str) -> pd.DataFrame:
    """RUNS of one system, from `query_id Q0 doc_id rank score tag` lines; the score decides the rank."""
    return ranked(read_results(path).assign(system=system))


def read_results(path: Path) -> pd.DataFrame:
    """query_id, doc_id, place, score of a run file, line by line: `place` is the rank that it states, NaN if no number.

    Any white space separates the fields; in a line of six fields with tabs between them the tag may have spaces.
    """
    results = _read_run_fast(path)
    return _read_run_by_line(path) if results is None else results


def contradicted(results: pd.DataFrame) -> int:
    """The number of queries for which the places that a run file states contradict its scores.

    That is where of two neighbouring lines the one with the better place has the lower score (as float32).
    """
    query_ids, places = results["query_id"].to_numpy(), results["place"].to_numpy()
    with np.errstate(all="ignore"):  # a place may be infinite, a score beyond a float32
        rises = np.diff(results["score"].to_numpy().astype(np.float32)) * np.diff(places) > 0
    return len(set(query_ids[1:][rises & (query_ids[1:] == query_ids[:-1])]))


def _read_run_fast(path: Path) -> pd.DataFrame | None:
    """The results, or None where anything about the file is unusual: then it is read line by line."""
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            content = file.read().removeprefix(b"\xef\xbb\xbf")
        separator = b"\t" if b"\t" in content else b" "
        if not _is_plain(content, separator):
            return None
        table = csv.read_csv(
            pa.BufferReader(content),
            read_options=csv.ReadOptions(column_names=["query_id", "q0", "doc_id", "place", "score", "tag"]),
            parse_options=csv.ParseOptions(delimiter=separator.decode(), quote_char=False, ignore_empty_lines=False),
            convert_options=csv.ConvertOptions(
                column_types={"query_id": pa.string(), "doc_id": pa.string()}
                | dict.fromkeys(("place", "score"), pa.float64()),
                include_columns=["query_id", "doc_id", "place", "score"],
                null_values=[],
                strings_can_be_null=False,
            ),
        )
    except (pa.ArrowException, OSError, EOFError, zlib.error):
        return None
    results = table.to_pandas()
    usual = len(results) and np.isfinite(results["score"]).all()
    return results if usual and not results.duplicated(["query_id", "doc_id"]).any() else None


def _is_plain(content: bytes, separator: bytes) -> bool:
    """Whether this is UTF-8 text whose only white space is single separators between fields, and ends of lines.

    Whatever else separates fields for Python, pyarrow takes for a part of them.
    """
    other = b" " if separator == b"\t" else b"\t"
    twice = (separator * 2, separator + b"\n", separator + b"\r", b"\n" + separator)
    unusual = (other, *twice, b"\v", b"\f", b"\x1c", b"\x1d", b"\x1e", b"\x1f")
    if any(found in content for found in unusual) or content.count(b"\r") != content.count(b"\r\n"):
        return False
    if content.startswith((separator, b"\xef\xbb\xbf")) or content.endswith(separator):
        return False
    if content.isascii():
        return True
    try:
        return re.search(r"[^\S \t\r\n]", content.decode()) is None
    except UnicodeDecodeError:
        return False


def _fields(line: str) -> list[str]:
    """The fields of a line, the tag as one where tabs separate six."""
    fields, tab, tag = line.rpartition("\t")
    return [*fields.split(), tag.strip()] if tab and tag.strip() and line.count("\t") == 5 else line.split()


def _read_run_by_line(path: Path) -> pd.DataFrame:
    rows: list[tuple[str, str, float, float]] = []
    seen: dict[tuple[str, str], int] = {}
    for number, line in lines(path):
        fields = _fields(line)
        if len(fields) != 6:
            raise InputError(f"{path}:{number}: expected 'query_id Q0 doc_id rank score tag', found {line[:80]!r}")
        query_id, _, doc_id, place, value, _ = fields
        score = _number(value)
        if not math.isfinite(score):
            raise InputError(f"{path}:{number}: expected a finite number as score, found {value!r}")
        if (query_id, doc_id) in seen:
            raise InputError(
                f"{path}:{number}: query {query_id} already has {doc_id}, in line {seen[query_id, doc_id]}"
            )
        seen[query_id, doc_id] = number
        rows.append((query_id, doc_id, _number(place), score))
    if not rows:
        raise InputError(f"{path}: expected run lines, found an empty run")
    return pd.DataFrame(rows, columns=["query_id", "doc_id", "place", "score"])


def _number(text: str) -> float:
    """NaN for what is no number."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def line_of(path: Path, *fields: str) -> str:
    """`file:line` of the first line that has these fields among its own; the file alone if none has."""
    wanted = set(fields)
    for number, line in lines(path):
        if wanted <= set(line.split()):
            return f"{path}:{number}"
    return str(path)
