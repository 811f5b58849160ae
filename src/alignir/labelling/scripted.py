"""An engine without a model, for rehearsals and tests: its answer is a fixed function of the prompt."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alignir.errors import InputError
from alignir.labelling.models import Answer
from alignir.labelling.prompts import Prompt


@dataclass(frozen=True)
class Scripted:
    """Takes `delay` seconds a pair; its grade is drawn by a hash of the whole prompt."""

    name: str = "scripted"
    delay: float = 0.0
    repeats: int = 1
    revision: str | None = None
    family: str | None = None
    price: dict | None = None
    parameters: float | None = None  # billions of them, of a mixture the active ones; decides no answer
    thinking_tokens: int = 0

    def identity(self) -> dict:
        return {"name": self.name}

    def check(self, prompt: Prompt) -> None:
        if not (isinstance(self.delay, int | float) and self.delay >= 0):
            raise InputError(f"model.delay: expected seconds from 0, found {self.delay}")

    def repeat(self, number: int) -> "Scripted":
        return self

    def answer(self, prompt: Prompt, pairs: Sequence[tuple[str, ...]]) -> Iterator[Answer]:
        for index, texts in enumerate(pairs):
            if self.delay:
                time.sleep(self.delay)
            text = prompt.render(*texts)
            drawn = hashlib.sha256(f"{prompt.system}\0{text}".encode()).digest()[0]
            grade = prompt.scale.grades[drawn % len(prompt.scale.grades)]
            response = f"##final score: {grade}" if prompt.form == "final_score" else f"By the script.\n{grade}"
            yield Answer(index, response, "stop", len(text.split()), len(response.split()))
