"""Ceiling and floors: labels that know as much as people do, or nothing, to read a judge's alignment by."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from alignir.data.collections import Dataset
from alignir.data.scales import Scale
from alignir.frames import LEXICAL, ONE_GRADE, PAIR, SECOND, SHUFFLED
from alignir.labelling.graders import Lexical


class Labels(NamedTuple):
    """Labels that no judge gave."""

    draws: list[pd.DataFrame]  # QRELS; several of what is drawn
    scale: Scale


def ceiling_and_floors(dataset: Dataset, shuffles: int, rng: np.random.Generator) -> dict[str, Labels]:
    """Sets of labels by name. All but the second are of judged pairs.

    second            other people's labels, where the dataset has them: what a judge can be expected to reach
    floor: lexical    the share of the query's terms in the passage: what reading no meaning at all reaches; only where
                      the dataset has texts
    floor: shuffled   the baseline's grades, permuted over its pairs at random: the tau of labels without information.
                      That need not be a tau of 0: systems still differ in how many judged results they show
    floor: one grade  the first relevant grade for every judged pair: only how many judged results a system shows
    """
    qrels, scale, lexical = dataset.qrels, dataset.scale, Lexical()
    labels = {SECOND: Labels([dataset.second], scale)} if dataset.second is not None else {}
    known = dataset.pairs().dropna(subset="passage")  # a pair without a text has no label, like a judge's
    own = lexical.scale_beside(scale)
    if len(known):
        labels[LEXICAL] = Labels([known[PAIR].assign(relevance=lexical.grade(known, own))], own)
    if shuffles:
        drawn = [qrels.assign(relevance=rng.permutation(qrels["relevance"])) for _ in range(shuffles)]
        labels[SHUFFLED] = Labels(drawn, scale)
    return labels | {ONE_GRADE: Labels([qrels.assign(relevance=scale.relevant_from)], scale)}
