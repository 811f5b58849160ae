"""Degraded systems: a good run made worse step by step, so that the order of the systems is known."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from alignir.data.collections import Dataset
from alignir.data.ranked import Runs, as_runs, nothing_returned, ranked
from alignir.errors import InputError, one_of
from alignir.retrieval.bm25 import bm25
from alignir.retrieval.run_files import run_files

HOW = ("moved", "replaced")


def degraded(
    dataset: Dataset,
    path: str | Path | None = None,
    system: str | None = None,
    unknown: str = "error",
    how: str = "replaced",
    shares: Sequence[float] = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1),
    depth: int = 10,
    seed: int = 0,
) -> Runs:
    """RUNS of one good system in which a growing share of each query's first `depth` results is worse: one a share.

    The good system is a run file of `path`, else of the dataset, else BM25: `system` names it, else it is the one with
    the highest mean grade of its first `depth` results. Systems are called as `names_of` has it.

    A result gets worse by changing places with a passage that the baseline labels grade lower: one that stands below it
    among the first `depth` (`moved`), or further down or nowhere in the run (`replaced`). Which are worse at a share
    are so at all larger ones, so that no result at or above any rank of a worse system sums up to more: the order is
    known. What nobody judged counts as the lowest grade, as it does for measures and users, and is taken where nothing
    that was judged is worse.
    """
    if how not in HOW:
        raise one_of("how", how, HOW)
    if not (isinstance(depth, int) and depth >= 1 and isinstance(seed, int) and seed >= 0):
        raise InputError(f"expected a depth from 1 and a seed from 0, found {depth} and {seed}")
    names = names_of(shares)
    good, notes = _good(dataset, path, system, unknown, depth)
    called = good["system"].iloc[0]
    grades = dataset.qrels.set_index(["query_id", "doc_id"])["relevance"]
    rng, frames, worse = np.random.default_rng(seed), [], 0
    for query_id, results in sorted(good.groupby("query_id")):
        found = results.sort_values("rank")["doc_id"].tolist()
        judged = grades.loc[query_id].to_dict()
        steps = _steps(found, judged, dataset.scale.grades[0], how, depth, rng)
        worse += sum(steps[-1][rank] != steps[0][rank] for rank in range(len(found)))
        for name, share in names.items():
            ranking = steps[round(share * (len(steps) - 1))]
            score = np.arange(len(ranking), 0, -1.0)
            frames.append(pd.DataFrame({"query_id": query_id, "doc_id": ranking, "score": score}).assign(system=name))
    if not worse:
        raise InputError(
            f"no result of {called} down to rank {depth} can be {how}: the baseline labels of "
            f"{dataset.name} have nothing worse for any query"
        )
    notes += (f"systems are made of {called}: each is named by the share of worse results ({how}, top {depth})",)
    return Runs(ranked(pd.concat(frames, ignore_index=True)), tuple(names), tuple(dataset.queries.index), notes)


def names_of(shares: Sequence[float]) -> dict[str, float]:
    """{system: the share of its results that got worse}, the best system first.

    >>> names_of([0, 0.25, 1])
    {'worse-0': 0.0, 'worse-0.25': 0.25, 'worse-1': 1.0}
    """
    try:
        found = [float(share) for share in shares]
    except (TypeError, ValueError):
        found = []
    if len(set(found)) < 2 or found != sorted(set(found)) or not 0 <= found[0] < found[-1] <= 1:
        raise InputError(f"shares: expected two or more rising numbers from 0 to 1, found {shares}")
    return {f"worse-{share:g}": share for share in found}


def _good(
    dataset: Dataset, path: str | Path | None, system: str | None, unknown: str, depth: int
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """(RUNS of the good system, what a reader should know of it)."""
    if path is None and dataset.runs is None:
        if system is not None:
            raise InputError(f"system={system}: {dataset.name} has no run files: name a folder of them with path")
        made = as_runs(bm25(dataset, ["lucene"], [(0.9, 0.4)], [True], [True]), dataset.queries.index)
    else:
        made = run_files(dataset, path, ["*"] if system is None else [system], unknown=unknown)
    if made.frame.empty:
        raise nothing_returned(dataset.queries, made.notes)
    lowest = dataset.scale.grades[0]
    shown = made.grades(dataset.qrels, depth, unjudged=lowest)
    means = np.where(shown < 0, lowest, shown).mean(axis=(1, 2))
    best = made.systems[int(np.argmax(means))]
    return made.plain[made.frame["system"] == best], made.notes


def _steps(
    found: list[str], judged: dict[str, int], lowest: int, how: str, depth: int, rng: np.random.Generator
) -> list[list[str]]:
    """The ranking as it is, and after each change of places; as many changes as results that can get worse.

    `found` are the doc_ids by rank, `judged` the grades of a query's passages. The result at a rank, ranks in random
    order, changes places with a worse one below, a random one of those that were judged. The ranking keeps its length.
    """
    everything = found + sorted(set(judged) - set(found))
    grade = np.array([judged.get(doc_id, lowest) for doc_id in everything])
    is_judged = np.array([doc_id in judged for doc_id in everything])
    at = np.arange(len(everything))  # which of everything stands at a rank
    shown = min(depth, len(found))
    steps = [found]
    for rank in rng.permutation(shown):
        below = np.arange(rank + 1, shown) if how == "moved" else np.arange(shown, len(at))
        worse = below[grade[at[below]] < grade[at[rank]]]
        if not len(worse):
            continue
        known = worse[is_judged[at[worse]]]
        other = rng.choice(known if len(known) else worse)
        at[[rank, other]] = at[[other, rank]]
        steps.append([everything[place] for place in at[: len(found)]])
    return steps
