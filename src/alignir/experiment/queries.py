"""Query selection: which of a dataset's queries the systems are compared on.

A strategy is a function of a dataset that gives query_ids. One with a parameter `scores` also gets the systems' SCORES
by the headline measure under the baseline labels of all queries: it shows which labels would have been enough, after
all of them were made.
"""

import inspect
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from alignir.alignment.selection import from_strata, greedy_order, highest, inclusion, systematic
from alignir.data.collections import Dataset
from alignir.data.frequencies import frequencies_of
from alignir.data.ranked import Runs
from alignir.errors import InputError
from alignir.evaluation.names import NDCG
from alignir.evaluation.scores import evaluate
from alignir.formatting import counted

log = logging.getLogger(__name__)


def select(
    strategy: Callable[..., list[str]],
    dataset: Dataset,
    runs: Runs,
    headline: str = NDCG,
    unjudged: str = "not_relevant",
) -> list[str]:
    """The query_ids that the strategy chooses for systems with these rankings, where it needs scores by `headline`."""
    if "scores" not in inspect.signature(strategy).parameters:
        return strategy(dataset)
    scores = evaluate(dataset.qrels, runs, (headline,), scale=dataset.scale, unjudged=unjudged)
    return strategy(dataset, scores=scores)


def everything(dataset: Dataset) -> list[str]:
    """Every query that has a judged pair."""
    return list(dataset.queries.index)


def random(dataset: Dataset, n: int, seed: int) -> list[str]:
    """`n` queries drawn without replacement; the same ones for the same seed, whatever the file's order."""
    names = _names(dataset, n)
    return _named(names, np.random.default_rng(seed).choice(len(names), size=n, replace=False))


def most_judged(dataset: Dataset, n: int) -> list[str]:
    """The `n` queries with the most judged pairs; of a tie the first query_id."""
    names = _names(dataset, n)
    return _named(names, highest(dataset.qrels["query_id"].value_counts()[names].to_numpy(), n))


def traffic(dataset: Dataset, path: str | Path | None, n: int, seed: int) -> list[str]:
    """`n` queries drawn without replacement with probability proportional to size, their frequency in a file.

    The scheme is systematic sampling in random order (Madow, Annals of Mathematical Statistics 1949; Hartley and Rao,
    1962), whose inclusion probabilities are exactly n f / sum f. A query for which that reaches 1 is always drawn, and
    the others share what is left. The plain mean over such queries stands for what users ask, a frequent query for
    more than a rare one.

    Lines of the file are `query_id<TAB>count`; `#` starts a comment, and the first line may be a header. Every query of
    the dataset needs a line: an unknown frequency is not 0.
    """
    names, counts = _names(dataset, n), frequencies_of(dataset, path)
    if (counts > 0).sum() < n:
        raise InputError(f"{path}: n={n}, but only {counted((counts > 0).sum(), 'query')} with a frequency above 0")
    return _named(names, systematic(inclusion(counts[names].to_numpy(), n), np.random.default_rng(seed)))


def stratified(dataset: Dataset, scores: pd.DataFrame, n: int, seed: int, strata: int) -> list[str]:
    """`n` queries, the same share of each stratum of difficulty, at random within it.

    Difficulty is the systems' mean score of a query, the lower the harder; `from_strata` makes the strata.
    """
    names = _names(dataset, n)
    if not (isinstance(strata, int) and 1 <= strata <= len(names)):
        raise InputError(f"strata={strata}: expected 1 to {len(names)}, the queries of {dataset.name}")
    difficulty = _values(scores, names).mean(axis=0)
    return _named(names, from_strata(difficulty, n, strata, np.random.default_rng(seed)))


def discriminative(dataset: Dataset, scores: pd.DataFrame, n: int) -> list[str]:
    """The `n` queries whose score varies most across systems (variance); of a tie the first query_id."""
    names = _names(dataset, n)
    return _named(names, highest(_values(scores, names).var(axis=0), n))


def greedy(dataset: Dataset, scores: pd.DataFrame, n: int) -> list[str]:
    """`n` queries, each the one that brings the systems' means nearest to their order over all queries (tau_b).

    Optimistic: the queries are chosen with the very systems that they then compare. `budget.on_other_systems` tells how
    well such queries order systems that had no part in the choice.
    """
    log.warning(
        "queries=greedy: chosen with the very systems that they compare, so their agreement with all queries is too "
        "high; alignir budget shows it on other systems"
    )
    names = _names(dataset, n)
    return _named(names, greedy_order(_values(scores, names), n))


def _names(dataset: Dataset, n: int) -> np.ndarray:
    """The dataset's query_ids in order, if `n` of them can be chosen."""
    names = np.sort(dataset.queries.index.to_numpy(dtype=str))
    if not 1 <= n <= len(names):
        raise InputError(f"n={n}: expected 1 to {len(names)}, the queries of {dataset.name}")
    return names


def _values(scores: pd.DataFrame, names: np.ndarray) -> np.ndarray:
    """SCORES of one measure as an array (S, Q) with the queries in this order."""
    return scores.pivot(index="system", columns="query_id", values="value")[names].to_numpy(float)


def _named(names: np.ndarray, chosen: np.ndarray) -> list[str]:
    return [str(name) for name in names[chosen]]
