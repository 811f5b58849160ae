"""Methods: what recorded runs did, in sentences and with every setting, from nothing but what they recorded."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from alignir.alignment.bootstrap import Resampling
from alignir.data import pools
from alignir.evaluation.names import recorded_names
from alignir.evaluation.names import title as measure_title
from alignir.formatting import counted
from alignir.frames import GROUPS
from alignir.report.entries import Entry, alike, numbers
from alignir.report.settings import of_group, settings, under
from alignir.tables.names import dataset_title, headline
from alignir.tables.notes import MISSING, TAU_NOTE, measure_note
from alignir.tables.table import Table

OF_RESAMPLING = ("bootstrap", "floor")
POOL = {
    "qrels": "The pairs that have a baseline label are labelled",
    "runs": "Every result among the first {} of any system is labelled",
    "holes": "Every result among the first {} of any system that nobody judged is labelled, beside the baseline labels",
}
READER = {
    "strict": "Answers are read strictly, in the one form that the prompt asks for",
    "lenient": "Answers are read leniently: the likeliest number is taken",
}
DECODING = {
    "free": "the model writes freely",
    "constrained": "the model can write nothing but an answer in the form",
    "logits": "nothing is written: the probabilities of the grades are read where the label would stand",
}


@dataclass(frozen=True)
class Part:
    """One subject: sentences, then tables of settings, then texts as they are, each under what it is."""

    title: str
    sentences: list[str]
    tables: list[Table] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)


def parts(entries: list[Entry]) -> list[Part]:
    """The methods, subject by subject; every setting of every config.yaml is in one of them."""
    data = Part("Data", list(_datasets(entries)), of_group(entries, "dataset"))
    systems = Part("Systems", list(_systems(entries)), of_group(entries, "systems"))
    queries = Part("Queries", list(_queries(entries)), of_group(entries, "queries"))
    models = Part("Models", list(_models(entries)), of_group(entries, "model"))
    prompts = Part("Prompts", list(_prompts(entries)), of_group(entries, "prompt"), list(_prompt_texts(entries)))
    users = Part("Users", list(_users(entries)), of_group(entries, "user_model"))
    top = [key for entry in entries for key in entry.config if key not in (*GROUPS, *OF_RESAMPLING)]
    labels = Part("Labels and measures", list(_labels(entries)), settings(entries, under(dict.fromkeys(top))))
    resampling = Part("Uncertainty", list(_uncertainty(entries)), settings(entries, under(OF_RESAMPLING)))
    return [data, systems, queries, models, prompts, labels, users, resampling]


def environment(entries: list[Entry]) -> Part:
    """Versions, commit and platform of each run."""

    def of(entry: Entry) -> dict[str, str]:
        tags = entry.run.tags
        versions = {name.removeprefix("version."): each for name, each in tags.items() if name.startswith("version.")}
        commit = tags.get("mlflow.source.git.commit") or "not recorded"
        return {"git commit": commit, "platform": tags.get("platform", "not recorded"), **versions}

    sentences = []
    if any(of(entry)["git commit"].endswith("+") for entry in entries):
        sentences.append("+ after a commit: the source had been changed since, and the changes are not recorded.")
    return Part("Environment", sentences, settings(entries, of))


def _said(entries: list[Entry], of: Callable[[Entry], Any], sentence: Callable[[Any], str]) -> Iterator[str]:
    """A sentence for each value that the entries have, with the runs where not all have it; none for None."""
    for value, some in alike(entries, of):
        if value is not None:
            yield sentence(value) + ("." if len(some) == len(entries) else f" ({numbers(some)}).")


def _datasets(entries: list[Entry]) -> Iterator[str]:
    def sentence(value) -> str:
        name, fingerprint, n_queries, n_pairs = value
        return f"{name}: {counted(n_queries, 'query')}, {counted(n_pairs, 'pair')} to label; fingerprint {fingerprint}"

    def of(entry: Entry):
        sizes = entry.run.setting.n_queries, entry.run.metrics["n_pairs"]
        return dataset_title(entry.run.setting), entry.run.tags.get("dataset.fingerprint", "not recorded"), *sizes

    return _said(entries, of, sentence)


def _systems(entries: list[Entry]) -> Iterator[str]:
    yield from _said(
        entries,
        lambda entry: f"compared: {counted(entry.run.setting.n_systems, 'system')} ({entry.run.setting.systems})",
        str,
    )
    yield from _said(
        entries,
        lambda entry: entry.run.tags.get("family.systems") or None,
        lambda names: f"Of the judge's own family are {names}",
    )


def _queries(entries: list[Entry]) -> Iterator[str]:
    return _said(
        entries,
        lambda entry: f"{counted(entry.run.setting.n_queries, 'query')} ({entry.run.setting.queries})",
        str,
    )


def _models(entries: list[Entry]) -> Iterator[str]:
    def sentence(value) -> str:
        name, full, revision = value
        shown = name + (f" is {full}" if full else "")
        return shown + (f", revision {revision}" if revision else ", without a revision" if full else "")

    def of(entry: Entry):
        full = (entry.config.get("model") or {}).get("name", "") if entry.run.reads_prompt else ""
        return entry.run.judge.model, full, entry.run.tags.get("model.revision", "")

    return _said(entries, of, sentence)


def _prompts(entries: list[Entry]) -> Iterator[str]:
    without = [entry for entry in entries if not entry.prompt]
    if without:
        yield f"No prompt is read by the models of {numbers(without, entries)}."
    reading = [entry for entry in entries if entry.prompt]
    yield from _said(reading, lambda entry: entry.run.params.get("prompt.decoding"), _how)


def _how(decoding: str) -> str:
    return f"Decoding is {decoding}: {DECODING[decoding]}" if decoding in DECODING else f"Decoding is {decoding}"


def _prompt_texts(entries: list[Entry]) -> Iterator[tuple[str, str]]:
    reading = [entry for entry in entries if entry.prompt]

    def of(entry: Entry):
        return entry.run.prompt_version, entry.run.tags["prompt.sha256"], entry.prompt, entry.system

    for (version, sha256, text, system), some in alike(reading, of):
        title = f"{version or some[0].run.judge.prompt}, {numbers(some, entries)}, sha256 {sha256}"
        if system:
            yield f"{title}: system message", system
        yield title, text


def _labels(entries: list[Entry]) -> Iterator[str]:
    def pool(value) -> str:
        return POOL[str(value).partition("@")[0]].format(pools.depth(value))

    yield from _said(entries, _setting("pool"), pool)
    yield from _said(entries, _setting("reader"), lambda value: READER.get(value, f"Answers are read by {value}"))
    yield from _said(entries, _setting("missing"), lambda value: f"Missing: {MISSING.get(value, value)}")
    yield from _said(entries, _setting("without_text"), lambda value: f"Pairs whose passage has no text: {value}")
    yield from _said(entries, lambda entry: measure_note(entry.run), str)
    yield f"{TAU_NOTE}."
    yield from _said(
        entries,
        lambda entry: (
            [each for each in recorded_names(entry.config.get("measures", [])) if each != headline(entry.run)] or None
        ),
        lambda measures: f"Other offline measures are {', '.join(map(measure_title, measures))}",
    )
    yield from _said(
        entries,
        lambda entry: entry.run.baseline_scale.relevant_from,
        lambda level: f"Binary measures count grades from {level} as relevant",
    )
    yield from _said(
        entries,
        lambda entry: entry.config.get("rejudge") if (entry.config.get("rejudge") or {}).get("n") else None,
        lambda again: f"{again['n']:,} random pairs are asked about once more, drawn with seed {again['seed']}",
    )


def _users(entries: list[Entry]) -> Iterator[str]:
    def of(entry: Entry) -> str:
        return f"{entry.run.users.title}: {entry.run.tags.get('user_model.definitions', '')}"

    return _said(entries, of, str)


def _uncertainty(entries: list[Entry]) -> Iterator[str]:
    def resampled(bootstrap) -> str:
        B, over, method, seed = Resampling(**bootstrap)
        if not B:
            return "Intervals were not made"
        return (
            f"95% intervals of tau_b are {method} bootstrap intervals from {B:,} resamples of the {over}, seed {seed}"
        )

    yield from _said(entries, _setting("bootstrap"), resampled)
    yield from _said(
        entries,
        lambda entry: entry.config.get("floor") if (entry.config.get("floor") or {}).get("shuffles") else None,
        lambda floor: (
            f"The baseline labels are permuted over their pairs at most {floor['shuffles']} times, seed "
            f"{floor['seed']}, until the standard error of their mean tau_b is small: the floor of tau_b"
        ),
    )


def _setting(name: str) -> Callable[[Entry], object]:
    return lambda entry: entry.config.get(name)
