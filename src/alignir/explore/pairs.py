"""Pairs: each with its texts, everybody's labels, the answers, its place in every ranking, and what it weighs."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from alignir.alignment.worklist import Graded, weight
from alignir.data.collections import Dataset
from alignir.data.ranked import Runs
from alignir.evaluation.ndcg import places
from alignir.explore.strings import Strings
from alignir.frames import PAIR, QRELS, STATUSES

DEPTH = 10  # of the rankings that a pair is weighed by, where the headline measure has no depth


def pairs_of(
    dataset: Dataset,
    labels: Sequence[pd.DataFrame],
    comparable: Sequence[bool],
    runs: Runs,
    systems: Sequence[str],
    measure: str,
    passages: Strings,
    answers: Strings,
) -> dict[str, Any]:
    """The page's columns, a list each: the largest disagreement first, of equal ones the heaviest.

    `labels` are the judges' LABELS, `comparable` says which judges have the baseline's grades. `query` is the place of
    the query, `passage` and `answers` are numbers of texts, `statuses` places in STATUSES; None: no label, no text.
    `places`: by pair, then system in this order, the rank; 0 where it is not returned. `spread`: of all comparable
    labels, the highest less the lowest. `weight`: alignment.worklist's, in units of 1e-6, by nDCG at the measure's
    depth, else at 10; `worklist`: the pairs that have a text, the heaviest first, of equal ones the largest spread.
    """
    sides = [dataset.qrels, dataset.second if dataset.second is not None else dataset.qrels.iloc[:0], *labels]
    pairs = pd.concat([side[PAIR] for side in sides]).drop_duplicates(ignore_index=True)
    pairs = pairs[pairs["query_id"].isin(dataset.queries.index)].reset_index(drop=True)
    grades = np.stack([_of_pairs(pairs, side[QRELS], "relevance", np.nan) for side in sides], axis=1).astype(float)
    spread = _spread(grades[:, [True, True, *comparable]])
    weights = _weights(grades, comparable, pairs, runs, measure)
    order = np.lexsort((-weights, -spread))
    pairs, grades, spread, weights = pairs.iloc[order], grades[order], spread[order], weights[order]
    texts = dataset.pairs(pairs)
    query_ids = {query_id: place for place, query_id in enumerate(dataset.queries.index)}
    heaviest = np.lexsort((-spread, -weights))
    return {
        "query": [query_ids[query_id] for query_id in pairs["query_id"]],
        "doc_id": pairs["doc_id"].tolist(),
        "passage": [passages.number(text) if isinstance(text, str) else None for text in texts["passage"]],
        "baseline": _grades(grades[:, 0]),
        "second": None if dataset.second is None else _grades(grades[:, 1]),
        "labels": [_grades(column) for column in grades[:, 2:].T],
        "statuses": [[STATUSES.index(s) for s in _of_pairs(pairs, side, "status", "absent")] for side in labels],
        "answers": [[answers.number(str(text)) for text in _of_pairs(pairs, side, "response", "")] for side in labels],
        "spread": spread.astype(int).tolist(),
        "weight": np.round(weights * 1e6).astype(int).tolist(),
        "worklist": heaviest[texts["passage"].notna().to_numpy()[heaviest]].tolist(),
        "places": _ranks(pairs, runs, systems),
    }


def _of_pairs(pairs: pd.DataFrame, side: pd.DataFrame, column: str, nothing: object) -> np.ndarray:
    """What a side has for each pair; a side's last row of a pair counts."""
    known = side.drop_duplicates(PAIR, keep="last").set_index(PAIR)[column].astype(object)
    found = known.reindex(pd.MultiIndex.from_frame(pairs))
    return found.where(found.notna(), nothing).to_numpy()


def _spread(grades: np.ndarray) -> np.ndarray:
    """The highest less the lowest of each row; 0 where fewer than two are known."""
    known = (~np.isnan(grades)).sum(axis=1) > 1
    found = np.zeros(len(grades))
    found[known] = np.nanmax(grades[known], axis=1) - np.nanmin(grades[known], axis=1)
    return found


def _weights(
    grades: np.ndarray, comparable: Sequence[bool], pairs: pd.DataFrame, runs: Runs, measure: str
) -> np.ndarray:
    judges = [Graded(grades[:, 2 + place], grades[:, 0]) for place, same in enumerate(comparable) if same]
    if not judges:
        return np.zeros(len(pairs))
    cut = re.fullmatch(r"ndcg_cut_(\d+)", measure)
    return weight(judges, places(pairs[PAIR], runs, int(cut[1]) if cut else DEPTH))


def _grades(column: np.ndarray) -> list[int | None]:
    return [None if grade != grade else int(grade) for grade in column]


def _ranks(pairs: pd.DataFrame, runs: Runs, systems: Sequence[str]) -> list[list[int]]:
    found = np.zeros((len(pairs), len(systems)), dtype=int)
    results = runs.plain
    rows = pd.MultiIndex.from_frame(pairs[PAIR]).get_indexer(pd.MultiIndex.from_frame(results[PAIR]))
    columns = pd.Index(systems).get_indexer(results["system"])
    known = (rows >= 0) & (columns >= 0)
    found[rows[known], columns[known]] = results["rank"].to_numpy()[known]
    return found.tolist()
