"""TREC's files: qrels and runs, plain or compressed, every mistake named by file and line.

Runs are the bulk (52 systems x 2,000 queries x 100 results), so they go through pyarrow; a file that it cannot read, or
might read otherwise, is read line by line, which finds the line to name.
"""

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from alignir.data.lines import UNREADABLE, existing, lines, opened
from alignir.data.qrel_forms import judgements
from alignir.data.ranked import ranked
from alignir.data.records import at, place
from alignir.data.scales import AS_WRITTEN, Meaning
from alignir.data.spellings import BY_IDS
from alignir.errors import InputError
from alignir.frames import PAIR, QRELS

JUNK = (-1, -2)  # of TREC: spam
BLOCK = 1 << 22  # bytes of a run that have a list of names of their own, before these are unified


def read_qrels(path: str | Path, meaning: Meaning = AS_WRITTEN, queries: pd.Series | None = None) -> pd.DataFrame:
    """QRELS from `query_id iteration doc_id relevance` lines, or any other of `qrel_forms`.

    TREC's negative grades -1 and -2 (junk, spam) count as 0, if nothing else is said of them; any other value that is
    no grade, and a pair that stands twice, is an error. Where a file names queries by their text, as Quepid's does,
    they are those of `queries` (by query_id) with exactly this text.
    """
    path = existing(path, "qrels file")
    rows: list[tuple[str, str, int]] = []
    seen: dict[tuple[str, str], int | str] = {}
    ids: dict[str, list[str]] = {}
    for number, query, doc_id, text, by, *_ in judgements(path):
        where = at(path, number)
        if by != BY_IDS and not ids:
            if queries is None or queries.empty or by[1] != "doc_id":
                lacking = "query_id" if by[1] == "doc_id" else "doc_id"
                raise InputError(f"{where}: expected a {lacking}, as these are baseline labels, found a text")
            ids = ids_by_text(queries)
        grade = grade_of(text, meaning, where)
        for query_id in ids.get(query, [query]):
            if (query_id, doc_id) in seen:
                first = place(seen[query_id, doc_id])
                raise InputError(f"{where}: the pair {query_id} {doc_id} is already in {first}")
            seen[query_id, doc_id] = number
            rows.append((query_id, doc_id, grade))
    if not rows:
        raise InputError(f"{path}: expected qrels lines, found none")
    return pd.DataFrame(rows, columns=QRELS)


def ids_by_text(queries: pd.Series) -> dict[str, list[str]]:
    """The query_ids of each text, without the white space around it, from the texts by query_id.

    >>> ids_by_text(pd.Series({"q1": "red apples", "q2": "red apples "}))
    {'red apples': ['q1', 'q2']}
    """
    ids: dict[str, list[str]] = {}
    for query_id, text in queries.items():
        ids.setdefault(str(text).strip(), []).append(str(query_id))
    return ids


def grade_of(text: str | float, meaning: Meaning, where: str) -> int:
    """The grade of a baseline label; an InputError where it is none, which says how it can become one."""
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{where}: expected a whole number as relevance, found {text!r}") from None
    if value in JUNK and value not in meaning.grades:
        value = 0.0
    grade = meaning.grade(value)
    if grade is not None:
        return grade
    if value == value and value != int(value):
        raise InputError(
            f"{where}: expected a whole number as relevance, found {text}: thresholds make grades of such values, as "
            "dataset.cut=[0.25,0.5,0.75]"
        )
    expected = f"a relevance of {meaning.scale.text}" if meaning.scale else "a relevance from 0"
    raise InputError(
        f"{where}: expected {expected}, found {text}: a map makes a grade of it, as dataset.grades={{{text}: 0}}"
    )


def read_run(path: Path, system: str) -> pd.DataFrame:
    """RUNS of one system, from `query_id Q0 doc_id rank score tag` lines; the score decides the rank."""
    return ranked(read_results(path).astype(dict.fromkeys(PAIR, str)).assign(system=system))


def read_results(path: Path) -> pd.DataFrame:
    """query_id, doc_id, place, score of a run file, line by line: `place` is the rank that it states, NaN if no number.

    Ids are places in a list of names. Any white space separates the fields; in a line of six fields with tabs between
    them the tag may have spaces.
    """
    results = _read_run_fast(path)
    return _read_run_by_line(path).astype(dict.fromkeys(PAIR, "category")) if results is None else results


def contradicted(results: pd.DataFrame) -> int:
    """The number of queries for which the places that a run file states contradict its scores.

    That is where of two neighbouring lines the one with the better place has the lower score (as float32).
    """
    queries, places = results["query_id"].cat.codes.to_numpy(), results["place"].to_numpy()
    with np.errstate(all="ignore"):  # a place may be infinite, a score beyond a float32
        rises = np.diff(results["score"].to_numpy().astype(np.float32)) * np.diff(places) > 0
    return len(np.unique(queries[1:][rises & (queries[1:] == queries[:-1])]))


def _read_run_fast(path: Path) -> pd.DataFrame | None:
    """The results, or None where anything about the file is unusual: then it is read line by line."""
    try:
        with opened(path) as file:
            content = file.read().removeprefix(b"\xef\xbb\xbf")
        separator = b"\t" if b"\t" in content else b" "
        if not _is_plain(content, separator):
            return None
        table = csv.read_csv(
            pa.BufferReader(content),
            read_options=csv.ReadOptions(
                column_names=["query_id", "q0", "doc_id", "place", "score", "tag"],
                block_size=BLOCK,
            ),
            parse_options=csv.ParseOptions(delimiter=separator.decode(), quote_char=False, ignore_empty_lines=False),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(PAIR, pa.dictionary(pa.int32(), pa.string()))
                | dict.fromkeys(("place", "score"), pa.float64()),
                include_columns=["query_id", "doc_id", "place", "score"],
                null_values=[],
                strings_can_be_null=False,
            ),
        )
    except (pa.ArrowException, *UNREADABLE):
        return None
    table = table.unify_dictionaries().combine_chunks()
    if not len(table) or not pc.all(pc.is_finite(table["score"])).as_py() or _twice(*map(table.column, PAIR)):
        return None
    results = table.drop_columns("doc_id").to_pandas(split_blocks=True)
    # As Arrow has them: to make categories of as many documents took pandas longer than all else here together.
    results.insert(1, "doc_id", pd.arrays.ArrowExtensionArray(table["doc_id"]))
    return results


def _twice(*ids: pa.ChunkedArray) -> bool:
    """Whether any pair of ids stands twice."""
    query, document = (column.chunk(0) for column in ids)
    pairs = query.indices.to_numpy().astype(np.int64) * len(document.dictionary) + document.indices.to_numpy()
    return bool(pd.Series(pairs).duplicated().any())


def _is_plain(content: bytes, separator: bytes) -> bool:
    """Whether this is UTF-8 text whose only white space is single separators between fields, and ends of lines.

    Whatever else separates fields for Python, pyarrow takes for a part of them. A zero byte ends an id for some
    versions of pandas.
    """
    other = b" " if separator == b"\t" else b"\t"
    twice = (separator * 2, separator + b"\n", separator + b"\r", b"\n" + separator)
    unusual = (other, *twice, b"\0", b"\v", b"\f", b"\x1c", b"\x1d", b"\x1e", b"\x1f")
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
