"""Ratings: judgements in the JSON documents of search engines' tools: OpenSearch's, Elasticsearch's and Quepid's.

OpenSearch     {"judgmentRatings": [{"query": TEXT, "ratings": [{"docId": ID, "rating": "3.0"}]}]}, also as it is
               found again: {"hits": {"hits": [{"_source": {"judgmentRatings": ...}}]}}
Elasticsearch  {"requests": [{"id": QUERY_ID, "ratings": [{"_index": ..., "_id": ID, "rating": 3}]}]}
Quepid, case   {"queries": [{"query": TEXT, "ratings": {ID: 3}}]}
Quepid, book   {"query_doc_pairs": [{"query_text": TEXT, "doc_id": ID, "judgements": [{"rating": 3}]}]}
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alignir.data.lines import UNREADABLE, lines, opened
from alignir.data.records import Record, at
from alignir.errors import InputError

LISTS = ("judgmentRatings", "requests", "queries", "query_doc_pairs")
EXPECTED = "judgments as OpenSearch, Elasticsearch or Quepid write them, or a list of them"


def document(path: Path) -> Any:
    """What a file of JSON holds; None where it holds lines, each an object of its own."""
    _, first = next(lines(path), (0, ""))
    try:
        alone = json.loads(first)
    except ValueError:
        alone = None
    if isinstance(alone, dict) and not {*LISTS, "hits"} & alone.keys():
        return None
    try:
        with opened(path) as file:
            return json.loads(file.read().decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: cannot be read as JSON: {error.msg}") from error
    except (UnicodeDecodeError, *UNREADABLE) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def records(path: Path, document: Any) -> Iterator[Record]:
    """A record a judgement, each with its path in the document, such as `requests[0].ratings[2]`."""
    for place, item in _items(document, ""):
        if not isinstance(item, dict):
            raise InputError(f"{at(path, place)}: expected {EXPECTED}, found {str(item)[:80]!r}")
        several = next((name for name in ("ratings", "judgements") if name in item), "")
        if not several:
            yield Record(place, item)
            continue
        shared = {name: value for name, value in item.items() if name not in (several, "id", "request")}
        if "id" in item:
            shared["query_id"] = item["id"]
        for inner, rating in _each(item[several], several):
            where = f"{place}.{inner}"
            if not isinstance(rating, dict):
                raise InputError(f"{at(path, where)}: expected {EXPECTED}, found {str(rating)[:80]!r}")
            yield Record(where, {**shared, **rating})


def _items(document: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(document, list):
        yield from ((f"{place}[{number}]", item) for number, item in enumerate(document))
    elif isinstance(document, dict) and isinstance(hits := document.get("hits"), dict):
        for number, hit in enumerate(hits.get("hits", [])):
            yield from _items(hit.get("_source"), f"hits.hits[{number}]._source")
    elif isinstance(document, dict) and (name := next((each for each in LISTS if each in document), "")):
        yield from _items(document[name], f"{place}.{name}" if place else name)
    else:
        yield place or "document", document


def _each(ratings: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(ratings, dict):
        yield from ((f"{name}.{key}", {"doc_id": key, "rating": value}) for key, value in ratings.items())
    else:
        yield from ((f"{name}[{number}]", rating) for number, rating in enumerate(ratings or []))
