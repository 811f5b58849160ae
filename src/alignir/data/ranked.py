"""Rankings as they pass between stages: RUNS in trec_eval's order, with the systems and queries that they are of."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from alignir.errors import InputError
from alignir.formatting import counted
from alignir.frames import PAIR, RUNS


@dataclass(frozen=True, eq=False)
class Runs:
    """The rankings of some systems for some queries, also of those without a result, whose rankings are empty."""

    frame: pd.DataFrame  # RUNS of these systems and queries, and of no others
    systems: tuple[str, ...]
    query_ids: tuple[str, ...]
    notes: tuple[str, ...] = ()  # what a reader should know of where they come from, in a line each
    _tops: dict[int, "Runs"] = field(default_factory=dict, repr=False)

    def top(self, k: int) -> "Runs":
        """The first `k` results of each ranking."""
        if k not in self._tops:
            self._tops[k] = Runs(self.frame[self.frame["rank"] <= k], self.systems, self.query_ids, self.notes)
        return self._tops[k]

    def of(self, query_ids: Iterable[str]) -> "Runs":
        """The rankings for these queries."""
        kept = tuple(query_ids)
        frame = self.frame[self.frame["query_id"].isin(kept)]
        return Runs(frame.reset_index(drop=True), self.systems, kept, self.notes)

    def condensed(self, labels: pd.DataFrame) -> "Runs":
        """The rankings without results that have no label, those below moved up (condensed lists: Sakai, SIGIR 2007).

        `labels` are QRELS: whatever pair is in them has a label.
        """
        judged = pd.MultiIndex.from_frame(self.frame[PAIR]).isin(pd.MultiIndex.from_frame(labels[PAIR]))
        frame = self.frame[judged]
        ranks = frame.groupby(["system", "query_id"])["rank"].rank(method="first").astype(int)
        return Runs(frame.assign(rank=ranks), self.systems, self.query_ids, self.notes)

    def grades(self, labels: pd.DataFrame, depth: int, unjudged: int = 0) -> np.ndarray:
        """`relevance` down every ranking (systems, queries, depth); -1 where it shows nothing.

        `labels` are QRELS, or any frame with a whole number `relevance` for each pair; a result without one is
        `unjudged`.
        """
        shown = self.top(depth).frame
        pairs = shown.groupby(PAIR, sort=False).ngroup().to_numpy()
        distinct = shown.loc[~shown.duplicated(PAIR), PAIR]
        known = labels.set_index(PAIR)["relevance"].reindex(pd.MultiIndex.from_frame(distinct))
        values = known.fillna(unjudged).to_numpy(dtype=np.int64)
        grades = np.full((len(self.systems), len(self.query_ids), depth), -1)
        places = _places(shown["system"], self.systems), _places(shown["query_id"], self.query_ids)
        grades[*places, shown["rank"].to_numpy() - 1] = values[pairs]
        return grades


def as_runs(runs: "Runs | pd.DataFrame", query_ids: Iterable[str] | None = None) -> Runs:
    """Runs as they are; a RUNS frame with the systems that are in it, for the queries named, else for those in it."""
    if isinstance(runs, Runs):
        return runs if query_ids is None else runs.of(query_ids)
    found = runs["query_id"].unique() if query_ids is None else query_ids
    return Runs(runs, tuple(sorted(runs["system"].unique())), tuple(found)).of(found)


def ranked(runs: pd.DataFrame) -> pd.DataFrame:
    """RUNS from system, query_id, doc_id, score: with `rank` from 1, in trec_eval's order.

    That is by score descending, as float32, and of ties by doc_id descending.
    """
    keys = pa.table({**runs[["system", *PAIR]], "single": runs["score"].astype(np.float32)})
    order = [("system", "ascending"), ("query_id", "ascending"), ("single", "descending"), ("doc_id", "descending")]
    runs = runs.take(pc.sort_indices(keys, order).to_numpy())  # several times as fast as pandas where ids are strings
    runs["rank"] = runs.groupby(["system", "query_id"], sort=False).cumcount() + 1
    return runs[RUNS].reset_index(drop=True)


def nothing_returned(queries: pd.Series, notes: Iterable[str] = ()) -> InputError:
    """The error for systems of which none returns anything for any of these queries (texts by query_id)."""
    why = "; ".join(notes) or (
        "BM25 takes texts apart at spaces and signs and stems English words; for other languages take run files "
        "(systems=runs) or dense models (systems=pipelines)"
    )
    these = "the only query," if len(queries) == 1 else f"any of the {counted(len(queries), 'query')}, such as"
    return InputError(f"no system returns anything for {these} {queries.iloc[0]!r}: {why}")


def _places(values: pd.Series, names: tuple[str, ...]) -> np.ndarray:
    """The place of each value among the names, all of which it is one of."""
    codes, distinct = pd.factorize(values)
    return pd.Index(names).get_indexer(distinct)[codes]
