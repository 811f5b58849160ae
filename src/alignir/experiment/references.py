"""References: what a judge is read beside, the same for every judge of a sweep: baseline, users, ceiling and floors."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from alignir.alignment.tau import Sides, against_baseline, against_users, between_draws, sides
from alignir.data.digests import digest
from alignir.evaluation.names import recorded_name
from alignir.evaluation.scores import evaluate
from alignir.experiment.cells import Cell
from alignir.experiment.floors import ceiling_and_floors, shuffled
from alignir.experiment.inputs import Inputs
from alignir.files import state_of
from alignir.frames import BASELINE, SHUFFLED
from alignir.users.users import Comparing

ROWS = 5_000_000  # of SCORES and ONLINE that are kept for the next judges: about 200 MB


@dataclass(frozen=True)
class References:
    """What judges are compared with on one dataset, with one set of systems and one user model."""

    baseline: pd.DataFrame  # SCORES under the baseline labels
    online: pd.DataFrame  # ONLINE
    noise: pd.DataFrame | None  # NOISE of sampled users
    outcomes: pd.DataFrame | None  # OUTCOMES of users who compare two systems
    alignment: pd.DataFrame  # ALIGNMENT with `labels`: the baseline's, the ceiling's and the floors' own

    @property
    def rows(self) -> int:
        return len(self.baseline) + len(self.online)


_kept: dict[tuple, References] = {}  # the oldest first


def references(cell: Cell, inputs: Inputs) -> References:
    """Those of the cell, made once in a process: they take longer than a judge's own numbers."""
    dataset = inputs.dataset
    second = None if dataset.second is None else digest(dataset.second)
    read = (dataset.fingerprint, inputs.digests["labels"], inputs.digests["systems"], second)
    scoring, rankings = (cell.headline, *cell.measures, cell.unjudged), (inputs.runs.systems, inputs.runs.query_ids)
    settings = (scoring, cell.resampling, dataset.scale, cell.shuffles, *rankings)
    users = (repr(cell.user_model), state_of(vars(cell.user_model)))
    this = (read, settings, users)
    if this not in _kept:
        _kept[this] = _made(cell, inputs)
        while len(_kept) > 1 and sum(known.rows for known in _kept.values()) > ROWS:
            del _kept[next(iter(_kept))]
    return _kept[this]


def _made(cell: Cell, inputs: Inputs) -> References:
    dataset, runs = inputs.dataset, inputs.runs
    measures = (cell.headline, *cell.measures)
    baseline = evaluate(dataset.qrels, runs, measures, scale=dataset.scale, unjudged=cell.unjudged)
    draws = list(cell.user_model.draws_of(dataset.qrels, runs, dataset.scale))
    online = draws[0]
    people, users = sides(baseline), sides(online)
    alignment = [
        against_baseline(people, people).assign(labels=BASELINE),
        against_users(people, users, cell.resampling).assign(labels=BASELINE),
        *_of_ceiling_and_floors(cell, inputs, people, users),
    ]
    noise = between_draws(draws) if len(draws) > 1 else None
    asked = (dataset.qrels, runs, dataset.scale)
    outcomes = cell.user_model.outcomes(*asked) if isinstance(cell.user_model, Comparing) else None
    return References(baseline, online, noise, outcomes, pd.concat(alignment, ignore_index=True))


def _of_ceiling_and_floors(cell: Cell, inputs: Inputs, people: Sides, users: Sides) -> Iterator[pd.DataFrame]:
    """ALIGNMENT of the headline measure by each of them, as if a judge had given those labels."""
    runs, headline = inputs.runs, recorded_name(cell.headline)
    for name, (labels, scale) in ceiling_and_floors(inputs.dataset).items():
        scored = sides(evaluate(labels, runs, (headline,), scale=scale, unjudged=cell.unjudged))
        yield against_baseline(scored, people, cell.resampling).assign(labels=name)
        yield against_users(scored, users, cell.resampling).assign(labels=name)
    if cell.shuffles.n:
        yield shuffled(cell, inputs.dataset, runs, {BASELINE: people[headline], **users}).assign(labels=SHUFFLED)
