"""Tables of budgets: how many labels are enough, and what human labels add."""

import pandas as pd

from alignir.alignment import budget
from alignir.formatting import Number, count, number, share_of, with_interval
from alignir.tables.table import Table


def human_table(rows: pd.DataFrame, draws: int, pairs: pd.Series, title: str) -> Table:
    """A row a number of human labels and way to estimate, of HUMAN; `pairs`: how many each query has."""
    lines = [
        [
            row.way,
            count(row.labels),
            count(row.n_queries),
            number(round(row.bias, 3) + 0.0, 3, "+"),
            number(row.error, 3),
            number(row.width, 3),
            share_of(row.coverage, 0),
            _tau(row),
        ]
        for row in rows.itertuples()
    ]
    notes = [
        f"means over systems and {draws} random samples of whole queries, of {pairs.mean():.1f} judged "
        "pairs on average; against the means of all human labels",
        "error: root mean square; width, coverage: of 95% intervals, which need two queries; tau_b: with the order by "
        "all human labels, and where 95% of the samples lie",
        "both: prediction-powered, unbiased; tuned: the model counts as much as it helps; model only: the interval "
        "that would be reported, which does not know the model's bias",
    ]
    columns = ["estimates from", "human labels", "queries", "bias", "error", "width", "coverage", "tau_b"]
    return Table(f"Human labels beside a model's: {title}", columns, lines, notes)


def curve_table(curves: pd.DataFrame, labels: dict[str, str], title: str, notes: list[str]) -> Table:
    """A row a strategy and number of queries, a column a pair of sides, of BUDGET."""
    kinds = list(curves["labels"].unique())
    lines = []
    for (strategy, n), rows in curves.groupby(["strategy", "n_queries"], sort=False):
        lines.append([strategy, count(n), count(rows["pairs"].iloc[0]), *map(_tau, rows.itertuples())])
    notes = [
        "tau_b of the systems' order by n queries with their order by the baseline labels of all, or of the same",
        f"where a strategy draws: mean of {curves['draws'].max()} draws, and where 95% of them lie",
        "greedy is optimistic, as it chooses with the very systems that are compared; other systems: chosen with one "
        "half of them, compared on the other, and so ending at that half's tau_b",
        *notes,
    ]
    columns = ["strategy", "queries", "judged pairs", *(labels[kind] for kind in kinds)]
    return Table(f"Budget: {title}", columns, lines, notes)


def enough_table(curves: pd.DataFrame, labels: dict[str, str], enough: float, title: str) -> Table:
    """A row a strategy, a column a pair of sides: the fewest queries, and their judged pairs."""
    kinds = list(curves["labels"].unique())
    lines = []
    for strategy, of_strategy in curves.groupby("strategy", sort=False):
        if strategy == budget.OPTIMISTIC:
            continue
        cells: list[str] = []
        for kind in kinds:
            rows = of_strategy[of_strategy["labels"] == kind]
            drawn = rows["draws"].iloc[0] > 1
            cells += [_fewest(rows, enough, "tau_b"), _fewest(rows, enough, "ci_low") if drawn else ""]
        lines.append([strategy, *cells])
    columns = ["strategy", *(cell for kind in kinds for cell in (labels[kind], "in 97.5% of draws"))]
    notes = [
        "the fewest queries (judged pairs) above from which on the mean tau_b, or 97.5% of the draws, stay there",
        "greedy counts on other systems only; – not even all queries reach it",
    ]
    return Table(f"Enough for tau_b ≥ {enough:g}: {title}", columns, lines, notes)


def _fewest(rows: pd.DataFrame, enough: float, column: str) -> Number:
    row = budget.enough(rows, enough, column)
    if row is None:
        return number(float("nan"))
    return Number(f"{count(row['n_queries'])} ({count(row['pairs'])})", row["n_queries"])


def _tau(row) -> Number:
    return with_interval(row.tau_b, row.ci_low if row.tau_b == row.tau_b else float("nan"), row.ci_high, 3)
