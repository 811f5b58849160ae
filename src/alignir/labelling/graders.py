"""Graders: models that label a pair without an LLM being asked: somebody's recorded labels, and a lexical floor."""

import importlib.util
import re
import runpy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from alignir.data import judgements, trec
from alignir.data.judgements import DUPLICATES
from alignir.data.scales import FOUR, Meaning, Scale, meaning, scale_of
from alignir.errors import InputError, one_of
from alignir.frames import PAIR
from alignir.progress import in_words


@dataclass(frozen=True)
class Replay:
    """Labels that somebody already has, from a file in the form of TREC qrels; .gz too.

    What its values mean is said by `scale` (grades, relevant_from), `grades` (the grade of a value) and `cut`
    (thresholds), else by the values, as `judgements.scale_beside` takes them. A pair that it lacks is `absent`.
    """

    labels: str
    duplicates: str = "error"
    family: str | None = None  # of the model that gave the labels: its own systems are left out for comparison
    name: str = "replay"
    scale: Mapping | None = None
    grades: Mapping | None = None
    cut: Sequence[float] | None = None

    def __post_init__(self) -> None:
        if self.duplicates not in DUPLICATES:
            raise one_of("duplicates", self.duplicates, DUPLICATES)
        _ = self._meaning

    def check(self) -> None:
        """Reads the file, so that a mistake in it is known early."""
        _ = self._values

    def scale_beside(self, baseline: Scale) -> Scale:
        """What settings say, else what the file looks like."""
        return judgements.scale_beside(self._values, self._meaning, baseline)

    @cached_property
    def _meaning(self) -> Meaning:
        return meaning(self.scale, self.grades, self.cut)

    @cached_property
    def _values(self) -> judgements.Values:
        file = trec.existing(self.labels, "file of labels (model.labels=FILE)")
        return judgements.read_values(file, self.duplicates, self._meaning)

    @cached_property
    def _graded(self) -> dict[Scale, pd.DataFrame]:
        """relevance and status by pair, on each scale that was asked for."""
        return {}

    def grade(self, pairs: pd.DataFrame, scale: Scale) -> pd.Series:
        """A grade for each row of `pairs`, <NA> where the file has none."""
        grades = self._of(pairs, scale)["relevance"]
        if grades.isna().all():
            statuses = in_words(self.statuses(pairs, scale).value_counts().to_dict())
            raise InputError(
                f"{self.labels}: has a label of {scale.text} for none of the {len(pairs)} pairs of the dataset: "
                f"{statuses}"
            )
        return grades

    def statuses(self, pairs: pd.DataFrame, scale: Scale) -> pd.Series:
        """What the file has for each row of `pairs`: ok, empty, out_of_scale or absent."""
        return self._of(pairs, scale)["status"].fillna("absent")

    def _of(self, pairs: pd.DataFrame, scale: Scale) -> pd.DataFrame:
        """relevance and status of the pairs."""
        if scale not in self._graded:
            self._graded[scale] = judgements.graded(self._values, self.duplicates, self._meaning, scale).set_index(PAIR)
        return self._graded[scale].reindex(pd.MultiIndex.from_frame(pairs[PAIR])).set_axis(pairs.index)


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
