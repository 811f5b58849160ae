"""Rankings as they pass between stages: RUNS in trec_eval's order, with the systems and queries that they are of."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from alignir.data.digests import digest
from alignir.errors import InputError
from alignir.formatting import counted
from alignir.frames import PAIR, RUNS

IDS = ("system", *PAIR)


class Shown(NamedTuple):
    """The first results of every ranking, as pairs that are numbered: found once, for any set of labels."""

    places: np.ndarray  # (systems, queries, depth): the number of the pair there, -1 where nothing is shown
    pairs: np.ndarray  # the `_keys` of the pairs, rising
    queries: pd.Index
    documents: pd.Index


@dataclass(frozen=True, eq=False)
class Runs:
    """The rankings of some systems for some queries, also of those without a result, whose rankings are empty."""

    frame: pd.DataFrame  # RUNS of these systems and queries, and of no others; ids may be categories, see `plain`
    systems: tuple[str, ...]
    query_ids: tuple[str, ...]
    notes: tuple[str, ...] = ()  # what a reader should know of where they come from, in a line each
    _tops: dict[int, "Runs"] = field(default_factory=dict, repr=False)
    _shown: dict[int, Shown] = field(default_factory=dict, repr=False)

    @property
    def plain(self) -> pd.DataFrame:
        """RUNS with strings as ids. Those of run files are categories: a number a result, where a string takes ten."""
        return self.frame.astype(dict.fromkeys(IDS, str))

    @cached_property
    def digest(self) -> str:
        """What was ranked, by its content."""
        return digest(self.frame)

    @cached_property
    def answered(self) -> pd.Series:
        """How many queries each system has results for."""
        first = self.frame.loc[self.frame["rank"] == 1, "system"]
        return first.astype(str).value_counts().reindex(self.systems, fill_value=0)

    def top(self, k: int) -> "Runs":
        """The first `k` results of each ranking."""
        if k not in self._tops:
            self._tops[k] = Runs(self.frame[self.frame["rank"] <= k], self.systems, self.query_ids, self.notes)
        return self._tops[k]

    def of(self, query_ids: Iterable[str]) -> "Runs":
        """The rankings for these queries."""
        kept = tuple(query_ids)
        if kept == self.query_ids:
            return self
        frame = self.frame[self.frame["query_id"].isin(kept)]
        return Runs(frame.reset_index(drop=True), self.systems, kept, self.notes)

    def condensed(self, labels: pd.DataFrame) -> "Runs":
        """The rankings without results that have no label, those below moved up (condensed lists: Sakai, SIGIR 2007).

        `labels` are QRELS: whatever pair is in them has a label.
        """
        queries, documents = _ids(self.frame)
        keys, judged = (_keys(frame, queries, documents) for frame in (self.frame, labels))
        frame = self.frame[np.isin(keys, judged[judged >= 0])]
        ranks = frame.groupby(["system", "query_id"], observed=True)["rank"].rank(method="first").astype(int)
        return Runs(frame.assign(rank=ranks), self.systems, self.query_ids, self.notes)

    def grades(self, labels: pd.DataFrame, depth: int, unjudged: int = 0) -> np.ndarray:
        """`relevance` down every ranking (systems, queries, depth); -1 where it shows nothing.

        `labels` are QRELS, or any frame with a whole number `relevance` for each pair; a result without one is
        `unjudged`.
        """
        shown = self._first(depth)
        keys = _keys(labels, shown.queries, shown.documents)
        number = np.searchsorted(shown.pairs, keys)
        known = np.append(shown.pairs, -2)[number] == keys
        values = np.full(len(shown.pairs) + 1, unjudged)
        values[number[known]] = labels["relevance"].fillna(unjudged).to_numpy(dtype=np.int64)[known]
        values[-1] = -1
        return values[shown.places]

    def _first(self, depth: int) -> Shown:
        if depth not in self._shown:
            frame = self.top(depth).frame
            queries, documents = _ids(frame)
            pairs, number = np.unique(_keys(frame, queries, documents), return_inverse=True)
            places = np.full((len(self.systems), len(self.query_ids), depth), -1, dtype=np.int32)
            where = _codes(frame["system"], pd.Index(self.systems)), _codes(frame["query_id"], pd.Index(self.query_ids))
            places[*where, frame["rank"].to_numpy() - 1] = number
            self._shown[depth] = Shown(places, pairs, queries, documents)
        return self._shown[depth]


def as_runs(runs: "Runs | pd.DataFrame", query_ids: Iterable[str] | None = None) -> Runs:
    """Runs as they are; a RUNS frame with the systems that are in it, for the queries named, else for those in it."""
    if isinstance(runs, Runs):
        return runs if query_ids is None else runs.of(query_ids)
    found = runs["query_id"].unique() if query_ids is None else query_ids
    return Runs(runs, tuple(sorted(runs["system"].unique())), tuple(found)).of(found)


def ranked(runs: pd.DataFrame) -> pd.DataFrame:
    """RUNS from system, query_id, doc_id, score: with `rank` from 1, in trec_eval's order.

    That is by score descending, as float32, and of ties by doc_id descending. Ids may be categories.
    """
    query, system = (_in_order(runs[name]) for name in ("query_id", "system"))
    ranking = system * (query.max(initial=0) + 1) + query
    with np.errstate(over="ignore"):
        falling = -runs["score"].to_numpy().astype(np.float32)
    if not _rises(ranking, falling):
        order = np.argsort(ranking, kind="stable")
        if not _rises(ranking[order], falling[order]):  # mostly it does, and the first sort takes a fortieth of this
            order = np.lexsort((falling, ranking))
        runs, ranking, falling = runs.take(order), ranking[order], falling[order]
    level = np.append(False, (np.diff(ranking) == 0) & (falling[1:] == falling[:-1]))
    ties = np.flatnonzero(level | np.append(level[1:], False))
    if len(ties):
        document = _in_order(runs["doc_id"].iloc[ties].astype(object))
        order = np.arange(len(runs))
        order[ties] = ties[np.lexsort((-document, falling[ties], ranking[ties]))]
        runs = runs.take(order)
    starts = np.flatnonzero(np.diff(ranking, prepend=-1))
    lengths = np.diff(np.append(starts, len(runs)))
    rank = np.arange(1, len(runs) + 1) - np.repeat(starts, lengths)
    return runs.assign(rank=rank.astype(np.int32))[RUNS].reset_index(drop=True)


def together(rankings: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """One RUNS of several, one below the other, whose ids are categories.

    Each is taken apart before the next is asked for: 52 systems that each know 2,000,000 documents by names of their
    own need 7 GB, where they share one list of names they need .1 GB.

    >>> parts = [pd.DataFrame([("s", "q", doc_id, 1.0, 1)], columns=RUNS) for doc_id in "ab"]
    >>> together(part.astype(dict.fromkeys(IDS, "category")) for part in parts)["doc_id"].tolist()
    ['a', 'b']
    """
    names = {name: pa.array([], pa.string()) for name in IDS}
    columns = {name: np.empty(0, np.float64 if name == "score" else np.int32) for name in RUNS}
    for ranking in rankings:
        for name, column in columns.items():
            values = ranking[name]
            if name in IDS:
                values, names[name] = _with_names(values, names[name])
            n = len(column)
            column.resize(n + len(ranking), refcheck=False)  # in place, where to concatenate needs room for two
            column[n:] = values
    found: dict[str, Any] = {}
    for name in RUNS:
        column = columns.pop(name)
        found[name] = pd.Categorical.from_codes(column, names[name].to_pandas()) if name in IDS else column
    return pd.DataFrame(found, copy=False)


def _with_names(values: pd.Series, names: pa.Array) -> tuple[np.ndarray, pa.Array]:
    """(a number for each of the categories: its place in the names; the names, with the new ones at their end)."""
    own = pa.array(values).cast(pa.dictionary(pa.int32(), pa.string()))
    before = pa.DictionaryArray.from_arrays(pa.array([], pa.int32()), names)
    unified = pa.chunked_array([before, own]).unify_dictionaries().chunk(1)
    return unified.indices.to_numpy(), unified.dictionary


def nothing_returned(queries: pd.Series, notes: Iterable[str] = ()) -> InputError:
    """The error for systems of which none returns anything for any of these queries (texts by query_id)."""
    why = "; ".join(notes) or (
        "BM25 takes texts apart at spaces and signs and stems English words; for other languages take run files "
        "(systems=runs) or dense models (systems=pipelines)"
    )
    these = "the only query," if len(queries) == 1 else f"any of the {counted(len(queries), 'query')}, such as"
    return InputError(f"no system returns anything for {these} {queries.iloc[0]!r}: {why}")


def _in_order(values: pd.Series) -> np.ndarray:
    """A number for each value, in the order of the values as strings."""
    codes, distinct = pd.factorize(values)
    place = np.empty(len(distinct), dtype=np.int64)
    place[np.argsort(np.asarray(distinct, dtype=object), kind="stable")] = np.arange(len(distinct))
    return place[codes]


def _rises(ranking: np.ndarray, falling: np.ndarray) -> bool:
    """Whether rows are in order of their ranking, then of `falling`."""
    step = np.diff(ranking)
    return bool(((step > 0) | ((step == 0) & (falling[1:] >= falling[:-1]))).all())


def _ids(frame: pd.DataFrame) -> tuple[pd.Index, pd.Index]:
    """The query_ids and the doc_ids that are in it."""
    queries, documents = (pd.Index(np.asarray(frame[name].unique(), dtype=object)) for name in PAIR)
    return queries, documents


def _codes(values: pd.Series, names: pd.Index) -> np.ndarray:
    """The place of each value among the names, -1 where it is none of them."""
    codes, distinct = pd.factorize(values)
    return names.get_indexer(pd.Index(np.asarray(distinct, dtype=object)))[codes]


def _keys(frame: pd.DataFrame, queries: pd.Index, documents: pd.Index) -> np.ndarray:
    """A number for each pair of these queries and documents, -1 for any other."""
    query, document = _codes(frame["query_id"], queries), _codes(frame["doc_id"], documents)
    return np.where((query >= 0) & (document >= 0), query * len(documents) + document, -1)
