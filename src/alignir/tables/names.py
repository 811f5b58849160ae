"""Names: what judges, datasets and metrics are called in tables, and in which order they stand."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from alignir.evaluation.names import recorded_name
from alignir.formatting import UNDEFINED, counted
from alignir.frames import BASELINE, LEXICAL, ONE_GRADE, RESAMPLED, SECOND, SHUFFLED
from alignir.tracking.recordings import Recordings, Row
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import Column, Judge, Labelled, Setting, UserModel
from alignir.users.metrics import NAMES, Meaning, meanings

# What stands below the judges: labels that no judge gave.
BOUNDS = {
    BASELINE: "baseline labels",
    RESAMPLED: "baseline, resampled",
    SECOND: "second labels",
    LEXICAL: "floor: lexical",
    SHUFFLED: "floor: shuffled",
    ONE_GRADE: "floor: one grade",
}


def headline(run: Recorded) -> str:
    """The measure that the run's tables are about, as it is recorded."""
    return recorded_name(run.headline)


def headline_scores(run: Recorded) -> pd.DataFrame:
    """SCORES with `labels`, the "model"'s and the "baseline"'s, by the run's headline measure."""
    scores = run.frame("scores.parquet")
    return scores[scores["measure"] == headline(run)]


def headline_rows(recordings: Recordings) -> list[Row]:
    """Every tau_b of each run's headline measure."""
    return [row for row in recordings.rows if row.offline == headline(row.run)]


def in_order(judges: Iterable[Judge], taus: Mapping[Judge, float] | None = None) -> list[Judge]:
    """The highest of these taus first, or, without, by name; the BOUNDS last, in their order."""
    bounds = list(BOUNDS)

    def place(judge: Judge) -> tuple:
        bound = bounds.index(judge.model) if judge.model in BOUNDS else -1
        tau = math.nan if taus is None or bound >= 0 else taus.get(judge, math.nan)
        down = -tau if tau == tau else math.inf
        return bound, down, judge.model, judge.of_model, judge.prompt, judge

    return sorted(judges, key=place)


def mean_taus(recordings: Recordings) -> dict[Judge, float]:
    """Each judge's tau_b with the baseline labels by the headline measure, the mean of its settings' that have one."""
    found: dict[Judge, list[float]] = {}
    for row in headline_rows(recordings):
        if row.reference == BASELINE and row.tau_b == row.tau_b:
            found.setdefault(row.judge, []).append(row.tau_b)
    return {judge: sum(values) / len(values) for judge, values in found.items()}


def judge_titles(judge: Judge) -> list[str]:
    """What stands in the columns of the model and the prompt; – is a judge's that reads no prompt."""
    if judge.model in BOUNDS:
        return [BOUNDS[judge.model], ""]
    model, prompt = plain_names(judge)
    return [model, prompt or UNDEFINED]


def plain_names(judge: Judge) -> list[str]:
    """The model and the prompt as they were chosen, for programs; empty where a judge reads no prompt."""
    model = " ".join(filter(None, (judge.model, judge.of_model)))
    return [model, " ".join(filter(None, (judge.prompt + judge.version, judge.of_prompt)))]


def plain_name(judge: Judge) -> str:
    """Both in one."""
    return " ".join(filter(None, plain_names(judge)))


def judge_name(judge: Judge) -> str:
    model, prompt = judge_titles(judge)
    return f"{model} {prompt}" if judge.prompt else model


def _place(name: str, order: Iterable[str]) -> tuple[int, str]:
    order = list(order)
    return (order.index(name) if name in order else len(order), name)


def dataset_title(of: Setting | Labelled) -> str:
    """The dataset's name, in parentheses what else distinguishes it."""
    return of.dataset + (f" ({of.apart})" if of.apart else "")


def labelled_title(labelled: Labelled) -> str:
    return f"{dataset_title(labelled)}: {labelled.n_pairs:,} pairs"


def setting_titles(settings: list[Setting]) -> list[str]:
    """A dataset's name, with what distinguishes its settings where it has several."""
    told = (", ".join(found) for found in _told_apart(settings))
    names = (setting.dataset for setting in settings)
    return [name + (f" ({text})" if text else "") for name, text in zip(names, told, strict=True)]


def plain_settings(settings: list[Setting]) -> tuple[list[str], list[list[str]]]:
    """(columns, the cells of each setting) for programs: `dataset`, and `settings` where a dataset has several."""
    told = [", ".join(found) for found in _told_apart(settings)]
    if not any(told):
        return ["dataset"], [[setting.dataset] for setting in settings]
    return ["dataset", "settings"], [[setting.dataset, text] for setting, text in zip(settings, told, strict=True)]


def _told_apart(settings: list[Setting]) -> Iterator[list[str]]:
    """What distinguishes each from others of its dataset."""
    for setting in settings:
        others = [other for other in settings if other.dataset == setting.dataset]
        found: list[tuple[str, set[Any]]] = [
            (setting.systems, {other.systems for other in others}),
            (setting.queries, {other.queries for other in others}),
            (counted(setting.n_systems, "system"), {other.n_systems for other in others}),
            (counted(setting.n_queries, "query"), {other.n_queries for other in others}),
        ]
        yield [*(text for text, values in found if len(values) > 1), *filter(None, [setting.apart])]


def online_order(column: Column) -> tuple:
    """The columns of Table 2: imported metrics first, as the poster has them."""
    imported = column.users.name == "external"
    order = ("adt", "ssr", "zrr", "clicks", "ctr", "sar") if imported else tuple(NAMES)
    return (not imported, column.users, _place(column.metric, order))


def meanings_of(run: Recorded) -> dict[str, Meaning]:
    """What a run's metrics are by the definitions that it recorded, as users.metrics.meanings has it."""
    prefix = "user_model.metrics."
    return meanings({name.removeprefix(prefix): text for name, text in run.params.items() if name.startswith(prefix)})


def heads_of(run: Recorded) -> dict[str, str]:
    """What those are called, by metric."""
    return {metric: meaning.head for metric, meaning in meanings_of(run).items()}


def by_users(columns: Iterable[Column]) -> dict[UserModel, list[Column]]:
    """The columns in their order, those of a user model together."""
    groups: dict[UserModel, list[Column]] = {}
    for column in sorted(columns, key=online_order):
        groups.setdefault(column.users, []).append(column)
    return groups
