"""Pipelines: systems that build on others: dense, fused and re-ranked."""

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from alignir.data import trec
from alignir.data.collections import Dataset
from alignir.data.lines import existing
from alignir.data.ranked import Runs, as_runs, nothing_returned, ranked
from alignir.errors import InputError
from alignir.files import read_parquet
from alignir.frames import PAIR, QRELS
from alignir.retrieval.dense import Encoder, retrieve
from alignir.retrieval.fusion import fuse, grades, rerank, top
from alignir.retrieval.run_files import matching


def pipelines(
    dataset: Dataset,
    first: dict[str, Callable[[Dataset], Runs | pd.DataFrame]],
    dense: list[str | dict],
    fusions: dict[str, list[str]],
    hybrids: list[str],
    rerankers: dict[str, dict],
    rrf_k: int,
    k: int,
) -> Runs:
    """First stages, fusions of them, and all these re-ranked by each re-ranker: the rankings of every combination.

    `first` are functions that make rankings of a dataset, `dense` the names or the settings of encoders. A fusion is
    one system, by its name and the patterns of its members; `hybrids` are patterns of what is fused with each dense
    system. A re-ranker has `by`, a grader or a file of labels, and `depth`. Fused systems are called `one+other` or by
    their fusion's name, re-ranked ones `system:reranker`.
    """
    encoders = [Encoder(**({"name": model} if isinstance(model, str) else model)) for model in dense]
    made = [as_runs(make(dataset)) for make in first.values()]
    stages = [each.plain for each in made]
    stages += [retrieve(dataset, encoder, k) for encoder in encoders]
    if not stages:
        raise InputError("systems: expected at least one first stage (first or dense), found none")
    notes = tuple(note for each in made for note in each.notes)
    runs = _distinct(stages)
    if runs.empty:
        raise nothing_returned(dataset.queries, notes)
    systems = sorted(runs["system"].unique())
    models = [encoder.title for encoder in encoders]
    members = {_named(name): matching(patterns, systems) for name, patterns in fusions.items()}
    if models:
        others = [system for system in systems if system not in models]
        members |= {f"{one}+{model}": [one, model] for one in matching(hybrids, others) for model in models}
    fused = [fuse(runs, names, rrf_k, k).assign(system=name) for name, names in members.items()]
    runs = _distinct([runs, *fused])
    reranked = []
    for name, settings in rerankers.items():
        found = _reranked(runs, dataset, name, **settings)
        reranked.append(found.assign(system=found["system"] + ":" + _named(name)))
    frame = ranked(_distinct([runs, *reranked]))
    return Runs(frame, tuple(sorted(frame["system"].unique())), tuple(dataset.queries.index), notes)


def _reranked(runs: pd.DataFrame, dataset: Dataset, name: str, by, depth: int) -> pd.DataFrame:
    pairs = top(runs, depth)[PAIR].drop_duplicates()
    if not isinstance(by, str | Path):
        by.check()
        pairs = pairs[pairs["doc_id"].isin(dataset.collection.index)].reset_index(drop=True)
        pairs = pairs.assign(
            query=pairs["query_id"].map(dataset.queries), passage=pairs["doc_id"].map(dataset.collection)
        )
        labels = pairs[PAIR].assign(relevance=by.grade(pairs, by.scale_beside(dataset.scale)))
    else:
        labels = _read_labels(by).merge(pairs, on=PAIR)
        if grades(labels).isna().all():
            raise InputError(f"{by}: has a label for none of the {len(pairs)} pairs that {name} is to re-rank")
    return rerank(runs, labels, depth)


def _read_labels(path: str | Path) -> pd.DataFrame:
    """QRELS from a file of TREC qrels, or LABELS from the labels.parquet of a recorded run."""
    path = existing(path, "file of labels to re-rank by")
    if path.suffix != ".parquet":
        return trec.read_qrels(path)
    labels = read_parquet(path, tuple(QRELS))
    repeated = labels.duplicated(PAIR)
    if repeated.any():
        pair = " ".join(labels.loc[repeated.idxmax(), PAIR].astype(str))
        raise InputError(f"{path}: row {repeated.idxmax()} repeats the pair {pair}")
    return labels.astype(dict.fromkeys(PAIR, str))


def _named(name: str) -> str:
    """The name of a fusion or a re-ranker, if it can be part of a system's name and of a recorded setting's."""
    if not re.fullmatch(r"[\w.-]+", name):
        raise InputError(f"the name of a fusion or re-ranker: expected letters, digits, '.', '_', '-', found {name!r}")
    return name


def _distinct(stages: list[pd.DataFrame]) -> pd.DataFrame:
    """The RUNS together, if no two have a system of the same name."""
    seen: set[str] = set()
    for stage in stages:
        names = set(stage["system"])
        if names & seen:
            raise InputError(f"two systems have the name {min(names & seen)}: name one of them otherwise")
        seen |= names
    return pd.concat(stages, ignore_index=True)
