"""Tables of pairs: would a judge have decided between two systems as users did in A/B tests and interleaving?"""

import pandas as pd

from alignir.alignment.pairs import Agreement, Share, agreement, judged
from alignir.alignment.significance import ALPHA
from alignir.formatting import Numbers, counted, full
from alignir.frames import BASELINE
from alignir.tables.comparison import scores_of
from alignir.tables.names import BOUNDS, in_order, judge_name, plain_name, plain_settings, setting_titles
from alignir.tables.notes import measure_notes, size_note
from alignir.tables.table import Table
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import Judge, Setting, UserModel
from alignir.users.metrics import metric_name

COLUMNS = ["labels", "signs", "decided", "missed", "wrong", "unproven"]
SHARES = ("signs", "decided", "missed", "wrong", "unproven")
RECORDS = ["users", "metric", "labels", *(f"{name}{part}" for name in SHARES for part in ("", "_n")),
           "signs_low", "signs_high", "decided_low", "decided_high"]  # fmt: skip


def pairs_tables(recordings: Recordings) -> list[Table]:
    """How far the baseline's labels and each judge's decide as users did, a table a setting and metric of outcomes."""
    groups = {key: runs for key, runs in recordings.by_users().items() if _newest(runs).has("outcomes.parquet")}
    title = "Judges and the pairs that users compared"
    if not groups:
        return [Table(title, COLUMNS, [], ["no recorded run has outcomes of pairs: alignir user_model=pairs ..."])]
    keys = sorted(groups)
    settings = list(dict.fromkeys(setting for setting, _ in keys))
    shown = dict(zip(settings, setting_titles(settings), strict=True))
    columns, plain = plain_settings(settings)
    names = dict(zip(settings, plain, strict=True))
    records = Table(title, [*columns, *RECORDS], [])
    return [
        table
        for setting, users in keys
        for table in _tables(
            f"{title}, {shown[setting]}", names[setting], setting, users, groups[setting, users], records
        )
    ]


def _tables(
    title: str, name: list[str], setting: Setting, users: UserModel, runs: dict[Judge, Recorded], records: Table
) -> list[Table]:
    """A table a metric; its lines are added to the records, too."""
    newest = _newest(runs)
    sides = [(BOUNDS[BASELINE], BASELINE, scores_of(newest)[BASELINE])]
    for judge in in_order(runs):
        plain = plain_name(judge)
        sides.append((judge_name(judge), plain, scores_of(runs[judge])["model"]))
    tables = []
    for metric, outcomes in newest.frame("outcomes.parquet").groupby("metric", sort=False):
        lines = []
        for shown, plain, scores in sides:
            found = agreement(judged(outcomes, scores))
            lines.append([shown, *_cells(found)])
            counts = [str(part) for share in found for part in share]
            ends = (*found.signs.interval, *found.decided.interval)
            records.rows.append([*name, users.title, str(metric), plain, *counts, *map(full, ends)])
        notes = [
            f"{counted(len(outcomes), 'pair')} of systems, {_decided(outcomes)} decided by users: their 95% interval "
            "leaves 0 out",
            "signs: of all pairs, and decided: of those that users decided, the share with the same better system, in "
            "brackets the 95% Wilson interval, as if pairs were independent, which those that share a system are not",
            f"missed: users decided, and the judge does not (p > {ALPHA} of a paired t-test over the queries, each "
            "pair alone); wrong: the judge decides for the other; unproven: the judge decides where users did not",
            size_note([setting]),
            *measure_notes(runs.values()),
            f"{users.title}: {newest.tags.get('user_model.definitions', '')}",
        ]
        of_users = f"{users.title}, {metric_name(str(metric))}"
        tables.append(Table(f"{title}, users: {of_users}", COLUMNS, lines, notes, records))
    return tables


def _decided(outcomes: pd.DataFrame) -> int:
    return int(((outcomes["ci_low"] > 0) | (outcomes["ci_high"] < 0)).sum())


def _cells(found: Agreement) -> list[str]:
    return [*map(_share, (found.signs, found.decided)), *map(_count, (found.missed, found.wrong, found.unproven))]


def _share(share: Share) -> Numbers:
    """`80% [49,94]`, in percent."""
    (low, high), value = share.interval, share.value
    text = f"{value:.0%} [{low * 100:.0f},{high * 100:.0f}]" if share.n else "–"
    return Numbers(text, share=value, low=low, high=high)


def _count(share: Share) -> Numbers:
    return Numbers(f"{share.k} of {share.n}", count=share.k, of=share.n)


def _newest(runs: dict[Judge, Recorded]) -> Recorded:
    return list(runs.values())[-1]
