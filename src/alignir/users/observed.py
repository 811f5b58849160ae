"""Observation: online metrics that were measured of users, from a session log or from a table."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from alignir.data.ranked import Runs
from alignir.data.scales import FOUR, Scale
from alignir.errors import InputError, one_of
from alignir.files import state_of
from alignir.frames import ALL, PAGE, PAIR, QRELS
from alignir.users import session_log
from alignir.users.metrics import Metrics, PerSession, online_frame

AVERAGE = ("queries", "sessions")
UNKNOWN_DWELL = ("undefined", "long", "short")


@dataclass(frozen=True)
class Log:
    """A session log: what each system showed its users, and what they clicked. `path`: a table as frames.LOG has it.

    With `average` queries each query weighs the same, as in nDCG, and only the queries count that users put to every
    system: means over different queries cannot be compared. With sessions each session weighs the same, as in most A/B
    tests, and the metrics have no values by query.
    A log seldom knows how long the last click took. What such a click means for SSR is `unknown_dwell`: undefined (so
    is SSR, wherever one could decide), long or short; ADT leaves it out, and is undefined where no dwell is known.

    A setting that is none is an InputError; so is a log that cannot be read, or lacks a system.

    >>> Log("log.parquet").definitions()
    'from the session log log.parquet, averaged over queries, unknown dwell undefined; ADT per click; ...'
    """

    path: str
    metrics: Metrics = field(default_factory=lambda: Metrics(success="dwell"))
    unknown_dwell: str = "undefined"
    average: str = "queries"
    name: str = "log"

    def __post_init__(self) -> None:
        if self.unknown_dwell not in UNKNOWN_DWELL:
            raise one_of("unknown_dwell", self.unknown_dwell, UNKNOWN_DWELL)
        if self.average not in AVERAGE:
            raise one_of("average", self.average, AVERAGE)
        if self.metrics.success != "dwell":
            raise InputError(f"success={self.metrics.success}: a log cannot say who was satisfied; use dwell")

    def check(self, qrels: pd.DataFrame, runs: Runs, scale: Scale = FOUR) -> None:
        """Raise where `measure` would: the file is read, which is kept, and nothing measured."""
        self._at_hand(runs)

    def measure(self, qrels: pd.DataFrame, runs: Runs, scale: Scale = FOUR) -> pd.DataFrame:
        """ONLINE of the systems at hand on the queries at hand, from the log's sessions."""
        log, common = self._at_hand(runs)
        systems = list(runs.systems)
        pages = pages_of(log, qrels, self.metrics, self.unknown_dwell, scale)
        if self.average == "sessions":
            groups = pages.groupby("system").mean(numeric_only=True).reindex(systems)
            return online_frame(systems, [ALL], self.metrics.of(_per_session(groups)))
        groups = pages.groupby(["system", "query_id"]).mean(numeric_only=True)
        groups = groups.reindex(pd.MultiIndex.from_product([systems, common]))
        return online_frame(systems, common, self.metrics.of(_per_session(groups)))

    def draws_of(self, qrels: pd.DataFrame, runs: Runs, scale: Scale = FOUR) -> Iterator[pd.DataFrame]:
        """What `measure` gives, once."""
        yield self.measure(qrels, runs, scale)

    def definitions(self, scale: Scale = FOUR) -> str:
        """How the metrics were made, in a line to print under a table."""
        return (
            f"from the session log {Path(self.path).name}, averaged over {self.average}, unknown dwell "
            f"{self.unknown_dwell}; {self.metrics.definitions(scale)}"
        )

    def _at_hand(self, runs: Runs) -> tuple[pd.DataFrame, list[str]]:
        """(the LOG of these systems and queries, the queries that users put to every system)."""
        systems, query_ids = list(runs.systems), list(runs.query_ids)
        log = _read_log(self.path, state_of(self.path))
        check_systems(self.path, "sessions", systems, log)
        log = log[log["system"].isin(systems) & log["query_id"].isin(query_ids)]
        asked = log[["system", "query_id"]].drop_duplicates()
        if self.average == "sessions" and asked["system"].nunique() < len(systems):
            raise InputError(f"{self.path}: a system has no session on any of the {len(query_ids)} queries at hand")
        counts = asked["query_id"].value_counts()
        common = [query_id for query_id in query_ids if counts.get(query_id, 0) == len(systems)]
        if self.average == "queries" and not common:
            raise InputError(
                f"{self.path}: no query of the {len(query_ids)} at hand has sessions of all {len(systems)} systems; "
                "with average=sessions a system's sessions on any of them count"
            )
        return log, common


def pages_of(
    log: pd.DataFrame, qrels: pd.DataFrame, metrics: Metrics, unknown_dwell: str, scale: Scale = FOUR
) -> pd.DataFrame:
    """One row a session of LOG: system, query_id, and what PerSession averages, as numbers.

    `undecided` is 1 where no click of the session is known to be long, and that of one is not known.

    >>> log = pd.DataFrame([("s1", "a", "q", 1, "d1", True, 40.0), ("s1", "a", "q", 2, "d2", False, np.nan)],
    ...                    columns=["session_id", "system", "query_id", "rank", "doc_id", "clicked", "dwell_s"])
    >>> qrels = pd.DataFrame({"query_id": ["q"], "doc_id": ["d1"], "relevance": [3]})
    >>> pages_of(log, qrels, Metrics(), "undefined")[["results", "clicks", "seconds", "long"]].values.tolist()
    [[2.0, 1.0, 40.0, 1.0]]
    """
    log = log.merge(qrels[QRELS], on=PAIR, how="left")
    clicked, results = log["clicked"], log["doc_id"].notna()
    long = np.where(log["dwell_s"].isna(), np.nan, log["dwell_s"] >= metrics.long_dwell)
    if unknown_dwell != "undefined":
        long = np.where(np.isnan(long), unknown_dwell == "long", long)
    rank = log["rank"].astype(float).where(clicked)
    page = log[PAGE].assign(
        results=results,
        clicks=clicked,
        timed=clicked & log["dwell_s"].notna(),
        seconds=log["dwell_s"].where(clicked).fillna(0),
        long=clicked & (long == 1),
        undecided=clicked & np.isnan(long),
        first=rank,
        last=rank,
        relevant=log["relevance"] >= (metrics.relevant_from or scale.relevant_from),
    )
    how = dict.fromkeys(("results", "clicks", "timed", "seconds"), "sum")
    how |= {"long": "max", "undecided": "max", "relevant": "max", "first": "min", "last": "max"}
    pages = page.groupby(PAGE, sort=False).agg(how).reset_index()
    return pages[["system", "query_id"]].assign(
        **{name: pages[name].astype(float) for name in ("results", "clicks", "timed", "seconds")},
        long=pages["long"].astype(float),
        undecided=(pages["undecided"] & ~pages["long"]).astype(float),
        no_click=(pages["clicks"] == 0).astype(float),
        first=pages["first"].fillna(0),
        last=pages["last"].fillna(0),
        no_relevant=(~pages["relevant"]).astype(float),
        no_results=(pages["results"] == 0).astype(float),
    )


def _per_session(groups: pd.DataFrame) -> PerSession:
    columns = {str(name): groups[name].to_numpy() for name in groups if name not in ("long", "undecided")}
    long = groups["long"].where(groups["undecided"] == 0).to_numpy()
    return PerSession(**columns, long=long, satisfied=np.full(len(groups), np.nan))


@lru_cache(maxsize=1)
def _read_log(path: str, state: tuple) -> pd.DataFrame:
    """The LOG of a file in this state: a cell checks it before it is measured, and a sweep measures it many times."""
    return session_log.read_log(path)


def check_systems(path: str, what: str, systems: Iterable[str], table: pd.DataFrame) -> None:
    """Raise an InputError where the table of this file has nothing of some system.

    >>> check_systems("ab.csv", "metrics", ["bm25", "dense"], pd.DataFrame({"system": ["bm25"]}))
    Traceback (most recent call last):
    alignir.errors.InputError: ab.csv: has no metrics of the systems dense (1 in all); it has bm25
    """
    lacking = sorted(set(systems) - set(table["system"]))
    if lacking:
        raise InputError(
            f"{path}: has no {what} of the systems {', '.join(lacking[:5])} ({len(lacking)} in all); "
            f"it has {', '.join(sorted(table['system'].unique())[:10])}"
        )
