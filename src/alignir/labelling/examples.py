"""Examples: pairs with their labels in a few-shot prompt, drawn from queries that are not asked about."""

import numpy as np
import pandas as pd

from alignir.errors import InputError
from alignir.frames import PAIR
from alignir.labelling.prompts import Prompt


def with_examples(prompt: Prompt, labelled: pd.DataFrame) -> Prompt:
    """The prompt with its examples: as many of each grade as it asks for, the lower grades first.

    `labelled` has query_id, doc_id, query, passage and relevance; its order does not matter.
    """
    assert prompt.examples is not None
    rng = np.random.default_rng(prompt.examples.seed)
    labelled = labelled.sort_values(PAIR)
    drawn = []
    for grade in prompt.scale.grades:
        some = labelled[labelled["relevance"] == grade]
        if len(some) < prompt.examples.n:
            raise InputError(
                f"prompt.examples: expected {prompt.examples.n} of grade {grade} among the {len(labelled):,} pairs of "
                f"other queries, found {len(some)}"
            )
        drawn.append(some.iloc[np.sort(rng.choice(len(some), prompt.examples.n, replace=False))])
    return prompt.filled("\n\n".join(shown(*row) for row in _rows(pd.concat(drawn), prompt)))


def shown(query: str, passage: str, answer: str) -> str:
    """One example, as most few-shot prompts have it.

    >>> print(shown("red apples", "Apples are red.", "##final score: 3"))
    ###
    <BLANKLINE>
    Query: red apples
    Passage: Apples are red.
    ##final score: 3
    """
    return f"###\n\nQuery: {query}\nPassage: {passage}\n{answer}"


def _rows(drawn: pd.DataFrame, prompt: Prompt):
    for query, passage, grade in zip(drawn["query"], drawn["passage"], drawn["relevance"], strict=True):
        yield query, passage, f"{prompt.lead}{grade}"
