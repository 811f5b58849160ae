"""Report: what a person sees when a cell is done."""

import sys
import textwrap
from pathlib import Path

from alignir.evaluation import agreement
from alignir.evaluation.names import title as measure_title
from alignir.evaluation.scores import means
from alignir.formatting import counted, number
from alignir.frames import BASELINE, SECOND
from alignir.progress import in_words
from alignir.users.metrics import metric_name

WIDTH = 80  # of what is printed anywhere but on a wider terminal


def show(cell, result) -> None:
    """Print a cell's labels, scores and alignment."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    console.print(cell.title, style="bold", markup=False, highlight=False)
    console.print(_labels(result, cell.headline))
    console.print(_alignment(result, cell))
    console.print()


def _labels(result, headline: str):
    from rich.table import Table

    labels = result.labelling.labels
    counts = agreement.distribution(labels, result.labelling.scale)
    status = in_words(labels["status"].value_counts().to_dict())
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 2))
    table.add_row("labels", "  ".join(f"{grade}: {counts[grade]}" for grade in counts.index))
    table.add_row(
        "status", status + (f"; {counted(labels['cut'].sum(), 'passage')} cut to fit" if labels["cut"].any() else "")
    )
    table.add_row("asked", _asked(result.labelling))
    if result.labelling.fallback:
        table.add_row("fallback", f"{counted(result.labelling.fallback, 'label')} from asking again, constrained")
    itself = ("flip_rate", "self/exact", "self/kappa")  # only there when it was asked more than once
    people = [name for name in result.agreement if name.startswith(f"{SECOND}/")]
    for title, names in (("agreement", agreement.NAMES), ("with itself", itself), ("among people", people)):
        found = [f"{name}\xa0{number(result.agreement[name], 4)}" for name in names if name in result.agreement]
        if found:
            lines = textwrap.fill("  ".join(found), WIDTH - 20)  # it breaks no line at \xa0
            table.add_row(title, lines.replace("\xa0", " "))
    table.add_row(
        measure_title(headline),
        f"mean of systems {number(means(result.scores)[headline].mean(), 4)}, "
        f"baseline {number(means(result.baseline)[headline].mean(), 4)}",
    )
    others = [measure for measure in result.alignment["offline"].unique() if measure != headline]
    if others:
        table.add_row("recorded too", f"{len(others)} more measures: {', '.join(map(measure_title, others))}")
    return table


def _alignment(result, cell):
    from rich import box
    from rich.table import Table

    noise = {} if result.noise is None else dict(zip(result.noise["metric"], result.noise["tau_b"], strict=True))
    alignment = result.alignment
    alignment = alignment[(alignment["labels"] == "model") & (alignment["offline"] == cell.headline)]
    sizes = [f"{counted(row.n_systems, 'system')}, {counted(row.n_queries, 'query')}" for row in alignment.itertuples()]
    same = len(set(sizes)) == 1
    about = f"  {sizes[0] + '; ' if same else ''}users: {cell.called['user_model']}"
    table = Table(box=box.SIMPLE_HEAD, caption=about, caption_justify="left", caption_style="")
    table.add_column(f"{measure_title(cell.headline)} with")
    for column in ("tau_b", "95% interval", "p", *["two draws of the users"] * bool(noise), *["of"] * (not same)):
        table.add_column(column, justify="right")
    for row, size in zip(alignment.itertuples(), sizes, strict=True):
        reference = "baseline labels" if row.reference == BASELINE else metric_name(row.reference, cell.heads)
        interval = f"{row.ci_low:.2f} to {row.ci_high:.2f}" if row.ci_low == row.ci_low else ""
        p_value = f"{row.p_value:.2g}" if row.p_value == row.p_value else ""
        drawn = [number(noise[row.reference], 4) if row.reference in noise else ""] * bool(noise)
        table.add_row(reference, number(row.tau_b, 4), interval, p_value, *drawn, *[size] * (not same))
    return table


def _asked(labelling) -> str:
    if not labelling.asked:
        return "nothing: every answer was in the ledger, or needed no asking"
    rate = labelling.asked / labelling.seconds
    return f"{counted(labelling.asked, 'pair')} in {labelling.seconds:.0f} s, {rate:.1f} pairs/s with loading"


def show_plan(cell, plan: dict[str, float]) -> None:
    """Print what a cell would ask."""
    price = f", at most about {plan['money']:,.2f} in the price's currency" if "money" in plan else ""
    print(
        f"{cell.title}: {counted(plan['pairs'], 'pair')}, {plan['in_ledger']:,} answered in {Path(cell.ledger)}, "
        f"{plan['to_ask']:,} to ask, about {plan['prompt_tokens']:,} prompt tokens and up to "
        f"{plan['output_tokens']:,} output tokens{price}"
    )
