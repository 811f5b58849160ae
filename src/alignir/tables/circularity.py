"""Tables of circularity: what tau says where systems re-rank by the labels that score them, and what one wins by it."""

from collections.abc import Mapping

import pandas as pd

from alignir.alignment.bootstrap import Resampling
from alignir.alignment.circularity import HIGH, SIDES
from alignir.formatting import Numbers, count, interval, number
from alignir.frames import BASELINE
from alignir.tables.table import Table

# Where results without a label go.
WAYS = {"keep": "stay", "last": "go last"}


def circle_table(
    rows: Mapping[str, pd.DataFrame],
    losses: Mapping[str, dict[str, float]],
    resampling: Resampling,
    notes: list[str],
    title: str,
) -> Table:
    """A row a number of systems that re-rank, for each way with results without a label.

    `rows` are CIRCLE and `losses` what circularity.loss finds, by way; `notes` say what was compared.
    """
    lines = []
    for way, found in rows.items():
        for row in found.itertuples():
            spread = "" if row.draws == 1 else interval(row.ci_low, row.ci_high, 2)
            cells = [count(row.re_ranked), number(row.tau_b, 3), spread, number(row.above, 1)]
            lines.append([WAYS[way], *cells, number(row.judge, 3), number(row.baseline, 3)])
    said = [
        f"{WAYS[way]}: all re-ranking moves tau_b by {number(loss['difference'], 3, '+')}"
        + (
            f", 95% interval [{loss['ci_low']:+.3f}, {loss['ci_high']:+.3f}]"
            if loss["ci_low"] == loss["ci_low"]
            else ""
        )
        for way, loss in losses.items()
    ]
    explained = [
        *notes,
        "no label: results without one stay at their ranks, as re-rankers of systems=pipelines leave them, or go last",
        "tau_b: between the orders by the judge and by the baseline labels; of several choices of systems the mean and "
        "the middle 95%",
        f"> {HIGH}: systems whose score by the judge is above; judge, baseline: mean scores",
        *said,
        f"interval: {resampling.text}",
    ]
    columns = ["no label", "re-rank", "tau_b", "middle 95%", f"> {HIGH}", "judge", "baseline"]
    return Table(f"The circle: systems re-rank by the judge's labels, {title}", columns, lines, explained)


def alone_table(found: pd.DataFrame, way: str, notes: list[str], title: str) -> Table:
    """A row a system that alone re-ranks, best by the baseline first, of what circularity.alone finds."""
    lines = []
    for row in found.sort_values(f"{BASELINE}_before", ascending=False, kind="stable").itertuples():
        cells = []
        for side in SIDES:
            cells += [_moved(row, side, "{:.3f}"), _moved(row, f"{side}_rank", "{:.0f}")]
        lines.append([row.Index, *cells])
    explained = [
        *notes,
        f"before → after the system alone re-ranks; results without a label {WAYS[way]}; rank 1 is the best of all",
    ]
    columns = ["system", "baseline", "rank", "judge", "its rank"]
    return Table(f"A system alone re-ranks by the judge's labels, {title}", columns, lines, explained)


def _moved(row, name: str, form: str) -> Numbers:
    before, after = getattr(row, f"{name}_before"), getattr(row, f"{name}_after")
    return Numbers(f"{form.format(before)} → {form.format(after)}", before=before, after=after)
