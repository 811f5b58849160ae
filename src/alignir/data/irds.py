"""ir_datasets: queries, documents and qrels of a collection by its id there; the library is loaded when one is read."""

import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from threading import Timer
from typing import Any

import pandas as pd

from alignir.data.records import texts_of
from alignir.data.scales import AS_WRITTEN, Meaning
from alignir.data.texts import Texts, as_texts, put
from alignir.data.trec import grade_of
from alignir.errors import InputError
from alignir.frames import PAIR, QRELS
from alignir.progress import tell

PATIENCE = 5  # s until somebody who waits is told for what
NOT_AGAIN = 60  # s: the next cells of a sweep do not look once more for what could not be had
_not_had: dict[str, tuple[float, InputError]] = {}  # the time and the error by collection
HIGHEST_OF = "subtopic_id"  # qrels by subtopic: a document's grade is the highest of its subtopics'


def load(name: str) -> Any:
    """The collection of this id."""
    try:
        import ir_datasets
    except ImportError:
        raise InputError(
            f"{name} comes through ir_datasets, which is not installed: pip install 'alignir[ir-datasets]', "
            "or name a local folder with dataset.path=FOLDER"
        ) from None
    try:
        return ir_datasets.load(name)
    except KeyError:
        close = get_close_matches(name, names(), n=4)
        hint = f"did you mean {' or '.join(close)}?" if close else "see https://ir-datasets.com"
        raise InputError(f"ir_datasets has no collection {name}: {hint}") from None


def names() -> list[str]:
    """Every id that there is."""
    import ir_datasets

    return sorted(ir_datasets.registry)


def is_whole(name: str) -> bool:
    """Whether it has queries, documents and qrels."""
    source = load(name)
    return source.has("queries") and source.has("docs") and source.has("qrels")


@contextlib.contextmanager
def told(name: str, instead: str = "dataset.path=FOLDER") -> Iterator[None]:
    """Turn what a download or a reader of ir_datasets says into a message; the rest is its own story.

    A download that takes its time is told of. What could not be had is not tried again for a while, and the error is
    the same: without a network each try may take minutes.
    """
    at_hand = f"With the files at hand, name their folder with {instead}"
    since, before = _not_had.get(name, (-NOT_AGAIN, None))
    if before is not None and time.monotonic() - since < NOT_AGAIN:
        raise before
    waiting = Timer(PATIENCE, tell, [f"ir_datasets reads {name}, and downloads what it lacks of it. {at_hand}"])
    waiting.daemon = True
    waiting.start()
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # each part of its downloads and formats raises its own
        said = str(error.args[0] if error.args else "") or type(error).__name__
        found = InputError(f"ir_datasets cannot give {name}: {said.splitlines()[0].rstrip('.')}. {at_hand}")
        _not_had[name] = time.monotonic(), found
        raise found from error
    finally:
        waiting.cancel()


def qrels(source: Any, name: str, meaning: Meaning = AS_WRITTEN) -> pd.DataFrame:
    """QRELS, grades of -1 and -2 as 0, if nothing else is said of them.

    A pair that stands twice has one grade; where several subtopics were judged, the highest of them.
    """
    rows = list(source.qrels_iter())
    if not rows:
        raise InputError(f"{name}: expected qrels, found none")
    found = pd.DataFrame([(q.query_id, q.doc_id, q.relevance) for q in rows], columns=QRELS)
    found["relevance"] = [grade_of(q.relevance, meaning, f"{name}, {q.query_id} {q.doc_id}") for q in rows]
    if hasattr(rows[0], HIGHEST_OF):
        return found.groupby(PAIR, as_index=False, sort=False)["relevance"].max()
    found = found.drop_duplicates(ignore_index=True)
    if (twice := found.duplicated(PAIR)).any():
        pair = " ".join(found.loc[twice.idxmax(), PAIR])
        raise InputError(f"{name}: the pair {pair} has several grades")
    return found


def queries(source: Any, parts: Sequence[str] = ()) -> Texts:
    """All queries; `parts` name the fields that make up the text, by default ir_datasets' own choice."""
    return _texts(source.queries_iter(), "query_id", parts)


def documents(source: Any, doc_ids: set[str], parts: Sequence[str] = ()) -> Texts:
    """These documents alone, from ir_datasets' own store; without those that have no text."""
    return _texts(source.docs_store().get_many(sorted(doc_ids)).values(), "doc_id", parts)


def everything(source: Any, parts: Sequence[str] = ()) -> pd.Series:
    """The texts of all documents by doc_id."""
    found = ((doc.doc_id, _main(doc, parts)) for doc in source.docs_iter())
    return pd.Series({doc_id: text for doc_id, text in found if text.strip()}, dtype=object)


def _texts(rows: Iterable[Any], key: str, parts: Sequence[str]) -> Texts:
    main: dict[str, str] = {}
    columns: dict[str, dict[str, str]] = {}
    for row in rows:
        name, text = getattr(row, key), _main(row, parts)
        if not text.strip():
            continue
        main[name] = text
        put(columns, name, texts_of({each: getattr(row, each) for each in row._fields if each != key}))
    return as_texts(main, columns, key)


def _main(row: Any, parts: Sequence[str]) -> str:
    if not parts:
        return (row.default_text() if hasattr(row, "default_text") else row.text).strip()
    if lacking := [part for part in parts if part not in row._fields]:
        raise InputError(f"expected the field {lacking[0]}, found {', '.join(row._fields)}")
    fields = texts_of({part: getattr(row, part) for part in parts})
    return " ".join(filter(None, (fields.get(part, "") for part in parts)))
