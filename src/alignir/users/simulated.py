"""Simulated users: online metrics of users who follow a click model on each system's rankings."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
import pandas as pd

from alignir.data.lines import existing
from alignir.data.ranked import Runs
from alignir.data.scales import FOUR, Scale
from alignir.errors import InputError, one_of
from alignir.files import read_parquet
from alignir.formatting import counted, share
from alignir.frames import PAIR
from alignir.progress import bar
from alignir.users.behaviour import ClickModel, on_scale
from alignir.users.click_models import DBN
from alignir.users.dwell import Dwell
from alignir.users.interleaving import outcomes
from alignir.users.metrics import Metrics, online_frame
from alignir.users.simulation import exact, sampled

log = logging.getLogger(__name__)

FEW = 0.05  # of the shown results: a model by pair that knows fewer says next to nothing of them
BY_RESULT = ("attraction", "satisfaction")  # a model's parameters by grade, or by query-document pair


@dataclass(frozen=True)
class Simulated:
    """Users who follow a click model on each system's ranking. They act on the baseline labels: what is relevant.

    With `sessions` their behaviour is sampled, so many sessions for each system and query; without, it is exact: what
    endless traffic would show. A model that was fitted to query-document pairs reads their parameters from `pairs`, a
    parquet table `query_id, doc_id, attraction` and perhaps `satisfaction`; the model's own single values hold for the
    pairs that are not in it. Grades still decide dwell times and what is relevant.

    With `interleaving="team_draft"` they are also shown lists of every two systems' rankings: see `outcomes`.

    Settings that cannot be, such as a depth of 0 or a model that lacks parameters for so many ranks, are an InputError.

    >>> Simulated(sessions=100).definitions()
    'DBN, 100 sessions a system and query, seed 0, on the baseline labels, top 10; ...'
    """

    model: ClickModel = field(default_factory=DBN)
    depth: int = 10  # ranks that users see
    dwell: Dwell = field(default_factory=Dwell)
    metrics: Metrics = field(default_factory=Metrics)
    sessions: int | None = None  # for each system and query
    draws: int = 10  # independent ones of sampled users, to see how far their metrics agree with themselves
    seed: int = 0
    pairs: str | None = None
    interleaving: str | None = None  # of every two systems: team_draft
    name: str = "simulated"

    def __post_init__(self) -> None:
        if not isinstance(self.depth, int) or self.depth < 1:
            raise InputError(f"depth: expected a whole number from 1, found {self.depth}")
        if self.sessions is not None and not (isinstance(self.sessions, int) and self.sessions >= 1):
            raise InputError(f"sessions: expected a whole number from 1, or none, found {self.sessions}")
        if not (isinstance(self.draws, int) and self.draws >= 2):
            raise InputError(f"draws: expected a whole number from 2, found {self.draws}")
        if not (isinstance(self.seed, int) and self.seed >= 0):
            raise InputError(f"seed: expected a whole number from 0, found {self.seed}")
        if self.interleaving not in (None, "team_draft"):
            raise one_of("interleaving", self.interleaving, ("null", "team_draft"))
        n_values = len(self.model.attraction)
        if self.pairs is not None and n_values != 1:
            raise InputError(f"attraction: expected one probability, for what is not in {self.pairs}, found {n_values}")
        self.model.expect(np.full((1, self.depth), -1))  # says so where it has parameters for fewer ranks

    def check(self, qrels: pd.DataFrame, runs: Runs, scale: Scale = FOUR) -> None:
        """Raise where `measure` would, without the work; warn of a model that was fitted to other pairs."""
        self._on(scale)
        _, pairs = self._fitted()
        if pairs is not None:
            shown = pd.MultiIndex.from_frame(runs.top(self.depth).frame[PAIR])
            known = int(shown.isin(pd.MultiIndex.from_frame(pairs[PAIR])).sum())
            if known < FEW * len(shown):
                log.warning(
                    "%s: the click model knows %s of %s in the top %d (%s): its single values hold for all others. Was "
                    "it fitted to other queries or passages?",
                    self.pairs,
                    f"{known:,}",
                    counted(len(shown), "result"),
                    self.depth,
                    share(known, len(shown)),
                )

    def measure(self, qrels: pd.DataFrame, runs: Runs, scale: Scale = FOUR) -> pd.DataFrame:
        """ONLINE for every system and query; a result that is not judged counts as the lowest grade."""
        return next(self.draw(qrels, runs, 1, scale))

    def draw(self, qrels: pd.DataFrame, runs: Runs, draws: int, scale: Scale = FOUR) -> Iterator[pd.DataFrame]:
        """`draws` independent samples, each as `measure` gives the first; the exact metrics are the same in all."""
        _, dwell, metrics = self._on(scale)
        grades = self._grades(qrels, runs, scale).reshape(-1, self.depth)
        model, kinds = self._seen(grades, runs, scale)
        kinds = kinds.reshape(grades.shape)
        for draw in range(draws):
            if self.sessions is None:
                seen = exact(model, grades, kinds, dwell, metrics)
            else:
                rng = np.random.default_rng([self.seed, draw])
                with bar("sampling", len(grades) * self.sessions, "sessions", after=2) as advance:
                    seen = sampled(model, grades, kinds, dwell, metrics, self.sessions, rng, advance)
            yield online_frame(runs.systems, runs.query_ids, self.metrics.of(seen))

    def draws_of(self, qrels: pd.DataFrame, runs: Runs, scale: Scale = FOUR) -> Iterator[pd.DataFrame]:
        """What `measure` gives; of sampled users `draws` samples."""
        return self.draw(qrels, runs, 1 if self.sessions is None else self.draws, scale)

    def outcomes(self, qrels: pd.DataFrame, runs: Runs, scale: Scale = FOUR) -> pd.DataFrame | None:
        """OUTCOMES of interleaving every two systems, as `interleaving.outcomes` makes them; None where it is not asked
        for.
        """
        if self.interleaving is None:
            return None
        rng = np.random.default_rng([self.seed, 0, 1])  # [seed, draw] are those of `draw`
        model, kinds = self._seen(self._grades(qrels, runs, scale), runs, scale)
        return outcomes(model, runs, kinds, self.sessions, rng)

    def definitions(self, scale: Scale = FOUR) -> str:
        """How the metrics were made, in a line to print under a table."""
        how = "exact" if self.sessions is None else f"{self.sessions:,} sessions a system and query, seed {self.seed}"
        by = "by grade" if self.pairs is None else f"by pair from {Path(self.pairs).name}, of other pairs"
        model, dwell, _ = self._on(scale)
        values = {each.name: f"{each.name} {_numbers(getattr(model, each.name))}" for each in fields(model)}
        of_results = ", ".join(values.pop(name) for name in BY_RESULT if name in values)
        return "; ".join(
            [
                f"{type(self.model).__name__}, {how}, on the baseline labels, top {self.depth}",
                f"{by}: {of_results}",
                *values.values(),
                f"dwell in s by grade {_numbers(dwell.mean)}, sigma {dwell.sigma:g}",
                self.metrics.definitions(scale),
                *self._interleaved(),
            ]
        )

    def _interleaved(self) -> Iterator[str]:
        if self.interleaving is not None:
            over = "endless impressions, intervals over the queries"
            if self.sessions is not None:
                over = f"{self.sessions:,} impressions of each query, intervals over all of them"
            yield f"team-draft interleaving of every two systems, {over}; won by more clicks"

    def _grades(self, qrels: pd.DataFrame, runs: Runs, scale: Scale) -> np.ndarray:
        """The place on the scale of each result's grade (systems, queries, depth), -1 where there is none."""
        return scale.places(runs.grades(qrels, self.depth, unjudged=scale.grades[0]))

    def _seen(self, grades: np.ndarray, runs: Runs, scale: Scale) -> tuple[ClickModel, np.ndarray]:
        """The click model and what it sees of each result: these grades, or numbers of pairs, as many."""
        fitted, pairs = self._fitted()
        if pairs is None:
            return self._on(scale)[0], grades
        return fitted, runs.grades(pairs, self.depth, unjudged=len(pairs))

    def _on(self, scale: Scale) -> tuple[ClickModel, Dwell, Metrics]:
        """The click model (as it is, where it is by pair), dwell times and metrics by the places of grades on a scale.

        An InputError where a list of them has more or fewer values than there are grades.
        """
        names = [each.name for each in fields(self.model) if each.name in BY_RESULT] if self.pairs is None else []
        model = replace(self.model, **{name: on_scale(name, getattr(self.model, name), scale) for name in names})
        relevant = scale.relevant_from if self.metrics.relevant_from is None else self.metrics.relevant_from
        metrics = replace(self.metrics, relevant_from=scale._replace(relevant_from=relevant).relevant_place)
        return model, replace(self.dwell, mean=on_scale("dwell.mean", self.dwell.mean, scale)), metrics

    def _fitted(self) -> tuple[ClickModel, pd.DataFrame | None]:
        """The model and the pairs it was fitted to, numbered by `relevance`; the last number is any other pair's."""
        if self.pairs is None:
            return self.model, None
        names = [each.name for each in fields(self.model) if each.name in BY_RESULT]
        pairs = read_pairs(self.pairs, names)
        by_pair = {name: (*pairs[name], *getattr(self.model, name)) for name in names}
        return replace(self.model, **by_pair), pairs.assign(relevance=np.arange(len(pairs)))


def read_pairs(path: str | Path, names: Sequence[str]) -> pd.DataFrame:
    """`query_id`, `doc_id` and the parameters of these names, as alignir fit writes them in parquet.

    A file that is not there, or lacks one of them, is an InputError.

    >>> read_pairs("nowhere.parquet", ["attraction"])
    Traceback (most recent call last):
    alignir.errors.InputError: no table of fitted pairs (pairs=FILE) at ...
    """
    path = existing(path, "table of fitted pairs (pairs=FILE)")
    return read_parquet(path, (*PAIR, *names))


def _numbers(values) -> str:
    if isinstance(values, (list, tuple)):
        separator = " | " if isinstance(values[0], (list, tuple)) else "/"
        return separator.join(map(_numbers, values))
    return f"{values:.4g}"
