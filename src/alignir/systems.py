"""Retrieval systems: their rankings, from run files, from a grid of BM25, or from pipelines that build on others."""

import logging
import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path

import pandas as pd

from alignir.data import trec
from alignir.data.collections import Dataset
from alignir.data.ranked import ranked
from alignir.dense import Encoder, retrieve
from alignir.errors import InputError, one_of
from alignir.files import read_parquet
from alignir.frames import PAIR, QRELS, RUNS
from alignir.rankings import fuse, grades, rerank, top


def runs(
    dataset: Dataset, path: str | Path | None, include: list[str], exclude: list[str], unknown: str
) -> pd.DataFrame:
    """RUNS read from the run files of a folder: the dataset's own, or `path`.

    `include` and `exclude` take name patterns (`*`, `?`); each must match a system. A query that the dataset does not
    have is an error, unless `unknown` is `ignore` (official TREC runs hold more queries than were judged).
    """
    folder = path or dataset.runs
    if folder is None:
        raise InputError(
            f"the dataset {dataset.name} has no run files: name a folder of *.run files with systems.path=FOLDER, "
            "or build systems with systems=bm25"
        )
    files = _selected(trec.run_files(folder), include, exclude)
    frame = pd.concat([trec.read_run(file, system) for system, file in files.items()], ignore_index=True)
    return _known(frame, dataset, files, unknown)


def _selected(files: dict[str, Path], include: list[str], exclude: list[str]) -> dict[str, Path]:
    excluded = _matching(exclude, files)
    kept = {system: files[system] for system in _matching(include, files) if system not in excluded}
    if not kept:
        raise InputError(f"systems.include={include} systems.exclude={exclude} leave none of {', '.join(files)}")
    return kept


def _matching(patterns: list[str], systems: Iterable[str]) -> list[str]:
    """The systems that match any of the name patterns (`*`, `?`), in their own order; each pattern must match one."""
    for pattern in patterns:
        if not any(fnmatchcase(system, pattern) for system in systems):
            raise one_of("system", pattern, systems)
    return [system for system in systems if any(fnmatchcase(system, pattern) for pattern in patterns)]


def _known(frame: pd.DataFrame, dataset: Dataset, files: dict[str, Path], unknown: str) -> pd.DataFrame:
    if unknown not in ("error", "ignore"):
        raise one_of("way with unknown queries", unknown, ("error", "ignore"))
    frame = frame[~frame["query_id"].isin(dataset.unjudged)].reset_index(drop=True)
    strange = ~frame["query_id"].isin(dataset.queries.index)
    if not strange.any():
        return frame
    if unknown == "error":
        system, query_id = frame.loc[strange.idxmax(), ["system", "query_id"]]
        raise InputError(
            f"{trec.line_of(files[system], query_id)}: the query {query_id} is not in the dataset {dataset.name} "
            f"({frame.loc[strange, 'query_id'].nunique()} such queries in all). If the run rightly holds queries that "
            "were not judged, set systems.unknown=ignore"
        )
    return frame[~strange].reset_index(drop=True)


def bm25(
    dataset: Dataset, scoring: list[str], k1_b: list[list[float]], stem: list[bool], stop: list[bool], k: int
) -> pd.DataFrame:
    """RUNS of a grid of lexical pipelines over the dataset's passages: every combination of the four choices.

    `scoring` names bm25s's variants (Kamphuis et al., ECIR 2020). A result shares at least one term with the query.
    """
    import bm25s
    import Stemmer

    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to DEBUG
    queries, passages = dataset.queries, dataset.passages
    k = min(k, len(passages))
    frames = []
    for stemmed, stopped in product(stem, stop):
        stemmer = Stemmer.Stemmer("english") if stemmed else None
        stopwords = "english" if stopped else None
        index_tokens, query_tokens = (
            bm25s.tokenize(list(texts), stemmer=stemmer, stopwords=stopwords, show_progress=False, return_ids=False)
            for texts in (passages, queries)
        )
        for method, (k1, b) in product(scoring, k1_b):
            name = f"{method}-k{k1}-b{b}{'-stem' if stemmed else ''}{'-stop' if stopped else ''}"
            engine = bm25s.BM25(method=method, k1=k1, b=b)
            engine.index(index_tokens, show_progress=False)
            found, scores = engine.retrieve(query_tokens, corpus=passages.index.to_numpy(), k=k, show_progress=False)
            frame = pd.DataFrame(
                {
                    "system": name,
                    "query_id": queries.index.repeat(k),
                    "doc_id": found.ravel(),
                    "score": scores.ravel().astype(float),
                    "rank": 0,
                }
            )
            floor = {
                query_id: _score_without_terms(engine, tokens)
                for query_id, tokens in zip(queries.index, query_tokens, strict=True)
            }
            frames.append(frame[frame["score"] > frame["query_id"].map(floor)])
    return ranked(pd.concat(frames, ignore_index=True)[RUNS])


def _score_without_terms(engine, tokens: list[str]) -> float:
    """What a passage with none of these terms scores: bm25l and bm25+ give even that more than 0."""
    if engine.nonoccurrence_array is None:
        return 0.0
    known = [engine.vocab_dict[token] for token in tokens if token in engine.vocab_dict]
    return float(engine.nonoccurrence_array[known].sum()) + 1e-6


def pipelines(
    dataset: Dataset,
    first: dict[str, Callable[[Dataset], pd.DataFrame]],
    dense: list[str | dict],
    fusions: dict[str, list[str]],
    hybrids: list[str],
    rerankers: dict[str, dict],
    rrf_k: int,
    k: int,
) -> pd.DataFrame:
    """RUNS of first stages, of fusions of them, and of all these re-ranked by each re-ranker: every combination.

    `first` are functions that make RUNS of a dataset, `dense` the names or the settings of encoders. A fusion is one
    system, by its name and the patterns of its members; `hybrids` are patterns of what is fused with each dense system.
    A re-ranker has `by`, a grader or a file of labels, and `depth`. Fused systems are called `one+other` or by their
    fusion's name, re-ranked ones `system:reranker`.
    """
    encoders = [Encoder(**({"name": model} if isinstance(model, str) else model)) for model in dense]
    stages = [make(dataset) for make in first.values()]
    stages += [retrieve(dataset, encoder, k) for encoder in encoders]
    runs = _distinct(stages)
    systems = sorted(runs["system"].unique())
    models = [encoder.title for encoder in encoders]
    members = {_named(name): _matching(patterns, systems) for name, patterns in fusions.items()}
    if models:
        others = [system for system in systems if system not in models]
        members |= {f"{one}+{model}": [one, model] for one in _matching(hybrids, others) for model in models}
    fused = [fuse(runs, names, rrf_k, k).assign(system=name) for name, names in members.items()]
    runs = _distinct([runs, *fused])
    reranked = []
    for name, settings in rerankers.items():
        found = _reranked(runs, dataset, name, **settings)
        reranked.append(found.assign(system=found["system"] + ":" + _named(name)))
    return ranked(_distinct([runs, *reranked]))


def _reranked(runs: pd.DataFrame, dataset: Dataset, name: str, by, depth: int) -> pd.DataFrame:
    pairs = top(runs, depth)[PAIR].drop_duplicates()
    if hasattr(by, "grade"):
        by.check()
        pairs = pairs[pairs["doc_id"].isin(dataset.passages.index)].reset_index(drop=True)
        pairs = pairs.assign(
            query=pairs["query_id"].map(dataset.queries), passage=pairs["doc_id"].map(dataset.passages)
        )
        labels = pairs[PAIR].assign(relevance=by.grade(pairs))
    else:
        labels = _read_labels(by).merge(pairs, on=PAIR)
        if grades(labels).isna().all():
            raise InputError(f"{by}: has a label for none of the {len(pairs)} pairs that {name} is to re-rank")
    return rerank(runs, labels, depth)


def _read_labels(path: str | Path) -> pd.DataFrame:
    """QRELS from a file of TREC qrels, or LABELS from the labels.parquet of a recorded run."""
    path = trec.existing(path, "file of labels to re-rank by")
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
    if not seen:
        raise InputError("systems: expected at least one first stage (first or dense), found none")
    return pd.concat(stages, ignore_index=True)
