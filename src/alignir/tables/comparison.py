"""Comparison: which of two judges is better aligned, and can they be told apart at all?"""

from collections.abc import Callable, Container, Hashable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from alignir.alignment.bootstrap import Resampling
from alignir.alignment.comparison import PAIRS, TO_BEST, against_best, compare, enough, pairs_of
from alignir.alignment.significance import ALPHA
from alignir.frames import ALL, BASELINE
from alignir.progress import bar
from alignir.tables.names import BOUNDS, headline, headline_scores, heads_of
from alignir.tables.notes import measure_note
from alignir.tracking.recordings import Recordings, Row
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import NOBODY, Column, Judge, Setting, UserModel
from alignir.users.metrics import LOWER_IS_BETTER, metric_title

KEY = ["setting", "user_model"]
NO_RESAMPLES = "bootstrap.B=0"
ROOM = 20_000_000  # resampled taus that are held at once


class Group(NamedTuple):
    """Judges that were recorded on the same systems and queries, and all that they are compared by."""

    setting: Setting
    judges: dict[Judge, np.ndarray]  # the headline measure by the judge's labels (S, Q)
    references: dict[Column, np.ndarray]  # (S, Q), or (S, 1): one value a system
    titles: dict[Column, str]  # of the references
    systems: list[str]
    runs: list[Recorded]


def compared(
    recordings: Recordings, users: bool | None = False, references: Container[str] | None = None
) -> pd.DataFrame:
    """One row for each reference and pair of judges: KEY, PAIRS as `alignment.comparison.compare` has them, and texts.

    Judges are (model, prompt), compared where they were recorded on the same systems and queries. The reference is the
    baseline labels (`user_model` is NOBODY then) or, with `users`, each metric of each user model; None: all of these,
    those first; of which `references` names the ones that are asked for. `title`, `measure` and `how`: what the
    reference is called, what orders the systems, and the way that judges were compared, in words.
    """

    def every_two(group: Group, some: dict[Column, np.ndarray], chosen: Resampling) -> pd.DataFrame:
        return compare(group.judges, some, chosen)

    return _found(recordings, users, references, every_two, pairs_of, PAIRS)


def to_best(
    recordings: Recordings, users: bool | None = False, references: Container[str] | None = None
) -> pd.DataFrame:
    """The same for each judge and the best one: TO_BEST as `alignment.comparison.against_best` has them."""

    def with_best(group: Group, some: dict[Column, np.ndarray], chosen: Resampling) -> pd.DataFrame:
        lower = {column for column in some if column.metric in LOWER_IS_BETTER}
        return against_best(group.judges, some, chosen, lower)

    return _found(recordings, users, references, with_best, lambda judges: judges - 1, TO_BEST)


def _found(
    recordings: Recordings,
    users: bool | None,
    references: Container[str] | None,
    find: Callable[[Group, dict[Column, np.ndarray], Resampling], pd.DataFrame],
    comparisons: Callable[[int], int],
    columns: list[str],
) -> pd.DataFrame:
    frames = []
    for group in groups(recordings, users):
        chosen, n = resampling(group.runs), comparisons(len(group.judges))
        for some in _parts(group, enough(chosen, n).B, references):
            found = find(group, some, chosen)
            found["setting"] = [group.setting] * len(found)
            found["title"] = [group.titles[column] for column in found["reference"]]
            found["user_model"] = [column.users for column in found["reference"]]
            found["reference"] = [column.metric for column in found["reference"]]
            frames.append(found.assign(measure=measure_note(group.runs[0]), how=way(group.runs, n)))
    columns = [*KEY, *columns, "title", "measure", "how"]
    if not frames:
        return pd.DataFrame(columns=columns)
    found = pd.concat(frames, ignore_index=True)[columns]
    by_users = np.array([users != NOBODY for users in found["user_model"]], dtype=bool)
    return pd.concat([found[~by_users], found[by_users]], ignore_index=True)


def better(row) -> Judge | None:
    """The judge of the pair that is better aligned, by Holm's p <= ALPHA; None where they cannot be told apart."""
    if not row.p_holm <= ALPHA:
        return None
    return row.left if (row.difference > 0) != (row.reference in LOWER_IS_BETTER) else row.right


def worse(recordings: Recordings, users: bool | None = False) -> set[tuple]:
    """(setting, user_model, reference, judge) of the judges that are worse than the best of theirs, as `to_best` finds.

    `users` as above.
    """
    return {
        (row.setting, row.user_model, row.reference, row.judge)
        for row in to_best(recordings, users).itertuples()
        if is_worse(row)
    }


def is_worse(row) -> bool:
    """Whether Holm's p <= ALPHA; in its metric's direction, as judges may share few of the queries the best is of."""
    return row.p_holm <= ALPHA and (row.difference < 0) != (row.reference in LOWER_IS_BETTER)


def groups(recordings: Recordings, users: bool | None) -> Iterator[Group]:
    """Those of two judges or more, told as they are compared."""
    found: dict[Hashable, dict[UserModel, dict[Judge, Recorded]]] = {}
    newest = recordings.by_judge(lambda run: (run.setting, NOBODY)) if users is not True else {}
    for (setting, whose), judges in {**newest, **(recordings.by_users() if users is not False else {})}.items():
        if len(judges) > 1:
            found.setdefault((setting, _scored(judges)), {})[whose] = judges
    with bar("comparing judges", len(found), "groups", after=2) as advance:
        for by_users in found.values():
            yield group_of(by_users)
            advance(1)


def _scored(judges: dict[Judge, Recorded]) -> Hashable:
    """The judges with what their runs found: users make no difference to it, so that judges are resampled once."""
    found = []
    for judge, run in judges.items():
        names = headline(run), f"tau_b/{headline(run)}/{BASELINE}"
        found.append((judge, *(str(run.metrics.get(name)) for name in names)))
    return tuple(found)


def group_of(by_users: dict[UserModel, dict[Judge, Recorded]]) -> Group:
    """The judges of the first; what they are compared by is all of the user models, and the baseline for NOBODY."""
    runs = list(next(iter(by_users.values())).values())
    scores = {run.judge: scores_of(run) for run in runs}
    others: dict[Column, pd.DataFrame] = {}
    titles: dict[Column, str] = {}
    for users, judges in by_users.items():
        first = next(iter(judges.values()))
        known = {BASELINE: scores[first.judge][BASELINE]} if users == NOBODY else _online(first)
        others |= {Column(users, metric): values for metric, values in known.items()}
        titles |= {Column(users, metric): metric_title(metric, heads_of(first)) for metric in known}
        titles[Column(NOBODY, BASELINE)] = BOUNDS[BASELINE]
    sides = {judge: by_labels["model"] for judge, by_labels in scores.items()}
    frames = [*sides.values(), *others.values()]
    arrays, systems = aligned(frames), sorted(set().union(*(frame.index for frame in frames)))
    references = dict(zip(others, arrays[len(sides) :], strict=True))
    own = dict(zip(sides, arrays[: len(sides)], strict=True))
    return Group(runs[0].setting, own, references, titles, systems, runs)


def _parts(group: Group, B: int, references: Container[str] | None) -> Iterator[dict[Column, np.ndarray]]:
    """The references of these names, as many at once as leave room for B resampled taus of each with each judge."""
    size = max(1, round(ROOM / max(1, B * len(group.judges))))
    asked = [item for item in group.references.items() if references is None or item[0].metric in references]
    for start in range(0, len(asked), size):
        yield dict(asked[start : start + size])


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
            "the best only, which is chosen by the same data (--table compare)"
        )
    if not all(resampling(runs).B for runs in several):
        notes.append(f"no judge is marked as worse than the best (†) where {NO_RESAMPLES}")
    return notes


def _online(run: Recorded) -> dict[str, pd.DataFrame]:
    return _wide(run.frame("online.parquet"), "metric")


def scores_of(run: Recorded) -> dict[str, pd.DataFrame]:
    """The headline measure by the "model"'s labels and by the "baseline"'s."""
    return _wide(headline_scores(run), "labels")


def sides_of(runs: dict[Judge, Recorded]) -> tuple[np.ndarray, dict[Judge, np.ndarray]]:
    """(the headline measure by the baseline labels, as the newest run has it; that by each judge's): (S, Q) each."""
    scored = {judge: scores_of(run) for judge, run in runs.items()}
    people = list(scored.values())[-1][BASELINE]
    reference, *others = aligned([people, *(each["model"] for each in scored.values())])
    return reference, dict(zip(scored, others, strict=True))


def _wide(rows: pd.DataFrame, by: str) -> dict[str, pd.DataFrame]:
    """{what is in the column `by`: a row a system, a column a query}."""
    return {
        name: some.pivot(index="system", columns="query_id", values="value")
        for name, some in rows.groupby(by, sort=False)
    }


def aligned(sides: list[pd.DataFrame]) -> list[np.ndarray]:
    """Values (S, Q) of the same systems and queries in the order of their names, NaN where a side has none.

    A side with one value a system for all queries together (query_id "all") is (S, 1).
    """
    systems = sorted(set().union(*(side.index for side in sides)))
    query_ids = sorted(set().union(*(side.columns for side in sides)) - {ALL})
    return [
        side.reindex(index=systems, columns=[ALL] if list(side) == [ALL] else query_ids).to_numpy(float)
        for side in sides
    ]
