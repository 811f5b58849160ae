"""Circle: the systems of a recorded run, re-ranked by its judge's labels, and scored by the judge and the baseline."""

from dataclasses import dataclass

import pandas as pd

from alignir.alignment import circularity
from alignir.alignment.tau import common
from alignir.data.pools import filled
from alignir.data.ranked import Runs
from alignir.evaluation.scores import evaluate, means
from alignir.experiment.as_recorded import rankings_of
from alignir.experiment.cells import Cell
from alignir.frames import BASELINE
from alignir.retrieval.fusion import rerank
from alignir.tracking.runs import Recorded


@dataclass(frozen=True)
class Circle:
    """What re-ranking by a judge's labels does; scores are by system, with the columns circularity.SIDES."""

    before: pd.DataFrame
    after: pd.DataFrame  # all systems have re-ranked
    loss: dict[str, float]  # as circularity.loss has it


def circles(run: Recorded, cell: Cell, depth: int, ways: tuple[str, ...]) -> dict[str, Circle]:
    """By way of treating results without a label (fusion.UNLABELLED): what re-ranking the first `depth` results does.

    `cell` is that of the run: its dataset and systems are read again, no model is asked. InputError where they are not
    what they were.
    """
    scores = run.frame("scores.parquet")
    scores = scores[scores["measure"] == cell.headline]
    judged, people = (scores[scores["labels"] == labels] for labels in ("model", BASELINE))
    dataset, runs = rankings_of(run, cell)
    known, by = filled(cell.pool, dataset.qrels, run.frame("labels.parquet")), (cell.headline,)

    def scored(ranked: Runs) -> tuple[pd.DataFrame, pd.DataFrame]:
        return (
            evaluate(known, ranked, by, cell.missing, run.scale, cell.unjudged),
            evaluate(dataset.qrels, ranked, by, scale=dataset.scale, unjudged=cell.unjudged),
        )

    found = {}
    for way in ways:
        changed = scored(Runs(rerank(runs.plain, known, depth, way), runs.systems, runs.query_ids))
        sides = (judged, people), changed
        before, after = (_by_system(*both) for both in sides)
        found[way] = Circle(before, after.loc[before.index], circularity.loss(*sides, cell.resampling))
    return found


def _by_system(judged: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Mean scores on the queries that both know."""
    sides = [means(side).iloc[:, 0] for side in common(judged, people)]
    return pd.DataFrame({circularity.JUDGE: sides[0], BASELINE: sides[1]})[circularity.SIDES]
