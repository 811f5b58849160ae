"""Rankings made of rankings: reciprocal rank fusion, and re-ranking by labels. RUNS in, RUNS out."""

import numpy as np
import pandas as pd

from alignir.data.ranked import ranked
from alignir.errors import InputError, one_of
from alignir.frames import PAIR

UNLABELLED = ("keep", "last")  # where re-ranking leaves a passage without a label: at its rank, or below all others


def top(runs: pd.DataFrame, depth: int) -> pd.DataFrame:
    """The first `depth` results of each query, with their index."""
    if not (isinstance(depth, int) and depth >= 1):
        raise InputError(f"expected a depth in whole results from 1, found {depth}")
    return runs[runs["rank"] <= depth]


def fuse(runs: pd.DataFrame, members: list[str], k: int = 60, depth: int = 100) -> pd.DataFrame:
    """RUNS of one system, the reciprocal rank fusion of the members: score = sum of 1 / (k + rank) over the members.

    A member that did not find a passage adds nothing to it. `depth` results a query are kept. The system's name is the
    members' joined by `+`. Cormack, Clarke and Buettcher, SIGIR 2009, who take k = 60.
    """
    known = set(runs["system"])
    for member in members:
        if member not in known:
            raise InputError(f"no system is called {member}; there are {', '.join(sorted(known))}")
    if len(set(members)) < 2 or k < 0:
        raise InputError(f"a fusion needs two systems or more and a k of at least 0, found {members} and {k}")
    found = runs[runs["system"].isin(members)]
    fused = (1 / (k + found["rank"])).groupby([found["query_id"], found["doc_id"]]).sum().reset_index(name="score")
    return top(ranked(fused.assign(system="+".join(members))), depth).reset_index(drop=True)


def rerank(runs: pd.DataFrame, labels: pd.DataFrame, depth: int, unlabelled: str = "keep") -> pd.DataFrame:
    """RUNS in which the first `depth` results of each query are in the order of their grades, the highest first.

    The grade is the label's `expected` where there is one, else its `relevance`; QRELS will do. Ties keep their order.
    A passage without a label keeps its rank, and the others are put in order around it: no label is not a grade of 0.
    With `unlabelled="last"` such passages stand below those with a label. What is below `depth` stays. Grades and first
    scores have no common scale, so the new score of a result counts the results from it down to the last.

    Labels that also evaluate such a system flatter it: it was made to please them.
    """
    if unlabelled not in UNLABELLED:
        raise one_of("unlabelled", unlabelled, UNLABELLED)
    runs = runs.reset_index(drop=True)
    first = top(runs, depth).reset_index(names="row")
    found = first.merge(labels[PAIR].assign(grade=grades(labels)), on=PAIR, how="left", validate="m:1")
    graded = found.dropna(subset="grade") if unlabelled == "keep" else found.fillna({"grade": -np.inf})
    by_rank = graded.sort_values(["system", "query_id", "rank"])
    by_grade = graded.sort_values(["system", "query_id", "grade", "rank"], ascending=[True, True, False, True])
    rank = runs["rank"].copy()
    rank.loc[by_grade["row"].to_numpy()] = by_rank["rank"].to_numpy()  # the same places, filled anew
    results = rank.groupby([runs["system"], runs["query_id"]]).transform("max")
    return ranked(runs.assign(score=(results - rank + 1).astype(float)))


def grades(labels: pd.DataFrame) -> pd.Series:
    """The expected grade of each label, else its relevance; NaN where it has neither."""
    relevance = pd.Series(labels["relevance"].to_numpy(dtype=float, na_value=np.nan), index=labels.index)
    return labels["expected"].astype(float).fillna(relevance) if "expected" in labels else relevance
