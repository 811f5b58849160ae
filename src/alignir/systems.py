"""Retrieval systems: their rankings, from run files or from a grid of BM25 pipelines."""

import logging
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path

import pandas as pd

from alignir import trec
from alignir.datasets import Dataset
from alignir.errors import InputError, one_of
from alignir.frames import RUNS, ranked


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
    for pattern in [*include, *exclude]:
        if not any(fnmatchcase(system, pattern) for system in files):
            raise one_of("system", pattern, files)
    kept = {
        system: file
        for system, file in files.items()
        if any(fnmatchcase(system, pattern) for pattern in include)
        and not any(fnmatchcase(system, pattern) for pattern in exclude)
    }
    if not kept:
        raise InputError(f"systems.include={include} systems.exclude={exclude} leave none of {', '.join(files)}")
    return kept


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
