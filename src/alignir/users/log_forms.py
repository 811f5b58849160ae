"""Published forms of session logs, read as LOG: Yandex/PyClick lines, and the XML of TREC's Session Track.

A result that was clicked several times is one clicked result, whose dwell time is the sum over its clicks: a second
click often follows within a second, so the first alone says little. What is left out (a click on something that the
page did not show, the second copy of a result on a page) is counted in a warning, and `attrs` of the LOG has `clicks`
(in the file) and `dropped_clicks`. A file that is not of the form is an InputError that names the line.
"""

import gzip
import logging
import math
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np
import pandas as pd

from alignir.data.lines import existing, lines
from alignir.errors import InputError
from alignir.frames import LOG

log = logging.getLogger(__name__)

CHUNK = 1 << 20  # bytes of XML that are parsed at a time


def read_yandex(path: str | Path, system: str, units_per_second: float = 1000.0) -> pd.DataFrame:
    r"""LOG of one system, from tab-separated `session time Q query region url1 url2 ...` and `session time C url`.

    A page's session_id is `session.n`, the n-th page of that session from 1; the url is the doc_id. A click belongs to
    the page of the session's last Q line. dwell_s is the time until the session's next line; unknown for its last line.
    A session's lines may stand between another's, but in order of time: their order says which page a click is on.

    The form does not say what its times count. 1,000 units a second is CLARA2's, whose times run from 0 to 7.1e9 (82
    days in milliseconds, 226 years in seconds) and whose median click is followed by the next line after 23,032 units.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "clicks.tsv"
    ...     _ = path.write_text("s1\t0\tQ\tq1\t0\td1\td2\ns1\t500\tC\td2\ns1\t8500\tQ\tq2\t0\td1\n")
    ...     read_yandex(path, "live")[["query_id", "doc_id", "clicked", "dwell_s"]].values.tolist()
    [['q1', 'd1', False, nan], ['q1', 'd2', True, 8.0], ['q2', 'd1', False, nan]]
    """
    path = existing(path, "session log")
    if not 0 < units_per_second < math.inf:
        raise InputError(f"units_per_second: expected a number above 0, found {units_per_second}")
    sessions: dict[str, _Session] = defaultdict(_Session)
    pages: list[tuple[str, str]] = []
    clicks: list[tuple[int, str]] = []
    dwell: list[float] = []
    shown = _no_results()
    for number, line in lines(path):
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
    return joined(path, system, pages, shown, clicks, dwell)


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

    >>> from tempfile import TemporaryDirectory
    >>> page = "<query>Red apples</query><results><result rank='1'><clueweb12id>c1</clueweb12id></result></results>"
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "sessions.xml"
    ...     _ = path.write_text(f"<session num='7'><interaction num='1'>{page}</interaction></session>")
    ...     read_trec_session(path, "track")[["session_id", "query_id", "doc_id", "clicked"]].values.tolist()
    [['7.1', 'red_apples', 'c1', False]]
    """
    path = existing(path, "session log")
    pages: list[tuple[str, str]] = []
    clicks: list[tuple[int, str | None]] = []
    dwell: list[float] = []
    seen: dict[str, str | None] = {}
    shown = _no_results()
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
        results: dict[int, str] = {}
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
    return joined(path, system, pages, shown, clicks, dwell)


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
    except (OSError, EOFError, zlib.error) as error:
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


def joined(
    path: Path,
    system: str | Sequence[str],
    pages: Sequence,
    shown: dict[str, list],
    clicks: Sequence,
    dwell: list[float],
) -> pd.DataFrame:
    """LOG from pages (session_id, query_id), results by column, clicks (page, doc_id) and the dwell of each click in s.

    `system` is that of all pages, or of each.

    A page is its place in `pages`. A result that a page shows twice stays where it is shown first. A result's dwell is
    the sum over its clicks, unknown where that of one of them is.
    """
    if isinstance(system, str) and not system.strip():
        raise InputError(f"expected the name of a system, found {system!r}")
    if not pages:
        raise InputError(f"{path}: expected result pages, found none")
    result = ["page", "doc_id"]
    places = pd.DataFrame(shown).astype({"page": int, "rank": int, "doc_id": str})
    copies = places.duplicated(result)
    clicked = pd.DataFrame(clicks, columns=result).astype({"page": int}).assign(dwell_s=np.array(dwell, dtype=float))
    by_result = clicked.groupby(result, sort=False)["dwell_s"].agg(["size", "count", "sum"]).reset_index()
    by_result["dwell_s"] = by_result["sum"].where(by_result["count"] == by_result["size"])
    results = places[~copies].merge(by_result[[*result, "size", "dwell_s"]], on=result, how="left")
    asked = pd.DataFrame(pages, columns=["session_id", "query_id"]).assign(system=system)
    table = asked.rename_axis("page").reset_index().merge(results, on="page", how="left")
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
