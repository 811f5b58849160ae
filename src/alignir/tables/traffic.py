"""Table of traffic: how many sessions order systems as endless traffic does."""


def table(curves, title: str, enough: float):
    """A row a traffic size, a column a metric."""
    from alignir.tables.table import Table
    from alignir.users.metrics import NAMES

    rows = []
    for size, rows_of_size in curves.groupby("sessions"):
        cells = [f"{row.tau_b:.2f} [{row.ci_low:.2f}, {row.ci_high:.2f}]" for row in rows_of_size.itertuples()]
        rows.append([f"{size:,}", *(cell.replace("nan", "–") for cell in cells)])
    metrics = list(curves["metric"].unique())
    needed = {}
    for metric in metrics:
        reached = curves[(curves["metric"] == metric) & (curves["tau_b"] >= enough)]["sessions"]
        needed[metric] = f"{reached.min():,}" if len(reached) else "more"
    rows.append([f"tau_b ≥ {enough:g}", *needed.values()])
    notes = [f"mean tau_b of {curves['draws'].max()} draws with endless traffic, and where 95% of them lie"]
    return Table(
        f"Traffic: {title}", ["sessions a system and query", *(NAMES[metric] for metric in metrics)], rows, notes
    )
