"""Graders: a model that labels a pair without an LLM being asked, by a formula: a lexical floor."""

import importlib.util
import re
import runpy
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from alignir.data.scales import FOUR, Scale, scale_of
from alignir.errors import InputError

KEPT = 20_000  # texts whose terms are kept at a time


@dataclass(frozen=True)
class Lexical:
    """Grades from the share of the query's terms that the passage has: a floor that every LLM should beat.

    Terms are stemmed English words without the stop words. `shares` are the least shares for the grades from 1.
    """

    shares: tuple[float, ...] = (0.25, 0.5, 0.75)
    name: str = "lexical"
    family: str | None = None
    relevant_from: int | None = None

    def check(self) -> None:
        shares = list(self.shares)
        if not shares or shares != sorted(set(shares)) or not 0 < shares[0] <= shares[-1] <= 1:
            raise InputError(f"model.shares: expected rising shares above 0, found {shares}")

    def scale_beside(self, baseline: Scale) -> Scale:
        """0 to the number of shares."""
        return scale_of(range(len(self.shares) + 1), self.relevant_from)

    def grade(self, pairs: pd.DataFrame, scale: Scale = FOUR) -> pd.Series:
        """A grade for each row of `pairs`, which has `query` and `passage`; a query without any term gives 0."""
        terms = lru_cache(KEPT)(_terms)
        shares = [
            len(terms(query) & terms(passage)) / max(1, len(terms(query)))
            for query, passage in zip(pairs["query"], pairs["passage"], strict=True)
        ]
        return pd.Series(np.searchsorted(self.shares, shares, side="right"), index=pairs.index, dtype="Int64")


def _terms(text: str) -> set[str]:
    words = re.findall(r"\w{2,}", text.lower())
    return set(_stemmer().stemWords([word for word in words if word not in _stop_words()]))


@cache
def _stop_words() -> frozenset[str]:
    """bm25s's English list, from its module alone: the package would load numba with it, for half a second."""
    package = importlib.util.find_spec("bm25s")
    assert package is not None  # it is a dependency
    file = Path(str(package.origin)).with_name("stopwords.py")
    return frozenset(runpy.run_path(str(file))["STOPWORDS_EN"])


@cache
def _stemmer():
    import Stemmer

    return Stemmer.Stemmer("english")
