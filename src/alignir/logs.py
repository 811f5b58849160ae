"""Session logs: what users saw and did, one row a shown result.

`read_log` reads alignir's own table, LOG in frames.py; `read_yandex` and `read_trec_session` make it of two published
forms. There, a result that was clicked several times is one clicked result, read for as long as all its clicks took:
many a second click follows within a second, so the first alone would say little. What they leave out (a click on
something that the page did not show, the second copy of a result on a page) is counted in a warning, and `attrs` of
their LOG has `clicks` (in the file) and `dropped_clicks`.
"""

import contextlib
import csv
import gzip
import itertools
import logging
import math
import os
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from alignir import trec
from alignir.errors import InputError
from alignir.frames import LOG

log = logging.getLogger(__name__)

PAGE = ["session_id", "system", "query_id"]
DELIMITERS = {".csv": ",", ".tsv": "\t"}
CHUNK = 1 << 20  # bytes of XML that are parsed at a time


def read_log(path: str | Path) -> pd.DataFrame:
    """LOG from a table in csv, tsv (both perhaps with .gz) or parquet; other columns are ignored.

    Ids become strings, in text exactly as they are written. `clicked` is 0, 1, true or false in any case; `dwell_s` may
    be empty or absent. In text an empty field is a missing value, and nothing else is.
    """
    path = trec.existing(path, "session log")
    form = _form(path)
    table = _parquet(path) if form == ".parquet" else _text(path, DELIMITERS[form])
    if not table.num_rows:
        raise InputError(f"{path}: expected rows of a session log, found none")

    def where(row: int) -> str:
        return f"{path}: row {row}" if form == ".parquet" else f"{path}:{_line(path, row)}"

    return _checked(_parsed(table, where), where)


def ctr_by_rank(log: pd.DataFrame) -> pd.Series:
    """The share of the results shown at a rank that were clicked, 0 to 1, by rank; only ranks that showed something."""
    shown = log.dropna(subset="rank").astype({"rank": int})
    return shown.groupby("rank")["clicked"].mean().rename("ctr")


def write_log(log: pd.DataFrame, path: str | Path) -> None:
    """Write a LOG as csv, tsv (both perhaps with .gz) or parquet, by the file's name.

    The file is there whole or not at all: it is written beside its place, then put there.
    """
    path = Path(path).expanduser()
    form = _form(path)
    trec.existing(path.parent, "folder")
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        if form == ".parquet":
            log[LOG].to_parquet(temporary, index=False)
        else:
            text = log[LOG].astype({"clicked": int})
            packing = "gzip" if path.suffix == ".gz" else None
            text.to_csv(temporary, sep=DELIMITERS[form], index=False, compression=packing)
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def read_yandex(path: str | Path, system: str, units_per_second: float = 1000.0) -> pd.DataFrame:
    """LOG of one system, from tab-separated lines `session time Q query region url1 url2 ...` and `session time C url`.

    A page's session_id is `session.n`, the n-th page of that session from 1; the url is the doc_id. A click belongs to
    the page of the session's last Q line. dwell_s is the time until the session's next line; unknown for its last line.
    A session's lines may stand between another's, but in order of time: their order says which page a click is on.

    The form does not say what its times count. 1,000 units a second is CLARA2's, whose times run from 0 to 7.1e9 (82
    days in milliseconds, 226 years in seconds) and whose median click is followed by the next line after 23,032 units.
    """
    path = trec.existing(path, "session log")
    if not 0 < units_per_second < math.inf:
        raise InputError(f"units_per_second: expected a number above 0, found {units_per_second}")
    sessions = defaultdict(_Session)
    pages, shown, clicks, dwell = [], _no_results(), [], []
    for number, line in trec.lines(path):
        name, time, action, values = _yandex_line(f"{path}:{number}", line)
        session = sessions[name]
        if time < session.time:
            raise InputError(
                f"{path}:{number}: expected the lines of session {name} in order of time, "
                f"found {time:.15g} after {session.time:.15g}"
            )
        if session.click is not None:
            dwell[session.click] = (time - session.time) / units_per_second
        session.time, session.click = time, None
        if action == "Q":
            session.page, session.pages = len(pages), session.pages + 1
            pages.append((f"{name}.{session.pages}", values[0]))
            _show(shown, session.page, dict(enumerate(values[2:], 1)))
        else:
            session.click = len(clicks)
            clicks.append((session.page, values[0]))
            dwell.append(math.nan)
    return _joined(path, system, pages, shown, clicks, dwell)


@dataclass
class _Session:
    """Where a session of the Yandex form stands: its last line's time, its page and its last click, if that is last."""

    time: float = 0.0
    page: int = -1  # in the list of all pages; -1: none yet
    pages: int = 0
    click: int | None = None


def _yandex_line(where: str, line: str) -> tuple[str, float, str, list[str]]:
    """(session, time, action, what follows it) of a line; its empty fields at the end are padding."""
    fields = line.rstrip("\t").split("\t")
    action = fields[2] if len(fields) > 2 else ""
    whole = {"C": len(fields) == 4, "Q": len(fields) >= 4 and line.count("\t") >= 4}.get(action, False)
    if not whole or not all(map(str.strip, fields[:4] + fields[5:])):
        raise InputError(
            f"{where}: expected 'session time Q query region url1 url2 ...' or 'session time C url', tab-separated, "
            f"found {line[:80]!r}"
        )
    time = _seconds(fields[1])
    if not time >= 0:
        raise InputError(f"{where}: expected a time from 0, found {fields[1]!r}")
    return fields[0], time, action, fields[3:]


def read_trec_session(path: str | Path, system: str) -> pd.DataFrame:
    """LOG of one system, from the XML of TREC's Session Track: one page an interaction, called `session.interaction`.

    The query_id is the query's text in lower case, with _ for white space (which TREC's other files could not hold). So
    the same query has the same query_id, as a click model needs it; a topic's number would mix different queries.
    The doc_id is the ClueWeb id. dwell_s is endtime - starttime of a click, both in s; unknown where either is "NA".
    """
    path = trec.existing(path, "session log")
    pages, shown, clicks, dwell, seen = [], _no_results(), [], [], {}
    for session, interaction in _interactions(path):
        name = f"{session}.{interaction.get('num')}"
        query_id = "_".join((interaction.findtext("query") or "").casefold().split())
        if not session or not interaction.get("num") or not query_id:
            raise InputError(
                f"{_at(path, interaction)}: expected an interaction with a num and a query, in a session with a num"
            )
        if name in seen:
            raise InputError(f"{_at(path, interaction)}: interaction {name} is already in line {seen[name]}")
        seen[name] = interaction.get("line")
        results = {}
        for result in interaction.iterfind("results/result"):
            rank = _rank(path, result, result.get("rank"))
            doc_id = (result.findtext("clueweb12id") or result.findtext("clueweb09id") or "").strip()
            if not doc_id or rank in results:
                raise InputError(
                    f"{_at(path, result)}: expected a result with a ClueWeb id and a rank of its own, "
                    f"found {doc_id!r} at rank {rank}"
                )
            results[rank] = doc_id
        for click in interaction.iterfind("clicked/click"):
            clicks.append((len(pages), results.get(_rank(path, click, click.findtext("rank")))))
            dwell.append(_dwell(path, click))
        _show(shown, len(pages), results)
        pages.append((name, query_id))
    return _joined(path, system, pages, shown, clicks, dwell)


def _interactions(path: Path) -> Iterator[tuple[str | None, Element]]:
    """(number of the session, the interaction), one at a time; every element has its `line` as an attribute.

    Straight from expat, which knows the line. It opens nothing outside the file, and a document type, the only place
    where entities can be defined, is refused: the track's files have none.
    """
    parser, session, builder, done = expat.ParserCreate(), None, None, []

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal session, builder
        if tag == "session":
            session = attributes.get("num")
        if tag == "interaction" and builder is None:
            builder = TreeBuilder()
        if builder:
            builder.start(tag, {**attributes, "line": str(parser.CurrentLineNumber)})

    def end(tag: str) -> None:
        nonlocal builder
        if builder:
            builder.end(tag)
        if builder and tag == "interaction":
            done.append((session, builder.close()))
            builder = None

    def data(text: str) -> None:
        if builder:
            builder.data(text)

    def refuse(*declaration) -> None:
        raise InputError(f"{path}:{parser.CurrentLineNumber}: expected XML without a document type, found <!DOCTYPE>")

    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    parser.StartDoctypeDeclHandler = refuse
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            while chunk := file.read(CHUNK):
                parser.Parse(chunk)
                yield from done
                done.clear()
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise InputError(f"{path}:{error.lineno}: expected XML, found: {expat.ErrorString(error.code)}") from error
    except (OSError, EOFError, gzip.zlib.error) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def _at(path: Path, element: Element) -> str:
    return f"{path}:{element.get('line')}"


def _rank(path: Path, element: Element, text: str | None) -> int:
    text = (text or "").strip()
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise InputError(f"{_at(path, element)}: expected a whole number from 1 as rank, found {text!r}")
    return int(text)


def _dwell(path: Path, click: Element) -> float:
    times = [click.get(name, "NA") for name in ("starttime", "endtime")]
    if "NA" in times:
        return math.nan
    seconds = _seconds(times[1]) - _seconds(times[0])
    if not seconds >= 0:
        raise InputError(
            f"{_at(path, click)}: expected starttime and endtime in s, the one before the other, or 'NA', "
            f"found {times[0]!r} and {times[1]!r}"
        )
    return seconds


def _seconds(text: str) -> float:
    """The number, NaN where it is none or not finite."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _no_results() -> dict[str, list]:
    return {"page": [], "rank": [], "doc_id": []}  # by column: a tuple a result would be millions of objects


def _show(shown: dict[str, list], page: int, results: dict[int, str]) -> None:
    """Add a page's results, the doc_id by rank."""
    shown["page"] += [page] * len(results)
    shown["rank"] += results.keys()
    shown["doc_id"] += results.values()


def _joined(path: Path, system: str, pages: list, shown: dict, clicks: list, dwell: list[float]) -> pd.DataFrame:
    """LOG from pages (session_id, query_id), results by column, clicks (page, doc_id) and the dwell of each click in s.

    A page is its place in `pages`. A result that a page shows twice stays where it is shown first. A result's dwell is
    the sum over its clicks, unknown where that of one of them is.
    """
    if not system.strip():
        raise InputError(f"expected the name of a system, found {system!r}")
    if not pages:
        raise InputError(f"{path}: expected result pages, found none")
    result = ["page", "doc_id"]
    shown = pd.DataFrame(shown).astype({"page": int, "rank": int, "doc_id": str})
    copies = shown.duplicated(result)
    clicks = pd.DataFrame(clicks, columns=result).astype({"page": int}).assign(dwell_s=np.array(dwell, dtype=float))
    by_result = clicks.groupby(result, sort=False)["dwell_s"].agg(["size", "count", "sum"]).reset_index()
    by_result["dwell_s"] = by_result["sum"].where(by_result["count"] == by_result["size"])
    results = shown[~copies].merge(by_result[[*result, "size", "dwell_s"]], on=result, how="left")
    pages = pd.DataFrame(pages, columns=["session_id", "query_id"]).assign(system=system)
    table = pages.rename_axis("page").reset_index().merge(results, on="page", how="left")
    table["rank"] = table["rank"].astype("Int64")
    table = table.assign(clicked=table["size"].notna(), dwell_s=table["dwell_s"].astype(float))
    dropped = len(clicks) - int(table["size"].sum())
    if dropped:
        log.warning("%s: %s of %s clicks are on nothing that their page showed: dropped", path, dropped, len(clicks))
    if copies.any():
        log.warning(
            "%s: %s results are shown a second time on their page: only the first place stays", path, copies.sum()
        )
    table = table[LOG]
    table.attrs = {"clicks": len(clicks), "dropped_clicks": dropped}
    return table


def _form(path: Path) -> str:
    """.csv, .tsv or .parquet, by the file's name."""
    form = Path(path.name.removesuffix(".gz")).suffix if path.suffix == ".gz" else path.suffix
    if form not in DELIMITERS and path.suffix != ".parquet":
        raise InputError(f"{path}: expected a session log named *.csv, *.tsv (or with .gz) or *.parquet")
    return form


def _present(where: str, names: list[str]) -> list[str]:
    """The columns of LOG among these names, which are all but perhaps dwell_s."""
    if not set(LOG[:-1]) <= set(names) or len(set(names)) < len(names):
        raise InputError(
            f"{where}: expected the columns {', '.join(LOG[:-1])}, perhaps dwell_s, each once, "
            f"found {', '.join(names) or 'none'}"
        )
    return [name for name in LOG if name in names]


def _text(path: Path, delimiter: str) -> pa.Table:
    """The columns of LOG as strings, an empty field as an empty string."""
    number, header = next(trec.lines(path), (1, ""))
    if not header:
        raise InputError(f"{path}: expected a session log, found an empty file")
    names = _fields(f"{path}:{number}", header, delimiter)
    present = _present(f"{path}:{number}", names)
    try:
        return pyarrow.csv.read_csv(
            path,
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=present, column_types=dict.fromkeys(present, pa.string()), null_values=[]
            ),
        )
    except (pa.ArrowException, OSError) as error:
        for number, line in trec.lines(path):
            fields = _fields(f"{path}:{number}", line, delimiter)
            if len(fields) != len(names):
                raise InputError(
                    f"{path}:{number}: expected {len(names)} fields as in the first line, found {len(fields)}: "
                    f"{line[:80]!r}"
                ) from error
        raise InputError(f"{path}: cannot be read: {error}") from error


def _fields(where: str, line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter))
    except csv.Error as error:
        raise InputError(f"{where}: expected a row of fields, found {line[:80]!r}: {error}") from error


def _line(path: Path, row: int) -> int:
    """The line of a row of a text, both from the first; row 0 follows the header, and empty lines are no rows."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        filled = (number for number, line in enumerate(file, 1) if line.rstrip(b"\r\n"))
        return next(itertools.islice(filled, row + 1, None))


def _parquet(path: Path) -> pa.Table:
    try:
        with pq.ParquetFile(path) as file:
            return file.read(columns=_present(str(path), file.schema_arrow.names))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: cannot be read as parquet: {str(error).splitlines()[0]}") from error


def _parsed(table: pa.Table, where: Callable[[int], str]) -> pd.DataFrame:
    """LOG with each value in its type; `where` names a row."""
    texts = {}
    for name in table.column_names:
        try:
            texts[name] = _strings(table[name])
        except pa.ArrowException as error:
            raise InputError(f"{where(0)}: expected text or numbers as {name}, found {table[name].type}") from error

    def expect(right, name: str, expected: str) -> None:
        if not np.all(right):
            row = int(np.argmin(right))
            raise InputError(f"{where(row)}: expected {expected}, found {texts[name][row].as_py() or ''!r}")

    for name in PAGE:
        expect(texts[name].is_valid().to_numpy(), name, f"a {name}")
    answer = pc.utf8_lower(texts["clicked"])
    true, false = (pc.is_in(answer, pa.array(names)).to_numpy() for names in (["1", "true"], ["0", "false"]))
    expect(true | false, "clicked", "0, 1, true or false as clicked")
    rank, no_rank = _numbers(texts["rank"])
    whole = no_rank | ((rank >= 1) & (rank < 2**53) & (rank == np.floor(rank)))
    expect(whole, "rank", "a whole number from 1 as rank")
    if "dwell_s" in texts:
        dwell, unknown = _numbers(texts["dwell_s"])
        expect(unknown | ((dwell >= 0) & (dwell < np.inf)), "dwell_s", "a finite dwell_s from 0, in s, or nothing")
    else:
        dwell = np.full(len(rank), np.nan)
    frame = pd.DataFrame({name: texts[name].to_pandas() for name in [*PAGE, "doc_id"]})
    return frame.assign(rank=pd.array(rank, dtype="Int64"), clicked=true, dwell_s=dwell)[LOG]


def _strings(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The values as strings, null where they are blank; a number that a missing neighbour made 7.0 is 7 again."""
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), None, column)
        with contextlib.suppress(pa.ArrowInvalid):
            column = column.cast(pa.int64())
    column = column.cast(pa.string())
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(column), ""), None, column)


def _numbers(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """(numbers, where the column is null); NaN also where a text is no number."""
    try:
        numbers = column.cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid:
        numbers = pd.to_numeric(column.to_pandas(), errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return numbers, column.is_null().to_numpy()


def _checked(table: pd.DataFrame, where: Callable[[int], str]) -> pd.DataFrame:
    """The LOG, if its rows make pages; `where` names a row."""

    def refuse(wrong, problem: Callable[[int], str]) -> None:
        if np.any(wrong):
            row = int(np.argmax(wrong))
            raise InputError(f"{where(row)}: {problem(row)}")

    def repeated(place: np.ndarray, what: str) -> None:
        def problem(row: int) -> str:
            first = int(np.flatnonzero((page == page[row]) & (place == place[row]))[0])
            return f"{what} {table.at[row, what]} of {_page(table.loc[row])} is already in {where(first)}"

        refuse(shown & pd.DataFrame({"page": page, "place": place}).duplicated().to_numpy(), problem)

    shown = table["rank"].notna().to_numpy()
    doc_id = table["doc_id"].notna().to_numpy()
    clicked, dwell = table["clicked"].to_numpy(), table["dwell_s"].to_numpy()
    half = "expected a rank and a doc_id, or neither (a page that showed nothing), found only the"
    refuse(shown & ~doc_id, lambda row: f"{half} rank {table.at[row, 'rank']}")
    refuse(doc_id & ~shown, lambda row: f"{half} doc_id {table.at[row, 'doc_id']!r}")
    refuse(clicked & ~shown, lambda row: "found a click on a page that showed nothing")
    unclicked = "expected a dwell_s of clicked results only, found {} s of a result that was not clicked"
    refuse(~clicked & ~np.isnan(dwell), lambda row: unclicked.format(f"{dwell[row]:g}"))
    page = table.groupby(PAGE, sort=False).ngroup().to_numpy()
    repeated(table["rank"].to_numpy(dtype=float, na_value=0), "rank")
    repeated(pd.factorize(table["doc_id"])[0], "doc_id")
    rows = np.bincount(page)
    refuse(~shown & (rows[page] > 1), lambda row: f"{_page(table.loc[row])} showed nothing, but has other rows")
    return table


def _page(row: pd.Series) -> str:
    return f"session {row['session_id']}, system {row['system']}, query {row['query_id']}"
