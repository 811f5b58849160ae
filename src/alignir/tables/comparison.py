"""Comparison: which of two judges is better aligned, and can they be told apart at all?"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from alignir.alignment.bootstrap import Resampling
from alignir.alignment.comparison import PAIRS, against_best, compare, enough, pairs_of
from alignir.alignment.significance import ALPHA
from alignir.evaluation.measures import NDCG
from alignir.frames import ALL, BASELINE
from alignir.progress import bar
from alignir.tables.names import BOUNDS
from alignir.tracking.recordings import Recordings, Row
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import NOBODY, Column, Judge, Setting, UserModel
from alignir.users.metrics import LOWER_IS_BETTER

KEY = ["setting", "user_model"]
NO_RESAMPLES = "bootstrap.B=0"


class Group(NamedTuple):
    """Judges that were recorded on the same systems and queries, and what they are compared by."""

    setting: Setting
    users: UserModel  # NOBODY: the reference is the baseline labels
    judges: dict[Judge, np.ndarray]  # nDCG@10 by the judge's labels (S, Q)
    references: dict[str, np.ndarray]  # (S, Q), or (S, 1): one value a system
    runs: list[Recorded]


def compared(recordings: Recordings, users: bool = False) -> pd.DataFrame:
    """One row for each reference and pair of judges: KEY, PAIRS as `alignment.comparison.compare` has them, and `how`.

    Judges are (model, prompt), compared where they were recorded on the same systems and queries. The reference is the
    baseline labels (`user_model` is NOBODY then) or, with `users`, each metric of each user model. `how`: the way that
    they were compared, in words.
    """
    frames = []
    for group in groups(recordings, users):
        found = compare(group.judges, group.references, resampling(group.runs))
        how = way(group.runs, pairs_of(len(group.judges)))
        found["setting"], found["user_model"] = [group.setting] * len(found), [group.users] * len(found)
        frames.append(found.assign(how=how))
    columns = [*KEY, *PAIRS, "how"]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def better(row) -> Judge | None:
    """The judge of the pair that is better aligned, by Holm's p <= ALPHA; None where they cannot be told apart."""
    if not row.p_holm <= ALPHA:
        return None
    return row.left if (row.difference > 0) != (row.reference in LOWER_IS_BETTER) else row.right


def worse(recordings: Recordings, users: bool = False) -> set[tuple]:
    """(setting, user_model, reference, judge) of the judges that are worse than the best of theirs.

    As `alignment.comparison.against_best` finds them: each judge is compared with the best only.
    """
    marked = set()
    for group in groups(recordings, users):
        found = against_best(group.judges, group.references, resampling(group.runs), LOWER_IS_BETTER)
        for row in found[found["p_holm"] <= ALPHA].itertuples():
            if (row.difference < 0) != (row.reference in LOWER_IS_BETTER):  # they may share few of the best's queries
                marked.add((group.setting, group.users, row.reference, row.judge))
    return marked


def groups(recordings: Recordings, users: bool) -> Iterator[Group]:
    """Those of two judges or more, told as they are compared."""
    found = recordings.by_judge(lambda run: (run.setting, run.users if users else NOBODY))
    several = {key: judges for key, judges in found.items() if len(judges) > 1}
    with bar("comparing judges", len(several), "groups", after=2) as advance:
        for (setting, user_model), judges in several.items():
            scores = {judge: _scores(run) for judge, run in judges.items()}
            first = next(iter(judges))
            others = {BASELINE: scores[first][BASELINE]}
            if users:
                others = _wide(judges[first].frame("online.parquet"), "metric")
            sides = {judge: by_labels["model"] for judge, by_labels in scores.items()}
            arrays = _aligned([*sides.values(), *others.values()])
            of_judges = dict(zip(sides, arrays[: len(sides)], strict=True))
            references = dict(zip(others, arrays[len(sides) :], strict=True))
            yield Group(setting, user_model, of_judges, references, list(judges.values()))
            advance(1)


def resampling(runs: list[Recorded]) -> Resampling:
    """The setting that compares these runs; where theirs differ that with the most resamples, of such the newest."""
    return max((Resampling.recorded(run.params) for run in reversed(runs)), key=lambda setting: setting.B)


def way(runs: list[Recorded], comparisons: int) -> str:
    """How the judges of these runs are compared: what was resampled, and how often; or why they are not."""
    settings = [Resampling.recorded(run.params) for run in runs]
    chosen = resampling(runs)
    if not chosen.B:
        return f"not compared: {NO_RESAMPLES}"
    used = enough(chosen, comparisons)
    text = f"paired bootstrap of the {used.over}, {used.B:,} resamples"
    if used.B > chosen.B:
        text += f" (bootstrap.B={chosen.B} is too few for {comparisons} comparisons)"
    if len(set(settings)) > 1:
        text += ", by that of the runs' settings of bootstrap with the most resamples"
    return text


def mark_notes(rows: list[Row], marked: bool) -> list[str]:
    """What † means in a table of these rows, and why there is none where judges were not compared."""
    columns: dict[tuple[Setting, Column], dict[Judge, Recorded]] = {}
    for row in rows:
        if row.judge.model not in BOUNDS:
            columns.setdefault((row.setting, row.column), {})[row.judge] = row.run
    several = [list(runs.values()) for runs in columns.values() if len(runs) > 1]
    ways = dict.fromkeys(way(runs, len(runs) - 1) for runs in several if resampling(runs).B)
    notes = []
    if marked:
        notes.append(
            f"† worse than the best judge of the column: Holm's p ≤ {ALPHA} of a {' or a '.join(ways)}; each against "
            "the best only, which is chosen by the same data (--table compare has every two judges)"
        )
    if not all(resampling(runs).B for runs in several):
        notes.append(f"no judge is marked as worse than the best (†) where {NO_RESAMPLES}")
    return notes


def _scores(run: Recorded) -> dict[str, pd.DataFrame]:
    """nDCG@10 by the "model"'s labels and by the "baseline"'s."""
    scores = run.frame("scores.parquet")
    return _wide(scores[scores["measure"] == NDCG], "labels")


def _wide(rows: pd.DataFrame, by: str) -> dict[str, pd.DataFrame]:
    """{what is in the column `by`: a row a system, a column a query}."""
    return {
        name: some.pivot(index="system", columns="query_id", values="value")
        for name, some in rows.groupby(by, sort=False)
    }


def _aligned(sides: list[pd.DataFrame]) -> list[np.ndarray]:
    """Values (S, Q) of the same systems and queries in the order of their names, NaN where a side has none.

    A side with one value a system for all queries together (query_id "all") is (S, 1).
    """
    systems = sorted(set().union(*(side.index for side in sides)))
    query_ids = sorted(set().union(*(side.columns for side in sides)) - {ALL})
    return [
        side.reindex(index=systems, columns=[ALL] if list(side) == [ALL] else query_ids).to_numpy(float)
        for side in sides
    ]
