"""Tables of sensitivity: which conclusions survive other assumptions about users?"""

from collections.abc import Mapping

import pandas as pd

from alignir.alignment import sensitivity
from alignir.alignment.significance import ALPHA
from alignir.formatting import Number, number
from alignir.frames import BASELINE
from alignir.tables.names import BOUNDS
from alignir.tables.notes import LOWER_NOTE
from alignir.tables.table import Table
from alignir.users.metrics import LOWER_IS_BETTER, NAMES, NO_HEADS, metric_title


def survival_table(frame: pd.DataFrame, base: str, title: str, heads: Mapping[str, str] = NO_HEADS) -> Table:
    """A row a judge, a column a metric, of what alignment.sensitivity takes; `heads`: of the metrics under the base."""
    found = sensitivity.survival(frame, base)
    cells = {(row.judge, row.metric): _survived(row) for row in found.itertuples()}
    metrics = list(found["metric"].unique())
    metrics = [metric for metric in NAMES if metric in metrics] + [m for m in metrics if m not in NAMES]
    judges = list(dict.fromkeys(frame["judge"]))
    lines = [[judge, *(cells.get((judge, metric), "–") for metric in metrics)] for judge in judges]
    notes = [
        "tau_b [its range over all assumptions], and of the assumptions that move the metric's tau for any judge, how "
        f"many keep its sign / on which side of p = {ALPHA} it is"
    ]
    notes += [LOWER_NOTE] if set(metrics) & set(LOWER_IS_BETTER) else []
    columns = ["judge", *(metric_title(metric, heads) for metric in metrics)]
    return Table(f"What survives: {title}", columns, lines, notes)


def _survived(row) -> Number:
    tau, low, high = (number(value, 2) for value in (row.base_tau, row.low, row.high))
    return Number(f"{tau} [{low}, {high}] {row.sign}/{row.significance} of {row.others}", row.base_tau)


def order_table(frame: pd.DataFrame, base: str, title: str, heads: Mapping[str, str] = NO_HEADS) -> Table:
    """A row a user model, a column a metric; `heads`: of the metrics under the base."""
    found = sensitivity.order(frame, base, LOWER_IS_BETTER, BOUNDS[BASELINE])
    cells = {
        (row.user_model, row.metric): Number(number(row.order, 2) + ("" if row.best else "*"), row.order)
        for row in found.itertuples()
    }
    metrics = [metric for metric in NAMES if metric in set(found["metric"])]
    lines = [
        [user_model, *(cells.get((user_model, metric), "") for metric in metrics)]
        for user_model in dict.fromkeys(found["user_model"])
    ]
    notes = [
        "tau_b between the order of the judges (by alignment with the metric) and their order under the base; empty: "
        "the assumption does not move this metric; – there is no order; * another judge is the best"
    ]
    return Table(
        f"Order of judges: {title}", ["users", *(metric_title(metric, heads) for metric in metrics)], lines, notes
    )


def outlying_table(frame: pd.DataFrame, base: str, title: str, heads: Mapping[str, str] = NO_HEADS) -> Table:
    """A row a metric and user model that moves it far, with its mark in the figure; a column a judge."""
    found = sensitivity.outlying(frame, base)
    letters = sensitivity.marks(found)
    judges = list(dict.fromkeys(found["judge"]))
    lines = []
    for (metric, user_model), rows in found.groupby(["metric", "user_model"], sort=False):
        taus = rows.set_index("judge")["tau_b"]
        assumed = rows["assumption"].iloc[0]
        cells = [number(taus[judge], 2) if judge in taus else "" for judge in judges]
        lines.append((_place(metric), [metric_title(metric, heads), letters[user_model], assumed, *cells]))
    notes = [
        f"tau_b that is further than {sensitivity.FAR:g} from that under {base}, or undefined (–); empty: it is not; "
        "letters: in the figure (--out)"
    ]
    columns = ["metric", "", "assumption", *judges]
    return Table(
        f"What moves tau: {title}", columns, [line for _, line in sorted(lines, key=lambda each: each[0])], notes
    )


def _place(metric: str) -> int:
    return list(NAMES).index(metric) if metric in NAMES else len(NAMES)
