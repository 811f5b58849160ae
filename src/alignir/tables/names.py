"""Wording: what judges, datasets and metrics are called, in which order they stand, and how numbers are written."""

from collections.abc import Iterable
from itertools import groupby

from alignir.formatting import counted
from alignir.frames import BASELINE, LEXICAL, ONE_GRADE, SECOND, SHUFFLED
from alignir.users.metrics import NAMES, metric_title

# The poster's names, its rows in its order.
MODELS = {"llama8b": "Llama 3.1 8B", "gptoss20b": "GPT OSS 20B", "qwen32b": "Qwen3 32B"}
PROMPTS = {"zeshot": "zeshot", "basic": "zeshot basic"}
DATASETS = {"trec_dl_2019": "TREC 2019", "rank_distillm": "Rank-DistiLLM"}
# What stands below the judges: labels that no judge gave.
BOUNDS = {
    BASELINE: "baseline labels",
    SECOND: "second labels",
    LEXICAL: "floor: lexical",
    SHUFFLED: "floor: shuffled",
    ONE_GRADE: "floor: one grade",
}
PAGE = 14  # columns of numbers that can be read side by side


def in_order(judges: set[tuple[str, str]], prompts: tuple[str, str]) -> list[tuple[str, str]]:
    """In the poster's order, then by name; the BOUNDS last, in theirs."""
    bounds = list(BOUNDS)
    return sorted(
        judges,
        key=lambda judge: (
            bounds.index(judge[0]) if judge[0] in BOUNDS else -1,
            _place(judge[0], MODELS),
            _place(judge[1], prompts),
        ),
    )


def judge_name(judge: tuple[str, str]) -> str:
    return " ".join(filter(None, judge_titles(judge)))


def judge_titles(judge: tuple[str, str]) -> list[str]:
    model, prompt = judge
    return [{**MODELS, **BOUNDS}.get(model, model), PROMPTS.get(prompt, prompt)]


def by_dataset(key: tuple) -> tuple:
    return (_place(key[0], DATASETS), key)


def _place(name: str, order: Iterable[str]) -> tuple[int, str]:
    order = list(order)
    return (order.index(name) if name in order else len(order), name)


def online_order(column: tuple[str, str]) -> tuple:
    user_model, metric = column
    order = ("adt", "ssr", "zrr", "clicks", "ctr", "sar") if user_model == "external" else tuple(NAMES)
    return (user_model != "external", user_model, _place(metric, order))


def online_title(column: tuple[str, str], alone: bool) -> str:
    user_model, metric = column
    title = metric_title(metric)
    if alone or user_model == "external":
        return title
    return f"{title} ({user_model.upper() if user_model == 'dbn' else user_model})"


def setting_titles(settings: list[tuple]) -> list[str]:
    """A dataset's name, with what tells its settings apart where it has several."""
    titles = []
    for dataset, systems, queries, n_systems, n_queries in settings:
        others = [other for other in settings if other[0] == dataset]
        more = []
        if len({other[1] for other in others}) > 1:
            more.append(systems)
        if len({other[2] for other in others}) > 1:
            more.append(queries)
        if len({other[3] for other in others}) > 1:
            more.append(counted(n_systems, "system"))
        if len({other[4] for other in others}) > 1:
            more.append(counted(n_queries, "query"))
        titles.append(DATASETS.get(dataset, dataset) + (f" ({', '.join(more)})" if more else ""))
    return titles


def fitting_a_page(columns: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """The columns in groups, a user model's together, as many user models as fit a page: the poster's two do."""
    groups: list[list[tuple[str, str]]] = []
    for _, of_one in groupby(columns, key=lambda column: column[0]):
        of_one = list(of_one)
        if groups and len(groups[-1]) + len(of_one) <= PAGE:
            groups[-1] += of_one
        else:
            groups.append(of_one)
    return groups
