"""Inputs: what a cell reads, read and checked before any model is asked."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from alignir.alignment.bootstrap import METHODS, OVER
from alignir.data import pools
from alignir.data.collections import Dataset, folder
from alignir.data.digests import digest
from alignir.data.families import of_family
from alignir.data.fields import MAIN
from alignir.data.pools import WITHOUT_TEXT, pooled
from alignir.data.ranked import Runs, as_runs, nothing_returned
from alignir.data.scales import FOUR, Scale
from alignir.errors import InputError, one_of
from alignir.evaluation.measures import check_measures
from alignir.evaluation.scores import MISSING, UNJUDGED, judged_at
from alignir.experiment.cells import Cell
from alignir.experiment.queries import select
from alignir.formatting import counted
from alignir.frames import PAIR
from alignir.labelling.answers import READERS
from alignir.labelling.examples import with_examples
from alignir.labelling.models import LLM, FileGrader, check, fields_of, scale_of
from alignir.labelling.prompts import Prompt


@dataclass(frozen=True)
class Inputs:
    """A cell's input, read and checked."""

    dataset: Dataset  # with the selected queries only
    runs: Runs  # for these
    own: list[str]  # systems of the model's family
    pairs: pd.DataFrame  # query_id, doc_id, query, passage, and what else the prompt names: what the model labels
    prompt: Prompt
    scale: Scale  # of the judge's labels
    notes: tuple[str, ...]

    @cached_property
    def digests(self) -> dict[str, str]:
        """What was read, by its content: pairs, baseline labels, rankings."""
        dataset, pairs = self.dataset, self.pairs
        of_pairs = dataset.judged_digest if pairs is dataset.judged else digest(pairs)
        return {"pairs": of_pairs, "labels": digest(dataset.qrels), "systems": self.runs.digest}


def read_inputs(cell: Cell, to_ask: bool = True) -> Inputs:
    """Everything that a cell reads, checked before any model is loaded; `to_ask`: also that its model can run here."""
    _check_choices(cell)
    prompt = prompt_of(cell)
    if to_ask:
        with _settings_of(cell, "model"):
            _check_model(cell, prompt)
    with _settings_of(cell, "dataset"):
        everything = cell.dataset()
    if not isinstance(cell.model, FileGrader):
        everything.need_texts()
    fields = _fields(cell, prompt, everything)
    with _settings_of(cell, "systems"):
        rankings = as_runs(cell.systems(everything), everything.queries.index)
    if rankings.frame.empty:
        raise _of_systems(cell, nothing_returned(everything.queries, rankings.notes))
    with _settings_of(cell, "queries"):
        dataset = everything.of(select(cell.queries, everything, rankings, cell.headline, cell.unjudged))
    prompt, of_examples = _with_examples(cell, prompt, everything, dataset)
    runs = rankings.of(dataset.queries.index)
    if runs.frame.empty:
        raise _of_systems(cell, nothing_returned(dataset.queries, rankings.notes))
    with _settings_of(cell, "user_model"):
        cell.user_model.check(dataset.qrels, runs, dataset.scale)
    if cell.pool == "qrels" and set(fields) <= set(MAIN):
        pool = dataset.judged
    else:
        pool = dataset.pairs(pooled(cell.pool, dataset.qrels, runs.frame), fields)
    pairs = _with_text(cell, dataset, pool)
    notes = [*_notes(everything, dataset, runs), *of_examples, *_pool_notes(cell, dataset, pool, pairs)]
    scale = scale_of(cell.model, prompt, dataset.scale)
    if pools.holes(cell.pool) and scale.grades != dataset.scale.grades:
        raise InputError(
            f"pool={cell.pool}: labels of {scale.text} cannot fill the holes of baseline labels of {dataset.scale.text}"
        )
    notes += _scale_notes(cell, dataset, scale)
    own = of_family(cell.model.family, runs.systems, cell.families)
    return Inputs(dataset, runs, own, pairs, prompt, scale, tuple(notes))


def prompt_of(cell: Cell) -> Prompt:
    """The cell's prompt; an InputError that names its settings where they make none."""
    with _settings_of(cell, "prompt"):
        return cell.prompt()


def _scale_notes(cell: Cell, dataset: Dataset, scale: Scale) -> Iterator[str]:
    """What was read of scales, where that is not what goes without saying."""
    baseline = dataset.scale
    declared = (cell.config["dataset"].get("scale") or {}).get("grades")
    if declared is None and baseline != FOUR and "scale" in cell.config["dataset"]:
        yield f"baseline labels are of {baseline.text}, relevant from {baseline.relevant_from}, as read (dataset.scale)"
    if scale != baseline:
        not_compared = "" if scale.grades == baseline.grades else "; grades of the two are not compared"
        yield (
            f"labels of {cell.called['model']} are of {scale.text}, relevant from {scale.relevant_from}, the "
            f"baseline's of {baseline.text}, from {baseline.relevant_from}{not_compared}"
        )
    if (dataset.qrels["relevance"] >= baseline.relevant_from).all():  # as in most of BEIR's collections
        yield (
            f"every baseline label is relevant, from {baseline.relevant_from}, so that kappa of relevant or not is 0 "
            "or undefined whatever the labels are; pool=runs@10 also labels results that nobody judged"
        )
    for whose, each in (("baseline labels", baseline), (cell.called["model"], scale)):
        if each.relevant_from > each.highest:
            yield f"{whose}: no grade of {each.text} reaches {each.relevant_from}, so that nothing is relevant"


def _fields(cell: Cell, prompt: Prompt, dataset: Dataset) -> tuple[str, ...]:
    """The texts that the model reads, if the dataset has them."""
    fields = fields_of(cell.model, prompt)
    try:
        for name in fields:
            if name not in MAIN:
                dataset.field(name)
    except InputError as error:
        raise InputError(f"prompt={cell.names['prompt']}: {error}") from error
    return fields


def _with_examples(cell: Cell, prompt: Prompt, everything: Dataset, dataset: Dataset) -> tuple[Prompt, tuple[str, ...]]:
    """(the prompt with its examples, where it has any; what a reader should know of them)."""
    if cell.llm is None or prompt.examples is None:
        return prompt, ()
    n, seed, path = prompt.examples
    source = everything if path is None else folder("examples", path)
    if source.scale.grades != prompt.scale.grades:
        raise InputError(
            f"prompt.examples: labels of {source.scale.text} are no examples for a prompt of {prompt.scale.text}"
        )
    pairs = source.pairs().dropna(subset="passage").merge(source.qrels, on=PAIR)
    asked = pairs["query"].isin(
        set(dataset.queries)
    )  # by their texts: another folder may call the same query otherwise
    if asked.all():
        raise InputError(
            f"prompt.examples: every query of {source.name} is asked about, and none is left for examples: name a "
            "folder of others with +prompt.examples.path=FOLDER, or compare systems on fewer (queries=random)"
        )
    others = pairs[~asked]
    found, queries = counted(n * len(prompt.scale.grades), "example"), others["query_id"].nunique()
    note = f"{prompt.name}: {found} in the prompt, {n} of each grade, drawn from {counted(queries, 'other query')}"
    return with_examples(prompt, others), (f"{note} with seed {seed}",)


def _of_systems(cell: Cell, error: InputError) -> InputError:
    return InputError(f"systems={cell.names['systems']}: {error}")


def _check_model(cell: Cell, prompt: Prompt) -> None:
    model = cell.llm or cell.model
    check(model, prompt)
    if cell.missing == "fallback":
        check(model, replace(prompt, decoding="constrained"))


def _with_text(cell: Cell, dataset: Dataset, pool: pd.DataFrame) -> pd.DataFrame:
    """The pairs of the pool whose passage has a text; of a judge that has its labels from a file all may lack it."""
    if pool.empty:
        raise InputError(f"pool={cell.pool}: nothing to label, since every result down to that rank is judged")
    if isinstance(cell.model, FileGrader) and cell.without_text == "error":
        return pool
    known = pool["passage"].notna()
    if cell.without_text == "error" and not known.all():
        query_id, doc_id = pool.loc[~known, PAIR].iloc[0]
        raise InputError(
            f"pool={cell.pool}: {(~known).sum():,} of {len(pool):,} pairs have no text in {dataset.source}, the first "
            f"of them passage {doc_id} (query {query_id}). Add texts in passages_*.jsonl, or leave these pairs without "
            "a label with without_text=skip"
        )
    if not known.any():
        raise InputError(f"pool={cell.pool}: none of the {len(pool):,} pairs has a text in {dataset.source}")
    return pool if known.all() else pool[known].reset_index(drop=True)


def _check_choices(cell: Cell) -> None:
    for setting, choice, choices in (
        ("reader", cell.reader, READERS),
        ("missing", cell.missing, MISSING),
        ("unjudged", cell.unjudged, UNJUDGED),
        ("without_text", cell.without_text, WITHOUT_TEXT),
    ):
        if choice not in choices:
            raise one_of(setting, choice, choices)
    pools.depth(cell.pool)
    several = isinstance(cell.measures, Sequence) and not isinstance(cell.measures, str)
    check_measures([cell.headline, *cell.measures] if several else cell.measures)
    top = cell.config["top"]  # for the tables of what is recorded: nothing here depends on it
    if not (isinstance(top, Sequence) and all(isinstance(k, int) and k > 1 for k in top)):
        raise InputError(f"top: expected whole numbers from 2 in brackets, found {top}")
    if cell.llm is None and cell.missing == "fallback":
        raise InputError(f"missing=fallback asks an LLM again, and {cell.names['model']} is none; use drop or zero")
    if cell.llm is not None:
        _check_settings(cell.llm)
    for setting, number in (
        ("rejudge.n", cell.rejudge.n),
        ("rejudge.seed", cell.rejudge.seed),
        ("floor.shuffles", cell.shuffles.n),
        ("floor.seed", cell.shuffles.seed),
    ):
        if not (isinstance(number, int) and number >= 0):
            raise InputError(f"{setting}: expected a whole number from 0, found {number}")
    B, over, method, seed = cell.resampling
    for name, choice, choices in (("over", over, OVER), ("method", method, METHODS)):
        if choice not in choices:
            raise one_of(f"bootstrap.{name}", choice, choices)
    if not (isinstance(B, int) and B >= 0 and isinstance(seed, int) and seed >= 0):
        raise InputError(f"bootstrap: expected whole numbers from 0 as B and seed, found {B} and {seed}")
    if cell.ledger.exists() and not cell.ledger.is_dir():
        raise InputError(f"ledger: expected a folder, found the file {cell.ledger.absolute()}")


def _check_settings(llm: LLM) -> None:
    if not (isinstance(llm.repeats, int) and llm.repeats >= 1):
        raise InputError(f"model.repeats: expected a whole number from 1, found {llm.repeats}")
    if llm.price is not None and set(llm.price) != {"input", "output"}:
        raise InputError(f"model.price: expected {{input: ..., output: ...}} for a million tokens, found {llm.price}")


@contextlib.contextmanager
def _settings_of(cell: Cell, group: str):
    """Turn what a library says of a setting that it cannot use into a message that names the group's settings."""
    try:
        yield
    except InputError:  # is a message for people already
        raise
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        settings = {key: value for key, value in (cell.config.get(group) or {}).items() if not key.startswith("_")}
        raise InputError(f"{group}={cell.names[group]} cannot be used with {settings}: {error}") from error


def _notes(everything: Dataset, dataset: Dataset, runs: Runs):
    """What a reader should know of the input, in a line each."""
    yield from everything.notes
    if everything.lacking:
        yield f"{dataset.name}: read without texts, so that there is no lexical floor"
    if everything.unjudged:
        left_out = len(everything.unjudged)
        have, are = ("has", "is") if left_out == 1 else ("have", "are")
        known = counted(left_out + len(everything.queries), "query")
        yield f"{dataset.name}: {left_out} of {known} {have} no judged pair and {are} left out"
    yield from runs.notes
    answered, n_queries = runs.answered, len(dataset.queries)
    for system, count in answered[answered < n_queries].items():
        yield f"{system}: has no results for {n_queries - count} of {counted(n_queries, 'query')} and scores 0 there"
    for system in _unjudged(dataset.qrels, runs):
        if answered[system]:
            example = runs.frame.loc[runs.frame["system"] == system, "doc_id"].iloc[0]
            yield (
                f"{system}: none of its results is judged, so it scores 0 under the baseline labels: are its doc_ids, "
                f"such as {example!r}, those of the dataset {dataset.name}?"
            )


def _unjudged(qrels: pd.DataFrame, runs: Runs) -> list[str]:
    """The systems of which no result is judged; only those without one among the first 10 are read to the end."""
    shares = judged_at(qrels, runs)
    without = [str(system) for system in shares.index[~(shares > 0)]]
    rest = runs.frame[runs.frame["system"].isin(without)]
    return [system for system in without if rest[rest["system"] == system].merge(qrels, on=PAIR).empty]


def _pool_notes(cell: Cell, dataset: Dataset, pool: pd.DataFrame, pairs: pd.DataFrame):
    if len(pairs) < len(pool):
        yield f"{len(pool) - len(pairs):,} of {len(pool):,} pairs of pool={cell.pool} have no text and get no label"
    if pools.holes(cell.pool):
        yield (
            f"pool={cell.pool}: the model labels {len(pairs):,} pairs nobody judged, {len(dataset.qrels):,} others "
            "keep their baseline labels; with no pair in common there is no agreement of labels to measure"
        )
    elif cell.pool != "qrels":
        both = len(pairs.merge(dataset.qrels, on=PAIR))
        yield f"pool={cell.pool}: {both:,} of {len(pairs):,} pairs have a baseline label; agreement is on those"
