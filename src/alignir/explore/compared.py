"""Compared: what one setting's judges make of its systems and queries, in the numbers that the page shows."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from alignir.alignment.bootstrap import plain_means, taus, weighted_means
from alignir.alignment.ranks import ranks
from alignir.evaluation import agreement
from alignir.frames import PAIR
from alignir.tables.best_judges import judged
from alignir.tables.names import judge_name
from alignir.tables.standing import Side, sides
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import Judge, Setting

OF_JUDGES = ("tau_b", "ci_low", "ci_high", "tau_top", "missed", "false_alarm", "bias", "missing")
DIGITS = 4


class Compared(NamedTuple):
    """One setting. Judges stand best first, systems in the order of the baseline."""

    judges: list[Judge]
    systems: list[str]
    numbers: dict[str, Any]  # for the page: lists of plain numbers, None where one is undefined


def compared(
    recordings: Recordings, setting: Setting, runs: dict[Judge, Recorded], query_ids: Sequence[str]
) -> Compared:
    """`judges` (a dict each), and by judge, then system or query: `scores`, `ranks`, `kappa`, `bias`, `without`.

    `baseline` has the baseline's scores and ranks. A judge's rank is among the queries that it and the baseline know,
    as is `before`, the baseline's there. `without`: tau_b without this query.
    """
    found = judged(recordings, setting, runs)
    people, *others = sides(runs)
    by_name = {side.title: side for side in others}
    order = np.argsort(-plain_means(people.scores.to_numpy()), kind="stable")
    systems = [people.scores.index[place] for place in order]
    judges = list(found.lines)
    shown = [by_name[judge_name(judge)] for judge in judges]
    lines: list[dict[str, Any]] = [
        {"name": judge_name(judge), **{name: plain(found.lines[judge][name]) for name in OF_JUDGES}}
        | {
            "kappa": plain(runs[judge].metrics.get("agreement/kappa", math.nan)),
            "scale": list(runs[judge].scale.grades),
            "relevant_from": runs[judge].scale.relevant_from,
            "alike": runs[judge].scale.grades == runs[judge].baseline_scale.grades,
        }
        for judge in judges
    ]
    numbers = {
        "judges": lines,
        "top": found.top,
        "baseline": {"scores": _scores(people, systems, query_ids), "ranks": _ranks(people.scores, systems)},
        "scores": [_scores(side, systems, query_ids) for side in shown],
        "ranks": [_ranks(side.scores, systems) for side in shown],
        "before": [_ranks(side.people, systems) for side in shown],
        "without": [_without(side, query_ids) for side in shown],
    }
    return Compared(judges, systems, numbers)


def by_query(
    baseline: pd.DataFrame, labels: Sequence[pd.DataFrame], comparable: Sequence[bool], query_ids: Sequence[str]
) -> dict[str, list[list[float | None]]]:
    """kappa on the grades and bias (label - baseline) by judge and query; None where grades are not comparable."""
    found: dict[str, list[list[float | None]]] = {"kappa": [], "bias": []}
    for side, same in zip(labels, comparable, strict=True):
        groups = dict(iter(agreement.joined(baseline[[*PAIR, "relevance"]], side).groupby("query_id"))) if same else {}
        found["kappa"].append([plain(agreement.kappa(groups[q])) if q in groups else None for q in query_ids])
        found["bias"].append(
            [plain((groups[q]["label"] - groups[q]["baseline"]).mean()) if q in groups else None for q in query_ids]
        )
    return found


def plain(value: float, digits: int = DIGITS) -> float | None:
    """A number as JSON has it: None for NaN.

    >>> plain(0.123456), plain(float("nan"))
    (0.1235, None)
    """
    return None if value != value else round(float(value), digits)


def _scores(side: Side, systems: list[str], query_ids: Sequence[str]) -> list[list[float | None]]:
    table = side.scores.reindex(index=systems, columns=query_ids).to_numpy(float)
    return [[plain(value) for value in row] for row in table]


def _ranks(scores: pd.DataFrame, systems: list[str]) -> list[int]:
    return ranks(plain_means(scores.loc[systems].to_numpy())).tolist()


def _without(side: Side, query_ids: Sequence[str]) -> list[float | None]:
    """tau_b of the judge's means with the baseline's over all queries but this one."""
    judge, people = side.scores.to_numpy(), side.people.to_numpy()
    n_queries = judge.shape[1]
    if n_queries < 2:
        return [None] * len(query_ids)
    others = 1 - np.eye(n_queries)
    found = dict(zip(side.scores, taus(weighted_means(judge, others), weighted_means(people, others)), strict=True))
    return [plain(found.get(query_id, math.nan)) for query_id in query_ids]
