"""Session logs: what users saw and did, one row a shown result (LOG in frames.py)."""

import contextlib
import csv
import gzip
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from alignir.data.lines import existing, lines
from alignir.errors import InputError
from alignir.files import written_whole
from alignir.frames import LOG, PAGE

DELIMITERS = {".csv": ",", ".tsv": "\t"}


def read_log(path: str | Path) -> pd.DataFrame:
    r"""LOG from a table in csv, tsv (both perhaps with .gz) or parquet; other columns are ignored.

    Ids become strings, in text exactly as they are written. `clicked` is 0, 1, true or false in any case; `dwell_s` may
    be empty or absent. In text an empty field is a missing value, and nothing else is. A row that is wrong is an
    InputError with its file and line.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "log.csv"
    ...     _ = path.write_text("session_id,system,query_id,rank,doc_id,clicked\ns1,live,q1,1,d1,1\n")
    ...     read_log(path)[["session_id", "rank", "clicked"]].values.tolist()
    [['s1', 1, True]]
    """
    path = existing(path, "session log")
    form = _form(path)
    table = _parquet(path) if form == ".parquet" else _text(path, DELIMITERS[form])
    if not table.num_rows:
        raise InputError(f"{path}: expected rows of a session log, found none")

    def where(row: int) -> str:
        return f"{path}: row {row}" if form == ".parquet" else f"{path}:{_line(path, row)}"

    return _checked(_parsed(table, where), where)


def ctr_by_rank(log: pd.DataFrame) -> pd.Series:
    """The share of the results shown at a rank that were clicked, 0 to 1, by rank; only ranks that showed something.

    >>> ctr_by_rank(pd.DataFrame({"rank": [1, 1, 2], "clicked": [True, False, False]})).to_dict()
    {1: 0.5, 2: 0.0}
    """
    shown = log.dropna(subset="rank").astype({"rank": int})
    return shown.groupby("rank")["clicked"].mean().rename("ctr")


def write_log(log: pd.DataFrame, path: str | Path) -> None:
    """Write a LOG as csv, tsv (both perhaps with .gz) or parquet, by the file's name.

    The file is there whole or not at all: it is written beside its place, then put there. A name of another ending, or
    a folder that is not there, is an InputError.

    >>> from tempfile import TemporaryDirectory
    >>> log = pd.DataFrame([("s1", "live", "q1", 1, "d1", True, 30.0)], columns=LOG)
    >>> with TemporaryDirectory() as folder:
    ...     write_log(log, Path(folder) / "log.tsv.gz")
    ...     read_log(Path(folder) / "log.tsv.gz")["dwell_s"].tolist()
    [30.0]
    """
    path = Path(path).expanduser()
    form = _form(path)
    existing(path.parent, "folder")
    try:
        with written_whole(path) as temporary:
            if form == ".parquet":
                log[LOG].to_parquet(temporary, index=False)
            else:
                text = log[LOG].astype({"clicked": int})
                packed = path.suffix == ".gz"
                text.to_csv(temporary, sep=DELIMITERS[form], index=False, compression="gzip" if packed else None)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error}") from error


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
    number, header = next(lines(path), (1, ""))
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
        for number, line in lines(path):
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
            return f"{what} {table[what].iloc[row]} of {_page(table, row)} is already in {where(first)}"

        refuse(shown & pd.DataFrame({"page": page, "place": place}).duplicated().to_numpy(), problem)

    shown = table["rank"].notna().to_numpy()
    doc_id = table["doc_id"].notna().to_numpy()
    clicked, dwell = table["clicked"].to_numpy(), table["dwell_s"].to_numpy()
    half = "expected a rank and a doc_id, or neither (a page that showed nothing), found only the"
    refuse(shown & ~doc_id, lambda row: f"{half} rank {table['rank'].iloc[row]}")
    refuse(doc_id & ~shown, lambda row: f"{half} doc_id {table['doc_id'].iloc[row]!r}")
    refuse(clicked & ~shown, lambda row: "found a click on a page that showed nothing")
    unclicked = "expected a dwell_s of clicked results only, found {} s of a result that was not clicked"
    refuse(~clicked & ~np.isnan(dwell), lambda row: unclicked.format(f"{dwell[row]:g}"))
    page = table.groupby(PAGE, sort=False).ngroup().to_numpy()
    repeated(table["rank"].to_numpy(dtype=float, na_value=0), "rank")
    repeated(pd.factorize(table["doc_id"])[0], "doc_id")
    rows = np.bincount(page)
    refuse(~shown & (rows[page] > 1), lambda row: f"{_page(table, row)} showed nothing, but has other rows")
    return table


def _page(table: pd.DataFrame, row: int) -> str:
    session, system, query = (table[name].iloc[row] for name in PAGE)
    return f"session {session}, system {system}, query {query}"
