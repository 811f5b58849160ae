"""Graders: models that label a pair without an LLM being asked: somebody's recorded labels, and a lexical floor."""

import importlib.util
import re
import runpy
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from alignir.data import trec
from alignir.data.judgements import DUPLICATES, read_judgements
from alignir.errors import InputError, one_of
from alignir.frames import PAIR
from alignir.progress import in_words


@dataclass(frozen=True)
class Replay:
    """Labels that somebody already has, from a file in the form of TREC qrels; .gz too.

    What its values mean is said by `read_judgements`; a pair that it does not have is `absent`.
    """

    labels: str
    duplicates: str = "error"
    family: str | None = None  # of the model that gave the labels: its own systems are left out for comparison
    name: str = "replay"

    def __post_init__(self) -> None:
        if self.duplicates not in DUPLICATES:
            raise one_of("duplicates", self.duplicates, DUPLICATES)

    def check(self) -> None:
        """Reads the file, so that a mistake in it is known early."""
        _ = self._recorded

    @cached_property
    def _recorded(self) -> pd.DataFrame:
        """relevance and status, by pair."""
        file = trec.existing(self.labels, "file of labels (model.labels=FILE)")
        return read_judgements(file, self.duplicates).set_index(PAIR)

    def grade(self, pairs: pd.DataFrame) -> pd.Series:
        """A grade for each row of `pairs`, <NA> where the file has none."""
        grades = self._of(pairs)["relevance"]
        if grades.isna().all():
            statuses = in_words(self.statuses(pairs).value_counts().to_dict())
            raise InputError(
                f"{self.labels}: has a label for none of the {len(pairs)} pairs of the dataset: {statuses}"
            )
        return grades

    def statuses(self, pairs: pd.DataFrame) -> pd.Series:
        """What the file has for each row of `pairs`: ok, empty, out_of_scale or absent."""
        return self._of(pairs)["status"].fillna("absent")

    def _of(self, pairs: pd.DataFrame) -> pd.DataFrame:
        return self._recorded.reindex(pd.MultiIndex.from_frame(pairs[PAIR])).set_axis(pairs.index)


@dataclass(frozen=True)
class Lexical:
    """Grades from the share of the query's terms that the passage has: a floor that every LLM should beat.

    Terms are stemmed English words without the stop words. `shares` are the least shares for grade 1, 2 and 3.
    """

    shares: tuple[float, float, float] = (0.25, 0.5, 0.75)
    name: str = "lexical"
    family: str | None = None

    def check(self) -> None:
        if len(self.shares) != 3 or not 0 < self.shares[0] <= self.shares[1] <= self.shares[2] <= 1:
            raise InputError(f"model.shares: expected three rising shares above 0, found {list(self.shares)}")

    def grade(self, pairs: pd.DataFrame) -> pd.Series:
        """A grade for each row of `pairs`, which has `query` and `passage`; a query without any term gives 0."""
        terms = {text: _terms(text) for text in {*pairs["query"], *pairs["passage"]}}
        shares = [
            len(terms[query] & terms[passage]) / max(1, len(terms[query]))
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
