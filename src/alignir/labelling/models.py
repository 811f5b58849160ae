"""Models: what labelling asks of whatever gives labels: an LLM, which is asked, or a grader, which is not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import pandas as pd

from alignir.data.collections import Dataset
from alignir.data.scales import Scale
from alignir.labelling.prompts import FIELDS, Prompt


@dataclass(frozen=True)
class Answer:
    """A model's response to one of the pairs it was asked about."""

    index: int  # of the pair in the sequence that was asked
    response: str
    finish_reason: str  # the server's or engine's word, such as stop, length or error
    prompt_tokens: int
    output_tokens: int
    cut: bool = False  # the passage was shortened to fit the model's context
    probabilities: tuple[float, ...] | None = None  # of the scale's grades at the answer's position (decoding=logits)
    problem: str = ""  # in a line, where there is no answer because the request failed


class LLM(Protocol):
    """A model that answers a prompt. It is cheap to make: weights load at the first answer."""

    @property
    def name(self) -> str: ...

    @property
    def revision(self) -> str | None:
        """Of its weights; None where there is none, or where nobody can know."""

    @property
    def family(self) -> str | None:
        """Of models, such as llama: systems of the same one are left out for comparison."""

    @property
    def repeats(self) -> int:
        """How often each pair is asked, 1 or more."""

    @property
    def thinking_tokens(self) -> int:
        """Room for reasoning, beside the answer's own max_tokens."""

    @property
    def price(self) -> dict[str, float] | None:
        """{input, output}: money for a million tokens; None where it costs nothing that is counted."""

    def identity(self) -> dict[str, Any]:
        """What decides an answer beside the prompt: model, revision, chat and sampling settings."""

    def repeat(self, number: int) -> "LLM":
        """The same model for its `number`th repeat, from 0: another seed."""

    def check(self, prompt: Prompt) -> None:
        """InputError if it cannot run here, or cannot answer this prompt; loads nothing."""

    def answer(self, prompt: Prompt, pairs: Sequence[tuple[str, ...]]) -> Iterator[Answer]:
        """Answers about pairs, as they are ready, in any order.

        A pair is the texts of the prompt's `fields`: (query, passage), if it names no others.
        """


@runtime_checkable
class Grader(Protocol):
    """What has a grade for a pair without being asked: somebody's labels, or a formula. It reads no prompt.

    Whether a model is one is asked in one way, `isinstance(model, Grader)`, so a class of one's own is one by its
    methods, as it would be an LLM by `answer`.
    """

    @property
    def name(self) -> str: ...

    @property
    def family(self) -> str | None:
        """Of the model that gave the labels, if one did: its own systems are left out for comparison."""

    def check(self) -> None:
        """InputError if it cannot grade: reads what it needs, so that a mistake in it is known early."""

    def scale_beside(self, baseline: Scale) -> Scale:
        """The scale of its grades; that of the baseline labels may tell, where nothing says what a file's are."""

    def grade(self, pairs: pd.DataFrame, scale: Scale) -> pd.Series:
        """A grade (Int64) for each row of `pairs` (query_id, doc_id, query, passage), <NA> where it has none."""


@runtime_checkable
class FileGrader(Grader, Protocol):
    """A grader that has its grades from a file, and knows what became of each pair: it reads no texts to grade.

    Of a grader that is none a pair without a grade is `absent`.
    """

    def found(self, pairs: pd.DataFrame, scale: Scale) -> pd.DataFrame:
        """relevance (Int64), status (`ok` where, and only where, there is a grade), response and finish_reason of each
        row of `pairs`, which may lack texts."""

    def unjoined(self, pairs: pd.DataFrame) -> list[str]:
        """What of the file belongs to none of `pairs`, where that is worth a line."""


Model = LLM | Grader


def check(model: Model, prompt: Prompt) -> None:
    """InputError if the model cannot label by this prompt here; loads no weights."""
    if isinstance(model, Grader):
        model.check()
    else:
        model.check(prompt)


def scale_of(model: Model, prompt: Prompt, baseline: Scale) -> Scale:
    """The scale of the model's labels: what the prompt asks an LLM for, what a grader has beside the baseline's."""
    return model.scale_beside(baseline) if isinstance(model, Grader) else prompt.scale


def fields_of(model: Model, prompt: Prompt) -> tuple[str, ...]:
    """The texts of a pair that the model is given."""
    return FIELDS if isinstance(model, Grader) else prompt.fields


def judged_pairs(model: Model, prompt: Prompt, dataset: Dataset) -> pd.DataFrame:
    """The judged pairs of the dataset that the model can label; InputError if it needs texts that were not read."""
    if isinstance(model, FileGrader):
        return dataset.pairs()
    dataset.need_texts()
    return dataset.pairs(fields=fields_of(model, prompt)).dropna(subset="passage")
