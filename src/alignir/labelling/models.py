"""Engines: what sends prompts to an LLM and gives its answers back, one module each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from alignir.labelling.prompts import Prompt


@dataclass(frozen=True)
class Answer:
    """A model's response to one of the pairs it was asked about."""

    index: int  # of the pair in the sequence that was asked
    response: str
    finish_reason: str  # stop, length, or error
    prompt_tokens: int
    output_tokens: int
    cut: bool = False  # the passage was shortened to fit the model's context
    probabilities: tuple[float, ...] | None = None  # of the labels 0-3 at the answer's position (decoding=logits)


class LLM(Protocol):
    """What labelling asks of an engine. It is cheap to make: weights load at the first answer."""

    name: str

    def identity(self) -> dict:
        """What decides an answer beside the prompt: model, revision, chat and sampling settings."""

    @property
    def repeats(self) -> int:
        """How often each pair is asked."""

    def repeat(self, number: int) -> "LLM":
        """The same model for its `number`th repeat, from 0: another seed."""

    def check(self, prompt: Prompt) -> None:
        """InputError if it cannot run here, or cannot answer this prompt; loads nothing."""

    def answer(self, prompt: Prompt, pairs: Sequence[tuple[str, str]]) -> Iterator[Answer]:
        """Answers to (query, passage) texts, as they are ready, in any order."""

    def close(self) -> None:
        """Free what it holds."""
