"""Methods: what recorded runs did, in sentences and with every setting, from nothing but what they recorded."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

import yaml

from alignir.alignment.bootstrap import Resampling
from alignir.data import pools
from alignir.evaluation.measures import NAMES as MEASURES
from alignir.evaluation.measures import NDCG
from alignir.formatting import counted, share_of
from alignir.tables.names import DATASETS, MODELS, PROMPTS
from alignir.tables.notes import MISSING, NDCG_NOTE, TAU_NOTE
from alignir.tables.table import Table
from alignir.tracking.runs import GROUPS, Recorded, told_apart

OF_RESAMPLING = ("bootstrap", "floor")
NOT_SETTINGS = ("_partial_", "_convert_", "_recursive_")
CLASS = "_target_"
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
class Entry:
    """A recorded run and the number that it goes by in all that is said of it."""

    number: int  # from 1
    run: Recorded  # with names that tell it apart
    config: dict  # as composed, without where it was recorded
    prompt: str  # the whole text; empty where the model reads none
    system: str  # message beside the prompt; mostly empty
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """One subject: sentences, then tables of settings, then texts as they are, each under what it is."""

    title: str
    sentences: list[str]
    tables: list[Table] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)


def read(recorded: list[Recorded]) -> list[Entry]:
    """The runs, numbered in their order, with the texts that they recorded."""
    entries = []
    for place, run in enumerate(told_apart(recorded), 1):
        reads = "prompt.sha256" in run.tags
        texts = [run.text(name) if reads else "" for name in ("prompt.txt", "prompt_system.txt")]
        config = yaml.safe_load(run.text("config.yaml")) or {}
        entries.append(Entry(place, run, config, *texts, tuple(run.text("notes.txt").splitlines())))
    return entries


def runs_table(entries: list[Entry]) -> Table:
    """What each number stands for."""
    columns = [
        "run",
        "model",
        "prompt",
        "dataset",
        "systems",
        "queries",
        "users",
        "labelled",
        "recorded",
        "id in MLflow",
    ]
    rows = []
    for entry in entries:
        names, run = entry.run.names, entry.run
        rows.append(
            [
                str(entry.number),
                MODELS.get(names["model"], names["model"]),
                PROMPTS.get(names["prompt"], names["prompt"]) if entry.prompt else "–",
                DATASETS.get(names["dataset"], names["dataset"]),
                f"{names['systems']}: {run.metrics['n_systems']:,.0f}",
                f"{names['queries']}: {run.metrics['n_queries']:,.0f}",
                names["user_model"],
                f"{share_of(run.metrics.get('coverage', float('nan')))} of {run.metrics['n_pairs']:,.0f}",
                f"{run.started:%Y-%m-%d %H:%M}" if run.started else "",
                run.run_id,
            ]
        )
    notes = ["labelled: the share of the pairs that have a label; –: the model reads no prompt"]
    return Table("The recorded runs, the newest of each cell", columns, rows, notes)


def parts(entries: list[Entry]) -> list[Part]:
    """The methods, subject by subject; every setting of every config.yaml is in one of them."""
    data = Part("Data", list(_datasets(entries)), _of_group(entries, "dataset"))
    systems = Part("Systems", list(_systems(entries)), _of_group(entries, "systems"))
    queries = Part("Queries", list(_queries(entries)), _of_group(entries, "queries"))
    models = Part("Models", list(_models(entries)), _of_group(entries, "model"))
    prompts = Part("Prompts", list(_prompts(entries)), _of_group(entries, "prompt"), list(_prompt_texts(entries)))
    users = Part("Users", list(_users(entries)), _of_group(entries, "user_model"))
    top = [key for entry in entries for key in entry.config if key not in (*GROUPS, *OF_RESAMPLING)]
    labels = Part("Labels and measures", list(_labels(entries)), _settings(entries, _under(dict.fromkeys(top))))
    resampling = Part("Uncertainty", list(_uncertainty(entries)), _settings(entries, _under(OF_RESAMPLING)))
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
    return Part("Environment", sentences, _settings(entries, of))


def notes(entries: list[Entry]) -> list[str]:
    """What the runs noted and warned of, each once, with the runs that did."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        for note in dict.fromkeys(entry.notes):
            found.setdefault(note, []).append(entry)
    return [f"{numbers(some, entries)}: {note}" for note, some in found.items()]


def numbers(some: list[Entry], of: Iterable[Entry] = ()) -> str:
    """`run 3`, `runs 1–4, 7`, or `all runs` where they are all there are."""
    found = [entry.number for entry in some]
    if len(found) == len(list(of)):
        return "all runs"
    spans: list[list[int]] = []
    for each in found:
        if spans and each == spans[-1][1] + 1:
            spans[-1][1] = each
        else:
            spans.append([each, each])
    texts = [
        str(low) if low == high else f"{low}, {high}" if high == low + 1 else f"{low}–{high}" for low, high in spans
    ]
    return f"run{'s' * (len(found) > 1)} {', '.join(texts)}"


def alike(entries: list[Entry], of: Callable[[Entry], object]) -> list[tuple[object, list[Entry]]]:
    """The entries in groups that have the same value, with it, in the order in which the values first appear."""
    groups: dict[str, tuple[object, list[Entry]]] = {}
    for entry in entries:
        value = of(entry)
        groups.setdefault(json.dumps(value, default=str), (value, []))[1].append(entry)
    return list(groups.values())


def _said(entries: list[Entry], of: Callable[[Entry], object], sentence: Callable[[object], str]) -> Iterator[str]:
    """A sentence for each value that the entries have, with the runs where not all have it; none for None."""
    for value, some in alike(entries, of):
        if value is not None:
            yield sentence(value) + ("." if len(some) == len(entries) else f" ({numbers(some)}).")


def _datasets(entries: list[Entry]) -> Iterator[str]:
    def sentence(value) -> str:
        dataset, fingerprint, n_queries, n_pairs = value
        name = DATASETS.get(dataset, dataset)
        return f"{name}: {counted(n_queries, 'query')}, {counted(n_pairs, 'pair')} to label; fingerprint {fingerprint}"

    def of(entry: Entry):
        sizes = (entry.run.metrics["n_queries"], entry.run.metrics["n_pairs"])
        return entry.run.names["dataset"], entry.run.tags.get("dataset.fingerprint", "not recorded"), *sizes

    return _said(entries, of, sentence)


def _systems(entries: list[Entry]) -> Iterator[str]:
    yield from _said(
        entries,
        lambda entry: (entry.run.metrics["n_systems"], entry.run.names["systems"]),
        lambda value: f"compared: {counted(value[0], 'system')} ({value[1]})",
    )
    yield from _said(
        entries,
        lambda entry: entry.run.tags.get("family.systems") or None,
        lambda names: f"Of the judge's own family are {names}",
    )


def _queries(entries: list[Entry]) -> Iterator[str]:
    return _said(
        entries,
        lambda entry: (entry.run.metrics["n_queries"], entry.run.names["queries"]),
        lambda value: f"{counted(value[0], 'query')} ({value[1]})",
    )


def _models(entries: list[Entry]) -> Iterator[str]:
    def sentence(value) -> str:
        name, full, revision = value
        shown = MODELS.get(name, name) + (f" is {full}" if full else "")
        return shown + (f", revision {revision}" if revision else ", without a revision" if full else "")

    def of(entry: Entry):
        model = entry.config.get("model") or {}
        return entry.run.names["model"], model.get("name", ""), entry.run.tags.get("model.revision", "")

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
        title = f"{version or some[0].run.names['prompt']}, {numbers(some, entries)}, sha256 {sha256}"
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
    yield f"{NDCG_NOTE}. {TAU_NOTE}."
    yield from _said(
        entries,
        lambda entry: [each for each in entry.config.get("measures", []) if each != NDCG] or None,
        lambda measures: f"Other offline measures are {', '.join(MEASURES.get(each, each) for each in measures)}",
    )
    yield from _said(
        entries,
        _setting("relevance_level"),
        lambda level: f"Binary measures count grades from {level} as relevant",
    )
    yield from _said(
        entries,
        lambda entry: entry.config.get("rejudge") if (entry.config.get("rejudge") or {}).get("n") else None,
        lambda again: f"{again['n']:,} random pairs are asked about once more, drawn with seed {again['seed']}",
    )


def _users(entries: list[Entry]) -> Iterator[str]:
    def of(entry: Entry):
        return entry.run.names["user_model"], entry.run.tags.get("user_model.definitions", "")

    return _said(entries, of, lambda value: f"{value[0]}: {value[1]}")


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
            f"The baseline labels are dealt out anew to their pairs {floor['shuffles']} times, seed "
            f"{floor['seed']}: the floor of tau_b"
        ),
    )


def _setting(name: str) -> Callable[[Entry], object]:
    return lambda entry: entry.config.get(name)


def _under(names: Iterable[str]) -> Callable[[Entry], dict]:
    return lambda entry: {name: entry.config[name] for name in names if name in entry.config}


def _of_group(entries: list[Entry], group: str) -> list[Table]:
    return _settings(entries, lambda entry: entry.config.get(group) or {})


def _settings(entries: list[Entry], of: Callable[[Entry], dict]) -> list[Table]:
    """For each class of object: a table of what its runs share, and one of what differs between them."""
    found = []
    for made_by, some in alike(entries, lambda entry: of(entry).get(CLASS, "")):
        settings = {entry.number: dict(_flat(of(entry))) for entry in some}
        keys = list(dict.fromkeys(chain.from_iterable(settings.values())))
        value = {
            (key, entry.number): _shown(settings[entry.number][key]) if key in settings[entry.number] else "–"
            for key in keys
            for entry in some
        }
        shared = [key for key in keys if len({value[key, entry.number] for entry in some}) == 1]
        differing = [key for key in keys if key not in shared]
        title = f"{made_by}, {numbers(some, entries)}" if made_by else f"Settings of {numbers(some, entries)}"
        if shared:
            rows = [[key, value[key, some[0].number]] for key in shared]
            found.append(Table(title + (": what they share" if differing else ""), ["setting", "value"], rows))
        if differing:
            variants = alike(some, lambda entry: [value[key, entry.number] for key in differing])  # noqa: B023
            lines = [[numbers(group), *values] for values, group in variants]
            table = [["setting", *differing], *lines]
            if len(differing) > len(variants):  # higher than wide
                table = [list(row) for row in zip(*table, strict=True)]
            else:
                table[0][0] = "runs"
            note = ["–: there is no such setting"] if any("–" in row for row in table) else []
            found.append(Table(f"{title}: what differs", table[0], table[1:], note))
    return found


def _flat(node: dict, prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in node.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        elif key not in NOT_SETTINGS and (prefix or key != CLASS):
            yield f"{prefix}{key}".removesuffix(f".{CLASS}"), value


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
