"""User Behavior Insights, OpenSearch's form of logs (schema 1.3.0, ubisearch.dev), read as LOG: queries and events."""

import json
import logging
import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from alignir.data.lines import existing, lines
from alignir.errors import InputError
from alignir.formatting import counted
from alignir.users.log_forms import joined

log = logging.getLogger(__name__)

CLICKS = ("click", "click_through")  # action names
SYSTEM = ("search_configuration", "search_config")  # which of query_attributes names the system


def read_ubi(
    paths: Sequence[str | Path],
    system: str | None = None,
    field: str | None = None,
    clicks: Sequence[str] = CLICKS,
    query_ids: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    r"""LOG from the JSON lines of ubi_queries and ubi_events, in one file or several; also with a `_source`.

    A page is a query by its `query_id`, which is the session_id; its results are `query_response_hit_ids`, in their
    order, or, where it has none, the objects of its `impression` events by `position.ordinal`. A page of which neither
    is known is left out. A click is an event with a name among `clicks` on `object.object_id`, else its `internal_id`.
    dwell_s is the time until the next query or event of the same client; unknown for the last one.

    The system is the `field` of `query_attributes`, by default one of SYSTEM, unless `system` names one for all. The
    query_id of LOG is by `query_ids`, from texts, where others are left out; else it is the text in lower case, with _
    for white space. What is left out is counted in a warning, and a line that is wrong an InputError.

    >>> from tempfile import TemporaryDirectory
    >>> asked = '{"query_id": "u1", "client_id": "c", "user_query": "Red apples", "query_response_hit_ids": ["d1"]}'
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "queries.jsonl"
    ...     _ = path.write_text(asked)
    ...     read_ubi([path], "live")[["session_id", "query_id", "doc_id", "clicked"]].values.tolist()
    [['u1', 'red_apples', 'd1', False]]
    """
    queries: dict[str, dict] = {}
    events: list[tuple[float, str, dict]] = []  # time, place in a file, record
    times: dict[str, list[float]] = defaultdict(list)  # of whatever a client did
    for where, record in _records(paths):
        time = _time(where, record.get("timestamp"))
        if record.get("client_id") is not None and time == time:
            times[str(record["client_id"])].append(time)
        if "action_name" in record:
            events.append((time, where, record))
        elif "user_query" not in record or not record.get("query_id"):
            raise InputError(
                f"{where}: expected a query with user_query and query_id, or an event with action_name, found "
                f"{', '.join(record)}"
            )
        elif not queries.get(str(record["query_id"]), {}).get("query_response_hit_ids"):
            queries[str(record["query_id"])] = record | {"where": where}
    results = {query_id: _hits(query) for query_id, query in queries.items()}
    seen = _impressions(events)
    for query_id, shown in results.items():
        if not shown:
            shown.update(seen.get(query_id, {}))
    texts = None if query_ids is None else {_as_one(text): found for text, found in query_ids.items()}
    pages: list[tuple[str, str]] = []
    systems: list[str] = []
    known: dict[str, int] = {}  # the place of a query among the pages
    unasked = without = 0
    for query_id, query in queries.items():
        text = _as_one(query["user_query"])
        if texts is not None and text not in texts:
            unasked += 1
        elif not results[query_id] and "query_response_hit_ids" not in query:
            without += 1
        else:
            known[query_id] = len(pages)
            pages.append((query_id, text.replace(" ", "_") if texts is None else texts[text]))
            systems.append(system or _system(query, field))
    for number, why in ((unasked, "of other queries"), (without, "without query_response_hit_ids and impressions")):
        if number:
            log.warning("%s: %s %s: left out", paths[0], counted(number, "page"), why)
    clicked: list[tuple[int, str | None]] = []
    dwell: list[float] = []
    later = {client: sorted(found) for client, found in times.items()}
    for time, _, event in events:
        query_id = str(event.get("query_id"))
        if event["action_name"] in clicks and query_id in known:
            ids = [str(_object(event).get(name)) for name in ("object_id", "internal_id")]
            on_page = set(results[query_id].values())
            clicked.append((known[query_id], next((each for each in ids if each in on_page), None)))
            moments = later.get(str(event.get("client_id")), [])
            following = bisect_right(moments, time)
            dwell.append(moments[following] - time if following < len(moments) else math.nan)
    places: dict[str, list] = {"page": [], "rank": [], "doc_id": []}
    for query_id, page in known.items():
        for rank, doc_id in results[query_id].items():
            for column, value in zip(places, (page, rank, doc_id), strict=True):
                places[column].append(value)
    return joined(Path(paths[0]), systems, pages, places, clicked, dwell)


def _records(paths: Sequence[str | Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(file:line, record) of each line; the actions of a bulk request are none."""
    for each in paths:
        path = existing(each, "session log")
        for number, line in lines(path):
            try:
                record = json.loads(line)
            except ValueError:
                record = None
            if not isinstance(record, dict):
                raise InputError(f"{path}:{number}: expected a JSON object, found {line[:80]!r}")
            record = record.get("_source", record)
            if set(record) not in ({"index"}, {"create"}):
                yield f"{path}:{number}", record


def _time(where: str, stamp: Any) -> float:
    """Seconds; a time is written as ISO 8601, or in milliseconds since 1970. NaN where there is none."""
    if stamp is None:
        return math.nan
    try:
        if isinstance(stamp, int | float) or str(stamp).isdigit():
            return float(stamp) / 1000
        found = datetime.fromisoformat(stamp)
    except (TypeError, ValueError):
        raise InputError(f"{where}: expected a timestamp in ISO 8601 or milliseconds, found {stamp!r}") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _hits(query: dict) -> dict[int, str]:
    """The doc_id by rank, from 1."""
    found = query.get("query_response_hit_ids") or []
    if not isinstance(found, list):
        raise InputError(f"{query['where']}: expected a list of query_response_hit_ids, found {str(found)[:80]!r}")
    return dict(enumerate(map(str, found), 1))


def _impressions(events: list[tuple[float, str, dict]]) -> dict[str, dict[int, str]]:
    """By query, the doc_id by rank that was seen."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for _, where, event in events:
        if event["action_name"] == "impression" and "object_id" in _object(event):
            position = (event.get("event_attributes") or {}).get("position") or {}
            rank = position.get("ordinal")
            if not (isinstance(rank, int) and rank >= 1):
                raise InputError(f"{where}: expected a position.ordinal from 1 of an impression, found {rank!r}")
            found[str(event.get("query_id"))].setdefault(rank, str(_object(event)["object_id"]))
    return {query_id: dict(sorted(shown.items())) for query_id, shown in found.items()}


def _object(event: dict) -> dict:
    return (event.get("event_attributes") or {}).get("object") or {}


def _system(query: dict, field: str | None) -> str:
    attributes = query.get("query_attributes") or {}
    for name in SYSTEM if field is None else (field,):
        if attributes.get(name):
            return str(attributes[name])
    raise InputError(
        f"{query['where']}: expected query_attributes with {' or '.join(SYSTEM) if field is None else field}, found "
        f"{', '.join(attributes) or 'none'}: name the field that says the system with --field, or one system for all "
        "with --system"
    )


def _as_one(text: str) -> str:
    """A query's text without what tells no queries apart: case, and how much white space."""
    return " ".join(str(text).casefold().split())
