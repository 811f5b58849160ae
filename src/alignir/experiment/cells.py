"""Cells: what one run of the grid is made of, and its input, read and checked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from alignir.alignment.bootstrap import Resampling
from alignir.data.collections import Dataset
from alignir.evaluation.measures import NDCG, RELEVANT_FROM
from alignir.labelling.prompts import Prompt


@dataclass(frozen=True)
class Cell:
    """What one run is made of. The functions read and check their input when they are called."""

    names: dict[str, str]  # by group: dataset, model, prompt, systems, queries, user_model
    dataset: Callable[[], Dataset]
    systems: Callable[[Dataset], pd.DataFrame]
    queries: Callable[..., list[str]]  # of a Dataset, and of `scores` where it has that parameter
    prompt: Callable[[], Prompt]
    model: object  # an LLM or a grader
    user_model: object
    ledger: Path
    missing: str = "drop"
    reader: str = "strict"
    pool: str = "qrels"
    without_text: str = "error"  # a pair of the pool whose passage has no text: error, or skip
    measures: Sequence[str] = (NDCG,)  # as scores.evaluate knows them; nDCG@10 is there in any case
    relevance_level: int = RELEVANT_FROM
    rejudge: int = 0  # random pairs to ask once more, for the model's agreement with itself
    rejudge_seed: int = 0
    families: dict[str, str] | str | None = None  # of systems, by name pattern, or a file
    shuffles: int = 10  # of the baseline labels: the floor of the tables
    shuffle_seed: int = 0
    resampling: Resampling = field(default_factory=Resampling)
    config: dict = field(default_factory=dict)  # the composed config, recorded as it is
    sweep: str = ""

    @property
    def title(self) -> str:
        return " · ".join(self.names[group] for group in ("model", "prompt", "dataset"))
