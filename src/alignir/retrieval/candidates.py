"""Candidates: the judged passages of each query, put in order by systems of clearly different quality."""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from alignir.data.collections import Dataset
from alignir.data.ranked import Runs, ranked
from alignir.errors import InputError, one_of
from alignir.frames import PAIR
from alignir.retrieval.fusion import fuse, rerank, top

OPENING = 10  # stems at the beginning of a passage
WEIGHT = 4  # of the passages that feedback adds to a query, whose own terms weigh 1
RERANKED = 5  # first results that are put in another order

PAIRS = (("bm25-words-k0.9-b0.4", "feedback-5"), ("bm25-letters-k0.9-b0.4", "feedback-5"), ("lsa-30", "feedback-5"))
Terms = Callable[[str], list[str]]


class Pool(NamedTuple):
    """The texts of judged pairs, each once: pair i is of queries[query[i]] and passages[passage[i]]."""

    queries: list[str]
    passages: list[str]
    query: np.ndarray
    passage: np.ndarray

    def products(self, of_queries, of_passages) -> np.ndarray:
        """The inner product of each pair's vectors, which are rows of sparse matrices (texts, dimensions)."""
        return np.asarray(of_queries[self.query].multiply(of_passages[self.passage]).sum(axis=1)).ravel()


def candidates(
    dataset: Dataset,
    k1_b: Sequence[Sequence[float]] = ((0.9, 0.4), (1.6, 0.9)),
    dimensions: Sequence[int] = (10, 30, 100),
    feedback: Sequence[int] = (1, 3, 5),
    reranked: Sequence[Sequence[str]] = PAIRS,
    spoilt: Sequence[float] = (0.25, 0.5, 0.75, 1),
    k: int = 5,
    seed: int = 0,
) -> Runs:
    """RUNS that put each query's judged passages in order, as in TREC's re-ranking task, and show the first `k`.

    No system knows a grade. All show as many judged results as the others, so labels without information agree with
    none of them.

    bm25-TERMS-kK1-bB  of words, stems, pairs (stems, alone and with the next), letters (four in a row), or opening (the
                       first ten stems of a passage), with each k1 and b of `k1_b`
    lsa-N              cosine of TF-IDF reduced to N of the `dimensions` (Deerwester et al., 1990)
    feedback-N         TF-IDF of the query and its N best passages (Rocchio, 1971)
    fused              reciprocal rank fusion of all lsa and feedback
    ONE:OTHER          the first five results of ONE in the order of OTHER
    reversed-S         fused, upside down for a share S (of `spoilt`) of the queries, as where distances pass for scores
    shuffled-S         fused, in random order for a share S of the queries

    InputError where no judged passage has a text.
    """
    dataset.need_texts()
    pairs = dataset.pairs().dropna(subset="passage")
    if pairs.empty:
        raise InputError(f"no judged passage of {dataset.name} has a text to rank it by")
    query, queries = pd.factorize(pairs["query"])
    passage, passages = pd.factorize(pairs["passage"])
    pool, pairs = Pool(list(queries), list(passages), query, passage), pairs[PAIR]
    scores = {f"bm25-{name}-k{k1}-b{b}": _bm25(pool, terms, k1, b) for name, terms in _terms() for k1, b in k1_b}
    beyond_words = dict(_beyond_words(pool, dimensions, feedback))
    scores |= beyond_words
    runs = ranked(pd.concat([pairs.assign(system=name, score=found) for name, found in scores.items()]))
    fused = fuse(runs, list(beyond_words), depth=len(pairs)).assign(system="fused")
    others = [_reranked(runs, pairs, scores, one, other) for one, other in reranked]
    every = ranked(pd.concat([runs, fused, *others, *_spoilt(fused, spoilt, seed)], ignore_index=True))
    frame = top(every, k).reset_index(drop=True)
    return Runs(frame, tuple(frame["system"].unique()), tuple(dataset.queries.index))


def _terms() -> Iterator[tuple[str, Terms]]:
    """What BM25 takes for the terms of a text, by name."""
    yield "words", _words
    yield "stems", _stems
    yield "pairs", lambda text: [*(stems := _stems(text)), *map(" ".join, pairwise(stems))]
    yield "letters", lambda text: [text[place : place + 4].lower() for place in range(len(text) - 3)]
    yield "opening", lambda text: _stems(text)[:OPENING]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _stems(text: str) -> list[str]:
    import Stemmer

    return Stemmer.Stemmer("english").stemWords(_words(text))


def _bm25(pool: Pool, terms: Terms, k1: float, b: float) -> np.ndarray:
    import bm25s

    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to DEBUG
    engine = bm25s.BM25(k1=k1, b=b)
    engine.index([terms(text) for text in pool.passages], show_progress=False)
    found = np.zeros(len(pool.query))
    for number, text in enumerate(pool.queries):
        pairs = pool.query == number
        if known := [term for term in terms(text) if term in engine.vocab_dict]:
            found[pairs] = engine.get_scores(known)[pool.passage[pairs]]
    return found


def _beyond_words(pool: Pool, dimensions: Sequence[int], feedback: Sequence[int]) -> Iterator[tuple[str, np.ndarray]]:
    """(system, its score of each pair) of those that may find a passage without a term of the query."""
    from scipy.sparse import csr_matrix
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize
    from threadpoolctl import threadpool_limits

    weights = TfidfVectorizer(analyzer=_stems, sublinear_tf=True)
    of_passages = weights.fit_transform(pool.passages)
    of_queries = weights.transform(pool.queries)
    most = min(max(dimensions), min(of_passages.shape) - 1)
    with threadpool_limits(
        1
    ):  # the same vectors on any number of cores; on small matrices threads wait for one another
        reduced = TruncatedSVD(most, algorithm="arpack", random_state=0).fit(of_passages)
    for n in dimensions:
        of_both = (csr_matrix(normalize(reduced.transform(each)[:, :n])) for each in (of_queries, of_passages))
        yield f"lsa-{n}", pool.products(*of_both)
    cosine = pool.products(of_queries, of_passages)
    best_first = np.lexsort((-cosine, pool.query))
    place = np.arange(len(cosine)) - np.searchsorted(pool.query[best_first], pool.query[best_first])
    for n in feedback:
        best = best_first[place < n]
        shares = np.full(len(best), WEIGHT / n)
        added = csr_matrix((shares, (pool.query[best], pool.passage[best])), (len(pool.queries), len(pool.passages)))
        yield f"feedback-{n}", pool.products(of_queries + added @ of_passages, of_passages)


def _reranked(
    runs: pd.DataFrame, pairs: pd.DataFrame, scores: dict[str, np.ndarray], one: str, other: str
) -> pd.DataFrame:
    for name in (one, other):
        if name not in scores:
            raise one_of("reranked", name, sorted(scores))
    first = runs[runs["system"] == one]
    return rerank(first, pairs.assign(relevance=scores[other]), RERANKED).assign(system=f"{one}:{other}")


def _spoilt(run: pd.DataFrame, shares: Sequence[float], seed: int) -> Iterator[pd.DataFrame]:
    """RUNS of a system that is spoilt for a share of its queries; those of a smaller share are among a larger one's."""
    rng = np.random.default_rng(seed)
    number, queries = pd.factorize(run["query_id"])
    place = rng.permutation(len(queries))
    at_random = rng.random(len(run))
    for share in shares:
        here = (place < round(share * len(queries)))[number]
        yield run.assign(system=f"reversed-{share:g}", score=run["score"].where(~here, -run["score"]))
        yield run.assign(system=f"shuffled-{share:g}", score=run["score"].where(~here, at_random))
