"""Tables of families: what a judge does to systems of its own and other kinds, and Table 1 without its own family's."""

import json

from alignir.alignment.bootstrap import Resampling
from alignir.alignment.families import shifts
from alignir.alignment.significance import ALPHA, holm
from alignir.data.families import LLM_BASED
from alignir.formatting import Number, Numbers, count, interval, number, signed
from alignir.frames import BASELINE
from alignir.tables.names import headline_scores, in_order, judge_name, judge_titles, setting_titles
from alignir.tables.notes import query_notes, size_note
from alignir.tables.table import Table
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded

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
    settings = sorted({setting for setting, _ in rows})
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


def shift_tables(recordings: Recordings) -> list[Table]:
    """How far each judge moves the systems of every family against the others; a table for each judge and setting.

    A table that says so where no family of systems is known.
    """
    tables, by_setting = [], recordings.by_setting()
    for setting in sorted(by_setting):
        runs = by_setting[setting]
        for judge in in_order(runs):
            title = f"Own kind: {judge_name(judge)}, {setting_titles([setting])[0]}"
            if table := _shift_table(runs[judge], title, size_note([setting])):
                tables.append(table)
    none = "no family of these systems is known: families={'*llama*': llama} or a file says which there are"
    return tables or [Table("Own kind", ["family"], [], [none])]


def _shift_table(run: Recorded, title: str, size: str) -> Table | None:
    known = json.loads(run.text("families.json") or "{}")
    if not known:
        return None
    scores = headline_scores(run)
    judged, people = (scores[scores["labels"] == labels] for labels in ("model", BASELINE))
    resampling = Resampling.recorded(run.params)._replace(over="queries")
    found, own, lines = shifts(judged, people, known, resampling), run.params.get("model.family"), []
    corrected = {kind: holm(found[f"{kind}_p"].to_numpy()) for kind in ("score", "rank")}
    for place, row in enumerate(found.itertuples()):
        cells = []
        for kind, digits in (("score", 3), ("rank", 1)):
            shift, low, high, p = (getattr(row, f"{kind}{what}") for what in ("", "_low", "_high", "_p"))
            mark = "!" if corrected[kind][place] <= ALPHA else ""
            ends = f" {interval(low, high, digits - 1)}" if low == low else ""
            shown = Numbers(f"{signed(shift, digits)}{mark}{ends}", shift=shift, low=low, high=high)
            cells += [shown, number(p, 3)]
        name = f"{row.family} (own)" if row.family == own else row.family
        lines.append([name, count(row.n_systems), *cells])
    by_people, by_judge = (set(side.dropna(subset="value")["query_id"]) for side in (people, judged))
    notes = [
        size,
        *query_notes({judge_name(run.judge): len(by_people & by_judge)}, len(by_people)),
        f"n: systems; shift: mean {run.headline} by the judge less that by the baseline labels, of the family less "
        "that of all others; above 0: the judge favours the family; ranks: the same of how many ranks systems rise",
        (f"in brackets: 95% interval, {resampling.text}; " if resampling.B else "")
        + "p: of random families of the same size, two-sided",
        f"! Holm's p ≤ {ALPHA} over the table's families",
    ]
    if LLM_BASED in known:
        notes.append(f"{LLM_BASED}: {', '.join(known[LLM_BASED])}; of the others nothing says that they are")
    columns = ["family", "n", "shift", "p", "ranks", "p, ranks"]
    return Table(title, columns, lines, notes)
