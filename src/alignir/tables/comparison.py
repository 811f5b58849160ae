"""Comparison: which of two judges is better aligned, and can they be told apart at all?"""

import numpy as np
import pandas as pd

from alignir.alignment.bootstrap import compare
from alignir.evaluation.measures import NDCG
from alignir.frames import BASELINE
from alignir.progress import bar
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import NOBODY, Judge
from alignir.users.metrics import LOWER_IS_BETTER

LEVEL = 0.05
B = 1000
KEY = ["setting", "user_model", "reference"]
PAIRS = ["left", "right", "tau_left", "tau_right", "difference", "ci_low", "ci_high", "p_value", "p_holm"]


def compared(recordings: Recordings, users: bool = False, seed: int = 0) -> pd.DataFrame:
    """One row for each reference and pair of judges: KEY and PAIRS, as `bootstrap.compare` has them by nDCG@10.

    Judges are (model, prompt), compared where they were recorded on the same systems and queries. The reference is the
    baseline labels (`user_model` is NOBODY then) or, with `users`, each metric of each user model.
    """
    groups = recordings.by_judge(lambda run: (run.setting, run.users if users else NOBODY))
    groups = {key: judges for key, judges in groups.items() if len(judges) > 1}
    frames = []
    with bar("comparing judges", len(groups), "groups", after=2) as advance:
        for (setting, user_model), judges in groups.items():
            scores = {judge: _scores(run) for judge, run in judges.items()}
            sides = {judge: by_labels["model"] for judge, by_labels in scores.items()}
            first = next(iter(judges))
            references = _metrics(judges[first]) if users else {BASELINE: scores[first][BASELINE]}
            for reference, values in references.items():
                found = compare(sides, values, np.random.default_rng(seed), B)
                names = {"setting": [setting] * len(found), "user_model": [user_model] * len(found)}
                names["reference"] = [reference] * len(found)
                frames.append(found.assign(**names))
            advance(1)
    return pd.concat(frames, ignore_index=True)[KEY + PAIRS] if frames else pd.DataFrame(columns=KEY + PAIRS)


def better(row) -> Judge | None:
    """The judge of the pair that is better aligned, by Holm's p <= 0.05; None where they cannot be told apart."""
    if not row.p_holm <= LEVEL:
        return None
    return row.left if (row.difference > 0) != (row.reference in LOWER_IS_BETTER) else row.right


def worse(found: pd.DataFrame) -> set[tuple]:
    """(setting, user_model, reference, judge) of the judges that are worse than the best of theirs.

    The best has the highest tau; the lowest, for a metric that is better when it is lower.
    """
    marked = set()
    for (setting, users, reference), rows in found.groupby(KEY, sort=False):
        sides = [rows[["left", "tau_left"]], rows[["right", "tau_right"]]]
        taus = {judge: tau for side in sides for judge, tau in side.itertuples(index=False) if tau == tau}
        best = (min if reference in LOWER_IS_BETTER else max)(taus, key=taus.get, default=None)
        for row in rows.itertuples():
            if best is not None and better(row) == best:
                marked.add((setting, users, reference, row.right if row.left == best else row.left))
    return marked


def _metrics(run: Recorded) -> dict[str, np.ndarray]:
    return _values(run.frame("online.parquet"), "metric")


def _scores(run: Recorded) -> dict[str, np.ndarray]:
    """nDCG@10 by the "model"'s labels and by the "baseline"'s."""
    scores = run.frame("scores.parquet")
    return _values(scores[scores["measure"] == NDCG], "labels")


def _values(rows: pd.DataFrame, by: str) -> dict[str, np.ndarray]:
    """{what is in the column `by`: values (S, Q)}, systems and queries in the order of their names."""
    return {
        name: some.pivot(index="system", columns="query_id", values="value").sort_index().sort_index(axis=1).to_numpy()
        for name, some in rows.groupby(by, sort=False)
    }
