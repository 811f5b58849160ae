"""Comparison: which of two judges is better aligned, and can they be told apart at all?"""

from itertools import groupby

import numpy as np
import pandas as pd

from alignir.alignment import BASELINE
from alignir.bootstrap import compare
from alignir.online import LOWER_IS_BETTER
from alignir.progress import bar
from alignir.scores import NDCG
from alignir.tracking import Recorded, told_apart

LEVEL = 0.05
COLUMNS = ["setting", "user_model", "reference", "left", "right", "tau_left", "tau_right", "difference"]
COMPARED = [*COLUMNS, "ci_low", "ci_high", "p_value", "p_holm"]


def compared(recorded: list[Recorded], references: tuple[str, ...] = (BASELINE, "users"), B: int = 1000, seed: int = 0):
    """One row for each pair of judges and each reference: COMPARED, as `bootstrap.compare` has it.

    Judges are (model, prompt); they are compared where they were recorded on the same systems and queries, by nDCG@10
    with the baseline labels (`user_model` is empty there), and with each metric of a user model.
    """
    recorded, frames = told_apart(recorded), []
    groups = [*_groups(recorded, lambda run: (run.setting, ""))] if BASELINE in references else []
    if "users" in references:
        groups += _groups(recorded, lambda run: (run.setting, run.names["user_model"]))
    with bar("comparing judges", len(groups), "groups", after=2) as advance:
        for (setting, user_model), judges in groups:
            for reference, values in _references(next(iter(judges.values())), user_model):
                sides = {judge: _matrix(_scores(run, "model")) for judge, run in judges.items()}
                found = compare(sides, values.to_numpy(), np.random.default_rng(seed), B)
                found = found.assign(user_model=user_model, reference=reference)
                found["setting"] = [setting] * len(found)
                frames.append(found)
            advance(1)
    return pd.concat(frames, ignore_index=True)[COMPARED] if frames else pd.DataFrame(columns=COMPARED)


def _groups(recorded: list[Recorded], key):
    """(key, {judge: its newest run}) of the runs that share a key, where there are two judges or more."""
    for name, runs in groupby(sorted(recorded, key=key), key):
        judges = {(run.names["model"], run.names["prompt"]): run for run in runs}
        if len(judges) > 1:
            yield name, judges


def _references(run: Recorded, user_model: str):
    """(reference, its values as systems x queries): the baseline labels, or each metric of the user model."""
    if not user_model:
        yield BASELINE, _matrix(_scores(run, BASELINE))
        return
    online = run.frame("online.parquet")
    for metric in online["metric"].unique():
        yield metric, _matrix(online[online["metric"] == metric])


def _scores(run: Recorded, labels: str) -> pd.DataFrame:
    scores = run.frame("scores.parquet")
    return scores[(scores["labels"] == labels) & (scores["measure"] == NDCG)]


def _matrix(values: pd.DataFrame) -> pd.DataFrame:
    return values.pivot(index="system", columns="query_id", values="value").sort_index().sort_index(axis=1)


def worse(found: pd.DataFrame) -> set[tuple]:
    """(setting, user_model, reference, judge) of the judges that are worse than the best of theirs: Holm's p <= 0.05.

    The best has the highest tau; the lowest, for a metric that is better when it is lower.
    """
    marked = set()
    for key, rows in found.groupby(["setting", "user_model", "reference"], sort=False):
        taus = dict(zip(rows["left"], rows["tau_left"], strict=True)) | dict(
            zip(rows["right"], rows["tau_right"], strict=True)
        )
        taus = {judge: tau for judge, tau in taus.items() if tau == tau}
        if not taus:
            continue
        best = (min if key[2] in LOWER_IS_BETTER else max)(taus, key=taus.get)
        apart = rows[rows["p_holm"] <= LEVEL]
        for left, right in zip(apart["left"], apart["right"], strict=True):
            if best in (left, right):
                marked.add((*key, right if left == best else left))
    return marked
