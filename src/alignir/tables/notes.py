"""Conventions: what stands under a table so that its numbers can be read, taken from what the runs recorded."""

import math
import re
from collections.abc import Iterable, Mapping

from alignir.alignment.bootstrap import Resampling
from alignir.alignment.tau import smallest_step
from alignir.evaluation.measures import definition
from alignir.formatting import counted, share_of
from alignir.frames import LEXICAL, ONE_GRADE, RESAMPLED, SECOND, SHUFFLED
from alignir.tables.names import dataset_title, headline, judge_name, meanings_of, setting_titles
from alignir.tables.table import Definition
from alignir.tracking.runs import Recorded
from alignir.tracking.settings import text_of
from alignir.tracking.shapes import Column, Setting
from alignir.users.metrics import LOWER_IS_BETTER

BY_JUDGED = r"(?i)(bpref|infap|judged)\b.*|.*judged_only.*"  # measures for which no label is not grade 0
TAU_NOTE = Definition("tau_b: Kendall's, of the systems' means as they are, corrected for ties; p: two-sided, scipy's")
LOWER_NOTE = Definition("↓ lower is better; tau is raw")
METRICS = {
    "clicks": "Clicks: in a session",
    "ctr": "CTR: clicks / results shown",
    "adt": "ADT: average dwell time",
    "ssr": "SSR: session success rate",
    "sar": "SAR: session abandonment rate, no click",
    "zrr": "ZRR: zero result rate",
}
MISSING = {
    "drop": "a pair without a label is unjudged",
    "zero": "a pair without a label has grade 0",
    "fallback": "a pair without a label is asked again, constrained, and unjudged if it has none even then",
}


def measure_notes(runs: Iterable[Recorded]) -> list[str]:
    """What the headline measure of these runs is, a note for each that they have."""
    return list(dict.fromkeys(map(measure_note, runs)))


def measure_note(run: Recorded) -> str:
    """What the headline measure of a run is, and what counts as nothing in it."""
    measure = headline(run)
    text = f"{run.headline}: {definition(measure, run.baseline_scale.relevant_from)}"
    if condensed(run):
        unjudged = (
            "a result without a label is left out of the ranking (condensed), a query of which nothing is left counts "
            "as 0"
        )
    else:
        grade = "the measure has it" if re.fullmatch(BY_JUDGED, measure) else "grade 0"
        unjudged = f"a result without a label counts as {grade}, a query that a system returned nothing for as 0"
    return Definition(f"{text}, ties by doc_id descending; {unjudged}; the mean of the queries that both sides know")


def condensed(run: Recorded) -> bool:
    """Whether results without a label were left out of the rankings."""
    return text_of(run, "unjudged") == "condensed"


def size_note(settings: list[Setting]) -> str:
    """How large each setting is, and the smallest difference between two tau_b."""
    return "; ".join(
        f"{title}: {counted(setting.n_systems, 'system')} ({setting.systems}), {counted(setting.n_queries, 'query')} "
        f"({setting.queries}), {_swap(setting.n_systems)}"
        for title, setting in zip(setting_titles(settings), settings, strict=True)
    )


def query_notes(known: Mapping[str, int], n_queries: int) -> list[str]:
    """Which judges, by name, know fewer queries than the baseline.

    >>> query_notes({"one": 12, "two": 11}, 12)
    ['two: 11 of 12 queries']
    """
    fewer = [f"{name}: {n:,} of {counted(n_queries, 'query')}" for name, n in known.items() if n < n_queries]
    return ["; ".join(fewer)] if fewer else []


def _swap(n_systems: int) -> str:
    return f"one swap is {smallest_step(n_systems):.4f}" if n_systems > 1 else "which cannot be ordered"


def label_notes(runs: list[Recorded]) -> list[str]:
    """Which pairs were labelled, what became of those without a label, and where baseline labels come from ranks."""
    missing = _by_value(runs, lambda run: run.params.get("missing"))
    notes = [_differing("missing", missing, MISSING)]
    shares = sorted(run.metrics["missing"] for run in runs if "missing" in run.metrics)
    if shares and shares[-1] > 0:
        low, high = share_of(shares[0]), share_of(shares[-1])
        notes.append(f"pairs without a label: {low if low == high else f'{low} to {high}'}")
    pools = _by_value(runs, lambda run: run.params.get("pool"))
    notes.append(_differing("pool", pools, {pool: _of_pool(pool) for pool in pools}))
    readers = _by_value(runs, lambda run: run.params.get("reader"))
    if set(readers) - {"strict"}:
        notes.append(_differing("reader", readers, {"lenient": "also takes the likeliest number of an answer"}))
    ranks = {dataset_title(run.setting): _last_ranks(run) for run in runs if _last_ranks(run)}
    notes += [f"{title}: baseline grades from ranks, {text}, 0 below" for title, text in ranks.items()]
    return ["; ".join(filter(None, notes))] if any(notes) else []


def failed_note(runs: list[Recorded]) -> str:
    """Whose runs have pairs that were never answered, because the request failed."""
    counts = {
        judge_name(run.judge): f"{run.metrics['failed']:,.0f} of {run.metrics['n_pairs']:,.0f}"
        for run in runs
        if run.metrics.get("failed")
    }
    texts = ", ".join(f"{judge} ({count})" for judge, count in counts.items())
    return f"‡ requests failed, and are asked again by the same command: {texts}"


def interval_note(runs: list[Recorded]) -> str:
    """How the 95% intervals of these runs were made, one way in each setting."""
    found: dict[str, list[Setting]] = {}
    for setting in dict.fromkeys(run.setting for run in runs):
        way = Resampling.recorded(next(run for run in runs if run.setting == setting).params).text
        found.setdefault(way, []).append(setting)
    ways = [way if len(found) == 1 else f"{way} ({', '.join(setting_titles(some))})" for way, some in found.items()]
    return Definition(f"in brackets: 95% interval, {'; '.join(ways)}")


def metric_notes(columns: list[Column], runs: Mapping[Column, Recorded]) -> list[str]:
    """What the metrics of these columns are, where they were computed here; `runs`: one that has each column."""
    ours = [column for column in columns if column.users.name != "external"]
    texts = [METRICS.get(column.metric, "") for column in ours]
    for place, column in enumerate(ours):
        if meaning := meanings_of(runs[column]).get(column.metric):
            texts[place] = f"{meaning.head}: {meaning.what}"
    notes = [text for text in dict.fromkeys(texts) if text]
    lower = [LOWER_NOTE] if any(column.metric in LOWER_IS_BETTER for column in columns) else [Definition("tau is raw")]
    return [*lower, *([Definition("; ".join(notes))] if notes else [])]


def user_notes(runs: list[Recorded]) -> list[str]:
    """How each user model of the runs makes its metrics."""
    notes = {}
    for run in runs:
        definitions = run.tags.get("user_model.definitions", "")
        known = any(name.startswith("user_model.metrics.") for name in run.params)
        more = "" if known or not definitions else "; what they mean is not recorded"
        notes[run.users] = Definition(f"{run.users.title}: {definitions}{more}")
    return [notes[users] for users in sorted(notes)]


def noise_note(runs: list[Recorded]) -> str:
    """What the tau_b between draws of the users is."""
    sizes = {
        f"{run.params['user_model.draws']} draws of {run.params['user_model.sessions']} sessions a system and query"
        for run in runs
        if run.params.get("user_model.sessions", "None") != "None"
    }
    drawn = " or ".join(sorted(sizes)) or "their draws"
    return Definition(f"two draws of the users: the mean tau_b between any two of {drawn}")


def bound_notes(models: set[str], runs: list[Recorded]) -> list[str]:
    """What the BOUNDS among these models are."""
    shuffles = " or ".join(sorted({_shuffles(run) for run in runs}))
    notes = {
        RESAMPLED: "resampled: the baseline labels of queries drawn anew, as many, against those of all of them: "
        "how far so many queries settle the order; a judge of the same queries can stand above",
        SECOND: "second: other people's labels",
        LEXICAL: "lexical: grades from the share of the query's terms",
        SHUFFLED: f"shuffled: the baseline's grades permuted over its pairs, the mean of {shuffles} draws, in brackets "
        "the middle 95% of these",
        ONE_GRADE: "one grade: the same for every judged pair, so that only the number of judged results counts",
    }
    found = [note for name, note in notes.items() if name in models]
    return [Definition("; ".join(found))] if found else []


def _shuffles(run: Recorded) -> str:
    """How many sets of shuffled labels were drawn."""
    drawn = run.alignment["draws"].max() if "draws" in run.alignment else math.nan
    return f"{drawn:.0f}" if drawn == drawn else run.params.get("floor.shuffles", "several")


def _by_value(runs: list[Recorded], value) -> dict[str, list[str]]:
    """{what it is: the judges it holds for}, without the runs that do not say."""
    found: dict[str, list[str]] = {}
    for run in runs:
        if value(run) is not None:
            judges = found.setdefault(value(run), [])
            judges += {judge_name(run.judge)} - set(judges)
    return found


def _differing(name: str, found: dict[str, list[str]], means: dict[str, str]) -> str:
    texts = [f"{name}={value}: {means[value]}" if value in means else f"{name}={value}" for value in found]
    if len(found) > 1:
        texts = [f"{text} ({', '.join(found[value])})" for text, value in zip(texts, found, strict=True)]
    return "; ".join(texts)


def _of_pool(pool: str) -> str:
    kind, _, k = pool.partition("@")
    return {
        "qrels": "the judged pairs are labelled",
        "runs": f"the first {k} results of every system are labelled",
        "holes": f"the first {k} results of every system that nobody judged are labelled, beside the baseline labels",
    }.get(kind, "")


def _last_ranks(run: Recorded) -> str:
    prefix = "dataset.last_rank."
    ranks = {name.removeprefix(prefix): rank for name, rank in run.params.items() if name.startswith(prefix)}
    return ", ".join(f"{grade} to rank {ranks[grade]}" for grade in sorted(ranks, reverse=True))
