"""Jury: the labels of several judges, put together by a vote, as those of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from alignir.data.scales import Scale
from alignir.errors import InputError, one_of
from alignir.labelling.replay import Replay
from alignir.labelling.votes import VOTES


@dataclass(frozen=True)
class Jury:
    """Several judges as one, by `vote`: the majority, the mean, or what all agree on. Nobody is asked.

    A judge is a file of labels, or settings of `Replay` where a file needs more to be said: {labels: FILE, scale: ...}.
    All have one scale. A judge without a label for a pair does not vote; for `unanimous` every one must have it.
    """

    judges: Sequence[str | Mapping]
    vote: str = "majority"
    family: str | None = None  # of models: its systems are left out for comparison
    name: str = "jury"

    def __post_init__(self) -> None:
        if self.vote not in VOTES:
            raise one_of("vote", self.vote, VOTES)
        if isinstance(self.judges, str) or len(self.judges) < 2:
            found = self.judges if isinstance(self.judges, str) else list(map(_called, self._members))
            raise InputError(f"judges: expected two or more, such as [A.qrels, B.qrels], found {found}")
        files = [member.labels for member in self._members]
        for place, member in enumerate(self._members):
            if member.labels in files[:place]:
                raise InputError(f"judges: {_called(member)} is there twice, and would have two votes")

    def check(self) -> None:
        """Reads the files, so that a mistake in one is known early."""
        for member in self._members:
            member.check()

    def scale_beside(self, baseline: Scale) -> Scale:
        """The scale of all; InputError where judges have different ones, whose grades no vote can compare."""
        scales = [member.scale_beside(baseline) for member in self._members]
        if len(set(scales)) > 1:
            found = [
                f"{_called(member)} {scale.text}, relevant from {scale.relevant_from}"
                for member, scale in zip(self._members, scales, strict=True)
            ]
            raise InputError(
                f"judges: expected labels of one scale, found {'; '.join(found)}. A map makes one of several: "
                "{labels: FILE, grades: {4: 3}}, and so do cut and scale"
            )
        return scales[0]

    def grade(self, pairs: pd.DataFrame, scale: Scale) -> pd.Series:
        """A grade for each row of `pairs`, <NA> where the vote gives none."""
        return self.found(pairs, scale)["relevance"]

    def found(self, pairs: pd.DataFrame, scale: Scale) -> pd.DataFrame:
        """relevance, status, response (empty) and finish_reason (empty) for each row of `pairs`.

        Of a pair without a grade the status is that of the first judge without a label, or `disagreed` where all have
        one.
        """
        each = [member.found(pairs, scale) for member in self._members]
        relevance = VOTES[self.vote](pd.DataFrame({n: one["relevance"] for n, one in enumerate(each)}), scale.grades)
        status = np.full(len(pairs), "disagreed", dtype=object)
        for one in reversed(each):
            status = np.where(one["status"] == "ok", status, one["status"])
        status = np.where(relevance.notna(), "ok", status)
        return pd.DataFrame(
            {"relevance": relevance, "status": status, "response": "", "finish_reason": ""}, index=pairs.index
        )

    def unjoined(self, pairs: pd.DataFrame) -> list[str]:
        """How many labels of each judge belong to no pair, where its file names queries by their text."""
        return [note for member in self._members for note in member.unjoined(pairs)]

    @cached_property
    def _members(self) -> list[Replay]:
        return [Replay(**({"labels": judge} if isinstance(judge, str) else judge)) for judge in self.judges]


def _called(member: Replay) -> str:
    """A judge as it was typed: a file, or the name of a recorded one, whose file nobody knows."""
    return member.labels if member.name == Replay.name else member.name
