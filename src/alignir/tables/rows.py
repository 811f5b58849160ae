"""Every number: each tau_b of the recorded runs, in full, with all that identifies it."""

from alignir.alignment.significance import ALPHA
from alignir.evaluation.names import title as measure_title
from alignir.formatting import Number, full
from alignir.frames import ALIGNMENT, GROUPS, SHUFFLED
from alignir.tables.table import Table
from alignir.tracking.recordings import Recordings, Row

ALIGNMENT_CSV = [*GROUPS, "settings", *ALIGNMENT]


def unsure(row: Row) -> bool:
    """Whether a tau_b cannot be told from 0, ° beside it; of shuffled labels it is a mean of draws, and no sample."""
    return row.judge.model != SHUFFLED and (row.p_value > ALPHA or row.ci_low <= 0 <= row.ci_high)


def alignment_table(recordings: Recordings) -> Table:
    """One row a run and pair of measures; `settings` distinguishes it from others of the same names."""
    return Table("Alignment (Kendall's tau_b)", ALIGNMENT_CSV, [_line(row) for row in recordings.rows])


def _line(row: Row) -> list[str]:
    judge, setting, users = row.judge, row.setting, row.users
    names = {
        "dataset": setting.dataset,
        "model": judge.model,
        "prompt": judge.prompt,
        "systems": setting.systems,
        "queries": setting.queries,
        "user_model": users.name,
        "assumption": users.assumption,
    }
    apart = " ".join(filter(None, (judge.of_model, judge.of_prompt, setting.apart, users.apart)))
    numbers = [full(value) for value in (row.tau_b, row.p_value, row.ci_low, row.ci_high)]
    sizes = [Number(str(size), size) for size in (row.n_systems, row.n_queries)]
    return [*(names[group] for group in GROUPS), apart, measure_title(row.offline), row.reference, *numbers, *sizes]
