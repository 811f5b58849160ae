"""Simulation: online metrics of users who follow a click model on each system's rankings, exact or by sampling."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pandas as pd

from alignir.data import trec
from alignir.data.ranked import Runs
from alignir.errors import InputError
from alignir.files import read_parquet
from alignir.frames import GRADES, PAIR
from alignir.progress import bar
from alignir.users.click_models import CCM, DBN, DCM, PBM, SDBN, UBM, Cascade
from alignir.users.dwell import Dwell
from alignir.users.metrics import Metrics, PerSession, online_frame

AT_ONCE = 1 << 17  # sessions in memory at a time: few enough to stay in the processor's cache


@dataclass(frozen=True)
class Simulated:
    """Users who follow a click model on each system's ranking. They act on the baseline labels: what is relevant.

    With `sessions` their behaviour is sampled, so many sessions for each system and query; without, it is exact: what
    endless traffic would show. A model that was fitted to query-document pairs reads their parameters from `pairs`, a
    parquet table `query_id, doc_id, attraction` and perhaps `satisfaction`; the model's own single values hold for the
    pairs that are not in it. Grades still decide dwell times and what is relevant.
    """

    model: DBN | SDBN | Cascade | DCM | CCM | PBM | UBM
    depth: int  # ranks that users see
    dwell: Dwell
    metrics: Metrics
    sessions: int | None = None  # for each system and query
    draws: int = 10  # independent ones, to see how far sampled metrics agree with themselves
    seed: int = 0
    pairs: str | None = None
    name: str = "simulated"

    def __post_init__(self):
        if not isinstance(self.depth, int) or self.depth < 1:
            raise InputError(f"user_model.depth: expected a whole number from 1, found {self.depth}")
        if self.sessions is not None and not (isinstance(self.sessions, int) and self.sessions >= 1):
            raise InputError(f"user_model.sessions: expected a whole number from 1, or null, found {self.sessions}")
        if not (isinstance(self.draws, int) and self.draws >= 2):
            raise InputError(f"user_model.draws: expected a whole number from 2, found {self.draws}")
        expected = len(GRADES) if self.pairs is None else 1
        if len(self.model.attraction) != expected:
            raise InputError(
                f"user_model.model.attraction: expected {expected} probabilities, "
                f"{'one a grade' if expected > 1 else 'for pairs that are not in user_model.pairs'}, "
                f"found {len(self.model.attraction)}"
            )
        self.model.expect(np.full((1, self.depth), -1))  # says so where it has parameters for fewer ranks

    def check(self, qrels: pd.DataFrame, runs: Runs) -> None:
        """Raise where `measure` would, without the work."""
        self._fitted()

    def measure(self, qrels: pd.DataFrame, runs: Runs) -> pd.DataFrame:
        """ONLINE for every system and query; a result that is not judged counts as grade 0."""
        return next(self.draw(qrels, runs, 1))

    def draw(self, qrels: pd.DataFrame, runs: Runs, draws: int) -> Iterator[pd.DataFrame]:
        """`draws` independent samples, each as `measure` gives the first; the exact metrics are the same in all."""
        grades = runs.grades(qrels, self.depth).reshape(-1, self.depth)
        model, pairs = self._fitted()
        kinds = grades
        if pairs is not None:
            kinds = runs.grades(pairs, self.depth, unjudged=len(pairs)).reshape(-1, self.depth)
        for draw in range(draws):
            if self.sessions is None:
                seen = exact(model, grades, kinds, self.dwell, self.metrics)
            else:
                rng = np.random.default_rng([self.seed, draw])
                seen = sampled(model, grades, kinds, self.dwell, self.metrics, self.sessions, rng)
            yield online_frame(runs.systems, runs.query_ids, self.metrics.of(seen))

    def draws_of(self, qrels: pd.DataFrame, runs: Runs) -> Iterator[pd.DataFrame]:
        """What `measure` gives; of sampled users `draws` samples."""
        return self.draw(qrels, runs, 1 if self.sessions is None else self.draws)

    def definitions(self) -> str:
        """How the metrics were made, in a line to print under a table."""
        how = "exact" if self.sessions is None else f"{self.sessions:,} sessions a system and query, seed {self.seed}"
        parameters = "; ".join(
            f"{field.name} {_numbers(getattr(self.model, field.name))}" for field in fields(self.model)
        )
        if self.pairs is not None:
            parameters = f"by query-document pair from {Path(self.pairs).name}, of others {parameters}"
        return (
            f"{type(self.model).__name__}, {how}, on the baseline labels, top {self.depth}; by grade: {parameters}; "
            f"dwell in s {_numbers(self.dwell.mean)}, sigma {self.dwell.sigma:g}; {self.metrics.definitions()}"
        )

    def _fitted(self) -> tuple[object, pd.DataFrame | None]:
        """The model and the pairs it was fitted to, numbered by `relevance`; the last number is any other pair's."""
        if self.pairs is None:
            return self.model, None
        pairs = read_pairs(self.pairs)
        by_pair = {
            name: (*pairs[name], *getattr(self.model, name))
            for name in ("attraction", "satisfaction")
            if hasattr(self.model, name)
        }
        return replace(self.model, **by_pair), pairs.assign(relevance=np.arange(len(pairs)))


def exact(model, grades: np.ndarray, kinds: np.ndarray, dwell: Dwell, metrics: Metrics) -> PerSession:
    """Expectations for rankings of grades (n, k), -1 = no result shown; the model sees `kinds` (n, k) of results."""
    behaviour, ranks = model.expect(kinds), np.arange(1, grades.shape[1] + 1)
    clicks = behaviour.clicks.sum(axis=1)
    long = np.full(len(grades), np.nan)  # worth its time only where it is asked for
    if metrics.success == "dwell":
        long = model.marked(kinds, dwell.at_least(metrics.long_dwell, grades))
    return PerSession(
        results=(grades >= 0).sum(axis=1),
        clicks=clicks,
        timed=clicks,
        seconds=(behaviour.clicks * dwell.expect(grades)).sum(axis=1),
        satisfied=behaviour.satisfied,
        long=long,
        no_click=behaviour.no_click,
        first=behaviour.first @ ranks,
        last=behaviour.last @ ranks,
        **_nothing(grades, metrics),
    )


def sampled(
    model, grades: np.ndarray, kinds: np.ndarray, dwell: Dwell, metrics: Metrics, sessions: int, rng
) -> PerSession:
    """Averages over `sessions` sampled sessions on each ranking, else as `exact`; memory does not grow with them."""
    n, _ = grades.shape
    sums = {name: np.zeros(n) for name in ("clicks", "seconds", "satisfied", "long", "no_click", "first", "last")}
    with bar("sampling", n * sessions, "sessions", after=2) as advance:
        for rows, size in _pieces(n, sessions):
            for name, values in _sums(model, grades[rows], kinds[rows], dwell, metrics.long_dwell, size, rng).items():
                sums[name][rows] += values
            advance(len(grades[rows]) * size)
    means = {name: values / sessions for name, values in sums.items()}
    return PerSession(results=(grades >= 0).sum(axis=1), timed=means["clicks"], **means, **_nothing(grades, metrics))


def _pieces(n: int, sessions: int):
    """(rows, sessions on each) so that no more than AT_ONCE sessions are in memory."""
    rows = max(1, AT_ONCE // sessions)
    for start in range(0, n, rows):
        for done in range(0, sessions, AT_ONCE):
            yield slice(start, start + rows), min(AT_ONCE, sessions - done)


def _sums(model, grades, kinds, dwell: Dwell, long_dwell: float, sessions: int, rng) -> dict[str, np.ndarray]:
    drawn = model.sample(kinds, sessions, rng)
    n = len(grades)
    ranks, rows, places = np.nonzero(np.moveaxis(drawn.clicks, 2, 0))  # ranks ascend
    seconds = dwell.sample(grades[rows, ranks], rng)
    long = np.zeros((n, sessions), dtype=bool)
    enough = seconds >= long_dwell
    long[rows[enough], places[enough]] = True
    first, last = np.zeros((n, sessions), dtype=np.int16), np.zeros((n, sessions), dtype=np.int16)
    last[rows, places] = ranks + 1  # of several values for one place, the last one stays
    first[rows[::-1], places[::-1]] = ranks[::-1] + 1
    return {
        "clicks": np.bincount(rows, minlength=n),
        "seconds": np.bincount(rows, seconds, minlength=n),
        "satisfied": drawn.satisfied.sum(axis=1),
        "long": long.sum(axis=1),
        "no_click": (last == 0).sum(axis=1),
        "first": first.sum(axis=1),
        "last": last.sum(axis=1),
    }


def _nothing(grades: np.ndarray, metrics: Metrics) -> dict[str, np.ndarray]:
    """Where nothing relevant, and where nothing at all is shown."""
    return {
        "no_relevant": (grades < metrics.relevant_from).all(axis=1).astype(float),
        "no_results": (grades < 0).all(axis=1).astype(float),
    }


def read_pairs(path: str | Path) -> pd.DataFrame:
    """`query_id, doc_id, attraction` and perhaps `satisfaction`, as alignir fit writes them."""
    path = trec.existing(path, "table of fitted pairs (user_model.pairs=FILE)")
    return read_parquet(path, (*PAIR, "attraction"))


def _numbers(values) -> str:
    if isinstance(values, (list, tuple)):
        separator = " | " if isinstance(values[0], (list, tuple)) else "/"
        return separator.join(map(_numbers, values))
    return f"{values:.4g}"
