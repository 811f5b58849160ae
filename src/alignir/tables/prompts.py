"""Tables of prompts: versions, which labels a change moves, and what it does to agreement."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from alignir.alignment import prompt_changes
from alignir.alignment.bootstrap import Resampling
from alignir.data.collections import Dataset
from alignir.formatting import UNDEFINED, Number, count, day, interval, number, share_of, visible, with_interval
from alignir.frames import BASELINE, PAIR
from alignir.tables.comparison import resampling
from alignir.tables.names import headline, headline_scores
from alignir.tables.table import Table
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import PromptVersion, Recorded

PASSAGE, ANSWER = 300, 200  # letters shown
OF_A_RUN = ["file", "model", "dataset", "systems", "queries", "pairs", "tau_b", "kappa", "unparsed", "no label"]


def log_table(recordings: Recordings, versions: list[PromptVersion], unused: bool) -> Table:
    """A row a version and cell; `unused`: also a row for each version that no run is of."""
    lines = []
    for version in versions:
        of_version = [run for run in recordings if run.prompt_version == str(version)]
        lines += [_log_line(run) for run in of_version]
        if not of_version and unused:
            lines.append([str(version), *[UNDEFINED] * len(OF_A_RUN), day(version.created)])
    notes = [
        f"tau_b: of {_measures(recordings)} with the baseline labels, and its 95% interval; kappa: Cohen's, on the "
        "grades",
        "unparsed: share of the pairs; no label: that and all other reasons together",
    ]
    return Table("Prompts", ["prompt", *OF_A_RUN, "date"], lines, notes)


def _log_line(run: Recorded) -> list[str]:
    found, judge, setting = run.metrics, run.judge, run.setting
    tau, low, high = (
        found.get(f"{name}/{headline(run)}/{BASELINE}", float("nan")) for name in ("tau_b", "ci_low", "ci_high")
    )
    return [
        " ".join(filter(None, (run.prompt_version, judge.of_prompt))),
        Path(run.params.get("prompt.file", "")).name,
        " ".join(filter(None, (judge.model, judge.of_model))),
        " ".join(filter(None, (setting.dataset, setting.apart))),
        f"{setting.n_systems} {setting.systems}",
        f"{setting.n_queries} {setting.queries}",
        count(found["n_pairs"]),
        with_interval(tau, low, high),
        number(found.get("agreement/kappa", float("nan"))),
        share_of(found["status/unparsed"] / found["n_pairs"]),
        share_of(found["missing"]),
        day(run.started),
    ]


def flow_table(flow: pd.DataFrame, n_moved: int, names: list[str], title: str, notes: list[str]) -> Table:
    """A row a label before, a column a label after."""
    states = [str(state) for state in flow.index]
    lines = [[state, *map(count, row), count(row.sum())] for state, row in zip(states, flow.to_numpy(), strict=True)]
    lines.append(["all", *map(count, flow.sum()), count(flow.to_numpy().sum())])
    columns = [f"{names[0]} ↓ {names[1]} →", *states, "all"]
    return Table(f"Labels, {n_moved:,} of {flow.to_numpy().sum():,} differ: {title}", columns, lines, notes)


def effect_table(
    before: Recorded, after: Recorded, qrels: pd.DataFrame, labels: list[pd.DataFrame], names: list[str], title: str
) -> Table:
    """A row a statistic, before and after, with the difference."""
    resampled = resampling([before, after])
    baseline = scores_of(before, BASELINE)
    old, new = (scores_of(run, "model") for run in (before, after))
    levels = before.baseline_scale.relevant_from, before.scale.relevant_from
    relevant = f"kappa ≥ {levels[0]}" if levels[0] == levels[1] else "kappa, relevant"
    effects = {
        "tau_b": prompt_changes.effect_on_tau(baseline, old, new, resampled),
        "kappa": prompt_changes.effect_on_kappa(qrels, labels[0], labels[1], resampled),
        relevant: prompt_changes.effect_on_kappa(qrels, labels[0], labels[1], resampled, relevant_from=levels),
    }
    lines = [
        [
            name,
            number(effect["before"]),
            number(effect["after"]),
            number(effect["difference"], sign="+"),
            interval(effect["ci_low"], effect["ci_high"], 2, "+"),
            number(effect["p_value"], 3),
        ]
        for name, effect in effects.items()
    ]
    notes = [
        f"tau_b: of {_measures([before, after])} with the baseline labels; kappa: Cohen's, on the pairs that have a "
        "label",
        effect_note(resampled),
    ]
    return Table(f"Effect: {title}", ["", *names, "difference", "95% interval", "p"], lines, notes)


def _measures(runs: Iterable[Recorded]) -> str:
    """The headline measures of these runs."""
    return " or ".join(dict.fromkeys(run.headline for run in runs)) or "the headline measure"


def effect_note(resampled: Resampling) -> str:
    """How the intervals and p-values of an `effect_table` were made."""
    way = f"95% interval and p of the difference: {resampled.text}"
    if not resampled.B:
        return way
    return f"{way}, the same ones on both sides" + ("; kappa's of the queries" if resampled.over == "systems" else "")


def scores_of(run: Recorded, labels: str) -> pd.DataFrame:
    """SCORES by the headline measure of a recorded run, under its "model"'s labels or the "baseline"'s."""
    scores = headline_scores(run)
    return scores[scores["labels"] == labels]


def pairs_table(
    title: str, pairs: pd.DataFrame, dataset: Dataset, labels: list[pd.DataFrame], names: list[str], shown: int
) -> Table:
    """The first `shown` pairs with their texts, a column each."""
    first = pairs.head(shown)
    texts = dataset.pairs(first)
    baseline = first[PAIR].merge(dataset.qrels, on=PAIR, how="left")["relevance"]
    answers = [first[PAIR].merge(side, on=PAIR, how="left")["response"] for side in labels]
    rows: list[list[str]] = [
        [
            pair.query_id,
            pair.doc_id,
            _grade(human),
            _grade(pair.before),
            _grade(pair.after),
            shortened(query, PASSAGE),
            shortened(passage, PASSAGE),
            *(shortened(answer, ANSWER // 2, ANSWER // 2) for answer in both),
        ]
        for pair, human, query, passage, *both in zip(
            first.itertuples(), baseline, texts["query"], texts["passage"], *answers, strict=True
        )
    ]
    notes = [f"{len(rows):,} of {len(pairs):,}; --pairs shows more"] if len(rows) < len(pairs) else []
    columns = ["query_id", "doc_id", "baseline", *names, "query", "passage", *(f"answer, {name}" for name in names)]
    return Table(title, columns, rows, notes)


def below_each_other(table: Table, names: list[str]) -> Table:
    """A `pairs_table` for a terminal, which is too narrow for texts side by side."""
    lines = []
    for query_id, doc_id, human, before, after, query, passage, *both in table.rows:
        lines += [
            [f"{query_id} {doc_id}", f"query: {query}"],
            [f"{before} → {after}", f"passage: {passage}"],
            [f"baseline {human}", f"{names[0]}: {both[0]}"],
            ["", f"{names[1]}: {both[1]}"],
            ["", ""],
        ]
    return Table(table.title, ["pair", "texts"], lines[:-1], table.notes)


def _grade(label) -> Number:
    known = not pd.isna(label)
    return Number(str(int(label)), int(label)) if known else number(float("nan"))


def shortened(text, head: int, tail: int = 0) -> str:
    """A text on one line, its first and last letters if it is long, safe to print."""
    text = visible(" ".join(text.split())) if isinstance(text, str) else UNDEFINED
    if len(text) <= head + tail + 3:
        return text
    return f"{text[:head].rstrip()} … {text[len(text) - tail :].lstrip()}".rstrip()
