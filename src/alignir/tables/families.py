"""Tables of families: Table 1 with and without the systems of the judge's own family."""

from alignir.alignment.bootstrap import Resampling
from alignir.formatting import Number, interval, number, signed
from alignir.tables.names import by_dataset, in_order, judge_titles, setting_titles
from alignir.tables.table import Table
from alignir.tracking.recordings import Recordings

COLUMNS = ["model", "prompt", "dataset", "own family", "all systems", "without it", "difference", "interval"]


def family_tables(recordings: Recordings) -> list[Table]:
    """Table 1 with and without the systems of the judge's own family, if any judge has such."""
    rows, systems, ways = {}, {}, set()
    for run in recordings:
        if run.metrics.get("family/left_out"):
            names = ("tau_all", "tau_b", "difference", "ci_low", "ci_high")
            tau, without, difference, low, high = (run.metrics[f"family/{name}"] for name in names)
            moved = (
                Number(f"{signed(difference)}!", difference) if run.metrics["family/moved"] == 1 else signed(difference)
            )
            ways.add(Resampling.recorded(run.params).text)
            family = run.params["model.family"]
            numbers = [number(tau), number(without), moved, interval(low, high)]
            rows[run.setting, run.judge] = [f"{family} ({run.metrics['family/left_out']:.0f})", *numbers]
            systems[family] = run.tags["family.systems"]
    settings = sorted({setting for setting, _ in rows}, key=by_dataset)
    titles = dict(zip(settings, setting_titles(settings), strict=True))
    lines = [
        [*judge_titles(judge), titles[setting], *rows[setting, judge]]
        for setting in settings
        for judge in in_order(judge for where, judge in rows if where == setting)
    ]
    notes = [f"{family}: {names}" for family, names in systems.items()]
    notes.append(f"interval: 95%, of the difference, by the same draws with and without: {' or '.join(sorted(ways))}")
    if any(cell.endswith("!") for line in lines for cell in line):
        notes.append(
            "! not 0: above, the judge orders its own kind unlike the baseline; below, that kind was easy to order"
        )
    title = "Table 1 without the systems of the judge's own family (Kendall's tau_b)"
    return [Table(title, COLUMNS, lines, notes)] if rows else []
