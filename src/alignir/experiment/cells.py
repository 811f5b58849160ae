"""Cells: what one run of the grid is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from alignir.alignment.bootstrap import Resampling
from alignir.data.collections import Dataset
from alignir.data.ranked import Runs
from alignir.labelling.models import LLM, Grader, Model
from alignir.labelling.prompts import Prompt
from alignir.tracking.shapes import UserModel, name_of
from alignir.users.metrics import heads
from alignir.users.users import Users


class Drawn(NamedTuple):
    """How many of something are drawn at random, from which seed."""

    n: int
    seed: int


@dataclass(frozen=True)
class Cell:
    """What one run is made of. The functions read and check their input when they are called.

    Nothing has a default here: the defaults are those of conf/config.yaml.
    """

    names: dict[str, str]  # the choice by group of frames.GROUPS
    dataset: Callable[[], Dataset]
    systems: Callable[[Dataset], Runs | pd.DataFrame]  # rankings, or RUNS
    queries: Callable[..., list[str]]  # of a Dataset, and of `scores` where it has that parameter
    prompt: Callable[[], Prompt]
    model: Model
    workers: Callable[[LLM], LLM] | None  # who asks it, and is asked in its place; None: this process
    user_model: Users
    ledger: Path
    missing: str  # what a pair without a label is: drop, zero or fallback
    unjudged: str  # a result without a label of a side: not_relevant or condensed
    reader: str  # of answers: strict or lenient
    pool: str  # what is labelled: qrels, runs@K or holes@K
    without_text: str  # a pair of the pool whose passage has no text: error, or skip
    headline: str  # the measure that systems are ordered by, as names.recorded_name has it
    measures: Sequence[str]  # more of them, as people write them
    resampling: Resampling  # the same wherever one is drawn
    rejudge: Drawn  # pairs to ask once more, for the model's agreement with itself
    families: dict[str, str] | str | None  # of systems, by name pattern, or a file
    shuffles: Drawn  # of the baseline labels: a floor of the tables
    config: dict  # the composed config, recorded as it is
    given: tuple[str, ...]  # settings that were given by a command line, by name
    sweep: str  # the folder of the sweep that it belongs to; empty for a single cell

    @property
    def called(self) -> dict[str, str]:
        """What the choices are called, by group: by the names that a person gave; no prompt where none is read."""
        reads = self.llm is not None
        names = {group: name_of(group, name, self.config.get(group) or {}, reads) for group, name in self.names.items()}
        names["user_model"] = UserModel(names["user_model"], names["assumption"]).title
        return {group: name for group, name in names.items() if reads or group != "prompt"}

    @property
    def heads(self) -> dict[str, str]:
        """What the online metrics are called by their definitions, as users.metrics.heads has them."""
        return heads((self.config.get("user_model") or {}).get("metrics") or {})

    @property
    def title(self) -> str:
        called = self.called
        return " · ".join(called[group] for group in ("model", "prompt", "dataset") if group in called)

    @property
    def llm(self) -> LLM | None:
        """The model, where it is one that is asked, by the workers; None for a grader."""
        if isinstance(self.model, Grader):
            return None
        return self.workers(self.model) if self.workers else self.model
