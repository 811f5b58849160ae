"""Labels: ask a model about every pair, keep each answer in the ledger as it arrives, and read the answers."""

import dataclasses
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from alignir.data.scales import FOUR, Scale
from alignir.errors import InputError, one_of
from alignir.frames import PAIR, labels_of, probabilities
from alignir.labelling import votes
from alignir.labelling.answers import READERS, failed, final_scores, said_aloud, unknown_finish_reason
from alignir.labelling.ledger import ANSWERS, Ledger, pair_keys
from alignir.labelling.models import LLM, Answer, FileGrader, Grader, Model, scale_of
from alignir.labelling.prompts import Prompt
from alignir.progress import bar

log = logging.getLogger(__name__)

# A chunk is written when it has this many answers, or is this old: what a kill can lose at most. In a young run a chunk
# is written sooner: after a second and a twentieth of the time so far.
CHUNK, CHUNK_S = 2000, 20.0

REJUDGED = -1  # in place of a repeat's number: asked the same again, with the first repeat's seed


@dataclass(frozen=True)
class Labelling:
    """What labelling made, and what it took."""

    labels: pd.DataFrame  # LABELS, in the order of the pairs
    scale: Scale  # of the labels
    asked: int = 0  # pairs that the model was asked about now; the others were in the ledger
    seconds: float = 0.0  # spent asking, with loading
    prompt_tokens: int = 0  # of all answers, also of those that were in the ledger
    output_tokens: int = 0
    asked_prompt_tokens: int = 0  # of the answers that were asked for now: what this run costs
    asked_output_tokens: int = 0
    failed: int = 0  # requests without an answer, also after retries: asked again next time
    problem: str = ""  # of the last of them
    fallback: int = 0  # pairs whose label comes from asking again
    repeats: pd.DataFrame | None = None  # one column a repeat, one row a pair: Int64 labels; None without repeats
    notes: tuple[str, ...] = ()  # what a reader should know of it, in a line each


def label(
    pairs: pd.DataFrame,
    prompt: Prompt,
    model: Model,
    ledger: Ledger,
    reader: str = "strict",
    scale: Scale | None = None,
) -> Labelling:
    """LABELS of the pairs (query_id, doc_id, query, passage, and what else the prompt names) by an LLM, or by a grader.

    A model with repeats is asked that often; the majority decides, of a tie the lower grade, and a label is missing
    only where every repeat misses it. Everything else in a row is the first repeat's. `scale` is that of the labels, as
    `models.scale_of` tells it; None: beside baseline labels of 0-3.
    """
    if isinstance(model, Grader):
        return _graded(pairs, model, scale or scale_of(model, prompt, FOUR))
    if prompt.examples is not None:
        raise InputError(f"the prompt {prompt.name} has $examples, which only a cell of the grid fills in")
    rounds = [label_once(pairs, prompt, model, ledger, reader, number) for number in range(model.repeats)]
    if len(rounds) == 1:
        return rounds[0]
    return majority(rounds)


def majority(rounds: list[Labelling]) -> Labelling:
    """One labelling from the repeats of it."""
    repeats = pd.DataFrame({number: each.labels["relevance"] for number, each in enumerate(rounds)})
    most = votes.majority(repeats, rounds[0].scale.grades)
    labels = rounds[0].labels.assign(relevance=most)
    labels.loc[most.notna(), "status"] = "ok"
    return Labelling(
        labels,
        rounds[0].scale,
        asked=sum(each.asked for each in rounds),
        seconds=sum(each.seconds for each in rounds),
        prompt_tokens=sum(each.prompt_tokens for each in rounds),
        output_tokens=sum(each.output_tokens for each in rounds),
        asked_prompt_tokens=sum(each.asked_prompt_tokens for each in rounds),
        asked_output_tokens=sum(each.asked_output_tokens for each in rounds),
        failed=sum(each.failed for each in rounds),
        problem=next((each.problem for each in reversed(rounds) if each.problem), ""),
        repeats=repeats,
    )


def label_once(
    pairs: pd.DataFrame, prompt: Prompt, model: LLM, ledger: Ledger, reader: str = "strict", repeat: int = 0
) -> Labelling:
    """LABELS by one round of asking, the `repeat`th from 0; what the ledger has is not asked."""
    read = _reader(reader)
    judge = judge_of(model, prompt, repeat)
    keys = pair_keys(pairs, prompt.fields)
    answers = ledger.load(judge)
    missing = unanswered(pairs.assign(key=keys), answers)
    start = time.perf_counter()
    failures: list[str] = []
    if len(missing):
        failures = _ask(missing, prompt, model.repeat(max(repeat, 0)), ledger, judge, read)
        answers = ledger.load(judge)
    seconds = time.perf_counter() - start
    labels = read_all(pairs, answers.reindex(keys), prompt.form, reader, prompt.scale)
    new = answers.reindex(missing["key"])
    tokens: dict[str, Any] = {name: int(labels[name].sum()) for name in ("prompt_tokens", "output_tokens")}
    tokens |= {f"asked_{name}": int(new[name].sum()) for name in tokens}
    seconds = seconds if len(missing) else 0.0
    problem = next(filter(None, reversed(failures)), "")
    return Labelling(labels, prompt.scale, len(missing), seconds, **tokens, failed=len(failures), problem=problem)


def flip_rate(repeats: pd.DataFrame) -> float:
    """The share of pairs whose repeats gave labels that are not all the same; of those with two labels or more."""
    several = repeats[repeats.notna().sum(axis=1) >= 2]
    return float((several.nunique(axis=1) > 1).mean()) if len(several) else float("nan")


def judge_again(
    pairs: pd.DataFrame, prompt: Prompt, model: LLM, ledger: Ledger, reader: str, n: int, rng: np.random.Generator
) -> pd.DataFrame:
    """LABELS of `n` random pairs by asking the same model the same once more: does it agree with itself?"""
    return label_once(sample(pairs, n, rng), prompt, model, ledger, reader, REJUDGED).labels


def sample(pairs: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """`n` random pairs, or all where there are fewer, in their order."""
    return pairs.iloc[np.sort(rng.choice(len(pairs), size=min(n, len(pairs)), replace=False))]


def fall_back(labelling: Labelling, pairs: pd.DataFrame, prompt: Prompt, model: LLM, ledger: Ledger) -> Labelling:
    """Ask once more about the pairs without a label, with decoding that can produce nothing else."""
    labels = labelling.labels
    failed = labels["relevance"].isna().to_numpy()
    again = label_once(pairs[failed], dataclasses.replace(prompt, decoding="constrained"), model, ledger)
    filled = pd.concat([labels[~failed], again.labels.set_index(labels.index[failed])]).sort_index()
    return dataclasses.replace(
        labelling,
        labels=filled,
        asked=labelling.asked + again.asked,
        seconds=labelling.seconds + again.seconds,
        prompt_tokens=labelling.prompt_tokens + again.prompt_tokens,
        output_tokens=labelling.output_tokens + again.output_tokens,
        asked_prompt_tokens=labelling.asked_prompt_tokens + again.asked_prompt_tokens,
        asked_output_tokens=labelling.asked_output_tokens + again.asked_output_tokens,
        failed=labelling.failed + again.failed,
        problem=again.problem or labelling.problem,
        fallback=int(again.labels["relevance"].notna().sum()),
    )


def judge_of(model: LLM, prompt: Prompt, repeat: int = 0) -> dict:
    """All that decides an answer beside the texts of the pair: the ledger keeps one chapter for each."""
    asked = ("name", "text", "system", "max_tokens", "decoding", "form")
    judge = {"model": model.identity(), "prompt": {field: getattr(prompt, field) for field in asked}}
    if prompt.decoding != "free" and prompt.scale.grades != FOUR.grades:  # what it could have written
        judge["prompt"]["grades"] = list(prompt.scale.grades)
    return {**judge, "repeat": repeat} if repeat else judge


def unanswered(pairs: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """The pairs (with `key`) that the ledger has no answer for; texts that repeat are one pair."""
    return pairs[answers.index.get_indexer(pairs["key"]) < 0].drop_duplicates("key")


def _ask(pairs: pd.DataFrame, prompt: Prompt, model: LLM, ledger: Ledger, judge: dict, read: Callable) -> list[str]:
    """Ask, and keep the answers; what was wrong with each of the requests that have none."""
    texts = list(zip(*(pairs[field] for field in prompt.fields), strict=True))
    keys = pairs["key"].tolist()
    chunk: list[Answer] = []
    failures: list[str] = []
    start = since = time.monotonic()

    def write() -> None:
        nonlocal since
        if chunk:
            ledger.append(judge, chunk_of(chunk, keys, prompt.scale))
        chunk.clear()
        since = time.monotonic()

    try:
        answers = model.answer(prompt, texts)
        for answer in _shown(answers, len(texts), f"{Path(model.name).name}, {prompt.name}", prompt, read):
            if failed(answer.finish_reason):  # no answer: asked again by the next run
                failures.append(answer.problem)
            else:
                chunk.append(answer)
            now = time.monotonic()
            if len(chunk) >= CHUNK or now - since > min(CHUNK_S, 1 + (now - start) / 20):
                write()
    finally:
        write()  # also when the engine fails or someone stops the run
    return failures


def chunk_of(answers: Sequence[Answer], keys: Sequence[str], scale: Scale) -> pd.DataFrame:
    """The answers as the ledger keeps them; `keys` are those of all pairs that were asked about."""
    by_grade = probabilities(scale.grades) if any(a.probabilities for a in answers) else []
    rows = [
        (
            keys[a.index],
            a.response.encode("utf-8", "replace").decode(),
            a.finish_reason.encode("utf-8", "replace").decode(),
            a.prompt_tokens,
            a.output_tokens,
            a.cut,
        )
        + (a.probabilities or (None,) * len(by_grade))
        for a in answers
    ]
    return pd.DataFrame(rows, columns=[*ANSWERS.names, *by_grade])


def _shown(answers: Iterator[Answer], total: int, title: str, prompt: Prompt, read: Callable) -> Iterator[Answer]:
    """The answers, while a bar shows how many there are, how they read, how fast they come and when they end."""
    with bar(title, total, "pairs") as advance:
        for answer in answers:
            yield answer
            advance(1, read(answer.response, prompt.form, answer.finish_reason, prompt.scale.grades)[1])


def _graded(pairs: pd.DataFrame, grader: Grader, scale: Scale) -> Labelling:
    """LABELS of a grader, which is not asked: of one with a file, as they stand there."""
    nothing = {"response": "", "finish_reason": "", "prompt_tokens": 0, "output_tokens": 0, "cut": False}
    labels, notes = pairs[PAIR].assign(**nothing), list[str]()
    if isinstance(grader, FileGrader):
        found = grader.found(pairs, scale)
        labels, notes = labels.assign(**{name: found[name] for name in found}), grader.unjoined(pairs)
    else:
        grades = grader.grade(pairs, scale)
        labels = labels.assign(relevance=grades, status=np.where(grades.notna(), "ok", "absent"))
    return Labelling(labels.reindex(columns=labels_of(scale.grades)), scale, notes=tuple(notes))


def read_all(
    pairs: pd.DataFrame, answers: pd.DataFrame, form: str, reader: str = "strict", scale: Scale = FOUR
) -> pd.DataFrame:
    """LABELS from the answers to the pairs, row by row; nothing but the response decides a label."""
    read = _reader(reader)
    answers = answers.fillna({"response": "", "finish_reason": "error"})  # no answer in the ledger
    outcomes = [
        read(response, form, finish_reason, scale.grades)
        for response, finish_reason in zip(answers["response"], answers["finish_reason"], strict=True)
    ]
    labels = pairs[PAIR].reset_index(drop=True).join(answers.reset_index(drop=True))
    labels["relevance"] = pd.array([label for label, _ in outcomes], dtype="Int64")
    labels["status"] = [status for _, status in outcomes]
    labels = labels.reindex(columns=labels_of(scale.grades))
    labels["cut"] = labels["cut"].eq(True)
    labels = labels.fillna({"prompt_tokens": 0, "output_tokens": 0}).astype(
        {"prompt_tokens": int, "output_tokens": int}
    )
    by_grade, grades = labels[probabilities(scale.grades)].astype(float), list(scale.grades)
    mass = by_grade.sum(axis=1, min_count=len(grades))
    labels["expected"] = by_grade.mul(grades).sum(axis=1, min_count=len(grades)) / mass
    return labels


def _reader(name: str) -> Callable:
    if name not in READERS:
        raise one_of("reader", name, READERS)
    return READERS[name]


def differing(labels: pd.DataFrame) -> int:
    """How many answers give several final scores that are not the same; the last one counts."""
    counts = labels["response"].value_counts()
    return sum(n for text, n in counts.items() if len(set(final_scores(said_aloud(str(text)) or ""))) > 1)


def unknown_endings(labels: pd.DataFrame) -> dict[str, int]:
    """How many answers ended with a finish reason that the reader does not know, and takes for finished; by reason."""
    counts = labels["finish_reason"].value_counts()
    return {reason: int(count) for reason, count in counts.items() if unknown_finish_reason(reason)}
