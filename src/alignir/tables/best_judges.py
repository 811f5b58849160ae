"""Table of judges, best first: which one to trust, at what cost, for each dataset and over all of them."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from alignir.alignment.comparison import against_best
from alignir.alignment.pooled import pooled
from alignir.alignment.significance import ALPHA, pairwise
from alignir.formatting import Number, Numbers, full, interval, number, share_of, signed
from alignir.frames import BASELINE
from alignir.tables.choices import DIGITS
from alignir.tables.comparison import resampling, sides_of, way
from alignir.tables.names import judge_name, plain_names, plain_settings, setting_titles
from alignir.tables.notes import interval_note, label_notes, measure_notes, size_note
from alignir.tables.table import Table
from alignir.tables.top import of_setting
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded
from alignir.tracking.shapes import Judge, Setting

PAIRS = 1000  # that seconds and prices are of
TAU = ["tau_b", "ci_low", "ci_high", "difference", "p_holm"]
COSTS = {
    "tokens": "tokens: of a pair, read and written",
    "seconds": f"seconds: of {PAIRS:,} pairs that were asked about, with loading",
    "price": f"price: of {PAIRS:,} pairs, of all tokens by model.price",
}
PLAIN = ["tau_top", "missed", "false_alarm", "bias", "missing", *COSTS]  # pooled as means
RECORDS = ["model", "prompt", *TAU[:3], "spread", *TAU[3:], "top", *PLAIN]


Lines = dict[Judge, dict[str, float]]  # TAU and PLAIN of each judge, over several datasets also the spread; best first


class Judged(NamedTuple):
    """What is found of the judges of one setting."""

    setting: Setting
    runs: dict[Judge, Recorded]
    sides: dict[Judge, np.ndarray]  # the headline measure by system and query
    reference: np.ndarray
    lines: Lines
    top: int | None  # of how many of the best systems tau_top is; None: of none
    ceiling: float  # tau_b that the baseline labels of other queries reach; NaN: not known


def judge_tables(recordings: Recordings, top: Sequence[int] | None = None, digits: int = DIGITS) -> list[Table]:
    """A line a judge, best first: for each setting, and before them over all datasets where there are several.

    What judges cost is a table of its own, where it is known; csv has all of it in one line. `top`: as in tables.top;
    the fewest of these are looked at.
    """
    by_setting = recordings.by_setting()
    settings = sorted(setting for setting in by_setting if setting.n_systems > 1)
    every = [judged(recordings, setting, by_setting[setting], top) for setting in settings]
    columns, names = plain_settings(settings)
    records = Table("Judges", [*columns, *RECORDS], [])
    together = ["all"] + [""] * (len(columns) - 1)
    tables = _over_all(every, together, records, digits) if _poolable(every) else []
    for each, name in zip(every, names, strict=True):
        tables += _of_setting(each, name, records, digits)
    return tables


def costs(recordings: Recordings, labelled_by: Recorded) -> dict[str, float]:
    """What a run's judge takes: tokens of a pair, seconds and price of PAIRS pairs; NaN where that is not known.

    Tokens are those of all answers of the run, and the price is that of these tokens by `model.price`, whether they
    were asked for now or were in the ledger. Seconds are of the pairs that any run of the judge on this dataset asked
    about, with loading.
    """
    alike = (labelled_by.judge, labelled_by.labelled)
    runs = [run.metrics for run in recordings if (run.judge, run.labelled) == alike and run.metrics.get("asked")]
    asked, seconds = (sum(run.get(name, 0) for run in runs) for name in ("asked", "seconds"))
    return {
        "tokens": labelled_by.metrics.get("tokens", math.nan),
        "seconds": PAIRS * seconds / asked if asked else math.nan,
        "price": labelled_by.metrics.get("price") or math.nan,
    }


def judged(
    recordings: Recordings, setting: Setting, runs: dict[Judge, Recorded], top: Sequence[int] | None = None
) -> Judged:
    """The judges of one setting of two systems or more, best first; `top` as in `judge_tables`."""
    reference, sides = sides_of(runs)
    among = of_setting(setting, runs, top, with_all=True)
    k = among.ks[-1] if among.ks else None
    to_best = against_best(sides, {BASELINE: reference}, resampling(list(runs.values())))
    apart = {row.judge: (row.difference, row.p_holm) for row in to_best.itertuples()}
    lines: Lines = {}
    for judge, run in runs.items():
        known = ~(np.isnan(sides[judge]).all(axis=0) | np.isnan(reference).all(axis=0))
        shares = pairwise(sides[judge][:, known], reference[:, known])["share"]
        lines[judge] = {
            **among.taus[judge, setting.n_systems]._asdict(),
            **dict(zip(TAU[3:], apart.get(judge, (0.0, math.nan)), strict=True)),
            "tau_top": among.taus[judge, k].tau_b if k else math.nan,
            "missed": shares["missed"],
            "false_alarm": shares["false_alarm"],
            "bias": run.metrics.get("agreement/bias", math.nan),
            "missing": run.metrics.get("missing", math.nan),
            **costs(recordings, run),
        }
    order = sorted(lines, key=lambda judge: -np.nan_to_num(lines[judge]["tau_b"], nan=-2))
    best_first = {judge: lines[judge] for judge in order}
    return Judged(setting, runs, sides, reference, best_first, k, among.ceilings.get(setting.n_systems, math.nan))


def _of_setting(found: Judged, name: list[str], records: Table, digits: int) -> list[Table]:
    runs = list(found.runs.values())
    notes = [
        size_note([found.setting]),
        *measure_notes(runs),
        *label_notes(runs),
        interval_note(runs),
        *_notes(found.top, runs, len(runs)),
    ]
    return _tables(setting_titles([found.setting])[0], found.lines, found.top, name, notes, records, digits)


def _poolable(every: list[Judged]) -> bool:
    """Whether there are several datasets, each in one setting, and judges that all of them have."""
    labelled = {next(iter(each.runs.values())).labelled for each in every}
    return len(every) > 1 and len(labelled) == len(every) and bool(_of_all(every))


def _of_all(every: list[Judged]) -> list[Judge]:
    return [judge for judge in every[0].lines if all(judge in each.lines for each in every)]


def _over_all(every: list[Judged], name: list[str], records: Table, digits: int) -> list[Table]:
    judges, runs = _of_all(every), [run for each in every for run in each.runs.values()]
    datasets = [({judge: each.sides[judge] for judge in judges}, each.reference) for each in every]
    lines: Lines = {}
    for row in pooled(datasets, resampling(runs)).to_dict("records"):
        judge = row["judge"]
        means = {name: float(np.mean([each.lines[judge][name] for each in every])) for name in PLAIN}
        lines[judge] = {name: row[name] for name in (*TAU, "spread")} | means
    tops = {each.top for each in every}
    top = tops.pop() if len(tops) == 1 else None
    left_out = sorted({judge_name(judge) for each in every for judge in each.runs if judge not in judges})
    notes = [
        size_note([each.setting for each in every]),
        *measure_notes(runs),
        f"mean tau: of {len(every)} datasets; spread: its standard deviation between them; all other numbers are means",
        *([f"not on every dataset, and left out: {', '.join(left_out)}"] if left_out else []),
        f"in brackets: 95% interval of the mean, from resamples of each dataset on its own: {resampling(runs).text}",
        *_notes(top, runs, len(judges)),
    ]
    return _tables(f"over {len(every)} datasets", lines, top, name, notes, records, digits)


def _tables(
    title: str, lines: Lines, top: int | None, name: list[str], notes: list[str], records: Table, digits: int
) -> list[Table]:
    """The judges, and what they cost where that is known; `name`: of the setting, for programs."""
    spread = any("spread" in line for line in lines.values())
    known = [cost for cost in COSTS if any(line[cost] == line[cost] for line in lines.values())]
    tau = "mean tau" if spread else "tau_b"
    columns = ["judge", tau, *(["spread"] if spread else []), *([f"top {top}"] if top else [])]
    judges = Table(
        f"Judges, best first, {title}", [*columns, "missed / false ↓", "bias", "missing"], [], notes, records
    )
    note = "; ".join(COSTS[cost] for cost in known)
    prices = Table(f"What judges cost, {title}", ["judge", tau, *known], [], [note], records)
    for judge, line in lines.items():
        value = number(line["tau_b"], digits) + ("†" if line["p_holm"] <= ALPHA and line["difference"] < 0 else "")
        reach = f" {interval(line['ci_low'], line['ci_high'], digits)}" if line["ci_low"] == line["ci_low"] else ""
        apart = line["missed"], line["false_alarm"]
        cells = [
            Number(value + reach, line["tau_b"]),
            *([number(line["spread"], digits)] if spread else []),
            *([number(line["tau_top"], digits)] if top else []),
            Numbers(" / ".join(map(share_of, apart)), missed=apart[0], false=apart[1]),
            signed(line["bias"], 2),
            share_of(line["missing"]),
        ]
        judges.rows.append([judge_name(judge), *cells])
        prices.rows.append([judge_name(judge), Number(value, line["tau_b"]), *(_cost(line[cost]) for cost in known)])
        numbers = {column: full(line.get(column, math.nan)) for column in RECORDS[2:]}
        records.rows.append([*name, *plain_names(judge), *({**numbers, "top": str(top or "")}).values()])
    return [judges, prices] if known else [judges]


def _cost(value: float) -> Number:
    """In three digits, as costs range from cents to thousands; empty where it is not known."""
    text = "" if value != value else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return Number(text, value)


def _notes(top: int | None, runs: list[Recorded], judges: int) -> list[str]:
    worse = f"† worse than the best judge: Holm's p ≤ {ALPHA}, each against the best only; {way(runs, judges - 1)}"
    return [
        *([worse] if judges > 1 else []),
        *([f"top {top}: tau_b among the {top} best systems by the baseline labels (--table top)"] if top else []),
        "missed / false: shares of all pairs of systems of which one beats the other only by the baseline labels, and "
        f"only by the judge's (false alarms), at Holm's p ≤ {ALPHA} of paired t-tests",
        "bias: mean of label - baseline; missing: share of pairs without a label",
    ]
