"""Ceiling and floors: labels that know as much as people do, or nothing, to read a judge's alignment by."""

import numpy as np
import pandas as pd

from alignir.data.collections import Dataset
from alignir.frames import LEXICAL, ONE_GRADE, PAIR, SECOND, SHUFFLED
from alignir.labelling.graders import Lexical


def ceiling_and_floors(dataset: Dataset, shuffles: int, rng: np.random.Generator) -> dict[str, list[pd.DataFrame]]:
    """Sets of labels (QRELS) by name; what is drawn has several, one a draw. All but the second are of judged pairs.

    second            other people's labels, where the dataset has them: what a judge can be expected to reach
    floor: lexical    the share of the query's terms in the passage: what reading no meaning at all reaches
    floor: shuffled   the baseline's grades, permuted over its pairs at random: the tau of labels without information.
                      That need not be a tau of 0: systems still differ in how many judged results they show
    floor: one grade  grade 1 for every judged pair: nothing but how many judged results a system shows
    """
    qrels = dataset.qrels
    labels = {SECOND: [dataset.second]} if dataset.second is not None else {}
    known = dataset.pairs().dropna(subset="passage")  # a pair without a text has no label, like a judge's
    labels[LEXICAL] = [known[PAIR].assign(relevance=Lexical().grade(known))]
    if shuffles:
        labels[SHUFFLED] = [qrels.assign(relevance=rng.permutation(qrels["relevance"])) for _ in range(shuffles)]
    return labels | {ONE_GRADE: [qrels.assign(relevance=1)]}
