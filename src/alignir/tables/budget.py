"""Tables of budgets: how many labels are enough, and what human labels add."""


def human_table(rows, draws: int, pairs, title: str):
    """A row a number of human labels and way to estimate."""
    from alignir.tables.table import Table

    lines = []
    for row in rows.itertuples():
        numbers_of_row = (
            f"{round(row.bias, 3) + 0.0:+.3f}",
            f"{row.error:.3f}",
            f"{row.width:.3f}",
            f"{row.coverage:.0%}",
            tau(row),
        )
        cells = ("–" if "nan" in cell else cell for cell in numbers_of_row)
        lines.append([row.way, f"{row.labels:,}", f"{row.n_queries:,}", *cells])
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


def curve_table(curves, labels: dict[str, str], title: str, notes: list[str]):
    """A row a strategy and number of queries, a column a pair of sides."""
    from alignir.tables.table import Table

    kinds = list(curves["labels"].unique())
    lines = []
    for (strategy, n), rows in curves.groupby(["strategy", "n_queries"], sort=False):
        cells = [tau(row) for row in rows.itertuples()]
        lines.append([strategy, f"{n:,}", f"{rows['pairs'].iloc[0]:,.0f}", *cells])
    notes = [
        "tau_b of the systems' order by n queries with their order by the baseline labels of all, or of the same",
        f"where a strategy draws: mean of {curves['draws'].max()} draws, and where 95% of them lie",
        "greedy is optimistic, as it chooses with the very systems that are compared; other systems: chosen with one "
        "half of them, compared on the other, and so ending at that half's tau_b",
        *notes,
    ]
    columns = ["strategy", "queries", "judged pairs", *(labels[kind] for kind in kinds)]
    return Table(f"Budget: {title}", columns, lines, notes)


def enough_table(curves, labels: dict[str, str], enough: float, title: str):
    """A row a strategy, a column a pair of sides: the fewest queries, and their judged pairs."""
    from alignir.alignment import budget
    from alignir.tables.table import Table

    def fewest(rows, column):
        row = budget.enough(rows, enough, column)
        return "–" if row is None else f"{row['n_queries']:,} ({row['pairs']:,.0f})"

    kinds = list(curves["labels"].unique())
    lines = []
    for strategy, of_strategy in curves.groupby("strategy", sort=False):
        if strategy == budget.OPTIMISTIC:
            continue
        cells = []
        for kind in kinds:
            rows = of_strategy[of_strategy["labels"] == kind]
            cells += [fewest(rows, "tau_b"), fewest(rows, "ci_low") if rows["draws"].iloc[0] > 1 else ""]
        lines.append([strategy, *cells])
    columns = ["strategy", *(cell for kind in kinds for cell in (labels[kind], "in 97.5% of draws"))]
    notes = [
        "the fewest queries (judged pairs) above from which on the mean tau_b, or 97.5% of the draws, stay there",
        "greedy counts on other systems only; – not even all queries reach it",
    ]
    return Table(f"Enough for tau_b ≥ {enough:g}: {title}", columns, lines, notes)


def tau(row) -> str:
    if row.tau_b != row.tau_b:
        return "–"
    return f"{row.tau_b:.3f}" + (f" [{row.ci_low:.2f}, {row.ci_high:.2f}]" if row.ci_low == row.ci_low else "")
