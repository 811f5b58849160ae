"""BM25: lexical pipelines over a dataset's passages, in a grid of variants."""

import logging
from collections.abc import Sequence
from itertools import product

import pandas as pd

from alignir.data.collections import Dataset
from alignir.data.ranked import ranked


def bm25(
    dataset: Dataset,
    scoring: Sequence[str] = ("lucene", "bm25l", "bm25+"),
    k1_b: Sequence[Sequence[float]] = ((0.9, 0.4), (1.6, 0.9)),
    stem: Sequence[bool] = (False, True),
    stop: Sequence[bool] = (False, True),
    k: int = 100,
) -> pd.DataFrame:
    """RUNS of a grid of lexical pipelines over the dataset's passages: every combination of the four choices.

    `scoring` names bm25s's variants (Kamphuis et al., ECIR 2020). A result shares at least one term with the query.
    """
    import bm25s
    import Stemmer

    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to DEBUG
    queries, passages = dataset.queries, dataset.collection
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
                }
            )
            floor = {
                query_id: _score_without_terms(engine, tokens)
                for query_id, tokens in zip(queries.index, query_tokens, strict=True)
            }
            frames.append(frame[frame["score"] > frame["query_id"].map(floor)])
    return ranked(pd.concat(frames, ignore_index=True))


def _score_without_terms(engine, tokens: list[str]) -> float:
    """What a passage with none of these terms scores: bm25l and bm25+ give even that more than 0."""
    if engine.nonoccurrence_array is None:
        return 0.0
    known = [engine.vocab_dict[token] for token in tokens if token in engine.vocab_dict]
    return float(engine.nonoccurrence_array[known].sum()) + 1e-6
