"""Rounds: everything that a model is asked about a cell's pairs, so that its labels need no answer more."""

import dataclasses
from dataclasses import dataclass

import pandas as pd

from alignir.labelling.labels import REJUDGED, judge_of, label, unanswered
from alignir.labelling.ledger import Ledger, pair_keys
from alignir.labelling.models import LLM
from alignir.labelling.prompts import Prompt


@dataclass(frozen=True)
class Round:
    """Some pairs that a model is asked about once: what its answers are kept under, and by which settings they come."""

    judge: dict
    model: LLM  # of this round: of a repeat with another seed
    prompt: Prompt
    pairs: pd.DataFrame  # query_id, doc_id, the prompt's fields, and `key`; texts that repeat are one pair

    def missing(self, ledger: Ledger) -> pd.DataFrame:
        """The pairs that the ledger has no answer for."""
        return unanswered(self.pairs, ledger.load(self.judge))


def rounds(
    pairs: pd.DataFrame,
    prompt: Prompt,
    model: LLM,
    rejudged: pd.DataFrame | None = None,
    constrained: pd.DataFrame | None = None,
) -> list[Round]:
    """All repeats of the model, the pairs that it judges again, and those that it is asked constrained about."""
    found = [_round(pairs, prompt, model, number) for number in range(model.repeats)]
    if rejudged is not None:
        found.append(_round(rejudged, prompt, model, REJUDGED))
    if constrained is not None:
        found.append(_round(constrained, dataclasses.replace(prompt, decoding="constrained"), model, 0))
    return found


def _round(pairs: pd.DataFrame, prompt: Prompt, model: LLM, number: int) -> Round:
    keyed = pairs.assign(key=pair_keys(pairs, prompt.fields)).drop_duplicates("key")
    return Round(judge_of(model, prompt, number), model.repeat(max(number, 0)), prompt, keyed)


def without_label(pairs: pd.DataFrame, prompt: Prompt, model: LLM, ledger: Ledger, reader: str) -> pd.DataFrame:
    """The pairs that all repeats answered and none gave a label: those that `missing=fallback` asks again."""
    unknown = {key for each in rounds(pairs, prompt, model) for key in each.missing(ledger)["key"]}
    answered = pairs[[key not in unknown for key in pair_keys(pairs, prompt.fields)]]
    if answered.empty:
        return answered
    return answered[label(answered, prompt, model, ledger, reader).labels["relevance"].isna().to_numpy()]
